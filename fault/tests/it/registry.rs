//! What is armed and how it ends, in paused time.

use std::time::Duration;

use fault::registry::{MAX_ENDED, MAX_LIVE, RegistryError};
use fault::{ArmRequest, Ended, FaultStatus, Registry, Seam};
use serde_json::json;

use crate::harness::{arm, id, registry};

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn error() -> ArmRequest {
    arm(json!({"kind": "error", "status": 503}))
}

fn last_end(registry: &Registry) -> (String, Option<Ended>) {
    let ended = registry.ended();
    (ended[0].id.to_string(), ended[0].ended)
}

#[tokio::test(start_paused = true)]
async fn a_fault_ends_when_its_time_is_over() {
    let registry = registry();
    let request = ArmRequest {
        duration: seconds(5),
        ..error()
    };
    registry.arm(&id("f"), request, false).unwrap();
    tokio::time::sleep(Duration::from_millis(4_900)).await;
    let live = &registry.snapshot()[0];
    assert_eq!(
        (live.age_ms, live.remaining_ms, live.lease_remaining_ms),
        (4_900, 100, 5_100)
    );
    tokio::time::sleep(Duration::from_millis(101)).await;
    assert!(registry.is_idle(), "without anybody asking");
    assert_eq!(last_end(&registry), ("f".to_owned(), Some(Ended::Expired)));
}

#[tokio::test(start_paused = true)]
async fn a_fault_ends_when_nobody_renews_it() {
    let registry = registry();
    registry.arm(&id("f"), error(), false).unwrap();
    for _ in 0..4 {
        tokio::time::sleep(seconds(9)).await;
        registry.renew(&id("f"), Some("run-1")).unwrap();
    }
    tokio::time::sleep(Duration::from_millis(10_001)).await;
    assert!(registry.is_idle());
    assert_eq!(
        last_end(&registry),
        ("f".to_owned(), Some(Ended::LeaseLost))
    );
    let over = registry.renew(&id("f"), Some("run-1")).unwrap_err();
    assert_eq!(
        over,
        RegistryError::Over {
            id: id("f"),
            ended: Ended::LeaseLost
        }
    );
}

/// Renewing holds off the lease and never the hard end.
#[tokio::test(start_paused = true)]
async fn renewing_does_not_outlive_for() {
    let registry = registry();
    registry.arm(&id("f"), error(), false).unwrap();
    for _ in 0..11 {
        tokio::time::sleep(seconds(5)).await;
        registry.renew(&id("f"), None).unwrap();
    }
    tokio::time::sleep(seconds(6)).await;
    assert_eq!(last_end(&registry), ("f".to_owned(), Some(Ended::Expired)));
}

/// The task that ends faults is on the runtime of whoever armed first; that may be gone.
#[test]
fn faults_end_without_their_task() {
    let registry = registry();
    let first = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let short = ArmRequest {
        duration: Duration::from_millis(20),
        ..error()
    };
    first.block_on(async { registry.arm(&id("f"), short.clone(), false).unwrap() });
    drop(first);
    let second = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    second.block_on(async {
        tokio::time::sleep(Duration::from_millis(25)).await;
        assert_eq!(registry.snapshot(), []);
        registry.arm(&id("g"), short, false).unwrap();
        tokio::time::sleep(Duration::from_millis(25)).await;
        assert!(registry.is_idle(), "the task runs again");
    });
}

#[test]
fn arming_needs_a_runtime() {
    let registry = registry();
    assert_eq!(
        registry.arm(&id("f"), error(), false).unwrap_err(),
        RegistryError::NoRuntime
    );
    assert!(registry.is_idle());
}

#[tokio::test(start_paused = true)]
async fn one_owner_at_a_time() {
    let registry = registry();
    registry.arm(&id("a"), error(), false).unwrap();
    let theirs = || ArmRequest {
        owner: "run-2".to_owned(),
        ..error()
    };
    tokio::time::sleep(seconds(4)).await;
    for name in ["a", "b"] {
        let refused = registry.arm(&id(name), theirs(), false).unwrap_err();
        let expect = RegistryError::Owned {
            owner: "run-1".to_owned(),
            lease_remaining: seconds(6),
        };
        assert_eq!(refused, expect);
    }
    let not_yours = RegistryError::NotYours {
        owner: "run-1".to_owned(),
    };
    assert_eq!(
        registry.renew(&id("a"), Some("run-2")).unwrap_err(),
        not_yours
    );
    assert_eq!(
        registry
            .withdraw(&id("a"), Some("run-2"), "mine!")
            .unwrap_err(),
        not_yours
    );
    assert_eq!(registry.withdraw_all(Some("run-2"), "recovery"), []);

    registry.arm(&id("b"), theirs(), true).unwrap();
    let live: Vec<String> = registry
        .snapshot()
        .iter()
        .map(|fault| fault.id.to_string())
        .collect();
    assert_eq!(live, ["b"], "taking over ends the other's faults");
    assert!(matches!(
        registry.renew(&id("a"), Some("run-1")),
        Err(RegistryError::Over { .. })
    ));
    assert!(matches!(
        registry.arm(&id("a"), error(), false),
        Err(RegistryError::Owned { .. })
    ));

    tokio::time::sleep(seconds(11)).await;
    registry
        .arm(&id("a"), error(), false)
        .expect("the other's lease is lost");
}

