//! Series in memory: an inverted index over labels and one column of samples per series.
//!
//! It has no clock: the newest appended sample is "now" for retention, and [`Store::set_now`] tells
//! what lies in the future. Invariants: samples of a series are strictly ordered by time, every
//! value keeps its exact bits, and memory is bounded by [`Limits`].

mod column;
mod index;
mod limits;
mod selections;

use std::collections::HashMap;
use std::sync::Arc;

pub(crate) use column::Scratch;
use column::{Column, LatestTimes};
use index::Index;
pub use limits::{AppendError, Limits};
use selections::Selections;

use crate::labels::Labels;
use crate::query::matcher::Matcher;
use crate::value::Sample;

/// The place of a series in the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct SeriesId(u32);

/// Where a series lies in one store, see [`Store::append_at`]. It outlives the series harmlessly.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SeriesRef {
    id: SeriesId,
    birth: u64,
}

/// A place for a series; it is free while there are no samples.
#[derive(Debug, Default)]
struct Entry {
    labels: Labels,
    /// Tells the series apart from others that had its place before.
    birth: u64,
    column: Column,
}

impl Entry {
    fn is_free(&self) -> bool {
        self.column.last().is_none()
    }

    /// Says whether a sample is new; not when it repeats the last one.
    fn is_next(&self, t_ms: i64, value: f64) -> Result<bool, AppendError> {
        let Some(last) = self.column.last() else {
            return Ok(true);
        };
        if last.t_ms > t_ms {
            return Err(AppendError::OutOfOrder {
                labels: self.labels.clone(),
                last_ms: last.t_ms,
                t_ms,
            });
        }
        let is_same = last.value.to_bits() == value.to_bits();
        if last.t_ms == t_ms && !is_same {
            return Err(AppendError::Duplicate {
                labels: self.labels.clone(),
                t_ms,
            });
        }
        Ok(last.t_ms < t_ms)
    }
}

