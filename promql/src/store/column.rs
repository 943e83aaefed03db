//! How the samples of one series are held: only this file and its children know the encoding.
//!
//! The newest samples lie open in the head, as two plain columns, so that evaluations of the
//! present read a slice. A full head is sealed into a chunk: [`CHUNK`] samples, encoded. Reading
//! decodes only the chunks that a window touches; series that were scraped at the same times share
//! these. We have an encoding of our own, since what there
//! is for columns of floats is made for blocks of many thousand numbers, or is not kept.
//!
//! Invariant: the head is empty only when the column is.

mod chunk;
mod packed;
mod times;
mod values;

use chunk::Chunk;
pub(super) use times::LatestTimes;

use crate::value::{Sample, is_stale};

/// Samples in a sealed chunk, and at most in the head.
const CHUNK: usize = 128;

/// Room for a window that cannot be lent as it lies in the store.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    times_ms: Vec<i64>,
    values: Vec<f64>,
    /// Where the window begins.
    start: usize,
}

/// Samples in strictly increasing order of time.
#[derive(Debug, Default)]
pub(super) struct Column {
    sealed: Vec<Chunk>,
    /// Samples at the start of the first chunk that are dropped, but still encoded with the rest.
    hidden: usize,
    head_ms: Vec<i64>,
    head: Vec<f64>,
    newest_stale_ms: Option<i64>,
}

impl Column {
    /// Adds a sample; the caller has checked that it is newer than the last.
    pub(super) fn push(&mut self, sample: Sample, latest: &mut LatestTimes) {
        if self.head.len() == CHUNK {
            self.seal(latest);
        }
        self.head_ms.push(sample.t_ms);
        self.head.push(sample.value);
        if is_stale(sample.value) {
            self.newest_stale_ms = Some(sample.t_ms);
        }
    }

    pub(super) fn last(&self) -> Option<Sample> {
        Some(Sample {
            t_ms: *self.head_ms.last()?,
            value: *self.head.last()?,
        })
    }

    /// Returns the newest sample at or before `t_ms`.
    pub(super) fn at(&self, t_ms: i64) -> Option<Sample> {
        if let Some(index) = count_until(&self.head_ms, t_ms).checked_sub(1) {
            return Some(Sample {
                t_ms: self.head_ms[index],
                value: self.head[index],
            });
        }
        let until = self
            .sealed
            .partition_point(|chunk| chunk.first_ms() <= t_ms);
        let index = until.checked_sub(1)?;
        let (mut times_ms, mut values) = ([0; CHUNK], [0.0; CHUNK]);
        let count = self.sealed[index].count().min(CHUNK);
        let times_ms = &mut times_ms[..count];
        self.sealed[index].read(times_ms, &mut values[..count]);
        let found = count_until(times_ms, t_ms).checked_sub(1)?;
        let is_visible = index > 0 || found >= self.hidden;
        is_visible.then(|| Sample {
            t_ms: times_ms[found],
            value: values[found],
        })
    }

