//! Expressions made of numbers alone.

use crate::query::ast::{Arithmetic, Expr, Operator};

/// Returns the value of an expression that holds nothing but numbers and arithmetic.
pub(crate) fn fold(expr: &Expr) -> Option<f64> {
    match expr {
        Expr::Number(value) => Some(*value),
        Expr::Paren(inner) => fold(inner),
        Expr::Negate(inner) => Some(-fold(inner)?),
        Expr::Binary(binary) => {
            let Operator::Arithmetic(operator) = binary.operator else {
                return None;
            };
            let (left, right) = (fold(&binary.left)?, fold(&binary.right)?);
            Some(match operator {
                Arithmetic::Add => left + right,
                Arithmetic::Sub => left - right,
                Arithmetic::Mul => left * right,
                Arithmetic::Div => left / right,
                Arithmetic::Mod => left % right,
                Arithmetic::Pow => left.powf(right),
                Arithmetic::Atan2 => left.atan2(right),
            })
        }
        _ => None,
    }
}
