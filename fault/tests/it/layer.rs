//! The layer, on a real server and beside one.

use std::convert::Infallible;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use axum::http::{Request, Response};
use axum::response::IntoResponse as _;
use axum::routing::get;
use bytes::Bytes;
use fault::Registry;
use fault::layer::{FaultLayer, Injected, RouteTemplate};
use serde_json::json;
use tower::{Layer as _, ServiceExt as _, service_fn};

use crate::harness::{arm, get_status, id, raw, registry, serve, service};

#[tokio::test]
async fn healthy_broken_healthy() {
    let registry = registry();
    let address = serve(service(&registry)).await;
    assert_eq!(get_status(address, "/pay").await, 200);
    registry
        .arm(
            &id("f"),
            arm(json!({"kind": "error", "status": 503})),
            false,
        )
        .unwrap();
    let answer = raw(address, "GET /pay", &[("Host", "localhost")], "").await;
    assert_eq!(answer.status, 503);
    assert!(
        answer
            .head
            .contains("content-type: application/problem+json"),
        "{}",
        answer.head
    );
    assert_eq!(
        answer.json(),
        json!({"type": "about:blank", "title": "Service Unavailable", "status": 503})
    );
    registry.withdraw(&id("f"), None, "enough").unwrap();
    assert_eq!(get_status(address, "/pay").await, 200);
    let status = &registry.ended()[0];
    assert_eq!((status.evaluated, status.injected), (1, 1));
}

#[tokio::test]
async fn routes_are_templates() {
    let registry = registry();
    let address = serve(service(&registry)).await;
    let fault = json!({"kind": "error", "status": 500, "where": {"route": "/payments/:id", "method": "GET"}});
    registry.arm(&id("f"), arm(fault), false).unwrap();
    assert_eq!(get_status(address, "/payments/17").await, 500);
    assert_eq!(get_status(address, "/payments/18?x=y").await, 500);
    assert_eq!(get_status(address, "/pay").await, 200);
    assert_eq!(get_status(address, "/nowhere").await, 404);
    assert_eq!(registry.snapshot()[0].evaluated, 2);
}

#[tokio::test]
async fn a_body_can_be_given() {
    let registry = registry();
    let router = service(&registry);
    for (body, content_type, text) in [
        (json!("try later"), "text/plain; charset=utf-8", "try later"),
        (json!({"error": 7}), "application/json", r#"{"error":7}"#),
    ] {
        registry
            .arm(
                &id("f"),
                arm(json!({"kind": "error", "status": 429, "body": body})),
                false,
            )
            .unwrap();
        let request = Request::get("/pay").body(Body::empty()).unwrap();
        let response = router.clone().oneshot(request).await.unwrap();
        assert_eq!(response.status(), 429);
        assert_eq!(response.headers()["content-type"], content_type);
        assert_eq!(
            axum::body::to_bytes(response.into_body(), 999)
                .await
                .unwrap(),
            text
        );
    }
}

#[tokio::test]
async fn protected_routes_are_spared() {
    let registry = registry();
    registry.protect(&["/payments/:id".to_owned()]);
    let address = serve(service(&registry)).await;
    registry
        .arm(
            &id("f"),
            arm(json!({"kind": "error", "status": 503})),
            false,
        )
        .unwrap();
    assert_eq!(get_status(address, "/payments/1").await, 200);
    assert_eq!(get_status(address, "/pay").await, 503);
}

/// The response tells the layers outside which faults touched it; the body does not tell anybody.
#[tokio::test(start_paused = true)]
async fn responses_are_marked() {
    let registry = registry();
    let router = service(&registry);
    let ask = async || {
        let request = Request::get("/pay").body(Body::empty()).unwrap();
        router.clone().oneshot(request).await.unwrap()
    };
    assert!(ask().await.extensions().get::<Injected>().is_none());
    registry
        .arm(
            &id("slow"),
            arm(json!({"kind": "latency", "delay": "1s"})),
            false,
        )
        .unwrap();
    let injected = ask().await.extensions().get::<Injected>().cloned();
    assert_eq!(injected, Some(Injected(vec![id("slow")])));
    registry
        .arm(
            &id("down"),
            arm(json!({"kind": "error", "status": 503})),
            false,
        )
        .unwrap();
    let response = ask().await;
    assert_eq!(
        response.extensions().get(),
        Some(&Injected(vec![id("slow"), id("down")]))
    );
    let body = axum::body::to_bytes(response.into_body(), 999)
        .await
        .unwrap();
    assert!(!String::from_utf8_lossy(&body).contains("down"));
}

/// Toxiproxy's toxicity 0 still acts; a share of 0 must not.
#[tokio::test]
async fn a_share_of_nothing_never_acts() {
    let registry = registry();
    let router = service(&registry);
    registry
        .arm(
            &id("f"),
            arm(json!({"kind": "error", "status": 503, "share": 0})),
            false,
        )
        .unwrap();
    for _ in 0..10_000 {
        let request = Request::get("/pay").body(Body::empty()).unwrap();
        assert_eq!(router.clone().oneshot(request).await.unwrap().status(), 200);
    }
    let status = &registry.snapshot()[0];
    assert_eq!((status.evaluated, status.injected), (10_000, 0));
}

/// Real time: never short, and not long either (the measured figure is in the benchmark).
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn waits_are_never_short() {
    let registry = registry();
    let router = service(&registry);
    for asked in [1, 10, 50] {
        let fault = json!({"kind": "latency", "delay": format!("{asked}ms")});
        registry.arm(&id("slow"), arm(fault), false).unwrap();
        let asked = Duration::from_millis(asked);
        let mut over = Vec::new();
        for _ in 0..20 {
            let request = Request::get("/pay").body(Body::empty()).unwrap();
            let started = Instant::now();
            router.clone().oneshot(request).await.unwrap();
            let took = started.elapsed();
            assert!(took >= asked, "{took:?} is short of {asked:?}");
            over.push(took.saturating_sub(asked));
        }
        over.sort_unstable();
        // The bar is 1.5 ms on a quiet machine; here others may be building.
        assert!(
            over[10] < Duration::from_millis(20),
            "{:?} over {asked:?}",
            over[10]
        );
    }
}

/// Chaos tools hang while they are asked to stop, and requests hang on after the fault is gone.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_waiting_requests_wake() {
    let registry = registry();
    let router = service(&registry);
    registry
        .arm(
            &id("slow"),
            arm(json!({"kind": "latency", "delay": "10m"})),
            false,
        )
        .unwrap();
    registry
        .arm(
            &id("down"),
            arm(json!({"kind": "error", "status": 503})),
            false,
        )
        .unwrap();
    let waiting: Vec<_> = (0..10_000)
        .map(|_| {
            let request = Request::get("/pay").body(Body::empty()).unwrap();
            tokio::spawn(router.clone().oneshot(request))
        })
        .collect();
    while registry.snapshot()[0].injected < 10_000 {
        tokio::task::yield_now().await;
    }
    let started = Instant::now();
    assert_eq!(registry.withdraw_all(None, "enough").len(), 2);
    let answered = started.elapsed();
    for task in waiting {
        let status = task.await.unwrap().unwrap().status();
        assert_eq!(
            status, 200,
            "a fault that is withdrawn fails nobody any more"
        );
    }
    let woken = started.elapsed();
    assert!(
        answered < Duration::from_millis(100),
        "withdrawing took {answered:?}"
    );
    assert!(woken < Duration::from_secs(2), "waking took {woken:?}");
}

