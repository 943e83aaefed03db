//! Functions over all windows of a series at once.
//!
//! Windows of neighbouring steps overlap almost entirely, so a function that reads each of them
//! from end to end does the same work again and again. What is here remembers instead, and gives
//! the same bits as the function over a single window.

use super::counter::extrapolate;
use crate::engine::eval::present;
use crate::engine::window::{Span, Track, Window};

/// Shortest windows, in samples, that are worth remembering.
const LONG: usize = 12;

/// Computes every window by itself.
pub(super) fn each(
    track: &Track<'_>,
    row: &mut [f64],
    compute: impl Fn(&Window<'_>) -> Option<f64>,
) {
    for (step, value) in row.iter_mut().enumerate() {
        if let Some(result) = track.window(step).and_then(|window| compute(&window)) {
            *value = present(result);
        }
    }
}

/// Says whether windows are so long that remembering pays.
pub(super) fn is_long(track: &Track<'_>) -> bool {
    track
        .spans
        .last()
        .is_some_and(|span| span.to - span.from > LONG)
}

/// `rate` and `increase`: remembers where the counter was reset.
pub(super) fn counters(track: &Track<'_>, row: &mut [f64], per: impl Fn(&Window<'_>) -> f64) {
    let resets: Vec<usize> = (1..track.values.len())
        .filter(|at| track.values[*at] < track.values[at - 1])
        .collect();
    let mut passed = 0;
    for (step, value) in row.iter_mut().enumerate() {
        let Some(window) = track.window(step) else {
            continue;
        };
        let Span { from, to } = track.spans[step];
        while passed < resets.len() && resets[passed] <= from {
            passed += 1;
        }
        let mut change = track.values[to - 1] - track.values[from];
        for reset in resets[passed..].iter().take_while(|reset| **reset < to) {
            change += track.values[reset - 1];
        }
        if let Some(increase) = extrapolate(&window, change, true, per(&window)) {
            *value = present(increase);
        }
    }
}

/// `changes` and `resets`: remembers how many pairs came before each sample.
pub(super) fn pairs(track: &Track<'_>, row: &mut [f64], holds: impl Fn(f64, f64) -> bool) {
    let mut count = 0_usize;
    let mut before = Vec::with_capacity(track.values.len());
    for at in 0..track.values.len() {
        if at > 0 && holds(track.values[at - 1], track.values[at]) {
            count += 1;
        }
        before.push(count);
    }
    for (value, span) in row.iter_mut().zip(track.spans) {
        if span.from < span.to {
            *value = (before[span.to - 1] - before[span.from]) as f64;
        }
    }
}

/// `min_over_time` and `max_over_time`: remembers the samples that may still become the best,
/// best first. A later sample that is better makes all worse ones before it irrelevant; NaN is
/// worse than any number.
pub(super) fn extremes(track: &Track<'_>, row: &mut [f64], better: impl Fn(f64, f64) -> bool) {
    let values = track.values;
    let replaces = |new: f64, old: f64| better(new, old) || (old.is_nan() && !new.is_nan());
    let mut candidates: Vec<usize> = Vec::new();
    let (mut first, mut next) = (0, 0);
    for (value, span) in row.iter_mut().zip(track.spans) {
        while next < span.to {
            while candidates.len() > first
                && candidates
                    .last()
                    .is_some_and(|last| replaces(values[next], values[*last]))
            {
                candidates.pop();
            }
            candidates.push(next);
            next += 1;
        }
        while first < candidates.len() && candidates[first] < span.from {
            first += 1;
        }
        if span.from < span.to
            && let Some(best) = candidates.get(first)
        {
            *value = values[*best];
        }
    }
}
