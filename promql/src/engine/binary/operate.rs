//! An operator over the values of two rows.
//!
//! The operator is chosen once per row, so that the loop over the steps holds nothing else.

use crate::engine::grid::{absent, is_absent};
use crate::query::ast::{Arithmetic, Binary, Comparison, Operator};

/// One side of an operator.
#[derive(Clone, Copy)]
pub(super) enum Operand<'v> {
    /// The row that the result replaces.
    Own,
    /// One value per step.
    Each(&'v [f64]),
    Constant(f64),
}

/// What an operator does with a pair of values.
#[derive(Clone, Copy)]
pub(super) struct Rule {
    operator: Operator,
    outcome: Outcome,
}

/// What a comparison leaves; arithmetic leaves its result.
#[derive(Clone, Copy)]
enum Outcome {
    /// 0 or 1.
    Bool,
    /// The value on the left where it holds.
    Left,
    /// The value on the right where it holds: the vector's, after a scalar.
    Right,
}

impl Rule {
    pub(super) fn between_scalars(operator: Operator) -> Self {
        Self {
            operator,
            outcome: Outcome::Bool,
        }
    }

    pub(super) fn of(binary: &Binary, keeps_right: bool) -> Self {
        Self {
            operator: binary.operator,
            outcome: match (binary.return_bool, keeps_right) {
                (true, _) => Outcome::Bool,
                (false, false) => Outcome::Left,
                (false, true) => Outcome::Right,
            },
        }
    }
}

/// Writes the outcome of each step into `own`; absent where either side is.
pub(super) fn apply(rule: Rule, left: Operand<'_>, right: Operand<'_>, own: &mut [f64]) {
    match rule.operator {
        Operator::Arithmetic(arithmetic) => match arithmetic {
            Arithmetic::Add => compute(left, right, own, |a, b| a + b),
            Arithmetic::Sub => compute(left, right, own, |a, b| a - b),
            Arithmetic::Mul => compute(left, right, own, |a, b| a * b),
            Arithmetic::Div => compute(left, right, own, |a, b| a / b),
            Arithmetic::Mod => compute(left, right, own, |a, b| a % b),
            Arithmetic::Pow => compute(left, right, own, f64::powf),
            Arithmetic::Atan2 => compute(left, right, own, f64::atan2),
        },
        Operator::Comparison(comparison) => match comparison {
            Comparison::Equal => compare(rule.outcome, left, right, own, |a, b| a == b),
            Comparison::NotEqual => compare(rule.outcome, left, right, own, |a, b| a != b),
            Comparison::Greater => compare(rule.outcome, left, right, own, |a, b| a > b),
            Comparison::Less => compare(rule.outcome, left, right, own, |a, b| a < b),
            Comparison::GreaterOrEqual => compare(rule.outcome, left, right, own, |a, b| a >= b),
            Comparison::LessOrEqual => compare(rule.outcome, left, right, own, |a, b| a <= b),
        },
        // Sets are not computed value by value.
        Operator::Set(_) => own.fill(absent()),
    }
}

fn compare(
    outcome: Outcome,
    left: Operand<'_>,
    right: Operand<'_>,
    own: &mut [f64],
    holds: impl Fn(f64, f64) -> bool,
) {
    let kept = |holds: bool, value: f64| if holds { value } else { absent() };
    match outcome {
        Outcome::Bool => compute(left, right, own, |a, b| f64::from(u8::from(holds(a, b)))),
        Outcome::Left => compute(left, right, own, |a, b| kept(holds(a, b), a)),
        Outcome::Right => compute(left, right, own, |a, b| kept(holds(a, b), b)),
    }
}

fn compute(left: Operand<'_>, right: Operand<'_>, own: &mut [f64], of: impl Fn(f64, f64) -> f64) {
    let either = |a: f64, b: f64| {
        let result = of(a, b);
        if is_absent(a) | is_absent(b) {
            absent()
        } else {
            result
        }
    };
    match (left, right) {
        (Operand::Own, Operand::Constant(b)) => own.iter_mut().for_each(|a| *a = either(*a, b)),
        (Operand::Constant(a), Operand::Own) => own.iter_mut().for_each(|b| *b = either(a, *b)),
        (Operand::Own, Operand::Each(right)) => {
            for (a, b) in own.iter_mut().zip(right) {
                *a = either(*a, *b);
            }
        }
        (Operand::Each(left), Operand::Own) => {
            for (a, b) in left.iter().zip(own) {
                *b = either(*a, *b);
            }
        }
        (Operand::Each(left), Operand::Each(right)) => {
            for ((a, b), into) in left.iter().zip(right).zip(own) {
                *into = either(*a, *b);
            }
        }
        // No operator has its result, or two constants, on both sides.
        (Operand::Own, Operand::Own) | (Operand::Constant(_), _) | (_, Operand::Constant(_)) => {
            own.fill(absent());
        }
    }
}
