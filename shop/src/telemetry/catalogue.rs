//! Every metric of the shop and of its traffic, in one place: name, kind, labels, help.
//!
//! Instruments are registered by these rows ([`Metric::register`]), so that no other file spells a
//! name out; tests hold the rows against what a scrape shows and what rules and dashboards read.

use std::fmt;

use prometheus_client::{
    encoding::{DescriptorEncoder, MetricEncoder},
    metrics::MetricType,
    registry::{Metric as Instrument, Registry},
};

/// What a metric counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Only rises; its series carry the suffix `_total`.
    Counter,
    /// A level.
    Gauge,
    /// A distribution: `_bucket`, `_sum`, `_count`.
    Histogram,
}

impl Kind {
    /// Returns the word of the exposition formats.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
        }
    }
}

/// One metric.
#[derive(Debug, Clone, Copy)]
pub struct Metric {
    /// The family's name; a counter's series add `_total`.
    family: &'static str,
    /// What it counts.
    pub kind: Kind,
    /// Its labels.
    pub labels: &'static [&'static str],
    /// What it means.
    pub help: &'static str,
}

impl Metric {
    const fn new(
        kind: Kind,
        family: &'static str,
        labels: &'static [&'static str],
        help: &'static str,
    ) -> Self {
        Self {
            family,
            kind,
            labels,
            help,
        }
    }

    /// Returns the family's name, without a suffix.
    pub const fn family(&self) -> &'static str {
        self.family
    }

    /// Returns the name of its series; of a histogram, without `_bucket`, `_sum` or `_count`.
    pub fn name(&self) -> String {
        self.series_of(self.family)
    }

    /// Returns what the series of a family of this kind are called.
    pub(super) fn series_of(&self, family: &str) -> String {
        match self.kind {
            Kind::Counter => format!("{family}_total"),
            Kind::Gauge | Kind::Histogram => family.to_owned(),
        }
    }

    /// Exposes an instrument under this name.
    pub(crate) fn register(&self, registry: &mut Registry, instrument: impl Instrument) {
        registry.register(self.family, self.help, instrument);
    }

    /// Begins the family in a collector, which reads its numbers at the scrape.
    pub(crate) fn describe<'e>(
        &self,
        encoder: &'e mut DescriptorEncoder<'_>,
    ) -> Result<MetricEncoder<'e>, fmt::Error> {
        let kind = match self.kind {
            Kind::Counter => MetricType::Counter,
            Kind::Gauge => MetricType::Gauge,
            Kind::Histogram => MetricType::Histogram,
        };
        encoder.encode_descriptor(self.family, self.help, None, kind)
    }
}

macro_rules! catalogue {
    ($($kind:ident $constant:ident = $family:literal [$($label:literal),*] $help:literal;)*) => {
        $(
            #[doc = $help]
            pub const $constant: Metric = Metric::new(Kind::$kind, $family, &[$($label),*], $help);
        )*

        /// Every metric.
        pub const ALL: &[&Metric] = &[$(&$constant),*];
    };
}