#[tokio::test]
async fn withdrawing_is_idempotent() {
    let registry = registry();
    registry.arm(&id("f"), error(), false).unwrap();
    for _ in 0..2 {
        let status = registry.withdraw(&id("f"), None, "enough").unwrap();
        assert_eq!(status.ended, Some(Ended::Withdrawn));
    }
    assert_eq!(registry.withdraw_all(None, "enough"), []);
    assert_eq!(
        registry.withdraw(&id("g"), None, "enough").unwrap_err(),
        RegistryError::Unknown(id("g"))
    );
    assert_eq!(registry.ended().len(), 1);
}

#[tokio::test]
async fn arming_again_replaces() {
    let registry = registry();
    registry.arm(&id("f"), error(), false).unwrap();
    registry
        .arm(
            &id("f"),
            arm(json!({"kind": "latency", "delay": "1s"})),
            false,
        )
        .unwrap();
    let kinds = |faults: Vec<FaultStatus>| -> Vec<&str> {
        faults
            .iter()
            .map(|fault| fault.fault.kind().name())
            .collect()
    };
    assert_eq!(kinds(registry.snapshot()), ["latency"]);
    assert_eq!(kinds(registry.ended()), ["error"]);
}

#[tokio::test]
async fn live_and_ended_faults_are_bounded() {
    let registry = registry();
    for n in 0..MAX_LIVE {
        registry.arm(&id(&format!("f{n}")), error(), false).unwrap();
    }
    assert_eq!(
        registry.arm(&id("more"), error(), false).unwrap_err(),
        RegistryError::Full
    );
    registry
        .arm(&id("f0"), error(), false)
        .expect("replacing needs no room");
    for _ in 0..5 {
        assert_eq!(registry.withdraw_all(None, "room").len(), MAX_LIVE);
        for n in 0..MAX_LIVE {
            registry.arm(&id(&format!("f{n}")), error(), false).unwrap();
        }
    }
    assert_eq!(registry.ended().len(), MAX_ENDED);
}

/// What could have no effect is refused, not shown as active.
#[tokio::test]
async fn faults_that_nobody_carries_out_are_refused() {
    let registry = Registry::new();
    registry.offer(Seam::Request, "payments");
    let drop = registry
        .arm(&id("f"), arm(json!({"kind": "drop"})), false)
        .unwrap_err();
    assert_eq!(drop.code(), "kind_not_offered");
    assert_eq!(
        drop.remedy(),
        "it carries out: latency, error; traffic faults go to the load generator's control listener"
    );
    let elsewhere = arm(json!({"kind": "error", "status": 503, "where": {"service": "orders"}}));
    let orders = registry.arm(&id("f"), elsewhere, false).unwrap_err();
    assert_eq!(
        orders.to_string(),
        "service `orders` is not hosted by this process"
    );
    registry.protect(&["/health/{part}".to_owned()]);
    let route = arm(json!({"kind": "error", "status": 503, "where": {"route": "/health/:part"}}));
    assert_eq!(
        registry.arm(&id("f"), route, false).unwrap_err().code(),
        "protected_route"
    );
    assert!(registry.is_idle());
}

/// 1,000 times arming and disarming leaves nothing behind.
#[tokio::test]
async fn nothing_is_left_behind() {
    let registry = registry();
    for n in 0..1_000 {
        registry.arm(&id("f"), error(), false).unwrap();
        if n % 2 == 0 {
            registry.withdraw(&id("f"), None, "churn").unwrap();
        } else {
            registry.withdraw_all(None, "churn");
        }
    }
    assert!(registry.is_idle());
    let tasks = tokio::runtime::Handle::current()
        .metrics()
        .num_alive_tasks();
    assert!(tasks <= 1, "{tasks} tasks");
    drop(registry);
    tokio::task::yield_now().await;
    assert_eq!(
        tokio::runtime::Handle::current()
            .metrics()
            .num_alive_tasks(),
        0
    );
}

#[test]
fn every_start_has_another_boot_id() {
    let (one, other) = (Registry::new(), Registry::new());
    assert_ne!(one.boot_id(), other.boot_id());
    assert_eq!(one.boot_id().len(), 16);
}
