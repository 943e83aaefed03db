//! Binary operators between scalars and vectors.

mod matching;
mod operate;
mod set;

use super::context::{Context, Steps};
use super::eval::{drop_names, eval as eval_expr};
use super::rows::{Datum, Numbers, Rows};
use super::{Profile, QueryError};
use crate::query::ast::{Arithmetic, Binary, Operator};
use operate::Operand;

pub(crate) fn eval(
    context: &Context<'_>,
    binary: &Binary,
    steps: Steps,
) -> Result<Datum, QueryError> {
    let left = eval_expr(context, &binary.left, steps)?;
    let right = eval_expr(context, &binary.right, steps)?;
    match (left, right, binary.operator) {
        (Datum::Scalar(left), Datum::Scalar(right), _) => {
            Ok(Datum::Scalar(between_scalars(binary, left, &right, steps)))
        }
        (Datum::Vector(left), Datum::Vector(right), Operator::Set(set)) => {
            set::combine(set, left, right, &binary.matching).map(Datum::Vector)
        }
        (Datum::Vector(left), Datum::Vector(right), _) => {
            matching::combine(context, binary, &left, &right).map(Datum::Vector)
        }
        (Datum::Vector(left), Datum::Scalar(right), _) => {
            with_scalar(context, binary, left, &right, Side::Right)
        }
        (Datum::Scalar(left), Datum::Vector(right), _) => {
            with_scalar(context, binary, right, &left, Side::Left)
        }
        _ => Err(QueryError::Execution(format!(
            "the operator {} is not defined on strings",
            binary.operator.text()
        ))),
    }
}

/// On which side of the operator the scalar stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Left,
    Right,
}

fn between_scalars(binary: &Binary, left: Numbers, right: &Numbers, steps: Steps) -> Numbers {
    let rule = operate::Rule::between_scalars(binary.operator);
    if let (Numbers::Constant(left), Numbers::Constant(right)) = (&left, right) {
        let mut value = [*left];
        operate::apply(rule, Operand::Own, Operand::Constant(*right), &mut value);
        return Numbers::Constant(value[0]);
    }
    let mut values = left.into_values(steps.count());
    operate::apply(rule, Operand::Own, operand(right), &mut values);
    Numbers::PerStep(values)
}

fn operand(numbers: &Numbers) -> Operand<'_> {
    match numbers {
        Numbers::Constant(value) => Operand::Constant(*value),
        Numbers::PerStep(values) => Operand::Each(values),
    }
}

fn with_scalar(
    context: &Context<'_>,
    binary: &Binary,
    mut rows: Rows,
    scalar: &Numbers,
    side: Side,
) -> Result<Datum, QueryError> {
    let keeps_right = side == Side::Left;
    let rule = operate::Rule::of(binary, keeps_right);
    rows.retain_mut(|_, row| match side {
        Side::Right => operate::apply(rule, Operand::Own, operand(scalar), row),
        Side::Left => operate::apply(rule, operand(scalar), Operand::Own, row),
    });
    if drops_name(binary, context.options.profile) {
        drop_names(context, &mut rows)?;
    }
    Ok(Datum::Vector(rows))
}

/// Says whether results lose their metric name.
fn drops_name(binary: &Binary, profile: Profile) -> bool {
    binary.return_bool || changes_meaning(binary.operator, profile)
}

/// Says whether an operator makes another metric of its operands. 2.42 had forgotten `atan2`.
fn changes_meaning(operator: Operator, profile: Profile) -> bool {
    match operator {
        Operator::Arithmetic(Arithmetic::Atan2) => profile > Profile::V2_42,
        Operator::Arithmetic(_) => true,
        Operator::Comparison(_) | Operator::Set(_) => false,
    }
}