    /// Returns the samples with `after_ms < t <= until_ms`, stale markers among them. The store's
    /// own memory is lent when the window lies in the head.
    pub(super) fn samples<'s>(
        &'s self,
        after_ms: i64,
        until_ms: i64,
        scratch: &'s mut Scratch,
    ) -> (&'s [i64], &'s [f64]) {
        if let Some(lent) = self.lend(after_ms, until_ms) {
            return lent;
        }
        self.decode(after_ms, until_ms, scratch);
        scratch.window()
    }

    /// Returns the samples with `after_ms < t <= until_ms` without stale markers.
    pub(super) fn window<'s>(
        &'s self,
        after_ms: i64,
        until_ms: i64,
        scratch: &'s mut Scratch,
    ) -> (&'s [i64], &'s [f64]) {
        let may_be_stale = self.newest_stale_ms.is_some_and(|t_ms| t_ms > after_ms);
        if let Some((times_ms, values)) = self.lend(after_ms, until_ms) {
            if !may_be_stale || !values.iter().any(|value| is_stale(*value)) {
                return (times_ms, values);
            }
            scratch.clear();
            scratch.times_ms.extend_from_slice(times_ms);
            scratch.values.extend_from_slice(values);
        } else {
            self.decode(after_ms, until_ms, scratch);
        }
        if may_be_stale {
            scratch.cut_out_stale();
        }
        scratch.window()
    }

    /// Drops the samples before `t_ms` and returns how many there were. Memory is freed in whole
    /// chunks; the samples of a chunk that goes on are only hidden.
    pub(super) fn drop_before(&mut self, t_ms: i64) -> usize {
        let gone = self.sealed.partition_point(|chunk| chunk.last_ms() < t_ms);
        let freed: usize = self.sealed.drain(..gone).map(|chunk| chunk.count()).sum();
        let mut dropped = freed;
        if gone > 0 {
            dropped -= self.hidden;
            self.hidden = 0;
            self.sealed.shrink_to(self.sealed.len() * 2);
        }
        if let Some(first) = self.sealed.first() {
            let hidden = first.count_before(t_ms).max(self.hidden);
            dropped += hidden - self.hidden;
            self.hidden = hidden;
        } else {
            let count = self.head_ms.partition_point(|time_ms| *time_ms < t_ms);
            self.head_ms.drain(..count);
            self.head.drain(..count);
            dropped += count;
        }
        dropped
    }

    /// Returns how many bytes are held on the heap.
    pub(super) fn bytes(&self) -> usize {
        let head =
            self.head_ms.capacity() * size_of::<i64>() + self.head.capacity() * size_of::<f64>();
        let sealed: usize = self.sealed.iter().map(Chunk::bytes).sum();
        head + sealed + self.sealed.capacity() * size_of::<Chunk>()
    }

    fn seal(&mut self, latest: &mut LatestTimes) {
        if self.sealed.len() == self.sealed.capacity() {
            // A quarter at a time: doubling would hold more than it saves.
            self.sealed.reserve_exact(self.sealed.len() / 4 + 2);
        }
        self.sealed.push(latest.seal(&self.head_ms, &self.head));
        self.head_ms.clear();
        self.head.clear();
    }

    /// Returns the window as it lies in the head, if none of it is sealed.
    fn lend(&self, after_ms: i64, until_ms: i64) -> Option<(&[i64], &[f64])> {
        if self
            .sealed
            .last()
            .is_some_and(|chunk| chunk.last_ms() > after_ms)
        {
            return None;
        }
        let end = count_until(&self.head_ms, until_ms);
        let start = count_until(&self.head_ms[..end], after_ms);
        Some((&self.head_ms[start..end], &self.head[start..end]))
    }

    /// Writes the window into the scratch.
    fn decode(&self, after_ms: i64, until_ms: i64, scratch: &mut Scratch) {
        scratch.clear();
        let first = self
            .sealed
            .partition_point(|chunk| chunk.last_ms() <= after_ms);
        let touched = &self.sealed[first..];
        let touched = &touched[..touched.partition_point(|chunk| chunk.first_ms() <= until_ms)];
        scratch.add_chunks(touched);
        let end = count_until(&self.head_ms, until_ms);
        scratch.times_ms.extend_from_slice(&self.head_ms[..end]);
        scratch.values.extend_from_slice(&self.head[..end]);
        let hidden = if first == 0 { self.hidden } else { 0 };
        scratch.cut(after_ms, until_ms, hidden);
    }
}

impl Scratch {
    fn clear(&mut self) {
        self.times_ms.clear();
        self.values.clear();
        self.start = 0;
    }

    fn add_chunks(&mut self, chunks: &[Chunk]) {
        let total = chunks.iter().map(Chunk::count).sum();
        self.times_ms.resize(total, 0);
        self.values.resize(total, 0.0);
        let (mut times_ms, mut values) = (&mut self.times_ms[..], &mut self.values[..]);
        for chunk in chunks {
            let (chunk_ms, later_ms) = times_ms.split_at_mut(chunk.count());
            let (chunk_values, later) = values.split_at_mut(chunk.count());
            chunk.read(chunk_ms, chunk_values);
            (times_ms, values) = (later_ms, later);
        }
    }

    /// Keeps the samples with `after_ms < t <= until_ms` that are not hidden.
    fn cut(&mut self, after_ms: i64, until_ms: i64, hidden: usize) {
        let end = self.times_ms.partition_point(|t_ms| *t_ms <= until_ms);
        let start = self.times_ms.partition_point(|t_ms| *t_ms <= after_ms);
        self.times_ms.truncate(end);
        self.values.truncate(end);
        self.start = start.max(hidden).min(end);
    }

    fn cut_out_stale(&mut self) {
        let mut kept = self.start;
        for index in self.start..self.values.len() {
            if !is_stale(self.values[index]) {
                self.values[kept] = self.values[index];
                self.times_ms[kept] = self.times_ms[index];
                kept += 1;
            }
        }
        self.times_ms.truncate(kept);
        self.values.truncate(kept);
    }

    fn window(&self) -> (&[i64], &[f64]) {
        (&self.times_ms[self.start..], &self.values[self.start..])
    }
}

/// Counts the times at or before `t_ms`. Queries mostly ask about the end of a series, so the
/// search gallops backwards from there.
fn count_until(times_ms: &[i64], t_ms: i64) -> usize {
    let length = times_ms.len();
    let mut step = 1;
    let mut low = length;
    while low > 0 && times_ms[low - 1] > t_ms {
        low = low.saturating_sub(step);
        step *= 2;
    }
    let high = length.min(low + step);
    low + times_ms[low..high].partition_point(|time_ms| *time_ms <= t_ms)
}

#[cfg(test)]
mod tests;
