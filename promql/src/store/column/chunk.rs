//! A stretch of samples that will not change any more.

use std::sync::Arc;

use super::packed::Reader;
use super::times::Times;
use super::{CHUNK, values};

/// Between one and [`CHUNK`] samples, encoded.
#[derive(Debug)]
pub(super) struct Chunk {
    times: Arc<Times>,
    values: Box<[u8]>,
}

impl Chunk {
    /// Encodes the values at some times; there are as many of both.
    pub(super) fn seal(times: Arc<Times>, values: &[f64]) -> Self {
        let mut data = Vec::with_capacity(512);
        values::put(&mut data, values);
        Self {
            times,
            // A copy of its own size: shrunk in place, it would leave a hole that nothing fits.
            values: Box::from(data.as_slice()),
        }
    }

    pub(super) fn first_ms(&self) -> i64 {
        self.times.first_ms()
    }

    pub(super) fn last_ms(&self) -> i64 {
        self.times.last_ms()
    }

    pub(super) fn count(&self) -> usize {
        self.times.count()
    }

    /// Returns how many bytes the samples take on the heap, of shared times this chunk's part.
    pub(super) fn bytes(&self) -> usize {
        let owners = Arc::strong_count(&self.times);
        self.values.len() + self.times.bytes().div_ceil(owners)
    }

    /// Decodes the samples into slices of [`Chunk::count`] places.
    pub(super) fn read(&self, times_ms: &mut [i64], values: &mut [f64]) {
        self.times.read(times_ms);
        values::read(&mut Reader::new(&self.values), values);
    }

    /// Counts the samples before `t_ms`.
    pub(super) fn count_before(&self, t_ms: i64) -> usize {
        if t_ms <= self.first_ms() {
            return 0;
        }
        let mut times_ms = [0; CHUNK];
        let times_ms = &mut times_ms[..self.count().min(CHUNK)];
        self.times.read(times_ms);
        times_ms.partition_point(|time_ms| *time_ms < t_ms)
    }
}
