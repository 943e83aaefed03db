//! Counting queries, with the wait for a connection kept apart from the query itself.
//!
//! A query is in flight from asking for a connection until its result. It is counted only when the
//! database answered; a wait that ran out counts as a pool timeout and nothing else.

use std::{fmt, sync::Arc, time::Duration};

use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeLabelSet, EncodeMetric},
    metrics::{
        counter::Counter,
        family::Family,
        gauge::{ConstGauge, Gauge},
        histogram::Histogram,
    },
    registry::Registry,
};

use super::{
    catalogue::{self, Metric},
    metrics::{Buckets, ServiceLabel},
};
use crate::db::Db;

const QUERY_SECONDS: [f64; 13] = [
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0,
];

#[derive(Debug, Clone, Hash, PartialEq, Eq, EncodeLabelSet)]
struct QueryLabels {
    service: &'static str,
    operation: &'static str,
    table: &'static str,
    status: &'static str,
}

/// The database instruments of a process.
#[derive(Debug, Clone)]
pub(crate) struct DbMetrics {
    queries: Family<QueryLabels, Counter>,
    durations: Family<QueryLabels, Histogram, Buckets>,
    in_flight: Family<ServiceLabel, Gauge>,
    waits: Family<ServiceLabel, Histogram, Buckets>,
    timeouts: Family<ServiceLabel, Counter>,
}

impl DbMetrics {
    pub(crate) fn register(registry: &mut Registry) -> Self {
        let metrics = Self {
            queries: Family::default(),
            durations: Family::new_with_constructor(Buckets(&QUERY_SECONDS)),
            in_flight: Family::default(),
            waits: Family::new_with_constructor(Buckets(&QUERY_SECONDS)),
            timeouts: Family::default(),
        };
        catalogue::DB_QUERIES.register(registry, metrics.queries.clone());
        catalogue::DB_QUERY_DURATION.register(registry, metrics.durations.clone());
        catalogue::DB_IN_FLIGHT.register(registry, metrics.in_flight.clone());
        catalogue::DB_POOL_WAIT.register(registry, metrics.waits.clone());
        catalogue::DB_POOL_TIMEOUTS.register(registry, metrics.timeouts.clone());
        metrics
    }

    /// Returns the handles of one service's database.
    pub(crate) fn service(&self, service: &'static str) -> ServiceDb {
        let label = ServiceLabel { service };
        ServiceDb {
            metrics: self.clone(),
            service,
            in_flight: self.in_flight.get_or_create_owned(&label),
            wait: self.waits.get_or_create_owned(&label),
            timeouts: self.timeouts.get_or_create_owned(&label),
        }
    }
}

/// The database handles of one service.
#[derive(Debug)]
pub(crate) struct ServiceDb {
    metrics: DbMetrics,
    service: &'static str,
    in_flight: Gauge,
    pub(crate) wait: Histogram,
    pub(crate) timeouts: Counter,
}

impl ServiceDb {
    /// Counts a query as in flight until the guard is dropped, however that comes about.
    pub(crate) fn begin(&self) -> InFlight {
        self.in_flight.inc();
        InFlight(self.in_flight.clone())
    }

    /// Returns the handles of one statement, both outcomes at zero.
    pub(crate) fn statement(
        &self,
        operation: &'static str,
        table: &'static str,
    ) -> StatementMetrics {
        let outcome = |status| {
            let labels = QueryLabels {
                service: self.service,
                operation,
                table,
                status,
            };
            Outcome {
                queries: self.metrics.queries.get_or_create_owned(&labels),
                duration: self.metrics.durations.get_or_create_owned(&labels),
            }
        };
        StatementMetrics {
            ok: outcome("ok"),
            error: outcome("error"),
        }
    }
}

/// A query in flight.
#[derive(Debug)]
pub(crate) struct InFlight(Gauge);

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.dec();
    }
}

/// The handles of one statement.
#[derive(Debug, Clone)]
pub(crate) struct StatementMetrics {
    ok: Outcome,
    error: Outcome,
}

#[derive(Debug, Clone)]
struct Outcome {
    queries: Counter,
    duration: Histogram,
}

impl StatementMetrics {
    /// Counts an answered query.
    pub(crate) fn completed(&self, ok: bool, elapsed: Duration) {
        let outcome = if ok { &self.ok } else { &self.error };
        outcome.queries.inc();
        outcome.duration.observe(elapsed.as_secs_f64());
    }
}

/// Takes one number of a pool's two: lent connections, and the most there can be.
type Level = fn(&(u32, u32)) -> u32;

/// Reads the fill of the pools at the scrape.
#[derive(Debug)]
pub(crate) struct PoolCollector(pub(crate) Vec<Arc<Db>>);

impl Collector for PoolCollector {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let read = |db: &Arc<Db>| {
            (
                ServiceLabel {
                    service: db.role().name(),
                },
                db.connections(),
            )
        };
        let pools: Vec<_> = self.0.iter().map(read).collect();
        let levels: [(Metric, Level); 2] = [
            (catalogue::DB_POOL_IN_USE, |(in_use, _)| *in_use),
            (catalogue::DB_POOL_MAX, |(_, most)| *most),
        ];
        for (metric, level) in levels {
            let mut family = metric.describe(&mut encoder)?;
            for (label, pool) in &pools {
                let level = ConstGauge::new(i64::from(level(pool)));
                level.encode(family.encode_family(label)?)?;
            }
        }
        Ok(())
    }
}
