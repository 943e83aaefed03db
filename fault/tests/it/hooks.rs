//! Hooks: what databases and load generators are told, in paused time.

use std::time::Duration;

use fault::hooks::{Arrival, Stall};
use fault::{ArmRequest, Share};
use serde_json::json;

use crate::harness::{arm, id, registry};

#[tokio::test(start_paused = true)]
async fn a_stall_is_announced_and_ends_by_itself() {
    let registry = registry();
    let mut stalls = registry.db_stalls("payments");
    let request =
        arm(json!({"kind": "db_stall", "share": "50%", "where": {"service": "payments"}}));
    registry
        .arm(
            &id("s"),
            ArmRequest {
                duration: Duration::from_secs(3),
                ..request
            },
            false,
        )
        .unwrap();
    let half = Stall {
        connections: Share::new(0.5).unwrap(),
        lock: false,
    };
    assert_eq!(stalls.changed().await, half);
    assert_eq!(
        (
            half.connections_of(10),
            half.connections_of(1),
            half.connections_of(0)
        ),
        (5, 1, 0)
    );
    stalls.query(true);
    stalls.query(false);
    let status = &registry.snapshot()[0];
    assert_eq!(
        (status.evaluated, status.injected),
        (2, 1),
        "only what was held counts"
    );
    // Nobody asks: the end announces itself.
    assert_eq!(stalls.changed().await, Stall::NONE);
    assert_eq!(stalls.current(), Stall::NONE);
}

#[tokio::test(start_paused = true)]
async fn a_stall_follows_its_ramp() {
    let registry = registry();
    let mut stalls = registry.db_stalls("payments");
    let ramp = json!({"kind": "db_stall", "ramp": {"over": "4s", "from": "0%"}});
    registry.arm(&id("s"), arm(ramp), false).unwrap();
    let mut last = Stall::NONE;
    let mut steps = 0;
    while last.connections < Share::ALL {
        let next = stalls.changed().await;
        assert!(next.connections > last.connections);
        last = next;
        steps += 1;
    }
    assert!(steps >= 8, "{steps} steps in 4 s");
}

#[tokio::test]
async fn a_lock_and_other_services() {
    let registry = registry();
    let (stalls, other) = (registry.db_stalls("payments"), registry.db_stalls("orders"));
    let lock = json!({"kind": "db_stall", "mode": "lock", "where": {"service": "payments"}});
    registry.arm(&id("s"), arm(lock), false).unwrap();
    assert_eq!(
        stalls.current(),
        Stall {
            connections: Share::NONE,
            lock: true
        }
    );
    assert_eq!(other.current(), Stall::NONE);
    other.query(true);
    assert_eq!(registry.snapshot()[0].evaluated, 0);
}

#[tokio::test(start_paused = true)]
async fn a_surge_changes_the_rate() {
    let registry = registry();
    let mut traffic = registry.traffic("payments", 60.0);
    assert_eq!(traffic.rate(), 60.0);
    let surge = json!({"kind": "surge", "factor": 5, "ramp": {"over": "10s", "from": "0%"}});
    registry.arm(&id("s"), arm(surge), false).unwrap();
    traffic.changed().await;
    assert_eq!(traffic.rate(), 60.0);
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert!((traffic.rate() - 180.0).abs() < 1.0, "{}", traffic.rate());
    registry.renew(&id("s"), None).unwrap();
    tokio::time::sleep(Duration::from_secs(6)).await;
    assert_eq!(traffic.rate(), 300.0);
    for _ in 0..1_000 {
        assert_eq!(traffic.arrive("/pay", "POST"), Arrival::Send);
    }
    let status = &registry.snapshot()[0];
    assert_eq!(status.evaluated, 1_000);
    assert!(
        (740..860).contains(&status.injected),
        "four of five: {}",
        status.injected
    );
    traffic.set_base(10.0);
    assert_eq!(traffic.rate(), 50.0);
    registry.withdraw_all(None, "done");
    assert_eq!(traffic.rate(), 10.0);
}

#[tokio::test]
async fn a_drop_stops_arrivals() {
    let registry = registry();
    let traffic = registry.traffic("payments", 60.0);
    let drop = json!({"kind": "drop", "where": {"route": "/pay"}});
    registry.arm(&id("d"), arm(drop), false).unwrap();
    assert_eq!(traffic.arrive("/pay", "POST"), Arrival::Dropped);
    assert_eq!(traffic.arrive("/products", "GET"), Arrival::Send);
    let status = &registry.snapshot()[0];
    assert_eq!((status.evaluated, status.injected), (1, 1));
}
