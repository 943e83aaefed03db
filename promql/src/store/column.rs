//! How the samples of one series are held: the only file that knows the encoding.
//!
//! Today two plain columns. A compressed encoding replaces the insides; the methods stay.

use crate::value::{Sample, is_stale};

/// Room for a window that cannot be lent as it lies in the store.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    times_ms: Vec<i64>,
    values: Vec<f64>,
}

/// Samples in strictly increasing order of time.
#[derive(Debug, Default)]
pub(super) struct Column {
    times_ms: Vec<i64>,
    values: Vec<f64>,
    stale: usize,
}

impl Column {
    /// Adds a sample; the caller has checked that it is newer than the last.
    pub(super) fn push(&mut self, sample: Sample) {
        self.times_ms.push(sample.t_ms);
        self.values.push(sample.value);
        self.stale += usize::from(is_stale(sample.value));
    }

    pub(super) fn last(&self) -> Option<Sample> {
        self.sample(self.times_ms.len().checked_sub(1)?)
    }

    /// Returns the newest sample at or before `t_ms`.
    pub(super) fn at(&self, t_ms: i64) -> Option<Sample> {
        self.sample(self.count_until(t_ms).checked_sub(1)?)
    }

    /// Returns the samples with `after_ms < t <= until_ms`, stale markers among them.
    pub(super) fn samples<'s>(
        &'s self,
        after_ms: i64,
        until_ms: i64,
        _scratch: &'s mut Scratch,
    ) -> (&'s [i64], &'s [f64]) {
        let end = self.count_until(until_ms);
        let start = self.count_until(after_ms).min(end);
        (&self.times_ms[start..end], &self.values[start..end])
    }

    /// Returns the samples with `after_ms < t <= until_ms` without stale markers. The store's own
    /// memory is lent unless a marker must be cut out.
    pub(super) fn window<'s>(
        &'s self,
        after_ms: i64,
        until_ms: i64,
        scratch: &'s mut Scratch,
    ) -> (&'s [i64], &'s [f64]) {
        let end = self.count_until(until_ms);
        let start = self.count_until(after_ms).min(end);
        let (times_ms, values) = (&self.times_ms[start..end], &self.values[start..end]);
        if self.stale == 0 || !values.iter().any(|value| is_stale(*value)) {
            return (times_ms, values);
        }
        scratch.times_ms.clear();
        scratch.values.clear();
        for (t_ms, value) in times_ms.iter().zip(values) {
            if !is_stale(*value) {
                scratch.times_ms.push(*t_ms);
                scratch.values.push(*value);
            }
        }
        (&scratch.times_ms, &scratch.values)
    }

    /// Drops the samples before `t_ms` and returns how many there were.
    pub(super) fn drop_before(&mut self, t_ms: i64) -> usize {
        let count = self.times_ms.partition_point(|time_ms| *time_ms < t_ms);
        if count > 0 {
            let dropped = self.values.drain(..count);
            self.stale -= dropped.filter(|value| is_stale(*value)).count();
            self.times_ms.drain(..count);
            self.times_ms.shrink_to(self.times_ms.len() * 2);
            self.values.shrink_to(self.values.len() * 2);
        }
        count
    }

    /// Counts the samples at or before `t_ms`. Queries mostly ask about the end of a series, so
    /// the search gallops backwards from there.
    fn count_until(&self, t_ms: i64) -> usize {
        let length = self.times_ms.len();
        let mut step = 1;
        let mut low = length;
        while low > 0 && self.times_ms[low - 1] > t_ms {
            low = low.saturating_sub(step);
            step *= 2;
        }
        let high = length.min(low + step);
        low + self.times_ms[low..high].partition_point(|time_ms| *time_ms <= t_ms)
    }

    fn sample(&self, index: usize) -> Option<Sample> {
        Some(Sample {
            t_ms: *self.times_ms.get(index)?,
            value: *self.values.get(index)?,
        })
    }
}
