//! Time to cells.

use crate::dashboard::format::{offset_ms, strftime};
use jiff::tz::TimeZone;
use promql::value::Sample;
use signals::buckets::{Cell, Grid};

const SECOND: i64 = 1_000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;

/// Distances between ticks.
const TICKS_MS: [i64; 19] = [
    SECOND,
    2 * SECOND,
    5 * SECOND,
    10 * SECOND,
    15 * SECOND,
    30 * SECOND,
    MINUTE,
    2 * MINUTE,
    5 * MINUTE,
    10 * MINUTE,
    15 * MINUTE,
    30 * MINUTE,
    HOUR,
    2 * HOUR,
    3 * HOUR,
    6 * HOUR,
    12 * HOUR,
    24 * HOUR,
    48 * HOUR,
];

/// The mapping of time to the columns of a plot.
///
/// Dots are counted from the epoch, so the same moment always falls on the same dot, and the left
/// edge is a whole cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimeScale {
    bucket_ms: i64,
    dots_per_bucket: i64,
    dots_per_cell: i64,
    /// Number of the leftmost dot, counted from the epoch.
    left: i64,
    cells: u16,
}

impl TimeScale {
    /// Builds the scale of `cells` columns that shows about `window_ms` up to `end_ms`. Samples
    /// come every `step_ms`; a bucket is a whole number of steps, so that it never stays empty
    /// between two samples.
    pub fn new(cells: u16, dots_per_cell: u16, window_ms: i64, end_ms: i64, step_ms: i64) -> Self {
        let step_ms = step_ms.max(1);
        let dots_per_cell = i64::from(dots_per_cell.max(1));
        let dots = (i64::from(cells) * dots_per_cell).max(1);
        let ideal = window_ms.max(1) as f64 / dots as f64 / step_ms as f64;
        let (bucket_ms, dots_per_bucket) = if ideal >= 1.0 {
            (step_ms * ideal.round() as i64, 1)
        } else {
            (step_ms, (ideal.recip().round() as i64).clamp(1, dots))
        };
        let last = end_ms.div_euclid(bucket_ms);
        let right = (last + 1) * dots_per_bucket;
        let right = (right + dots_per_cell - 1).div_euclid(dots_per_cell) * dots_per_cell;
        Self {
            bucket_ms,
            dots_per_bucket,
            dots_per_cell,
            left: right - dots,
            cells,
        }
    }

    /// Builds the scale of at most `cells` columns on which every step from `start_ms` to `end_ms` is
    /// visible, with as few columns to spare as whole steps allow.
    pub fn covering(
        cells: u16,
        dots_per_cell: u16,
        start_ms: i64,
        end_ms: i64,
        step_ms: i64,
    ) -> Self {
        let step_ms = step_ms.max(1);
        let dots_per_cell = i64::from(dots_per_cell.max(1));
        let dots = (i64::from(cells) * dots_per_cell).max(1);
        let span_ms = end_ms.saturating_sub(start_ms).max(0);
        // Buckets lie at multiples of their width and not of the start, which may cost one more.
        let count = |bucket_ms: i64| {
            let last = start_ms.saturating_add(span_ms).div_euclid(bucket_ms);
            last - start_ms.div_euclid(bucket_ms) + 1
        };
        let mut steps = (span_ms / step_ms / dots).max(1);
        while count(steps.saturating_mul(step_ms)) > dots {
            steps += 1;
        }
        let bucket_ms = steps.saturating_mul(step_ms);
        let buckets = count(bucket_ms);
        let dots_per_bucket = (dots / buckets).max(1);
        let left = start_ms.div_euclid(bucket_ms) * dots_per_bucket;
        let left = left.div_euclid(dots_per_cell) * dots_per_cell;
        let right = (start_ms.div_euclid(bucket_ms) + buckets) * dots_per_bucket;
        let wide = (right - left + dots_per_cell - 1).div_euclid(dots_per_cell);
        Self {
            bucket_ms,
            dots_per_bucket,
            dots_per_cell,
            left: left.max(right - i64::from(cells) * dots_per_cell),
            cells: wide.clamp(0, i64::from(cells)) as u16,
        }
    }

