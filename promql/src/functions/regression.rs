//! `deriv` and `predict_linear`: a least-squares line through the samples.
//!
//! Times are taken relative to the point at which the intercept is wanted, in seconds, so that
//! the sums stay small; all four sums are compensated. A constant series has slope 0 exactly,
//! which the quotient of two rounded numbers would not give.

use super::{Function, Type};
use crate::engine::Profile;
use crate::engine::window::Window;
use crate::sum::Sum;

pub(super) const ROWS: &[Function] = &[
    Function::over("deriv", |w, _| {
        let first_ms = *w.times_ms.first()?;
        line(w, first_ms).map(|line| line.slope)
    }),
    Function::over("predict_linear", |w, parameters| {
        let seconds = *parameters.first()?;
        line(w, w.t_ms).map(|line| line.slope * seconds + line.intercept)
    })
    .args(&[Type::Matrix, Type::Scalar], 0),
];

struct Line {
    slope: f64,
    intercept: f64,
}

fn line(window: &Window<'_>, intercept_ms: i64) -> Option<Line> {
    let values = window.values;
    if values.len() < 2 {
        return None;
    }
    if values.iter().all(|value| *value == values[0]) {
        let known = values[0].is_finite();
        return Some(Line {
            slope: if known { 0.0 } else { f64::NAN },
            intercept: if known { values[0] } else { f64::NAN },
        });
    }
    let [mut x, mut y, mut xy, mut x2] = [Sum::default(); 4];
    for (t_ms, value) in window.times_ms.iter().zip(values) {
        let seconds = (t_ms - intercept_ms) as f64 / 1000.0;
        x.add(seconds);
        y.add(*value);
        xy.add(seconds * value);
        x2.add(seconds * seconds);
    }
    let overflowed = y.total().is_infinite() || xy.total().is_infinite();
    if overflowed && window.profile < Profile::V3_5 {
        // Before 3.0 what an infinite sum had lost was NaN.
        return Some(Line {
            slope: f64::NAN,
            intercept: f64::NAN,
        });
    }
    let count = values.len() as f64;
    let covariance = xy.total() - x.total() * y.total() / count;
    let variance = x2.total() - x.total() * x.total() / count;
    let slope = covariance / variance;
    Some(Line {
        slope,
        intercept: y.total() / count - slope * x.total() / count,
    })
}
