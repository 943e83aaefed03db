//! Series in memory: an inverted index over labels and one column of samples per series.
//!
//! It has no clock: the newest appended sample is "now" for retention. Invariants: samples of a
//! series are strictly ordered by time, stale markers keep their exact bits, and memory is bounded
//! by [`Limits`].

mod column;
mod index;

use std::collections::HashMap;

use column::Column;
pub(crate) use column::Scratch;
use index::Index;

use crate::labels::Labels;
use crate::query::matcher::Matcher;
use crate::value::Sample;

/// What the store holds at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Samples older than this, counted from the newest sample, are dropped.
    pub retention_ms: i64,
    /// Largest number of series at one time.
    pub max_series: usize,
    /// Largest number of samples at one time.
    pub max_samples: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            retention_ms: i64::MAX,
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
    /// The store is full.
    #[error("the store is full: it holds at most {limit} {what}")]
    Full {
        /// "series" or "samples".
        what: &'static str,
        /// How many.
        limit: usize,
    },
}

/// The place of a series in the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct SeriesId(u32);

#[derive(Debug)]
struct Entry {
    labels: Labels,
    column: Column,
}

/// Series and their samples.
#[derive(Debug)]
pub struct Store {
    limits: Limits,
    ids: HashMap<Labels, SeriesId>,
    entries: Vec<Option<Entry>>,
    free: Vec<SeriesId>,
    index: Index,
    samples: usize,
    newest_ms: i64,
    swept_ms: i64,
}

impl Store {
    /// Returns an empty store that forgets samples after `retention_ms`.
    pub fn new(retention_ms: i64) -> Self {
        Self::with_limits(Limits {
            retention_ms,
            ..Limits::default()
        })
    }

    /// Returns an empty store with limits of its own.
    pub fn with_limits(limits: Limits) -> Self {
        Self {
            limits,
            ids: HashMap::new(),
            entries: Vec::new(),
            free: Vec::new(),
            index: Index::default(),
            samples: 0,
            newest_ms: i64::MIN,
            swept_ms: i64::MIN,
        }
    }

    /// Adds a sample. The same value at the same time again is accepted and changes nothing.
    pub fn append(&mut self, labels: &Labels, t_ms: i64, value: f64) -> Result<(), AppendError> {
        if t_ms < self.oldest_kept_ms() {
            return Err(AppendError::TooOld { t_ms });
        }
        let id = match self.ids.get(labels) {
            Some(id) => *id,
            None => self.create(labels)?,
        };
        let Some(entry) = self.entries[id.0 as usize].as_mut() else {
            return Ok(());
        };
        if let Some(last) = entry.column.last() {
            if last.t_ms > t_ms {
                return Err(AppendError::OutOfOrder {
                    labels: labels.clone(),
                    last_ms: last.t_ms,
                    t_ms,
                });
            }
            if last.t_ms == t_ms {
                if last.value.to_bits() == value.to_bits() {
                    return Ok(());
                }
                return Err(AppendError::Duplicate {
                    labels: labels.clone(),
                    t_ms,
                });
            }
        }
        if self.samples >= self.limits.max_samples {
            return Err(AppendError::Full {
                what: "samples",
                limit: self.limits.max_samples,
            });
        }
        entry.column.push(Sample { t_ms, value });
        self.samples += 1;
        if t_ms > self.newest_ms {
            self.newest_ms = t_ms;
            self.sweep_if_due();
        }
        Ok(())
    }

    /// Returns how many series have samples.
    pub fn series_count(&self) -> usize {
        self.ids.len()
    }

    /// Returns how many samples are held.
    pub fn sample_count(&self) -> usize {
        self.samples
    }

    /// Returns the time of the newest sample.
    pub fn newest_ms(&self) -> Option<i64> {
        (self.newest_ms != i64::MIN).then_some(self.newest_ms)
    }

    /// Returns the newest sample of a series, a stale marker included.
    pub fn last(&self, labels: &Labels) -> Option<Sample> {
        let id = self.ids.get(labels)?;
        self.entries[id.0 as usize].as_ref()?.column.last()
    }

    /// Returns the distinct values of a label, sorted.
    pub fn label_values(&self, name: &str) -> Vec<String> {
        self.index.values(name).map(str::to_owned).collect()
    }

