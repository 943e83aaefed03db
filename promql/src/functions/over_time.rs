//! Aggregations over the samples of one series: `avg_over_time` and its siblings.

use super::{Function, Type, running, sweep};
use crate::engine::Profile;
use crate::engine::quantile;
use crate::engine::window::{Track, Window};
use crate::sum::{Mean, Sum, add_compensated};

pub(super) const ROWS: &[Function] = &[
    Function::over("avg_over_time", |w, _| mean(w)).sweep(means),
    Function::over("sum_over_time", |w, _| Some(sum(w.values)))
        .sweep(|track, row| running::sums(track, row, |sum, _| sum, |w| Some(sum(w.values)))),
    Function::over("count_over_time", |w, _| Some(w.values.len() as f64)),
    Function::over("min_over_time", |w, _| extreme(w, |new, best| new < best))
        .sweep(|track, row| sweep::extremes(track, row, |new, best| new < best)),
    Function::over("max_over_time", |w, _| extreme(w, |new, best| new > best))
        .sweep(|track, row| sweep::extremes(track, row, |new, best| new > best)),
    Function::over("last_over_time", |w, _| w.values.last().copied()).keeps_name(),
    Function::over("present_over_time", |_, _| Some(1.0)),
    Function::over("stddev_over_time", |w, _| Some(variance(w).sqrt())),
    Function::over("stdvar_over_time", |w, _| Some(variance(w))),
    Function::over("mad_over_time", |w, _| Some(median_deviation(w.values)))
        .since(Profile::V2_53)
        .experimental(),
    Function::over("quantile_over_time", |w, parameters| {
        Some(quantile(*parameters.first()?, &mut w.values.to_vec()))
    })
    .args(&[Type::Scalar, Type::Matrix], 0),
    Function::over("ts_of_last_over_time", |w, _| {
        w.times_ms.last().map(|t_ms| *t_ms as f64 / 1000.0)
    })
    .since(Profile::V3_5)
    .experimental(),
    Function::over("ts_of_min_over_time", |w, _| {
        time_of_extreme(w, |new, best| new <= best)
    })
    .since(Profile::V3_5)
    .experimental(),
    Function::over("ts_of_max_over_time", |w, _| {
        time_of_extreme(w, |new, best| new >= best)
    })
    .since(Profile::V3_5)
    .experimental(),
];

fn sum(values: &[f64]) -> f64 {
    let mut sum = Sum::default();
    for value in values {
        sum.add(*value);
    }
    sum.total()
}

/// Before 3.0 a mean was moved by each value rather than divided out of a sum at the end, which
/// rounds otherwise even for whole numbers.
fn means(track: &Track<'_>, row: &mut [f64]) {
    if track.frame.profile == Profile::V3_5 {
        running::sums(track, row, |sum, count| sum / count, mean);
    } else {
        sweep::each(track, row, mean);
    }
}

fn mean(window: &Window<'_>) -> Option<f64> {
    let (first, rest) = window.values.split_first()?;
    let mut mean = Mean::over_time(window.profile, *first);
    for value in rest {
        mean.add(*value);
    }
    Some(mean.mean())
}

/// Any number replaces a NaN.
fn extreme(window: &Window<'_>, better: fn(f64, f64) -> bool) -> Option<f64> {
    window.values.iter().copied().reduce(|best, value| {
        if better(value, best) || best.is_nan() {
            value
        } else {
            best
        }
    })
}

fn time_of_extreme(window: &Window<'_>, better: fn(f64, f64) -> bool) -> Option<f64> {
    let mut best = *window.values.first()?;
    let mut best_ms = *window.times_ms.first()?;
    for (t_ms, value) in window.times_ms.iter().zip(window.values).skip(1) {
        if better(*value, best) || best.is_nan() {
            (best, best_ms) = (*value, *t_ms);
        }
    }
    Some(best_ms as f64 / 1000.0)
}

/// Welford's algorithm with compensated sums.
fn variance(window: &Window<'_>) -> f64 {
    let values = window.values;
    let (mut mean, mut mean_lost) = (0.0, 0.0);
    let (mut squares, mut squares_lost) = (0.0, 0.0);
    for (index, value) in values.iter().enumerate() {
        let delta = value - (mean + mean_lost);
        (mean, mean_lost) = add_compensated(delta / (index + 1) as f64, mean, mean_lost);
        (squares, squares_lost) =
            add_compensated(delta * (value - (mean + mean_lost)), squares, squares_lost);
    }
    if squares.is_infinite() && window.profile < Profile::V3_5 {
        // What an infinite sum had lost was NaN then.
        return f64::NAN;
    }
    (squares + squares_lost) / values.len() as f64
}

fn median_deviation(values: &[f64]) -> f64 {
    let median = quantile(0.5, &mut values.to_vec());
    let mut deviations: Vec<f64> = values.iter().map(|value| (value - median).abs()).collect();
    quantile(0.5, &mut deviations)
}
