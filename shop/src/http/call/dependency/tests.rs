//! Against real listeners, since what is proven is what goes over the wire.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use axum::{Router, http::StatusCode, routing::post};
use prometheus_client::{encoding::text, registry::Registry};
use serde_json::json;
use tokio::{net::TcpListener, task::JoinHandle};
use tokio_util::sync::CancellationToken;

use super::{Ask, BREAKER, CallError, Dependency};
use crate::{
    config::Role,
    http::{
        call::{Peer, client},
        retry::{BUDGET_RESERVE, BUDGET_SHARE},
        url::BaseUrl,
    },
    market::DependencyName,
    telemetry::external::External,
};

/// A dependency and what it counts.
struct Rig {
    dependency: Dependency,
    registry: Registry,
}

impl Rig {
    fn to(address: SocketAddr, timeout: Duration) -> Self {
        let mut registry = Registry::default();
        let external = External::register(&mut registry, &[Role::Orders]);
        let peer = Peer {
            caller: Role::Orders,
            callee: Role::Partners,
            url: BaseUrl::parse(&format!("http://{address}")).unwrap(),
            client: client().unwrap(),
            timeout,
        };
        let counts = external.dependency(DependencyName::Crm);
        Self {
            dependency: Dependency::new(DependencyName::Crm, peer, counts),
            registry,
        }
    }

    async fn ask(&self, key: Option<&str>) -> Result<StatusCode, CallError> {
        let ask = Ask::post("/crm/orders", &json!({ "order_id": 1 }));
        let ask = match key {
            Some(key) => ask.with_key(key),
            None => ask,
        };
        self.dependency.ask(ask).await.map(|answer| answer.status)
    }

    fn count(&self, series: &str) -> f64 {
        let mut text = String::new();
        text::encode(&mut text, &self.registry).unwrap();
        let line = text.lines().find_map(|line| line.strip_prefix(series));
        line.expect(series).trim().parse().unwrap()
    }

    fn outcomes(&self, outcome: &str) -> f64 {
        self.count(&format!(
            "external_requests_total{{dependency=\"crm\",outcome=\"{outcome}\"}}"
        ))
    }

    fn retries(&self) -> f64 {
        self.count("external_retries_total{dependency=\"crm\"}")
    }

    fn open(&self) -> f64 {
        self.count("circuit_breaker_open{dependency=\"crm\"}")
    }
}

/// A partner that can be stopped.
struct Partner {
    address: SocketAddr,
    asked: Arc<AtomicU64>,
    stop: CancellationToken,
    serving: JoinHandle<()>,
}

impl Partner {
    /// Serves; `answer` gets the number of the request, from 0.
    async fn start(
        address: SocketAddr,
        answer: impl Fn(u64) -> (Duration, StatusCode) + Send + Sync + 'static,
    ) -> Self {
        let asked = Arc::new(AtomicU64::new(0));
        let (seen, answer) = (Arc::clone(&asked), Arc::new(answer));
        let handler = move || {
            let (delay, status) = answer(seen.fetch_add(1, Ordering::SeqCst));
            async move {
                tokio::time::sleep(delay).await;
                (status, "{}")
            }
        };
        let listener = TcpListener::bind(address).await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = Router::new().route("/crm/orders", post(handler));
        let stop = CancellationToken::new();
        let told = stop.clone().cancelled_owned();
        let serving = axum::serve(listener, router).with_graceful_shutdown(told);
        Self {
            address,
            asked,
            stop,
            serving: tokio::spawn(async move { serving.await.unwrap() }),
        }
    }

    fn asked(&self) -> u64 {
        self.asked.load(Ordering::SeqCst)
    }

    async fn stop(self) {
        self.stop.cancel();
        self.serving.await.unwrap();
    }
}

fn anywhere() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 0))
}

#[tokio::test]
async fn a_keyed_call_is_made_again_and_any_other_is_not() {
    let every_other = |n: u64| match n % 2 {
        0 => (Duration::ZERO, StatusCode::SERVICE_UNAVAILABLE),
        _ => (Duration::ZERO, StatusCode::OK),
    };
    let partner = Partner::start(anywhere(), every_other).await;
    let rig = Rig::to(partner.address, Duration::from_secs(1));
    assert_eq!(rig.ask(Some("order-1")).await, Ok(StatusCode::OK));
    let failed = Err(CallError::Failed(StatusCode::SERVICE_UNAVAILABLE));
    assert_eq!(rig.ask(None).await, failed);
    assert_eq!(partner.asked(), 3);
    let counted = (rig.outcomes("ok"), rig.outcomes("error"), rig.retries());
    assert_eq!(counted, (1.0, 2.0, 1.0));
    assert_eq!(
        rig.count("external_request_duration_seconds_count{dependency=\"crm\"}"),
        3.0
    );
}

