//! Binary operators between scalars and vectors.

mod matching;
mod set;

use super::QueryError;
use super::context::{Context, Datum, Element};
use super::eval::{drop_names, eval as eval_expr};
use crate::query::ast::{Arithmetic, Binary, Comparison, Operator};

pub(crate) fn eval(context: &Context<'_>, binary: &Binary, t_ms: i64) -> Result<Datum, QueryError> {
    let left = eval_expr(context, &binary.left, t_ms)?;
    let right = eval_expr(context, &binary.right, t_ms)?;
    match (left, right, binary.operator) {
        (Datum::Scalar(left), Datum::Scalar(right), operator) => {
            Ok(Datum::Scalar(match compute(operator, left, right) {
                Computed::Value(value) => value,
                Computed::Kept(kept) => f64::from(u8::from(kept)),
            }))
        }
        (Datum::Vector(left), Datum::Vector(right), Operator::Set(set)) => Ok(Datum::Vector(
            set::combine(set, left, right, &binary.matching),
        )),
        (Datum::Vector(left), Datum::Vector(right), _) => {
            matching::combine(context, binary, left, right).map(Datum::Vector)
        }
        (Datum::Vector(left), Datum::Scalar(right), _) => {
            with_scalar(context, binary, left, |value| (value, right)).map(Datum::Vector)
        }
        (Datum::Scalar(left), Datum::Vector(right), _) => {
            with_scalar(context, binary, right, |value| (left, value)).map(Datum::Vector)
        }
        _ => Err(QueryError::Execution(format!(
            "the operator {} is not defined on strings",
            binary.operator.text()
        ))),
    }
}

/// What an operator says about one pair of values.
enum Computed {
    /// Arithmetic: a new value.
    Value(f64),
    /// Comparison: whether it holds.
    Kept(bool),
}

fn compute(operator: Operator, left: f64, right: f64) -> Computed {
    match operator {
        Operator::Arithmetic(arithmetic) => Computed::Value(match arithmetic {
            Arithmetic::Add => left + right,
            Arithmetic::Sub => left - right,
            Arithmetic::Mul => left * right,
            Arithmetic::Div => left / right,
            Arithmetic::Mod => left % right,
            Arithmetic::Pow => left.powf(right),
            Arithmetic::Atan2 => left.atan2(right),
        }),
        Operator::Comparison(comparison) => Computed::Kept(match comparison {
            Comparison::Equal => left == right,
            Comparison::NotEqual => left != right,
            Comparison::Greater => left > right,
            Comparison::Less => left < right,
            Comparison::GreaterOrEqual => left >= right,
            Comparison::LessOrEqual => left <= right,
        }),
        Operator::Set(_) => Computed::Kept(false),
    }
}

/// The value a pair leaves in the result: that of the vector's element for a comparison, 0 or 1
/// under `bool`, nothing when a comparison does not hold.
fn outcome(binary: &Binary, left: f64, right: f64, kept_value: f64) -> Option<f64> {
    match compute(binary.operator, left, right) {
        Computed::Value(value) => Some(value),
        Computed::Kept(kept) if binary.return_bool => Some(f64::from(u8::from(kept))),
        Computed::Kept(kept) => kept.then_some(kept_value),
    }
}

/// Says whether results lose their metric name.
fn drops_name(binary: &Binary) -> bool {
    binary.return_bool || matches!(binary.operator, Operator::Arithmetic(_))
}

fn with_scalar(
    context: &Context<'_>,
    binary: &Binary,
    mut elements: Vec<Element>,
    pair: impl Fn(f64) -> (f64, f64),
) -> Result<Vec<Element>, QueryError> {
    elements.retain_mut(|element| {
        let (left, right) = pair(element.value);
        match outcome(binary, left, right, element.value) {
            Some(value) => {
                element.value = value;
                true
            }
            None => false,
        }
    });
    if drops_name(binary) {
        drop_names(context, elements)
    } else {
        Ok(elements)
    }
}
