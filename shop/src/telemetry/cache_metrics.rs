//! Counting what caches knew.

use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family},
    registry::Registry,
};

use super::catalogue;

/// The handle of one cache's hits or misses.
pub(crate) type Count = Counter;

#[derive(Debug, Clone, Hash, PartialEq, Eq, EncodeLabelSet)]
struct CacheLabels {
    service: &'static str,
    cache: &'static str,
}

/// The cache instruments of a process; a cache is at zero from when it is made.
#[derive(Debug, Clone, Default)]
pub(crate) struct CacheMetrics {
    hits: Family<CacheLabels, Counter>,
    misses: Family<CacheLabels, Counter>,
}

impl CacheMetrics {
    pub(crate) fn register(registry: &mut Registry) -> Self {
        let metrics = Self::default();
        catalogue::CACHE_HITS.register(registry, metrics.hits.clone());
        catalogue::CACHE_MISSES.register(registry, metrics.misses.clone());
        metrics
    }

    pub(crate) fn hits(&self, service: &'static str, cache: &'static str) -> Count {
        self.hits
            .get_or_create_owned(&CacheLabels { service, cache })
    }

    pub(crate) fn misses(&self, service: &'static str, cache: &'static str) -> Count {
        self.misses
            .get_or_create_owned(&CacheLabels { service, cache })
    }
}