catalogue! {
    Counter HTTP_REQUESTS = "http_requests" ["service", "method", "path", "status"] "Requests answered";
    Histogram HTTP_REQUEST_DURATION = "http_request_duration_seconds" ["service", "method", "path", "status"] "Time from the request's head to the answer's head";
    Gauge HTTP_ACTIVE = "http_active_connections" ["service"] "Requests being handled";
    Histogram HTTP_REQUEST_SIZE = "http_request_size_bytes" ["service", "method", "path"] "Length of request bodies";
    Histogram HTTP_RESPONSE_SIZE = "http_response_size_bytes" ["service", "method", "path"] "Length of answer bodies";

    Counter DB_QUERIES = "db_queries" ["service", "operation", "table", "status"] "Queries the database answered";
    Histogram DB_QUERY_DURATION = "db_query_duration_seconds" ["service", "operation", "table", "status"] "Time of a query, without the wait for a connection";
    Gauge DB_IN_FLIGHT = "db_queries_in_flight" ["service"] "Queries from asking for a connection until the result";
    Gauge DB_POOL_IN_USE = "db_pool_connections_in_use" ["service"] "Connections that are lent";
    Gauge DB_POOL_MAX = "db_pool_connections_max" ["service"] "Most connections there can be";
    Histogram DB_POOL_WAIT = "db_pool_wait_seconds" ["service"] "Wait for a connection, also when it ran out";
    Counter DB_POOL_TIMEOUTS = "db_pool_timeouts" ["service"] "Waits for a connection that ran out";

    Counter CACHE_HITS = "cache_hits" ["service", "cache"] "Look-ups that found a fresh answer";
    Counter CACHE_MISSES = "cache_misses" ["service", "cache"] "Look-ups that had to ask elsewhere";

    Counter EXTERNAL_REQUESTS = "external_requests" ["dependency", "outcome"] "Calls to a dependency by how they ended";
    Histogram EXTERNAL_DURATION = "external_request_duration_seconds" ["dependency"] "Time of a call to a dependency";
    Counter EXTERNAL_RETRIES = "external_retries" ["dependency"] "Calls to a dependency that were tried again";
    Gauge BREAKER_OPEN = "circuit_breaker_open" ["dependency"] "1 while calls to a dependency are refused unasked";

    Counter ORDERS_CREATED = "orders_created" ["status", "country"] "Orders by how they ended";
    Counter REVENUE = "revenue" ["currency", "country"] "Money taken, in units of the currency";
    Histogram ORDER_VALUE = "order_value_usd" ["country"] "What an order that is paid costs";
    Counter ORDERS_DELAYED = "orders_delayed" [] "Paid orders that partners did not take over at the first try";
    Counter PRODUCTS_VIEWED = "products_viewed" [] "Single products shown";
    Gauge INVENTORY_LEVEL = "inventory_level" ["product_id"] "Units in stock";
    Counter RESERVATION_FAILURES = "inventory_reservation_failures" [] "Deductions refused for want of stock";
    Gauge CART_ITEMS = "cart_items_count" [] "Units in carts";
    Gauge ACTIVE_CARTS = "active_carts_count" [] "Carts that hold something";
    Counter CART_ADDITIONS = "cart_additions" [] "Additions to carts";
    Counter PAYMENTS_PROCESSED = "payments_processed" ["country", "method", "status"] "Payment attempts, counted by the orders role";
    Counter FUNNEL_STAGE = "funnel_stage" ["stage", "country"] "Customers that reached a stage of the funnel";
    Gauge CUSTOMER_SEGMENTS = "customer_segment_count" ["segment"] "Customers by segment";

    Gauge ACTIVE_USERS = "active_users_count" [] "Users with a live session";
    Counter USER_REGISTRATIONS = "user_registrations" [] "Accounts made";
    Counter USER_LOGINS = "user_logins" ["status"] "Logins by how they ended";
    Counter AUTH_ATTEMPTS = "auth_attempts" [] "Passwords and tokens that were checked";
    Counter AUTH_FAILURES = "auth_failures" [] "Passwords and tokens that were wrong";
    Counter RATE_LIMIT_EXCEEDED = "rate_limit_exceeded" ["limit_type"] "Requests refused for coming too fast";
    Counter SUSPICIOUS_ACTIVITY = "suspicious_activity" ["type"] "Clients that behaved like an attacker";

    Gauge QUEUE_DEPTH = "queue_depth" ["queue"] "Messages that wait";
    Gauge QUEUE_OLDEST = "queue_oldest_message_age_seconds" ["queue"] "Age of the message that waits longest";

    Gauge SERVICE_READY = "service_ready" ["service"] "1 while the service takes requests";
    Gauge DEPENDENCY_UP = "dependency_up" ["service", "dependency"] "1 while a dependency of the service answers";

    Counter PROCESS_CPU = "process_cpu_seconds" [] "CPU time of the process, user and system";
    Gauge PROCESS_CPU_LIMIT = "process_cpu_limit_cores" [] "Cores the process may use";
    Gauge PROCESS_START = "process_start_time_seconds" [] "Start since the epoch";
    Gauge PROCESS_RESIDENT = "process_resident_memory_bytes" [] "Resident memory";
    Gauge PROCESS_VIRTUAL = "process_virtual_memory_bytes" [] "Virtual memory";
    Gauge PROCESS_OPEN_FDS = "process_open_fds" [] "Open file descriptors";
    Gauge PROCESS_MAX_FDS = "process_max_fds" [] "Most file descriptors allowed";
    Gauge BUILD_INFO = "shop_build_info" ["version"] "Always 1; the label tells what runs";
    Counter LOG_LINES_DROPPED = "log_lines_dropped" [] "Log lines lost to a full queue, a file that cannot be written, or a collector";
    Counter SPANS_DROPPED = "otel_spans_dropped" [] "Spans lost to a full queue or a collector that did not take them";

    Gauge FAULT_ACTIVE = "chaos_fault_active" ["fault", "kind"] "1 while the fault is armed";
    Counter FAULT_EVALUATED = "chaos_fault_evaluated" ["fault", "kind"] "What fell under the fault's scope";
    Counter FAULT_INJECTED = "chaos_fault_injected" ["fault", "kind"] "What the fault hit";

    Counter LOAD_ARRIVALS = "load_arrivals" ["journey", "outcome"] "Customers that came, by what became of them";
    Counter LOAD_JOURNEYS = "load_journeys" ["journey", "outcome"] "Journeys by how they ended";
    Histogram LOAD_JOURNEY_DURATION = "load_journey_duration_seconds" ["journey"] "Time from when the customer was due to the end of its journey";
    Counter LOAD_REQUESTS = "load_requests" ["method", "path", "status"] "Requests by what came back";
    Histogram LOAD_REQUEST_DURATION = "load_request_duration_seconds" ["path"] "Time of a request";
    Gauge LOAD_IN_FLIGHT = "load_in_flight" [] "Journeys under way";
    Gauge LOAD_RATE = "load_rate" [] "Arrivals a second that are due";
    Gauge LOAD_USERS = "load_users" [] "Customers of a closed loop";
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{ALL, Kind};

    #[test]
    fn names_are_unique_and_follow_the_conventions() {
        let names: BTreeSet<_> = ALL.iter().map(|metric| metric.name()).collect();
        assert_eq!(names.len(), ALL.len());
        for metric in ALL {
            let known = |c: char| c.is_ascii_lowercase() || c == '_';
            assert!(metric.family().chars().all(known), "{}", metric.family());
            assert!(!metric.family().ends_with("_total"), "{}", metric.family());
            let unit = ["_seconds", "_bytes", "_usd"]
                .iter()
                .any(|unit| metric.family().ends_with(unit));
            assert!(
                unit || metric.kind != Kind::Histogram,
                "{}",
                metric.family()
            );
            assert!(!metric.help.is_empty() && !metric.help.ends_with('.'));
        }
    }
}
