//! `double_exponential_smoothing`: level and trend of a series (Holt). Before 3.0 its name was
//! `holt_winters`.

use super::{Function, Type};
use crate::engine::Profile;
use crate::engine::window::Window;

const ARGS: &[Type] = &[Type::Matrix, Type::Scalar, Type::Scalar];

pub(super) const ROWS: &[Function] = &[
    Function::over("double_exponential_smoothing", smooth)
        .args(ARGS, 0)
        .checked(check_factors)
        .since(Profile::V3_5)
        .experimental(),
    Function::over("holt_winters", smooth)
        .args(ARGS, 0)
        .checked(check_factors)
        .until(Profile::V2_53),
];

fn check_factors(parameters: &[f64]) -> Result<(), String> {
    for (factor, (name, symbol)) in parameters
        .iter()
        .zip([("smoothing", "sf"), ("trend", "tf")])
    {
        if *factor <= 0.0 || *factor >= 1.0 {
            return Err(format!(
                "invalid {name} factor. Expected: 0 < {symbol} < 1, got: {factor:.6}"
            ));
        }
    }
    Ok(())
}

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
