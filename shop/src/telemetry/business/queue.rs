//! What waits in the outbox.

use std::sync::atomic::AtomicU64;

use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{family::Family, gauge::Gauge},
    registry::Registry,
};

use crate::telemetry::catalogue;

const FULFILMENT: QueueLabel = QueueLabel {
    queue: "fulfilment",
};
/// Messages that failed too often and wait for a person.
const ASIDE: QueueLabel = QueueLabel {
    queue: "fulfilment_dead",
};

#[derive(Debug, Clone, Hash, PartialEq, Eq, EncodeLabelSet)]
struct QueueLabel {
    queue: &'static str,
}

#[derive(Debug, Clone, Default)]
pub(crate) struct Queue {
    depth: Family<QueueLabel, Gauge>,
    oldest: Family<QueueLabel, Gauge<f64, AtomicU64>>,
}

impl Queue {
    pub(super) fn register(&self, registry: &mut Registry) {
        catalogue::QUEUE_DEPTH.register(registry, self.depth.clone());
        catalogue::QUEUE_OLDEST.register(registry, self.oldest.clone());
        self.show(0, 0, 0);
    }

    /// Shows what waits, since when the oldest does, and what was put aside.
    pub(crate) fn show(&self, waiting: i64, oldest_age_ms: i64, dead: i64) {
        self.depth.get_or_create_owned(&FULFILMENT).set(waiting);
        self.depth.get_or_create_owned(&ASIDE).set(dead);
        let age_seconds = oldest_age_ms as f64 / 1_000.0;
        self.oldest
            .get_or_create_owned(&FULFILMENT)
            .set(age_seconds);
    }
}
