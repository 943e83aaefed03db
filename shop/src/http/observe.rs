//! The layers around every route: trace outermost, then metrics, then faults, then the handler.
//!
//! In this order an injected failure is counted, logged and traced as the failure it is.

use std::{
    future::Future,
    net::SocketAddr,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::{Duration, Instant},
};

use axum::{
    body::HttpBody,
    extract::{ConnectInfo, MatchedPath, Request},
    http::{HeaderMap, HeaderName, Method, header},
    response::Response,
};
use fault::layer::Injected;
use opentelemetry::trace::TraceContextExt;
use pin_project_lite::pin_project;
use prometheus_client::metrics::gauge::Gauge;
use tower::{Layer, Service};
use tracing::{Span, field::Empty, info_span};

use crate::telemetry::{
    http_metrics::{CLIENT_CLOSED, Route, Seen, ServiceHttp},
    propagation::{self, Baggage},
};

/// Longest text of a client's that goes into a span.
const MOST_CHARS: usize = 128;

/// Which of the two layers this is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Trace,
    Metrics,
}

/// One of the two layers. A service of its own rather than axum's `from_fn`, which allocates four
/// times as often for each request.
#[derive(Debug, Clone)]
pub(crate) struct Observe {
    http: Arc<ServiceHttp>,
    part: Part,
}

impl Observe {
    /// Opens the server span, continuing the caller's trace, and logs the request when answered.
    pub(crate) fn trace(http: Arc<ServiceHttp>) -> Self {
        Self {
            http,
            part: Part::Trace,
        }
    }

    /// Counts the request, also when its caller went away before the answer.
    pub(crate) fn metrics(http: Arc<ServiceHttp>) -> Self {
        Self {
            http,
            part: Part::Metrics,
        }
    }
}

impl<S> Layer<S> for Observe {
    type Service = Observed<S>;

    fn layer(&self, inner: S) -> Observed<S> {
        Observed {
            inner,
            by: self.clone(),
        }
    }
}

/// A service behind an [`Observe`].
#[derive(Debug, Clone)]
pub(crate) struct Observed<S> {
    inner: S,
    by: Observe,
}

type Answering<E> = Pin<Box<dyn Future<Output = Result<Response, E>> + Send>>;

impl<S> Service<Request> for Observed<S>
where
    S: Service<Request, Response = Response> + 'static,
    S::Future: Send + 'static,
{
    type Response = Response;
    type Error = S::Error;
    type Future = Answering<S::Error>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let http = &self.by.http;
        match self.by.part {
            Part::Trace => Box::pin(trace(http, request, &mut self.inner)),
            Part::Metrics => Box::pin(metrics(Arc::clone(http), request, &mut self.inner)),
        }
    }
}

fn trace<S>(
    http: &ServiceHttp,
    request: Request,
    inner: &mut S,
) -> impl Future<Output = Result<Response, S::Error>> + Send + use<S>
where
    S: Service<Request, Response = Response> + 'static,
    S::Future: Send + 'static,
{
    let started = Instant::now();
    let method = request.method().clone();
    let template = template(&request);
    let route = http.route(template.as_ref().map(MatchedPath::as_str), &method);
    let path = route.path;
    let span = server_span(http.service(), route, &request);
    Traced {
        answering: Some(inner.call(request)),
        span,
        method,
        path,
        started,
    }
}

pin_project! {
    /// An answer in the making, inside its span. `tracing`'s own adapter enters the span once more to
    /// drop what it ran, and telling of the answer would make that three times.
    struct Traced<F> {
        #[pin]
        answering: Option<F>,
        span: Span,
        method: Method,
        path: &'static str,
        started: Instant,
    }

    impl<F> PinnedDrop for Traced<F> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            if this.answering.is_some() {
                // The caller went away; what counts that does it as a part of this trace.
                let _entered = this.span.enter();
                this.answering.set(None);
            }
        }
    }
}

impl<F, E> Future for Traced<F>
where
    F: Future<Output = Result<Response, E>>,
{
    type Output = Result<Response, E>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        let Some(answering) = this.answering.as_mut().as_pin_mut() else {
            return Poll::Pending;
        };
        let _entered = this.span.enter();
        let answer = ready!(answering.poll(context));
        this.answering.set(None);
        if let Ok(response) = &answer {
            tell(this.span, this.method, this.path, response, *this.started);
        }
        Poll::Ready(answer)
    }
}