    /// Returns the index of the bucket, as [`TimeScale::fill`] counts them, that a dot belongs to.
    pub fn bucket_at(&self, dot: usize) -> usize {
        let origin = self.bucket_dot(self.first_bucket());
        ((dot as i64 - origin) as usize) / self.dots_per_bucket()
    }

    /// Returns the width of a bucket in milliseconds.
    pub fn bucket_ms(&self) -> i64 {
        self.bucket_ms
    }

    /// Returns how many dots wide a bucket is.
    pub fn dots_per_bucket(&self) -> usize {
        self.dots_per_bucket as usize
    }

    /// Returns the number of columns.
    pub fn cells(&self) -> u16 {
        self.cells
    }

    /// Returns the number of the first bucket that is at least partly visible.
    pub fn first_bucket(&self) -> i64 {
        self.left.div_euclid(self.dots_per_bucket)
    }

    /// Returns how many buckets are at least partly visible.
    pub fn bucket_count(&self) -> usize {
        let right = self.left + i64::from(self.cells) * self.dots_per_cell;
        let last = (right - 1).div_euclid(self.dots_per_bucket);
        (last - self.first_bucket() + 1).max(0) as usize
    }

    /// Sorts samples into the buckets, the leftmost first. A bucket without a sample stays empty:
    /// its width is a whole number of steps, so an empty one is a gap.
    pub fn fill(&self, samples: &[Sample]) -> Vec<Option<Cell>> {
        let start_ms = self.first_bucket() * self.bucket_ms;
        let begin = samples.partition_point(|sample| sample.t_ms < start_ms);
        let grid = Grid {
            start_ms,
            width_ms: self.bucket_ms,
            count: self.bucket_count(),
        };
        grid.fill(&samples[begin..], 0)
    }

    /// Returns the first dot of a bucket, counted from the left edge; negative if cut.
    pub fn bucket_dot(&self, bucket: i64) -> i64 {
        bucket * self.dots_per_bucket - self.left
    }

    /// Returns the moment of the left edge.
    pub fn start_ms(&self) -> i64 {
        // Rounded up: the first millisecond of the dot.
        -(-self.left * self.bucket_ms).div_euclid(self.dots_per_bucket)
    }

    /// Returns the moment of the right edge.
    pub fn end_ms(&self) -> i64 {
        let right = self.left + i64::from(self.cells) * self.dots_per_cell;
        right * self.bucket_ms / self.dots_per_bucket
    }

    /// Returns the column of a moment; it may lie outside.
    pub fn cell(&self, t_ms: i64) -> i64 {
        let bucket = t_ms.div_euclid(self.bucket_ms);
        let within = t_ms.rem_euclid(self.bucket_ms) * self.dots_per_bucket / self.bucket_ms;
        (bucket * self.dots_per_bucket + within - self.left).div_euclid(self.dots_per_cell)
    }

    /// Returns the columns from one moment to another, both included, as far as they are visible.
    pub fn cells_of(&self, start_ms: i64, end_ms: i64) -> Option<(u16, u16)> {
        let last = i64::from(self.cells) - 1;
        let (from, to) = (self.cell(start_ms), self.cell(end_ms));
        if to < 0 || from > last || to < from || last < 0 {
            return None;
        }
        Some((from.max(0) as u16, to.min(last) as u16))
    }

