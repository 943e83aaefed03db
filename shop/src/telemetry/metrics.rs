//! The registry of a process and the label types its instruments share.

use std::{fmt, sync::Arc};

use prometheus_client::{
    collector::Collector,
    encoding::{EncodeLabelSet, EncodeLabelValue, LabelSetEncoder, LabelValueEncoder},
    metrics::{exemplar::HistogramWithExemplars, family::MetricConstructor, histogram::Histogram},
    registry::Registry,
};

use crate::config::Role;

use super::{
    business::Business, cache_metrics::CacheMetrics, db_metrics::DbMetrics, external::External,
    http_metrics::HttpMetrics, security_metrics::SecurityMetrics, user_metrics::UserMetrics,
};

/// `{service}`.
#[derive(Debug, Clone, Hash, PartialEq, Eq, EncodeLabelSet)]
pub(crate) struct ServiceLabel {
    pub(crate) service: &'static str,
}

/// The label of an exemplar; hex is written at the scrape, not at the observation.
#[derive(Debug, Clone, Copy, Hash, PartialEq, Eq)]
pub(crate) struct TraceLabel(pub(crate) [u8; 16]);

impl EncodeLabelSet for TraceLabel {
    fn encode(&self, encoder: &mut LabelSetEncoder<'_>) -> fmt::Result {
        let mut label = encoder.encode_label();
        let mut key = label.encode_label_key()?;
        fmt::Write::write_str(&mut key, "trace_id")?;
        let mut value: LabelValueEncoder<'_> = key.encode_label_value()?;
        let hex = format!("{:032x}", u128::from_be_bytes(self.0));
        EncodeLabelValue::encode(&hex.as_str(), &mut value)?;
        value.finish()
    }
}

/// Makes histograms with the same bounds.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Buckets(pub(crate) &'static [f64]);

impl MetricConstructor<Histogram> for Buckets {
    fn new_metric(&self) -> Histogram {
        Histogram::new(self.0.iter().copied())
    }
}

impl<S> MetricConstructor<HistogramWithExemplars<S>> for Buckets {
    fn new_metric(&self) -> HistogramWithExemplars<S> {
        HistogramWithExemplars::new(self.0.iter().copied())
    }
}

/// The instruments of a shop process, before and after its roles took their handles.
#[derive(Debug)]
pub(crate) struct Metrics {
    registry: Registry,
    pub(crate) http: HttpMetrics,
    pub(crate) db: DbMetrics,
    pub(crate) business: Business,
    pub(crate) external: External,
    pub(crate) cache: CacheMetrics,
    pub(crate) security: SecurityMetrics,
    pub(crate) users: UserMetrics,
}

impl Metrics {
    pub(crate) fn new(roles: &[Role]) -> Self {
        let mut registry = Registry::default();
        Self {
            http: HttpMetrics::register(&mut registry),
            db: DbMetrics::register(&mut registry),
            business: Business::register(&mut registry, roles),
            external: External::register(&mut registry, roles),
            cache: CacheMetrics::register(&mut registry),
            security: SecurityMetrics::register(&mut registry, roles),
            users: UserMetrics::register(&mut registry, roles),
            registry,
        }
    }

    /// Adds numbers that are read at the scrape.
    pub(crate) fn collect(&mut self, collector: Box<dyn Collector>) {
        self.registry.register_collector(collector);
    }

    /// Returns what the metrics listener serves.
    pub(crate) fn seal(self) -> Arc<Registry> {
        Arc::new(self.registry)
    }
}