/// Completes the span, which is entered, and logs the request.
fn tell(span: &Span, method: &Method, path: &str, response: &Response, started: Instant) {
    let status = i64::from(response.status().as_u16());
    span.record("http.response.status_code", status);
    if let Some(Injected(faults)) = response.extensions().get() {
        let names: Vec<String> = faults.iter().map(ToString::to_string).collect();
        span.record("chaos.injected", true)
            .record("chaos.fault", names.join(","));
    }
    if response.status().is_server_error() {
        span.record("otel.status_code", "ERROR")
            .record("error.type", response.status().as_str());
    }
    log_request(method, path, status, started.elapsed());
}

/// Opens the span with what the semantic conventions ask of a server, and with its baggage.
fn server_span(service: &'static str, route: Route<'_>, request: &Request) -> Span {
    let (method, headers) = (request.method(), request.headers());
    let baggage = Baggage::read(headers);
    let client = request.extensions().get::<ConnectInfo<SocketAddr>>();
    let span = info_span!(
        "request",
        otel.name = route.name,
        otel.kind = "server",
        otel.status_code = Empty,
        service,
        http.request.method = method.as_str(),
        http.route = route.path,
        http.response.status_code = Empty,
        url.path = trimmed(request.uri().path()),
        url.scheme = "http",
        server.address = text(headers, &header::HOST).map(without_port),
        client.address = client.map(|ConnectInfo(address)| display(address.ip())),
        user_agent.original = text(headers, &header::USER_AGENT).map(trimmed),
        error.type = Empty,
        country = baggage.country,
        segment = baggage.segment,
        synthetic = baggage.synthetic.then_some(true),
        chaos.injected = Empty,
        chaos.fault = Empty,
    );
    propagation::continue_trace(&span, headers, baggage);
    span
}

fn text<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Option<&'h str> {
    headers.get(name)?.to_str().ok()
}

fn trimmed(text: &str) -> &str {
    let end = text.char_indices().nth(MOST_CHARS);
    end.map_or(text, |(at, _)| &text[..at])
}

fn without_port(host: &str) -> &str {
    let name = match host.rsplit_once(':') {
        // The colons of an address of version 6 are no port.
        Some((name, _)) if !name.contains(':') || name.ends_with(']') => name,
        _ => host,
    };
    trimmed(name)
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

fn metrics<S>(
    http: Arc<ServiceHttp>,
    request: Request,
    inner: &mut S,
) -> impl Future<Output = Result<Response, S::Error>> + Send + use<S>
where
    S: Service<Request, Response = Response> + 'static,
    S::Future: Send + 'static,
{
    let counting = Counting {
        active: Active::enter(http.active()),
        template: template(&request),
        method: request.method().clone(),
        request_bytes: declared_length(request.headers())
            .or_else(|| request.body().size_hint().exact()),
        started: Instant::now(),
        answered: None,
        is_kept: false,
        http,
    };
    let answering = inner.call(request);
    async move {
        // All of it, so that it is dropped, and counts, when this ends in whatever way.
        let mut counting = counting;
        let response = answering.await?;
        let exact = || response.body().size_hint().exact();
        let bytes = declared_length(response.headers()).or_else(exact);
        counting.answered = Some((response.status().as_u16(), bytes));
        let injected = response.extensions().get::<Injected>().is_some();
        counting.is_kept = injected || response.status().is_server_error();
        Ok(response)
    }
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
    /// Its trace is kept whatever the sampling said.
    is_kept: bool,
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
            trace_id: stored_trace_id(self.is_kept),
        });
        self.active.leave();
    }
}

/// Returns the id of a trace that whoever follows an exemplar will find.
fn stored_trace_id(is_kept: bool) -> Option<[u8; 16]> {
    opentelemetry::Context::map_current(|context| {
        let span = context.span();
        let span = span.span_context();
        let stored = span.is_sampled() || (is_kept && span.is_valid());
        stored.then(|| span.trace_id().to_bytes())
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

#[cfg(test)]
mod tests {
    use super::{MOST_CHARS, trimmed, without_port};

    #[test]
    fn a_host_loses_its_port_and_a_client_its_length() {
        for (host, name) in [
            ("shop:8080", "shop"),
            ("shop", "shop"),
            ("[::1]:8080", "[::1]"),
            ("::1", "::1"),
        ] {
            assert_eq!(without_port(host), name);
        }
        let long = "ü".repeat(300);
        assert_eq!(trimmed(&long).chars().count(), MOST_CHARS);
        assert_eq!(trimmed("short"), "short");
    }
}