#[tokio::test(start_paused = true)]
async fn waiting_requests_wake_when_the_fault_ends_by_itself() {
    let registry = registry();
    let router = service(&registry);
    registry
        .arm(
            &id("slow"),
            arm(json!({"kind": "latency", "delay": "10m"})),
            false,
        )
        .unwrap();
    let started = tokio::time::Instant::now();
    let request = Request::get("/pay").body(Body::empty()).unwrap();
    assert_eq!(router.oneshot(request).await.unwrap().status(), 200);
    let took = started.elapsed();
    assert!(
        took >= Duration::from_secs(10) && took < Duration::from_millis(10_010),
        "{took:?}"
    );
}

/// Any tower service will do: another body, another router.
#[tokio::test]
async fn it_is_not_bound_to_axum() {
    #[derive(Debug, PartialEq)]
    struct Plain(Bytes);
    impl From<Bytes> for Plain {
        fn from(bytes: Bytes) -> Self {
            Self(bytes)
        }
    }
    let registry = Registry::new();
    let handler = service_fn(async |_: Request<()>| {
        Ok::<_, Infallible>(Response::new(Plain(Bytes::from_static(b"fine"))))
    });
    let service = FaultLayer::new(registry.clone(), "plain").layer(handler);
    let ask = async |route: &'static str| {
        let mut request = Request::new(());
        request.extensions_mut().insert(RouteTemplate(route));
        service.clone().oneshot(request).await.unwrap()
    };
    let fault = json!({"kind": "error", "status": 500, "body": "no", "where": {"route": "/a/:b"}});
    registry.arm(&id("f"), arm(fault), false).unwrap();
    assert_eq!(
        ask("/a/{b}").await.into_body(),
        Plain(Bytes::from_static(b"no"))
    );
    assert_eq!(
        ask("/a").await.into_body(),
        Plain(Bytes::from_static(b"fine"))
    );
}

/// With a route layer, what no route matches is left alone.
#[tokio::test]
async fn route_layers_work_too() {
    let registry = registry();
    let router = Router::new()
        .route("/pay", get(async || "paid".into_response()))
        .route_layer(FaultLayer::new(registry.clone(), "payments"));
    let address = serve(router).await;
    registry
        .arm(
            &id("f"),
            arm(json!({"kind": "error", "status": 503})),
            false,
        )
        .unwrap();
    assert_eq!(get_status(address, "/pay").await, 503);
    assert_eq!(get_status(address, "/nowhere").await, 404);
}
