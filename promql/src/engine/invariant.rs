//! Which expressions are the same at every step: those that look at fixed times only.

use super::context::Steps;
use crate::query::ast::{At, Expr, Shift};

/// Functions that look at the time of the evaluation.
const TIMED: [&str; 11] = [
    "day_of_month",
    "day_of_week",
    "day_of_year",
    "days_in_month",
    "hour",
    "minute",
    "month",
    "predict_linear",
    "time",
    "timestamp",
    "year",
];

pub(super) fn is_invariant(expr: &Expr, steps: Steps) -> bool {
    match expr {
        Expr::Number(_) | Expr::Text(_) => true,
        Expr::Selector(selector) | Expr::Range { selector, .. } => is_fixed(selector.shift, steps),
        Expr::Subquery(subquery) => is_fixed(subquery.shift, steps),
        Expr::Negate(inner) | Expr::Paren(inner) => is_invariant(inner, steps),
        Expr::Binary(binary) => {
            is_invariant(&binary.left, steps) && is_invariant(&binary.right, steps)
        }
        Expr::Aggregate(aggregate) => {
            // Prometheus does not look at the parameter: over fixed elements it takes the one at
            // the first step for all of them.
            let parameter = aggregate.parameter.as_ref();
            is_invariant(&aggregate.expr, steps)
                && (!steps.separate
                    || parameter.is_none_or(|parameter| is_invariant(parameter, steps)))
        }
        Expr::Call(call) => {
            !TIMED.contains(&call.function.name)
                && call.args.iter().all(|arg| is_invariant(arg, steps))
        }
    }
}

fn is_fixed(shift: Shift, steps: Steps) -> bool {
    match shift.at {
        None => false,
        Some(At::Ms(_)) => true,
        Some(At::Start | At::End) => !steps.separate,
    }
}
