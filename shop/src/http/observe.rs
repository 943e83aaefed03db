//! The layers around every route: trace outermost, then metrics, then faults, then the handler.
//!
//! In this order an injected failure is counted, logged and traced as the failure it is.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use axum::{
    body::HttpBody,
    extract::{MatchedPath, Request, State},
    http::{HeaderMap, Method, header},
    middleware::Next,
    response::Response,
};
use fault::layer::Injected;
use opentelemetry::{propagation::TextMapPropagator, trace::TraceContextExt};
use opentelemetry_http::HeaderExtractor;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use prometheus_client::metrics::gauge::Gauge;
use tracing::{Instrument, Span, field::Empty, info_span};
use tracing_opentelemetry::OpenTelemetrySpanExt;

use crate::telemetry::http_metrics::{CLIENT_CLOSED, Seen, ServiceHttp};

/// Opens the server span, continuing the caller's trace, and logs the request when it is answered.
pub(crate) async fn trace(
    State(http): State<Arc<ServiceHttp>>,
    request: Request,
    next: Next,
) -> Response {
    let started = Instant::now();
    let method = request.method().clone();
    let path = http.path(template(&request).as_ref().map(MatchedPath::as_str));
    let span = server_span(&http, &method, path, request.headers());
    let response = next.run(request).instrument(span.clone()).await;
    let status = i64::from(response.status().as_u16());
    span.record("http.response.status_code", status);
    if let Some(Injected(faults)) = response.extensions().get() {
        let names: Vec<String> = faults.iter().map(ToString::to_string).collect();
        span.record("chaos.injected", true)
            .record("chaos.fault", names.join(","));
    }
    if response.status().is_server_error() {
        span.record("otel.status_code", "ERROR");
    }
    span.in_scope(|| log_request(&method, path, status, started.elapsed()));
    response
}

fn server_span(
    http: &ServiceHttp,
    method: &Method,
    path: &'static str,
    headers: &HeaderMap,
) -> Span {
    let span = info_span!(
        "request",
        otel.name = %format_args!("{method} {path}"),
        otel.kind = "server",
        otel.status_code = Empty,
        service = http.service(),
        http.request.method = method.as_str(),
        http.route = path,
        http.response.status_code = Empty,
        chaos.injected = Empty,
        chaos.fault = Empty,
    );
    let parent = TraceContextPropagator::new().extract(&HeaderExtractor(headers));
    if parent.span().span_context().is_valid() {
        // Fails only without an OpenTelemetry layer, and then there is no trace to continue.
        let _ = span.set_parent(parent);
    }
    span
}

fn log_request(method: &Method, path: &str, status: i64, elapsed: Duration) {
    let duration_ms = elapsed.as_secs_f64() * 1_000.0;
    let method = method.as_str();
    if status >= 500 {
        tracing::error!(method, path, status, duration_ms, "request failed");
    } else {
        tracing::info!(method, path, status, duration_ms, "request");
    }
}

/// Counts the request, also when its caller went away before the answer.
pub(crate) async fn metrics(
    State(http): State<Arc<ServiceHttp>>,
    request: Request,
    next: Next,
) -> Response {
    let mut counting = Counting {
        active: Active::enter(http.active()),
        template: template(&request),
        method: request.method().clone(),
        request_bytes: declared_length(request.headers())
            .or_else(|| request.body().size_hint().exact()),
        started: Instant::now(),
        answered: None,
        http,
    };
    let response = next.run(request).await;
    let bytes = declared_length(response.headers()).or_else(|| response.body().size_hint().exact());
    counting.answered = Some((response.status().as_u16(), bytes));
    response
}

fn template(request: &Request) -> Option<MatchedPath> {
    request.extensions().get::<MatchedPath>().cloned()
}

fn declared_length(headers: &HeaderMap) -> Option<u64> {
    headers
        .get(header::CONTENT_LENGTH)?
        .to_str()
        .ok()?
        .parse()
        .ok()
}

/// Records one request when dropped.
struct Counting {
    http: Arc<ServiceHttp>,
    active: Active,
    template: Option<MatchedPath>,
    method: Method,
    request_bytes: Option<u64>,
    started: Instant,
    /// Status and length of the answer.
    answered: Option<(u16, Option<u64>)>,
}

impl Drop for Counting {
    fn drop(&mut self) {
        let (status, response_bytes) = self.answered.unwrap_or((CLIENT_CLOSED, None));
        self.http.record(&Seen {
            template: self.template.as_ref().map(MatchedPath::as_str),
            method: &self.method,
            status,
            elapsed: self.started.elapsed(),
            request_bytes: self.request_bytes,
            response_bytes,
            trace_id: sampled_trace_id(),
        });
        self.active.leave();
    }
}

fn sampled_trace_id() -> Option<[u8; 16]> {
    opentelemetry::Context::map_current(|context| {
        let span = context.span();
        let span = span.span_context();
        span.is_sampled().then(|| span.trace_id().to_bytes())
    })
}

/// One request among the active ones.
struct Active(Gauge);

impl Active {
    fn enter(gauge: &Gauge) -> Self {
        gauge.inc();
        Self(gauge.clone())
    }

    fn leave(&self) {
        self.0.dec();
    }
}
