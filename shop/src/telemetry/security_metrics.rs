//! Counting what the edge refuses, and whom it suspects. Label values come from closed sets.

use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family},
    registry::Registry,
};

use super::catalogue;
use crate::{
    config::Role,
    limits::{LimitType, suspicion::Suspicion},
};

#[derive(Debug, Clone, Hash, PartialEq, Eq, EncodeLabelSet)]
struct LimitLabel {
    limit_type: &'static str,
}

#[derive(Debug, Clone, Hash, PartialEq, Eq, EncodeLabelSet)]
struct SuspicionLabel {
    r#type: &'static str,
}

/// The security instruments of a process; exposed where the storefront runs.
#[derive(Debug, Clone, Default)]
pub(crate) struct SecurityMetrics {
    limits: Family<LimitLabel, Counter>,
    suspicions: Family<SuspicionLabel, Counter>,
}

impl SecurityMetrics {
    pub(crate) fn register(registry: &mut Registry, roles: &[Role]) -> Self {
        let metrics = Self::default();
        if roles.contains(&Role::Storefront) {
            catalogue::RATE_LIMIT_EXCEEDED.register(registry, metrics.limits.clone());
            catalogue::SUSPICIOUS_ACTIVITY.register(registry, metrics.suspicions.clone());
            for limit in LimitType::ALL {
                metrics.limit_counter(limit);
            }
            for why in Suspicion::ALL {
                metrics.suspicion_counter(why);
            }
        }
        metrics
    }

    pub(crate) fn limited(&self, limit: LimitType) {
        self.limit_counter(limit).inc();
    }

    pub(crate) fn suspected(&self, why: Suspicion) {
        self.suspicion_counter(why).inc();
    }

    fn limit_counter(&self, limit: LimitType) -> Counter {
        let limit_type = limit.name();
        self.limits.get_or_create_owned(&LimitLabel { limit_type })
    }

    fn suspicion_counter(&self, why: Suspicion) -> Counter {
        let label = SuspicionLabel { r#type: why.name() };
        self.suspicions.get_or_create_owned(&label)
    }
}
