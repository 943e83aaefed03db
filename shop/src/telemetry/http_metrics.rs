//! Counting requests: per route, method and status, with handles resolved once.
//!
//! `path` is the route's template (`/products/:id`), `unmatched` for what no route took. A request
//! whose caller went away before the answer counts as status 499, so that it is not lost.

use std::{
    collections::HashMap,
    sync::{
        OnceLock,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use axum::http::Method;
use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{
        counter::Counter, exemplar::HistogramWithExemplars, family::Family, gauge::Gauge,
        histogram::Histogram,
    },
    registry::Registry,
};

use super::{
    catalogue,
    metrics::{Buckets, ServiceLabel, TraceLabel},
};

/// Seconds; the bounds are part of the contract.
pub(crate) const REQUEST_SECONDS: [f64; 11] = [
    0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
];
const SIZE_BYTES: [f64; 8] = [
    64.0,
    256.0,
    1_024.0,
    4_096.0,
    16_384.0,
    65_536.0,
    262_144.0,
    1_048_576.0,
];

/// The caller closed the connection before the answer; not a status anyone receives.
pub(crate) const CLIENT_CLOSED: u16 = 499;
const UNMATCHED: &str = "unmatched";
const METHODS: [&str; 8] = [
    "GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "other",
];
const STATUS_FIRST: u16 = 100;
const STATUS_COUNT: usize = 500;

#[derive(Debug, Clone, Hash, PartialEq, Eq, EncodeLabelSet)]
struct StatusLabels {
    service: &'static str,
    method: &'static str,
    path: &'static str,
    status: u16,
}

#[derive(Debug, Clone, Hash, PartialEq, Eq, EncodeLabelSet)]
struct RouteLabels {
    service: &'static str,
    method: &'static str,
    path: &'static str,
}

type Durations = HistogramWithExemplars<TraceLabel>;

/// The HTTP instruments of a process.
#[derive(Debug, Clone)]
pub(crate) struct HttpMetrics {
    requests: Family<StatusLabels, Counter>,
    durations: Family<StatusLabels, Durations, Buckets>,
    active: Family<ServiceLabel, Gauge>,
    request_sizes: Family<RouteLabels, Histogram, Buckets>,
    response_sizes: Family<RouteLabels, Histogram, Buckets>,
}

impl HttpMetrics {
    pub(crate) fn register(registry: &mut Registry) -> Self {
        let metrics = Self {
            requests: Family::default(),
            durations: Family::new_with_constructor(Buckets(&REQUEST_SECONDS)),
            active: Family::default(),
            request_sizes: Family::new_with_constructor(Buckets(&SIZE_BYTES)),
            response_sizes: Family::new_with_constructor(Buckets(&SIZE_BYTES)),
        };
        catalogue::HTTP_REQUESTS.register(registry, metrics.requests.clone());
        catalogue::HTTP_REQUEST_DURATION.register(registry, metrics.durations.clone());
        catalogue::HTTP_ACTIVE.register(registry, metrics.active.clone());
        catalogue::HTTP_REQUEST_SIZE.register(registry, metrics.request_sizes.clone());
        catalogue::HTTP_RESPONSE_SIZE.register(registry, metrics.response_sizes.clone());
        metrics
    }

    /// Returns the handles of one service, with every known route and outcome at zero.
    pub(crate) fn service(&self, service: &'static str, routes: &[RouteSpec]) -> ServiceHttp {
        let mut by_template = HashMap::new();
        for route in routes {
            let methods = by_template
                .entry(route.template)
                .or_insert_with(|| Methods::new(label_of(route.template)));
            let handles = methods.get(self, service, &route.method);
            for status in route.statuses {
                handles.counter(self, *status);
            }
            if let Some(success) = route.statuses.first() {
                handles.duration(self, *success);
            }
        }
        ServiceHttp {
            metrics: self.clone(),
            service,
            active: self.active.get_or_create_owned(&ServiceLabel { service }),
            by_template,
            unmatched: Methods::new(UNMATCHED),
        }
    }
}

/// A route as its role declares it: what is counted from the start.
#[derive(Debug, Clone)]
pub(crate) struct RouteSpec {
    pub(crate) method: Method,
    /// As axum writes it: `/products/{id}`.
    pub(crate) template: &'static str,
    /// Statuses it is known to answer, success first.
    pub(crate) statuses: &'static [u16],
}

/// The HTTP handles of one service.
#[derive(Debug)]
pub(crate) struct ServiceHttp {
    metrics: HttpMetrics,
    service: &'static str,
    active: Gauge,
    by_template: HashMap<&'static str, Methods>,
    unmatched: Methods,
}

impl ServiceHttp {
    /// Returns the service these handles count for.
    pub(crate) fn service(&self) -> &'static str {
        self.service
    }

    /// Returns the gauge of requests being handled.
    pub(crate) fn active(&self) -> &Gauge {
        &self.active
    }

    /// Returns what the template that matched is called, with a method.
    pub(crate) fn route(&self, template: Option<&str>, method: &Method) -> Route<'_> {
        let methods = self.methods(template);
        let handles = methods.get(&self.metrics, self.service, method);
        Route {
            path: methods.path,
            name: &handles.name,
        }
    }

    /// Counts one answered request.
    pub(crate) fn record(&self, seen: &Seen<'_>) {
        let handles = self
            .methods(seen.template)
            .get(&self.metrics, self.service, seen.method);
        handles.counter(&self.metrics, seen.status).inc();
        let duration = handles.duration(&self.metrics, seen.status);
        duration.observe(seen.elapsed.as_secs_f64(), seen.trace_id);
        if let Some(bytes) = seen.request_bytes {
            handles.request_size.observe(bytes as f64);
        }
        if let Some(bytes) = seen.response_bytes {
            handles.response_size.observe(bytes as f64);
        }
    }

    fn methods(&self, template: Option<&str>) -> &Methods {
        template
            .and_then(|template| self.by_template.get(template))
            .unwrap_or(&self.unmatched)
    }
}

