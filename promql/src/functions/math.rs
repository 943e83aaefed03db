//! Functions of one number.

use super::{Function, Type};

pub(super) const ROWS: &[Function] = &[
    Function::map("abs", |v, _| Some(v.abs())),
    Function::map("ceil", |v, _| Some(v.ceil())),
    Function::map("floor", |v, _| Some(v.floor())),
    Function::map("exp", |v, _| Some(v.exp())),
    Function::map("ln", |v, _| Some(v.ln())),
    Function::map("log2", |v, _| Some(v.log2())),
    Function::map("log10", |v, _| Some(v.log10())),
    Function::map("sqrt", |v, _| Some(v.sqrt())),
    Function::map("sgn", |v, _| Some(sign(v))),
    Function::map("acos", |v, _| Some(v.acos())),
    Function::map("acosh", |v, _| Some(acosh(v))),
    Function::map("asin", |v, _| Some(v.asin())),
    Function::map("asinh", |v, _| Some(asinh(v))),
    Function::map("atan", |v, _| Some(v.atan())),
    Function::map("atanh", |v, _| Some(v.atanh())),
    Function::map("cos", |v, _| Some(v.cos())),
    Function::map("cosh", |v, _| Some(v.cosh())),
    Function::map("sin", |v, _| Some(v.sin())),
    Function::map("sinh", |v, _| Some(v.sinh())),
    Function::map("tan", |v, _| Some(v.tan())),
    Function::map("tanh", |v, _| Some(v.tanh())),
    Function::map("deg", |v, _| Some(v * 180.0 / std::f64::consts::PI)),
    Function::map("rad", |v, _| Some(v * std::f64::consts::PI / 180.0)),
    Function::map("round", |v, p| Some(round(v, p))).args(&[Type::Vector, Type::Scalar], 1),
    Function::map("clamp", clamp).args(&[Type::Vector, Type::Scalar, Type::Scalar], 0),
    Function::map("clamp_min", |v, p| Some(larger(*p.first()?, v)))
        .args(&[Type::Vector, Type::Scalar], 0),
    Function::map("clamp_max", |v, p| Some(smaller(*p.first()?, v)))
        .args(&[Type::Vector, Type::Scalar], 0),
];

/// Beyond it the 1 under the root is lost, and squares would overflow.
const LARGE: f64 = 268_435_456.0;

fn acosh(value: f64) -> f64 {
    if value > LARGE {
        value.ln() + std::f64::consts::LN_2
    } else {
        value.acosh()
    }
}

fn asinh(value: f64) -> f64 {
    if value.abs() > LARGE {
        (value.abs().ln() + std::f64::consts::LN_2).copysign(value)
    } else {
        value.asinh()
    }
}

/// Zero and NaN stay what they are.
fn sign(value: f64) -> f64 {
    if value < 0.0 {
        -1.0
    } else if value > 0.0 {
        1.0
    } else {
        value
    }
}

/// Rounds to a multiple, half up. The inverse keeps `round(v, 0.1)` from showing 0.30000000000004.
fn round(value: f64, parameters: &[f64]) -> f64 {
    let inverse = 1.0 / parameters.first().copied().unwrap_or(1.0);
    (value * inverse + 0.5).floor() / inverse
}

fn clamp(value: f64, parameters: &[f64]) -> Option<f64> {
    let [lowest, highest] = *parameters else {
        return None;
    };
    if lowest > highest {
        return None;
    }
    Some(larger(lowest, smaller(highest, value)))
}

/// NaN wins, unlike in `f64::max`, but not over infinity.
fn larger(a: f64, b: f64) -> f64 {
    if a == f64::INFINITY || b == f64::INFINITY {
        f64::INFINITY
    } else if a.is_nan() || b.is_nan() {
        f64::NAN
    } else {
        a.max(b)
    }
}

/// NaN wins, unlike in `f64::min`, but not over −infinity.
fn smaller(a: f64, b: f64) -> f64 {
    if a == f64::NEG_INFINITY || b == f64::NEG_INFINITY {
        f64::NEG_INFINITY
    } else if a.is_nan() || b.is_nan() {
        f64::NAN
    } else {
        a.min(b)
    }
}
