//! What telemetry itself lost; a process has one set of exporters, so the counts are its own too.

use std::sync::atomic::{AtomicU64, Ordering};

/// Spans that were to be exported and were not.
pub(crate) static SPANS: Losses = Losses::new();
/// Log lines that were to be written or exported and were not.
pub(crate) static LOG_LINES: Losses = Losses::new();

/// A count of what was lost.
#[derive(Debug)]
pub(crate) struct Losses(AtomicU64);

impl Losses {
    const fn new() -> Self {
        Self(AtomicU64::new(0))
    }

    pub(crate) fn add(&self, lost: u64) {
        self.0.fetch_add(lost, Ordering::Relaxed);
    }

    pub(crate) fn count(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}
