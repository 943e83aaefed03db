//! `double_exponential_smoothing`: level and trend of a series (Holt).

use super::{Function, Type};
use crate::engine::window::Window;

pub(super) const ROWS: &[Function] = &[Function::over("double_exponential_smoothing", smooth)
    .args(&[Type::Matrix, Type::Scalar, Type::Scalar], 0)
    .experimental()];

fn smooth(window: &Window<'_>, parameters: &[f64]) -> Option<f64> {
    let [smoothing, trend_factor] = *parameters else {
        return None;
    };
    let values = window.values;
    if values.len() < 2 {
        return None;
    }
    let mut level = values[0];
    let mut before = 0.0;
    let mut trend = values[1] - values[0];
    for (index, value) in values.iter().enumerate().skip(1) {
        if index > 1 {
            trend = trend_factor * (level - before) + (1.0 - trend_factor) * trend;
        }
        before = level;
        level = smoothing * value + (1.0 - smoothing) * (level + trend);
    }
    Some(level)
}
