//! What the store refuses.

use crate::labels::Labels;

/// What the store holds at most.
///
/// Samples are compressed: 1 to 2 bytes each where a series changes slowly, and 10 at worst, the
/// newest 128 of a series apart, which take 16 each. Labels come on top, see [`super::Store::bytes`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Samples older than this, counted from the newest sample, are dropped. This happens in
    /// sweeps, so that samples can be older by a sixteenth before they are gone for every reader.
    pub retention_ms: i64,
    /// Samples that lie further than this after [`super::Store::set_now`] are refused. One of them would
    /// otherwise end the retention of all others.
    pub max_ahead_ms: i64,
    /// Largest number of series at one time.
    pub max_series: usize,
    /// Largest number of samples at one time.
    pub max_samples: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            retention_ms: i64::MAX,
            max_ahead_ms: 10 * 60 * 1000,
            max_series: 1_000_000,
            max_samples: 500_000_000,
        }
    }
}

/// Why a sample was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AppendError {
    /// The series already has a newer sample.
    #[error(
        "out of order: {labels} already has a sample at {last_ms} ms, refused one at {t_ms} ms"
    )]
    OutOfOrder {
        /// The series.
        labels: Labels,
        /// The time of its newest sample.
        last_ms: i64,
        /// The time of the refused sample.
        t_ms: i64,
    },
    /// The series already has another value at this time.
    #[error("duplicate: {labels} already has another value at {t_ms} ms")]
    Duplicate {
        /// The series.
        labels: Labels,
        /// The time of both samples.
        t_ms: i64,
    },
    /// The sample is older than the retention reaches.
    #[error("too old: {t_ms} ms lies beyond the retention")]
    TooOld {
        /// The time of the refused sample.
        t_ms: i64,
    },
    /// The sample is later than the limit allows.
    #[error("too new: {t_ms} ms lies too far in the future, at most {latest_ms} ms is accepted")]
    TooNew {
        /// The time of the refused sample.
        t_ms: i64,
        /// The latest time that is accepted.
        latest_ms: i64,
    },
    /// The store is full.
    #[error("the store is full: it holds at most {limit} {what}")]
    Full {
        /// "series" or "samples".
        what: &'static str,
        /// How many.
        limit: usize,
    },
}