/// Series and their samples.
#[derive(Debug)]
pub struct Store {
    limits: Limits,
    ids: HashMap<Labels, SeriesId>,
    entries: Vec<Entry>,
    free: Vec<SeriesId>,
    latest_times: LatestTimes,
    index: Index,
    samples: usize,
    newest_ms: i64,
    latest_ms: i64,
    swept_ms: i64,
    /// How many series there ever were.
    births: u64,
    selections: Selections,
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
            latest_times: LatestTimes::default(),
            index: Index::default(),
            samples: 0,
            newest_ms: i64::MIN,
            latest_ms: i64::MAX,
            swept_ms: i64::MIN,
            births: 0,
            selections: Selections::default(),
        }
    }

    /// Tells the store what time it is. Without it no sample is refused for being too new.
    pub fn set_now(&mut self, now_ms: i64) {
        self.latest_ms = now_ms.saturating_add(self.limits.max_ahead_ms);
    }

    /// Says whether a sample of this time is too far in the future.
    pub fn is_too_new(&self, t_ms: i64) -> bool {
        t_ms > self.latest_ms
    }

    /// Adds a sample. The same value at the same time again is accepted and changes nothing.
    pub fn append(&mut self, labels: &Labels, t_ms: i64, value: f64) -> Result<(), AppendError> {
        self.append_at(None, labels, t_ms, value).map(|_| ())
    }

    /// Adds a sample and returns where the series lies. `known` is what an earlier call for the
    /// same labels returned; it spares looking them up.
    pub fn append_at(
        &mut self,
        known: Option<SeriesRef>,
        labels: &Labels,
        t_ms: i64,
        value: f64,
    ) -> Result<SeriesRef, AppendError> {
        self.check_time(t_ms)?;
        let id = match self.find(known, labels) {
            Some(id) => id,
            None => self.create(labels)?,
        };
        let entry = &mut self.entries[id.0 as usize];
        let birth = entry.birth;
        if entry.is_next(t_ms, value)? {
            if self.samples >= self.limits.max_samples {
                return Err(self.full_of_samples());
            }
            let sample = Sample { t_ms, value };
            entry.column.push(sample, &mut self.latest_times);
            self.samples += 1;
            if t_ms > self.newest_ms {
                self.newest_ms = t_ms;
                self.sweep_if_due();
            }
        }
        Ok(SeriesRef { id, birth })
    }

    /// Returns the labels of a series as the store holds them: their texts are shared by all series.
    pub fn labels_at(&self, known: SeriesRef) -> Option<&Labels> {
        let entry = self.entries.get(known.id.0 as usize)?;
        (entry.birth == known.birth && !entry.is_free()).then_some(&entry.labels)
    }

    /// Returns how many series have samples.
    pub fn series_count(&self) -> usize {
        self.ids.len()
    }

    /// Returns how many samples are held.
    pub fn sample_count(&self) -> usize {
        self.samples
    }

    /// Returns how many bytes samples, labels and index take, about: what the allocator adds is
    /// not known here.
    pub fn bytes(&self) -> usize {
        let columns: usize = self.entries.iter().map(|entry| entry.column.bytes()).sum();
        let slots = self.entries.capacity() * size_of::<Entry>();
        let ids = self.ids.capacity() * (size_of::<(Labels, SeriesId)>() + 1);
        columns + self.latest_times.bytes() + slots + ids + self.index.bytes()
    }

    /// Returns the time of the newest sample.
    pub fn newest_ms(&self) -> Option<i64> {
        (self.newest_ms != i64::MIN).then_some(self.newest_ms)
    }

    /// Returns the newest sample of a series, a stale marker included.
    pub fn last(&self, labels: &Labels) -> Option<Sample> {
        let id = self.ids.get(labels)?;
        self.entries[id.0 as usize].column.last()
    }

    /// Returns the distinct values of a label, sorted.
    pub fn label_values(&self, name: &str) -> Vec<String> {
        self.index.values(name).map(str::to_owned).collect()
    }

    /// Drops every sample before `t_ms` and every series left without one.
    pub fn drop_before(&mut self, t_ms: i64) {
        for slot in 0..self.entries.len() {
            let entry = &mut self.entries[slot];
            if entry.is_free() {
                continue;
            }
            self.samples -= entry.column.drop_before(t_ms);
            if entry.is_free() {
                self.remove(SeriesId(slot as u32));
            }
        }
        self.index.forget_unused_symbols();
    }

    /// Returns the series that satisfy every matcher, in the order of their labels.
    pub(crate) fn select(&self, matchers: &[Matcher]) -> Arc<[SeriesId]> {
        self.selections.get_or(matchers, || {
            let mut found = match self.index.candidates(matchers) {
                Some(ids) => ids,
                None => (0..self.entries.len() as u32).map(SeriesId).collect(),
            };
            found.retain(|id| {
                let entry = &self.entries[id.0 as usize];
                let value = |name: &str| entry.labels.get(name).unwrap_or("");
                !entry.is_free() && matchers.iter().all(|m| m.matches(value(&m.name)))
            });
            found.sort_by(|a, b| self.labels(*a).cmp(self.labels(*b)));
            found
        })
    }

    /// Returns the labels of a selected series.
    pub(crate) fn labels(&self, id: SeriesId) -> &Labels {
        &self.entries[id.0 as usize].labels
    }

    /// Returns the newest sample of a series at or before `t_ms`.
    pub(crate) fn at(&self, id: SeriesId, t_ms: i64) -> Option<Sample> {
        self.entries[id.0 as usize].column.at(t_ms)
    }

    /// Returns the samples with `after_ms < t <= until_ms`, stale markers among them.
    pub(crate) fn samples<'s>(
        &'s self,
        id: SeriesId,
        after_ms: i64,
        until_ms: i64,
        scratch: &'s mut Scratch,
    ) -> (&'s [i64], &'s [f64]) {
        let column = &self.entries[id.0 as usize].column;
        column.samples(after_ms, until_ms, scratch)
    }

    /// Returns the samples with `after_ms < t <= until_ms`, stale markers left out.
    pub(crate) fn window<'s>(
        &'s self,
        id: SeriesId,
        after_ms: i64,
        until_ms: i64,
        scratch: &'s mut Scratch,
    ) -> (&'s [i64], &'s [f64]) {
        let column = &self.entries[id.0 as usize].column;
        column.window(after_ms, until_ms, scratch)
    }

    fn check_time(&self, t_ms: i64) -> Result<(), AppendError> {
        if t_ms < self.oldest_kept_ms() {
            return Err(AppendError::TooOld { t_ms });
        }
        if self.is_too_new(t_ms) {
            return Err(AppendError::TooNew {
                t_ms,
                latest_ms: self.latest_ms,
            });
        }
        Ok(())
    }

    fn find(&self, known: Option<SeriesRef>, labels: &Labels) -> Option<SeriesId> {
        match known.filter(|known| self.labels_at(*known).is_some()) {
            Some(known) => Some(known.id),
            None => self.ids.get(labels).copied(),
        }
    }

    /// Makes a place for a series, whose first sample must follow at once.
    fn create(&mut self, labels: &Labels) -> Result<SeriesId, AppendError> {
        if self.ids.len() >= self.limits.max_series {
            return Err(AppendError::Full {
                what: "series",
                limit: self.limits.max_series,
            });
        }
        if self.samples >= self.limits.max_samples {
            return Err(self.full_of_samples());
        }
        let id = self.free.pop().unwrap_or_else(|| {
            self.entries.push(Entry::default());
            SeriesId(self.entries.len() as u32 - 1)
        });
        self.selections.clear();
        let labels = self.index.add(labels, id);
        self.entries[id.0 as usize] = Entry {
            labels: labels.clone(),
            birth: self.births,
            column: Column::default(),
        };
        self.births += 1;
        self.ids.insert(labels, id);
        Ok(id)
    }

    fn remove(&mut self, id: SeriesId) {
        self.selections.clear();
        let entry = std::mem::take(&mut self.entries[id.0 as usize]);
        self.index.remove(&entry.labels, id);
        self.ids.remove(&entry.labels);
        self.free.push(id);
    }

    fn full_of_samples(&self) -> AppendError {
        AppendError::Full {
            what: "samples",
            limit: self.limits.max_samples,
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
