//! The times of a sealed stretch of samples. Series that have the same share them: all that a target
//! shows is scraped at once, and all that a group of rules writes has the time of its evaluation.

use std::sync::Arc;

use super::packed::{self, Reader};
use super::{CHUNK, Chunk};

/// How many of the latest times are known by their values. Each target and each group of rules that
/// is at work needs one of these places, those whose samples bear no times of their own.
pub(super) const LATEST: usize = 16;

/// Between one and [`CHUNK`] times.
#[derive(Debug)]
pub(super) struct Times {
    first_ms: i64,
    last_ms: i64,
    count: u8,
    /// From each time to the next.
    steps: Box<[u8]>,
}

impl Times {
    fn seal(times_ms: &[i64]) -> Self {
        let mut buffer = [0; CHUNK];
        let (first_ms, steps) = packed::steps(times_ms, &mut buffer);
        let mut data = Vec::with_capacity(packed::size(steps));
        packed::put(&mut data, steps);
        Self {
            first_ms,
            last_ms: times_ms.last().copied().unwrap_or(first_ms),
            count: times_ms.len() as u8,
            // A copy of its own size: shrunk in place, it would leave a hole that nothing fits.
            steps: Box::from(data.as_slice()),
        }
    }

    pub(super) fn first_ms(&self) -> i64 {
        self.first_ms
    }

    pub(super) fn last_ms(&self) -> i64 {
        self.last_ms
    }

    pub(super) fn count(&self) -> usize {
        usize::from(self.count)
    }

    /// Returns how many bytes they take on the heap, however many share them.
    pub(super) fn bytes(&self) -> usize {
        // Two counters stand before what is shared.
        2 * size_of::<usize>() + size_of::<Self>() + self.steps.len()
    }

    /// Decodes the times into a slice of [`Times::count`] places.
    #[inline]
    pub(super) fn read(&self, times_ms: &mut [i64]) {
        Reader::new(&self.steps).sums_from(self.first_ms, times_ms);
    }
}

/// The times that were sealed last, for the next series that has the same.
#[derive(Debug, Default)]
pub(in crate::store) struct LatestTimes(Vec<Known>);

#[derive(Debug)]
struct Known {
    times_ms: Vec<i64>,
    times: Arc<Times>,
}

impl LatestTimes {
    /// Seals samples; there is at least one and at most [`CHUNK`].
    pub(super) fn seal(&mut self, times_ms: &[i64], values: &[f64]) -> Chunk {
        Chunk::seal(self.shared(times_ms), values)
    }

    /// Returns how many bytes are held beside the times themselves.
    pub(in crate::store) fn bytes(&self) -> usize {
        let values: usize = self.0.iter().map(|known| known.times_ms.capacity()).sum();
        values * size_of::<i64>() + self.0.capacity() * size_of::<Known>()
    }

    fn shared(&mut self, times_ms: &[i64]) -> Arc<Times> {
        let found = self.0.iter().position(|known| known.times_ms == times_ms);
        let index = found.unwrap_or_else(|| self.add(times_ms));
        // The latest first: the series of a scrape come one after another.
        self.0[..=index].rotate_right(1);
        Arc::clone(&self.0[0].times)
    }

    /// Adds times, in the place of the oldest where there is no other; returns the place.
    fn add(&mut self, times_ms: &[i64]) -> usize {
        let times = Arc::new(Times::seal(times_ms));
        if self.0.len() < LATEST {
            let times_ms = times_ms.to_vec();
            self.0.push(Known { times_ms, times });
        } else if let Some(oldest) = self.0.last_mut() {
            oldest.times_ms.clear();
            oldest.times_ms.extend_from_slice(times_ms);
            oldest.times = times;
        }
        self.0.len() - 1
    }
}