    /// Returns round moments with their columns and labels, far enough apart to be read.
    pub fn ticks(&self, zone: &TimeZone) -> Vec<(u16, String)> {
        let per_cell = (self.bucket_ms * self.dots_per_cell) as f64 / self.dots_per_bucket as f64;
        let room = |tick: i64| tick as f64 / per_cell;
        let tick = TICKS_MS
            .into_iter()
            .find(|tick| room(*tick) >= if *tick < MINUTE { 12.0 } else { 9.0 })
            .unwrap_or(TICKS_MS[TICKS_MS.len() - 1]);
        let format = match tick {
            _ if tick < MINUTE => "%H:%M:%S",
            _ if tick < 24 * HOUR => "%H:%M",
            _ => "%d %b",
        };
        // Round as the clock on the wall shows it.
        let offset = offset_ms(self.end_ms(), zone);
        let mut ticks = Vec::new();
        let mut local = (self.start_ms() + offset).div_euclid(tick) * tick;
        while local - offset < self.end_ms() {
            let t_ms = local - offset;
            if let Some((cell, _)) = self.cells_of(t_ms, t_ms) {
                ticks.push((cell, strftime(t_ms, zone, format)));
            }
            local += tick;
        }
        ticks
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_750_000_000_000;

    #[test]
    fn a_bucket_is_a_whole_number_of_steps() {
        for cells in [1, 7, 40, 80, 120, 300] {
            for window_ms in [60_000, 300_000, 3_600_000, 86_400_000] {
                for step_ms in [1_000, 5_000, 120_000] {
                    let scale = TimeScale::new(cells, 2, window_ms, NOW, step_ms);
                    assert_eq!(scale.bucket_ms() % step_ms, 0);
                    assert!(scale.start_ms() < NOW && NOW < scale.end_ms());
                    assert_eq!(scale.cell(scale.start_ms()), 0);
                }
            }
        }
    }

    #[test]
    fn a_scale_covers_all_that_was_asked_for() {
        for cells in [1, 7, 40, 80, 300] {
            for dots in [1, 2] {
                for span_ms in [0, 999, 60_000, 300_000, 3_599_000, 86_400_000] {
                    for step_ms in [1, 1_000, 2_345, 60_000] {
                        let start_ms = NOW - span_ms;
                        let scale = TimeScale::covering(cells, dots, start_ms, NOW, step_ms);
                        let told = format!("{cells} {dots} {span_ms} {step_ms} {scale:?}");
                        assert_eq!(scale.bucket_ms() % step_ms, 0, "{told}");
                        assert!(scale.cells() <= cells, "{told}");
                        let (first, last) = (scale.cell(start_ms), scale.cell(NOW));
                        assert!(last < i64::from(scale.cells()), "{told}");
                        // Half a cell may be cut where every cell is needed.
                        assert!(first >= -1, "{told}");
                        if cells > 1 {
                            assert!(first >= 0, "{told}");
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn the_window_is_about_what_was_asked() {
        for cells in [50, 80, 120] {
            let scale = TimeScale::new(cells, 2, 300_000, NOW, 1_000);
            let shown = scale.end_ms() - scale.start_ms();
            assert!((200_000..=420_000).contains(&shown), "{cells} {shown}");
        }
    }

    #[test]
    fn moments_stay_on_their_dot() {
        let early = TimeScale::new(60, 2, 300_000, NOW, 1_000);
        for later in 1..200 {
            let late = TimeScale::new(60, 2, 300_000, NOW + later * 500, 1_000);
            let shift = early.cell(NOW - 100_000) - late.cell(NOW - 100_000);
            for back in [120_000, 90_000, 33_333, 1] {
                let t_ms = NOW - back;
                assert_eq!(early.cell(t_ms) - late.cell(t_ms), shift);
            }
        }
    }

    #[test]
    fn ticks_are_round_and_apart() {
        for window_ms in [60_000, 300_000, 900_000, 3_600_000, 86_400_000] {
            let scale = TimeScale::new(80, 2, window_ms, NOW, 1_000.max(window_ms / 600));
            let ticks = scale.ticks(&TimeZone::UTC);
            assert!(ticks.len() >= 2, "{window_ms} {ticks:?}");
            for pair in ticks.windows(2) {
                assert!(pair[1].0 - pair[0].0 >= 8, "{ticks:?}");
            }
        }
    }
}
