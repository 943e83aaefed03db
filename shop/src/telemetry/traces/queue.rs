//! A bound in front of the exporter's queue that counts what it turns away.
//!
//! The batch processor tells the number of dropped spans only when it ends; here nothing gets as far
//! as to be dropped there.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use opentelemetry::Context;
use opentelemetry_sdk::{
    Resource,
    error::OTelSdkResult,
    trace::{BatchSpanProcessor, Span, SpanData, SpanProcessor},
};

use crate::telemetry::losses;

#[derive(Debug)]
pub(super) struct Bounded {
    batches: BatchSpanProcessor,
    most: usize,
    /// Spans handed over that the exporter did not take out yet.
    waiting: Arc<AtomicUsize>,
}

impl Bounded {
    pub(super) fn new(batches: BatchSpanProcessor, most: usize, waiting: Arc<AtomicUsize>) -> Self {
        Self {
            batches,
            most,
            waiting,
        }
    }
}

impl SpanProcessor for Bounded {
    fn on_start(&self, _: &mut Span, _: &Context) {}

    fn on_end(&self, span: SpanData) {
        if self.waiting.fetch_add(1, Ordering::Relaxed) >= self.most {
            self.waiting.fetch_sub(1, Ordering::Relaxed);
            losses::SPANS.add(1);
            return;
        }
        self.batches.on_end(span);
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.batches.force_flush()
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.batches.shutdown_with_timeout(timeout)
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.batches.set_resource(resource);
    }
}