#[tokio::test]
async fn a_no_is_an_answer_and_is_not_asked_again() {
    let says_no = |_| (Duration::ZERO, StatusCode::TOO_MANY_REQUESTS);
    let partner = Partner::start(anywhere(), says_no).await;
    let rig = Rig::to(partner.address, Duration::from_secs(1));
    for _ in 0..20 {
        assert_eq!(rig.ask(Some("k")).await, Ok(StatusCode::TOO_MANY_REQUESTS));
    }
    assert_eq!(partner.asked(), 20);
    assert_eq!((rig.outcomes("ok"), rig.open()), (20.0, 0.0));
}

#[tokio::test]
async fn a_late_answer_is_a_timeout_and_is_healed() {
    let first_hangs = |n| {
        (
            Duration::from_secs(if n == 0 { 30 } else { 0 }),
            StatusCode::OK,
        )
    };
    let partner = Partner::start(anywhere(), first_hangs).await;
    let rig = Rig::to(partner.address, Duration::from_millis(150));
    let asked = Instant::now();
    assert_eq!(rig.ask(Some("k")).await, Ok(StatusCode::OK));
    assert!(asked.elapsed() >= Duration::from_millis(150));
    assert_eq!((rig.outcomes("timeout"), rig.outcomes("ok")), (1.0, 1.0));
}

#[tokio::test]
async fn under_total_failure_retries_stay_within_the_budget_and_the_breaker_opens() {
    let fails = |_| (Duration::ZERO, StatusCode::INTERNAL_SERVER_ERROR);
    let partner = Partner::start(anywhere(), fails).await;
    let rig = Rig::to(partner.address, Duration::from_secs(1));
    for _ in 0..200 {
        assert!(rig.ask(Some("k")).await.is_err());
    }
    // Refused calls earn no retry: only those that went out do.
    let calls = 200.0 - rig.outcomes("rejected");
    assert!(rig.retries() <= BUDGET_SHARE * calls + BUDGET_RESERVE as f64);
    assert!(rig.retries() >= 1.0);
    assert_eq!(partner.asked() as f64, calls + rig.retries());
    assert!(partner.asked() <= 2 * BREAKER.least_calls);
    assert_eq!(rig.open(), 1.0);
}

#[tokio::test]
async fn the_breaker_opens_on_a_dead_partner_and_closes_when_it_is_back() {
    let partner = Partner::start(anywhere(), |_| (Duration::ZERO, StatusCode::OK)).await;
    let address = partner.address;
    let rig = Rig::to(address, Duration::from_secs(1));
    assert_eq!(rig.ask(None).await, Ok(StatusCode::OK));
    partner.stop().await;
    let mut last = Ok(StatusCode::OK);
    for _ in 0..40 {
        last = rig.ask(None).await;
    }
    assert_eq!((last, rig.open()), (Err(CallError::Rejected), 1.0));

    let back = Partner::start(address, |_| (Duration::ZERO, StatusCode::CREATED)).await;
    assert_eq!(rig.ask(None).await, Err(CallError::Rejected));
    assert_eq!(back.asked(), 0, "nobody is asked while it is open");
    tokio::time::sleep(BREAKER.open_for).await;
    for _ in 0..BREAKER.probes {
        assert_eq!(rig.ask(None).await, Ok(StatusCode::CREATED));
    }
    assert_eq!(rig.open(), 0.0);
}

#[tokio::test]
async fn a_caller_that_goes_away_gives_its_probe_back() {
    let hangs = |_| (Duration::from_secs(30), StatusCode::OK);
    let partner = Partner::start(anywhere(), hangs).await;
    let rig = Rig::to(partner.address, Duration::from_secs(30));
    let short = tokio::time::timeout(Duration::from_millis(50), rig.ask(None)).await;
    assert!(short.is_err());
    assert_eq!(
        rig.outcomes("ok") + rig.outcomes("error") + rig.outcomes("timeout"),
        0.0
    );
    assert_eq!(rig.open(), 0.0);
}