    /// Drops every sample before `t_ms` and every series left without one.
    pub fn drop_before(&mut self, t_ms: i64) {
        for slot in 0..self.entries.len() {
            let Some(entry) = self.entries[slot].as_mut() else {
                continue;
            };
            self.samples -= entry.column.drop_before(t_ms);
            if entry.column.last().is_none() {
                self.remove(SeriesId(slot as u32));
            }
        }
        self.index.forget_unused_symbols();
    }

    /// Returns the series that satisfy every matcher, in no promised order.
    pub(crate) fn select(&self, matchers: &[Matcher]) -> Vec<SeriesId> {
        let candidates = self.index.candidates(matchers);
        let mut found: Vec<SeriesId> = match candidates {
            Some(ids) => ids,
            None => (0..self.entries.len() as u32).map(SeriesId).collect(),
        };
        found.retain(|id| {
            self.entries[id.0 as usize].as_ref().is_some_and(|entry| {
                matchers
                    .iter()
                    .all(|matcher| matcher.matches(entry.labels.get(&matcher.name).unwrap_or("")))
            })
        });
        found
    }

    /// Returns the labels of a selected series.
    pub(crate) fn labels(&self, id: SeriesId) -> &Labels {
        static NONE: std::sync::LazyLock<Labels> = std::sync::LazyLock::new(Labels::default);
        self.entries[id.0 as usize]
            .as_ref()
            .map_or(&*NONE, |entry| &entry.labels)
    }

    /// Returns the newest sample of a series at or before `t_ms`.
    pub(crate) fn at(&self, id: SeriesId, t_ms: i64) -> Option<Sample> {
        self.entries[id.0 as usize].as_ref()?.column.at(t_ms)
    }

    /// Returns the samples with `after_ms < t <= until_ms`, stale markers among them.
    #[expect(dead_code, reason = "the evaluation over many steps reads through it")]
    pub(crate) fn samples<'s>(
        &'s self,
        id: SeriesId,
        after_ms: i64,
        until_ms: i64,
        scratch: &'s mut Scratch,
    ) -> (&'s [i64], &'s [f64]) {
        match self.entries[id.0 as usize].as_ref() {
            Some(entry) => entry.column.samples(after_ms, until_ms, scratch),
            None => (&[], &[]),
        }
    }

    /// Returns the samples with `after_ms < t <= until_ms`, stale markers left out.
    pub(crate) fn window<'s>(
        &'s self,
        id: SeriesId,
        after_ms: i64,
        until_ms: i64,
        scratch: &'s mut Scratch,
    ) -> (&'s [i64], &'s [f64]) {
        match self.entries[id.0 as usize].as_ref() {
            Some(entry) => entry.column.window(after_ms, until_ms, scratch),
            None => (&[], &[]),
        }
    }

    fn create(&mut self, labels: &Labels) -> Result<SeriesId, AppendError> {
        if self.ids.len() >= self.limits.max_series {
            return Err(AppendError::Full {
                what: "series",
                limit: self.limits.max_series,
            });
        }
        let id = self
            .free
            .pop()
            .unwrap_or(SeriesId(self.entries.len() as u32));
        let labels = self.index.add(labels, id);
        let entry = Some(Entry {
            labels: labels.clone(),
            column: Column::default(),
        });
        if id.0 as usize == self.entries.len() {
            self.entries.push(entry);
        } else {
            self.entries[id.0 as usize] = entry;
        }
        self.ids.insert(labels, id);
        Ok(id)
    }

    fn remove(&mut self, id: SeriesId) {
        if let Some(entry) = self.entries[id.0 as usize].take() {
            self.index.remove(&entry.labels, id);
            self.ids.remove(&entry.labels);
            self.free.push(id);
        }
    }

    fn oldest_kept_ms(&self) -> i64 {
        self.newest_ms.saturating_sub(self.limits.retention_ms)
    }

    /// Sweeping costs a pass over all series, so it happens once per sixteenth of the retention.
    fn sweep_if_due(&mut self) {
        if self.swept_ms == i64::MIN {
            self.swept_ms = self.newest_ms;
        }
        if self.newest_ms.saturating_sub(self.swept_ms) > self.limits.retention_ms / 16 {
            self.swept_ms = self.newest_ms;
            self.drop_before(self.oldest_kept_ms());
        }
    }
}
