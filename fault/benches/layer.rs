//! What the fault layer costs a request, and what a wait costs beyond what was asked.
//!
//! `cargo bench -p fault`. The cost of the layer is `layer_idle` minus `bare`: both call the same
//! service through the same polls.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::Bytes;
use divan::{Bencher, black_box};
use fault::layer::FaultLayer;
use fault::{ArmRequest, FaultBody, Registry};
use http::{Request, Response};
use serde_json::{Value, json};
use tokio::runtime::Runtime;
use tower::{Layer as _, Service};

fn main() {
    divan::main();
}

#[derive(Clone)]
struct Handler;

impl Service<Request<()>> for Handler {
    type Response = Response<Bytes>;
    type Error = Infallible;
    type Future = Ready<Result<Response<Bytes>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<()>) -> Self::Future {
        ready(Ok(Response::new(Bytes::new())))
    }
}

fn measure<S>(bencher: Bencher<'_, '_>, mut service: S)
where
    S: Service<Request<()>, Response = Response<Bytes>>,
{
    bencher
        .with_inputs(|| Request::new(()))
        .bench_local_values(|request| {
            let mut context = Context::from_waker(Waker::noop());
            let _ = black_box(service.poll_ready(&mut context));
            let future = pin!(service.call(request));
            black_box(future.poll(&mut context).is_ready())
        });
}

fn armed(fault: &Value) -> (Runtime, Registry) {
    let runtime = Runtime::new().expect("a runtime");
    let registry = Registry::new();
    for service in ["payments", "orders"] {
        registry.offer(fault::Seam::Request, service);
    }
    let body = FaultBody::decode(fault).expect("a fault");
    let request = ArmRequest {
        lease: Duration::from_hours(1),
        ..ArmRequest::new(body, Duration::from_hours(1), "bench", "bench")
    };
    let entered = runtime.enter();
    registry
        .arm(&"f".parse().expect("an id"), request, false)
        .expect("armed");
    drop(entered);
    (runtime, registry)
}

#[divan::bench]
fn bare(bencher: Bencher<'_, '_>) {
    measure(bencher, Handler);
}

/// The bar: at most 150 ns more than `bare`.
#[divan::bench]
fn layer_idle(bencher: Bencher<'_, '_>) {
    measure(
        bencher,
        FaultLayer::new(Registry::new(), "payments").layer(Handler),
    );
}

#[divan::bench]
fn layer_fault_elsewhere(bencher: Bencher<'_, '_>) {
    let fault = json!({"kind": "error", "status": 503, "where": {"service": "orders"}});
    let (_runtime, registry) = armed(&fault);
    measure(
        bencher,
        FaultLayer::new(registry, "payments").layer(Handler),
    );
}

#[divan::bench]
fn layer_fault_missing(bencher: Bencher<'_, '_>) {
    let (_runtime, registry) = armed(&json!({"kind": "error", "status": 503, "share": 0}));
    measure(
        bencher,
        FaultLayer::new(registry, "payments").layer(Handler),
    );
}

#[divan::bench]
fn layer_fault_hitting(bencher: Bencher<'_, '_>) {
    let (_runtime, registry) = armed(&json!({"kind": "error", "status": 503}));
    measure(
        bencher,
        FaultLayer::new(registry, "payments").layer(Handler),
    );
}

const WAIT: Duration = Duration::from_millis(10);

/// What a sleep of 10 ms takes without the layer.
#[divan::bench(sample_count = 200, sample_size = 1)]
fn wait_bare(bencher: Bencher<'_, '_>) {
    let runtime = Runtime::new().expect("a runtime");
    bencher.bench_local(|| runtime.block_on(async { tokio::time::sleep(WAIT).await }));
}

/// The bar: median at most 11.5 ms, 99 of 100 at most 13 ms.
#[divan::bench(sample_count = 200, sample_size = 1)]
fn wait_injected(bencher: Bencher<'_, '_>) {
    let (runtime, registry) = armed(&json!({"kind": "latency", "delay": "10ms"}));
    let mut service = FaultLayer::new(registry, "payments").layer(Handler);
    bencher.bench_local(|| runtime.block_on(service.call(Request::new(()))));
}
