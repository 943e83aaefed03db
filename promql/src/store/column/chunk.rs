//! A stretch of samples that will not change any more.

use super::packed::{self, Reader};
use super::{CHUNK, values};

/// Between one and [`CHUNK`] samples, encoded.
#[derive(Debug)]
pub(super) struct Chunk {
    first_ms: i64,
    last_ms: i64,
    /// The number of samples, the steps between their times, their values.
    data: Box<[u8]>,
}

impl Chunk {
    /// Encodes samples; there is at least one and at most [`CHUNK`].
    pub(super) fn seal(times_ms: &[i64], values: &[f64]) -> Self {
        let mut buffer = [0; CHUNK];
        let (first_ms, steps) = packed::steps(times_ms, &mut buffer);
        let mut data = Vec::with_capacity(512);
        data.push(times_ms.len() as u8);
        packed::put(&mut data, steps);
        values::put(&mut data, values);
        Self {
            first_ms,
            last_ms: times_ms.last().copied().unwrap_or(first_ms),
            // A copy of its own size: shrunk in place, it would leave a hole that nothing fits.
            data: Box::from(data.as_slice()),
        }
    }

    pub(super) fn first_ms(&self) -> i64 {
        self.first_ms
    }

    pub(super) fn last_ms(&self) -> i64 {
        self.last_ms
    }

    pub(super) fn count(&self) -> usize {
        self.data.first().map_or(0, |count| usize::from(*count))
    }

    /// Returns how many bytes the samples take on the heap.
    pub(super) fn bytes(&self) -> usize {
        self.data.len()
    }

    /// Decodes the samples into slices of [`Chunk::count`] places.
    pub(super) fn read(&self, times_ms: &mut [i64], values: &mut [f64]) {
        let mut reader = Reader::new(self.data.get(1..).unwrap_or(&[]));
        reader.sums_from(self.first_ms, times_ms);
        values::read(&mut reader, values);
    }

    /// Counts the samples before `t_ms`.
    pub(super) fn count_before(&self, t_ms: i64) -> usize {
        if t_ms <= self.first_ms {
            return 0;
        }
        let mut times_ms = [0; CHUNK];
        let times_ms = &mut times_ms[..self.count().min(CHUNK)];
        let mut reader = Reader::new(self.data.get(1..).unwrap_or(&[]));
        reader.sums_from(self.first_ms, times_ms);
        times_ms.partition_point(|time_ms| *time_ms < t_ms)
    }
}
