//! `rate`, `increase`, `delta` and their instant siblings.
//!
//! A window rarely begins and ends exactly at a sample, so the change between its first and last
//! sample covers less than the range that was asked for. Prometheus extrapolates:
//!
//! * `span` is the time between first and last sample, `average` the mean distance of samples.
//! * At each edge, the gap to the range's boundary is filled completely if it is shorter than
//!   1.1 × `average` (the series probably goes on), else by half an average distance (it probably
//!   began or ended there).
//! * A counter cannot have been negative: the gap at the start is cut where the line through the
//!   samples would reach zero. Since 2.51 this cut comes after the threshold test; before, a gap
//!   that was cut could pass the test.
//!
//! A counter that falls was reset: everything it had reached before is added back.

use super::{Function, sweep};
use crate::engine::Profile;
use crate::engine::window::Window;

pub(super) const ROWS: &[Function] = &[
    Function::over("rate", |w, _| extrapolated(w, true, range_s(w)))
        .sweep(|track, row| sweep::counters(track, row, range_s))
        .on_counters(),
    Function::over("increase", |w, _| extrapolated(w, true, 1.0))
        .sweep(|track, row| sweep::counters(track, row, |_| 1.0))
        .on_counters(),
    Function::over("delta", |w, _| extrapolated(w, false, 1.0)),
    Function::over("irate", |w, _| {
        let (previous, last, seconds) = last_two(w)?;
        let change = if last < previous {
            last
        } else {
            last - previous
        };
        Some(change / seconds)
    }),
    Function::over("idelta", |w, _| {
        let (previous, last, _) = last_two(w)?;
        Some(last - previous)
    }),
    Function::over("changes", |w, _| Some(count_pairs(w, is_change)))
        .sweep(|track, row| sweep::pairs(track, row, is_change)),
    Function::over("resets", |w, _| Some(count_pairs(w, is_reset)))
        .sweep(|track, row| sweep::pairs(track, row, is_reset)),
];

fn range_s(window: &Window<'_>) -> f64 {
    (window.end_ms - window.start_ms) as f64 / 1000.0
}

fn is_change(before: f64, after: f64) -> bool {
    before != after && !(before.is_nan() && after.is_nan())
}

fn is_reset(before: f64, after: f64) -> bool {
    after < before
}

fn extrapolated(window: &Window<'_>, counter: bool, per: f64) -> Option<f64> {
    let [first, .., last] = *window.values else {
        return None;
    };
    let mut change = last - first;
    if counter {
        for pair in window.values.windows(2) {
            if is_reset(pair[0], pair[1]) {
                change += pair[0];
            }
        }
    }
    extrapolate(window, change, counter, per)
}

/// Extends the change between the first and the last sample of a window to its edges and divides it
/// by `per`. The order of the operations is Prometheus's: unit tests compare the last digit too.
pub(super) fn extrapolate(
    window: &Window<'_>,
    change: f64,
    counter: bool,
    per: f64,
) -> Option<f64> {
    let times_ms = window.times_ms;
    let [first_ms, .., last_ms] = *times_ms else {
        return None;
    };
    let first = *window.values.first()?;
    let seconds = |ms: i64| ms as f64 / 1000.0;
    let span = seconds(last_ms - first_ms);
    let average = span / (times_ms.len() - 1) as f64;
    let threshold = average * 1.1;
    let mut to_start = seconds(first_ms - window.start_ms);
    let mut to_end = seconds(window.end_ms - last_ms);
    let to_zero = || {
        let can_reach_zero = counter && change > 0.0 && first >= 0.0;
        can_reach_zero.then(|| span * (first / change))
    };
    if window.profile == Profile::V2_42
        && let Some(to_zero) = to_zero()
    {
        to_start = to_start.min(to_zero);
    }
    if to_start >= threshold {
        to_start = average / 2.0;
    }
    if window.profile != Profile::V2_42
        && let Some(to_zero) = to_zero()
    {
        to_start = to_start.min(to_zero);
    }
    if to_end >= threshold {
        to_end = average / 2.0;
    }
    Some(change * ((span + to_start + to_end) / span / per))
}

/// Returns the last two values and the seconds between them.
fn last_two(window: &Window<'_>) -> Option<(f64, f64, f64)> {
    let [.., previous_ms, last_ms] = *window.times_ms else {
        return None;
    };
    let [.., previous, last] = *window.values else {
        return None;
    };
    (last_ms > previous_ms).then(|| (previous, last, (last_ms - previous_ms) as f64 / 1000.0))
}

fn count_pairs(window: &Window<'_>, holds: fn(f64, f64) -> bool) -> f64 {
    window
        .values
        .windows(2)
        .filter(|pair| holds(pair[0], pair[1]))
        .count() as f64
}
