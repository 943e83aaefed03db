//! One row per kind: off, on, off again, with an effect that is measured each time.

use std::time::Duration;

use axum::body::Body;
use axum::http::Request;
use fault::hooks::{Arrival, DbStalls, Traffic};
use fault::{FaultKind, Registry};
use serde_json::{Value, json};
use tokio::time::Instant;
use tower::ServiceExt as _;

use crate::harness::{arm, id, registry, service};

struct Bench {
    router: axum::Router,
    stalls: DbStalls,
    traffic: Traffic,
}

/// What is measured: status, waited milliseconds, connections held of ten, rate, arrivals of ten.
async fn measure(bench: &Bench) -> (u16, u64, usize, u64, usize) {
    let started = Instant::now();
    let request = Request::get("/pay").body(Body::empty()).unwrap();
    let status = bench
        .router
        .clone()
        .oneshot(request)
        .await
        .unwrap()
        .status()
        .as_u16();
    let waited = u64::try_from(started.elapsed().as_millis()).unwrap();
    let held = bench.stalls.current().connections_of(10);
    bench.stalls.query(held > 0);
    let sent = (0..10)
        .filter(|_| bench.traffic.arrive("/pay", "GET") == Arrival::Send)
        .count();
    (status, waited, held, bench.traffic.rate() as u64, sent)
}

#[tokio::test(start_paused = true)]
async fn every_kind_acts_and_stops() {
    let healthy = (200, 0, 0, 60, 10);
    let table: &[(FaultKind, Value, _)] = &[
        (
            FaultKind::Latency,
            json!({"kind": "latency", "delay": "800ms"}),
            (200, 800, 0, 60, 10),
        ),
        (
            FaultKind::Error,
            json!({"kind": "error", "status": 503}),
            (503, 0, 0, 60, 10),
        ),
        (
            FaultKind::DbStall,
            json!({"kind": "db_stall", "share": "80%"}),
            (200, 0, 8, 60, 10),
        ),
        (
            FaultKind::Surge,
            json!({"kind": "surge", "factor": 5}),
            (200, 0, 0, 300, 10),
        ),
        (FaultKind::Drop, json!({"kind": "drop"}), (200, 0, 0, 60, 0)),
    ];
    let kinds: Vec<FaultKind> = table.iter().map(|(kind, ..)| *kind).collect();
    assert_eq!(kinds, FaultKind::ALL, "every kind has a row");
    for (kind, value, broken) in table {
        let registry: Registry = registry();
        let bench = Bench {
            router: service(&registry),
            stalls: registry.db_stalls("payments"),
            traffic: registry.traffic("payments", 60.0),
        };
        assert_eq!(measure(&bench).await, healthy, "{kind}: before");
        registry.arm(&id("f"), arm(value.clone()), false).unwrap();
        assert_eq!(measure(&bench).await, *broken, "{kind}: on");
        let status = &registry.snapshot()[0];
        assert!(
            status.evaluated > 0 && status.injected > 0,
            "{kind}: it is counted: {status:?}"
        );
        registry.withdraw(&id("f"), None, "done").unwrap();
        assert_eq!(measure(&bench).await, healthy, "{kind}: withdrawn");
        registry.arm(&id("f"), arm(value.clone()), false).unwrap();
        tokio::time::sleep(Duration::from_secs(11)).await;
        assert_eq!(measure(&bench).await, healthy, "{kind}: its lease is lost");
    }
}
