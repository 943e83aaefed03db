//! One small route behind the real layers, in a process set up like any other: what the benchmark of
//! telemetry measures (`cargo bench -p shop --bench telemetry`).

use std::{net::SocketAddr, sync::Arc};

use axum::{Json, Router, extract::Path, http::Method, routing::get};
use clap::Parser;
use rustix::time::{ClockId, clock_gettime};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::{
    cli::ProcessArgs,
    config::Role,
    error::ShopError,
    http::{
        observe::Observe,
        serve::{Bound, Descriptors},
    },
    process::start::Process,
    telemetry::{
        http_metrics::{RouteSpec, ServiceHttp},
        losses,
        metrics::Metrics,
    },
};

const ROUTE: &str = "/hello/{name}";

/// Which layers surround the route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Layers {
    /// A span and a log event for each request.
    pub trace: bool,
    /// Counters and histograms.
    pub metrics: bool,
}

#[derive(Debug, Parser)]
struct Arguments {
    #[command(flatten)]
    process: ProcessArgs,
}

/// Serves the route until stdin closes; `tell` hears where. Log lines go to stdout, spans to where
/// the `OTEL_*` variables say.
///
/// Starts its own runtimes, so it must not be called from inside one.
pub fn serve(
    layers: Layers,
    log_level: &str,
    tell: impl FnOnce(SocketAddr),
) -> Result<(), ShopError> {
    let arguments = ["hot", "--log-format", "json", "--log-level", log_level];
    let Arguments { process: args } = Arguments::parse_from(arguments);
    let name = Role::Storefront.name();
    let process = Process::begin(&args, name, &[name])?;
    let stop = CancellationToken::new();
    let bound = process.business.block_on(Bound::bind(
        Descriptors::All,
        SocketAddr::from(([127, 0, 0, 1], 0)),
        "the benchmark",
        "listen",
    ))?;
    tell(bound.address);
    let running = process.announce(&fault::supervise::Ready {
        pid: std::process::id(),
        services: Vec::new(),
        metrics_url: None,
        control_url: None,
    });
    let metrics = Metrics::new(&[Role::Storefront]);
    let serving = bound.serve(router(layers, &metrics), stop.clone(), args.drain_limit);
    let told = stop.clone();
    let ended = std::thread::spawn(move || {
        let _ = std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
        told.cancel();
    });
    running.business.block_on(serving);
    let _ = ended.join();
    running.end();
    Ok(())
}

fn router(layers: Layers, metrics: &Metrics) -> Router {
    let known = RouteSpec {
        method: Method::GET,
        template: ROUTE,
        statuses: &[200],
    };
    let http: Arc<ServiceHttp> = Arc::new(metrics.http.service(Role::Storefront.name(), &[known]));
    let mut router = Router::new().route(ROUTE, get(hello));
    router = match layers {
        Layers {
            trace: true,
            metrics: true,
        } => router.layer((Observe::trace(Arc::clone(&http)), Observe::metrics(http))),
        Layers { trace: true, .. } => router.layer(Observe::trace(http)),
        Layers { metrics: true, .. } => router.layer(Observe::metrics(http)),
        Layers { .. } => router,
    };
    router.route("/cost", get(cost))
}

async fn hello(Path(name): Path<String>) -> String {
    format!("hello {name}")
}

/// What the process has used and lost so far.
async fn cost() -> Json<Value> {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    Json(json!({
        "cpu_ns": time.tv_sec * 1_000_000_000 + time.tv_nsec,
        "spans_dropped": losses::SPANS.count(),
        "log_lines_dropped": losses::LOG_LINES.count(),
    }))
}