/// What a route is called.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Route<'a> {
    /// The value of the `path` label.
    pub(crate) path: &'static str,
    /// The name of its spans: method and path.
    pub(crate) name: &'a str,
}

/// What was seen of one request.
#[derive(Debug)]
pub(crate) struct Seen<'a> {
    pub(crate) template: Option<&'a str>,
    pub(crate) method: &'a Method,
    pub(crate) status: u16,
    pub(crate) elapsed: Duration,
    pub(crate) request_bytes: Option<u64>,
    pub(crate) response_bytes: Option<u64>,
    pub(crate) trace_id: Option<[u8; 16]>,
}

/// The cache of one route: a slot a method.
#[derive(Debug)]
struct Methods {
    path: &'static str,
    slots: [OnceLock<RouteHandles>; METHODS.len()],
}

impl Methods {
    fn new(path: &'static str) -> Self {
        Self {
            path,
            slots: Default::default(),
        }
    }

    fn get(&self, metrics: &HttpMetrics, service: &'static str, method: &Method) -> &RouteHandles {
        let slot = METHODS.iter().position(|name| *name == method.as_str());
        let slot = slot.unwrap_or(METHODS.len() - 1);
        self.slots[slot].get_or_init(|| {
            let labels = RouteLabels {
                service,
                method: METHODS[slot],
                path: self.path,
            };
            RouteHandles {
                request_size: metrics.request_sizes.get_or_create_owned(&labels),
                response_size: metrics.response_sizes.get_or_create_owned(&labels),
                name: format!("{} {}", labels.method, labels.path),
                labels,
                by_status: (0..STATUS_COUNT)
                    .map(|_| StatusHandles::default())
                    .collect(),
            }
        })
    }
}

/// The cache of one route and method: a slot a status.
#[derive(Debug)]
struct RouteHandles {
    labels: RouteLabels,
    name: String,
    request_size: Histogram,
    response_size: Histogram,
    by_status: Box<[StatusHandles]>,
}

#[derive(Debug, Default)]
struct StatusHandles {
    requests: OnceLock<Counter>,
    duration: OnceLock<Box<Timed>>,
}

/// A histogram whose buckets take an exemplar now and then: one would do, and each costs a lock.
#[derive(Debug)]
struct Timed {
    histogram: Durations,
    /// For each bucket, the tenths of a second since the epoch when it took its last one.
    taken: [AtomicU64; REQUEST_SECONDS.len() + 1],
}

impl Timed {
    fn new(histogram: Durations) -> Self {
        Self {
            histogram,
            taken: Default::default(),
        }
    }

    fn observe(&self, seconds: f64, trace_id: Option<[u8; 16]>) {
        let exemplar = trace_id.and_then(|trace_id| {
            let now = SystemTime::now();
            let tenths = now.duration_since(UNIX_EPOCH).ok()?.as_millis() as u64 / 100;
            let bucket = REQUEST_SECONDS.partition_point(|bound| *bound < seconds);
            let before = self.taken[bucket].swap(tenths, Ordering::Relaxed);
            (before != tenths).then_some((TraceLabel(trace_id), now))
        });
        let (label, when) = exemplar.unzip();
        self.histogram.observe(seconds, label, when);
    }
}

impl RouteHandles {
    fn counter(&self, metrics: &HttpMetrics, status: u16) -> &Counter {
        let slot = &self.by_status[status_slot(status)].requests;
        slot.get_or_init(|| metrics.requests.get_or_create_owned(&self.labels(status)))
    }

    fn duration(&self, metrics: &HttpMetrics, status: u16) -> &Timed {
        let slot = &self.by_status[status_slot(status)].duration;
        slot.get_or_init(|| {
            let histogram = metrics.durations.get_or_create_owned(&self.labels(status));
            Box::new(Timed::new(histogram))
        })
    }

    fn labels(&self, status: u16) -> StatusLabels {
        let RouteLabels {
            service,
            method,
            path,
        } = self.labels;
        StatusLabels {
            service,
            method,
            path,
            status,
        }
    }
}

/// Statuses above 599 do not occur; they would share the last slot.
fn status_slot(status: u16) -> usize {
    usize::from(status.saturating_sub(STATUS_FIRST)).min(STATUS_COUNT - 1)
}

/// Turns axum's `/products/{id}` into the contract's `/products/:id`; called once a route, at start.
pub(crate) fn label_of(template: &'static str) -> &'static str {
    if template.contains('{') {
        Box::leak(template.replace('{', ":").replace('}', "").into_boxed_str())
    } else {
        template
    }
}
