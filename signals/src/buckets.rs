//! Time buckets for charts: many samples become at most one cell a column.
//!
//! Buckets lie at absolute multiples of their width, so that a chart that moves on shows the same
//! cells again, one column further left. Pure: no clock, no IO.

use promql::value::Sample;

/// Widths a person can read off an axis, in milliseconds; beyond a day, whole days.
const NICE_MS: [i64; 26] = [
    1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 15_000, 30_000, 60_000,
    120_000, 300_000, 600_000, 900_000, 1_800_000, 3_600_000, 7_200_000, 10_800_000, 21_600_000,
    43_200_000,
];
const DAY_MS: i64 = 86_400_000;

/// Where the buckets lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Grid {
    /// Start of the first bucket, milliseconds since the epoch, a multiple of the width.
    pub start_ms: i64,
    /// Width of a bucket in milliseconds.
    pub width_ms: i64,
    /// Number of buckets, at least 1.
    pub count: usize,
}

/// What the samples of one bucket come to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Cell {
    /// The smallest value.
    pub min: f64,
    /// The largest value.
    pub max: f64,
    /// The newest value.
    pub last: f64,
}

impl Grid {
    /// Lays out the span from `from_ms` to `to_ms`, both included, in at most `columns` buckets of
    /// at least `at_least_ms`. The bucket of `to_ms` is always the last; the first may be cut.
    pub fn new(from_ms: i64, to_ms: i64, columns: usize, at_least_ms: i64) -> Self {
        let columns = columns.clamp(1, 1_000_000) as i64;
        let span_ms = to_ms.saturating_sub(from_ms).max(0);
        let wanted_ms = span_ms.div_euclid(columns) + i64::from(span_ms % columns > 0);
        let width_ms = nice_ms(wanted_ms.max(at_least_ms));
        let last = to_ms.div_euclid(width_ms);
        let first = from_ms
            .min(to_ms)
            .div_euclid(width_ms)
            .max(last - (columns - 1));
        Self {
            start_ms: first.saturating_mul(width_ms),
            width_ms,
            count: (last - first + 1) as usize,
        }
    }

    /// Returns the end of the last bucket, which does not belong to it any more.
    pub fn end_ms(&self) -> i64 {
        self.bucket_ms(self.count)
    }

    /// Returns the start of a bucket.
    pub fn bucket_ms(&self, index: usize) -> i64 {
        self.start_ms
            .saturating_add(self.width_ms.saturating_mul(index as i64))
    }

    /// Returns the bucket of a time, if there is one.
    pub fn index(&self, t_ms: i64) -> Option<usize> {
        if t_ms < self.start_ms || t_ms >= self.end_ms() {
            return None;
        }
        Some(((t_ms - self.start_ms) / self.width_ms) as usize)
    }

    /// Sorts samples, oldest first and `step_ms` apart, into the buckets.
    ///
    /// A bucket without a sample repeats the sample before it for as long as one and a half steps;
    /// after that it is a gap. NaN and stale markers are gaps at once.
    pub fn fill(&self, samples: &[Sample], step_ms: i64) -> Vec<Option<Cell>> {
        let reach_ms = step_ms.saturating_add(step_ms / 2);
        let mut cells = Vec::with_capacity(self.count);
        let mut rest = samples;
        let mut before: Option<Sample> = None;
        for index in 0..self.count {
            let (start_ms, end_ms) = (self.bucket_ms(index), self.bucket_ms(index + 1));
            let mut cell: Option<Cell> = None;
            while let Some((sample, later)) = rest.split_first()
                && sample.t_ms < end_ms
            {
                rest = later;
                before = (!sample.value.is_nan()).then_some(*sample);
                if sample.t_ms >= start_ms && !sample.value.is_nan() {
                    cell = Some(joined(cell, sample.value));
                }
            }
            let held = || {
                let sample =
                    before.filter(|sample| start_ms.saturating_sub(sample.t_ms) <= reach_ms)?;
                Some(joined(None, sample.value))
            };
            cells.push(cell.or_else(held));
        }
        cells
    }
}

fn joined(cell: Option<Cell>, value: f64) -> Cell {
    Cell {
        min: cell.map_or(value, |cell| cell.min.min(value)),
        max: cell.map_or(value, |cell| cell.max.max(value)),
        last: value,
    }
}

fn nice_ms(wanted_ms: i64) -> i64 {
    let days = || (wanted_ms.saturating_add(DAY_MS - 1) / DAY_MS).saturating_mul(DAY_MS);
    let found = NICE_MS.into_iter().find(|nice| *nice >= wanted_ms);
    found.unwrap_or_else(days)
}
