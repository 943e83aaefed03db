//! Subqueries: an expression evaluated at the multiples of its step, so that its points do not
//! move with the query.
//!
//! The windows of all steps overlap, so the points of all of them are evaluated together.

use super::context::{Context, Steps};
use super::eval::eval;
use super::gather::Gathered;
use super::grid::Grid;
use super::window::Frame;
use super::{Profile, QueryError, chunk, invariant};
use crate::labels::is_label_name;
use crate::query::ast::{Aggregator, Expr, Subquery};

/// Evaluates a subquery at all points that its windows may hold.
pub(super) fn evaluate(
    context: &Context<'_>,
    subquery: &Subquery,
    frame: Frame,
) -> Result<Gathered, QueryError> {
    let step_ms = subquery
        .step_ms
        .unwrap_or(context.options.default_subquery_step_ms)
        .max(1);
    let after_ms = context.window_start(frame.ends.start_ms, frame.range_ms);
    let end_ms = frame.ends.at(frame.ends.steps - 1);
    let first_ms = (after_ms.div_euclid(step_ms) + 1).saturating_mul(step_ms);
    let mut gathered = Gathered::default();
    if first_ms > end_ms || first_ms <= after_ms {
        if context.options.profile == Profile::V2_53 {
            refuse_unevaluated(&subquery.expr)?;
        }
        if context.options.profile < Profile::V3_5 {
            refuse_invariant(context, subquery, first_ms)?;
        }
        return Ok(gathered);
    }
    let points = end_ms.abs_diff(first_ms) / step_ms as u64 + 1;
    context.visit_subquery(points)?;
    let grid = Grid {
        start_ms: first_ms,
        step_ms,
        steps: usize::try_from(points).unwrap_or(usize::MAX),
    };
    for part in chunk::split(context, &subquery.expr, grid) {
        let steps = Steps {
            grid: part,
            separate: false,
        };
        let before = context.held();
        let datum = eval(context, &subquery.expr, steps)?;
        context.release_to(before);
        gathered.add(context, datum, steps)?;
    }
    Ok(gathered)
}

/// Fails where the versions before 3.0 do although there is no point to evaluate: what is the same
/// at every step was evaluated beforehand.
fn refuse_invariant(
    context: &Context<'_>,
    subquery: &Subquery,
    start_ms: i64,
) -> Result<(), QueryError> {
    let steps = Steps {
        grid: Grid {
            start_ms,
            step_ms: 1,
            steps: 1,
        },
        separate: false,
    };
    if invariant::is_invariant(&subquery.expr, steps) {
        eval(context, &subquery.expr, steps)?;
    }
    Ok(())
}

/// Fails where 2.53 does although there is no point to evaluate: it checked labels beforehand and
/// asked for the first of no parameters.
fn refuse_unevaluated(expr: &Expr) -> Result<(), QueryError> {
    let mut refused = Ok(());
    let once = Steps {
        grid: Grid {
            start_ms: 0,
            step_ms: 1,
            steps: 1,
        },
        separate: false,
    };
    expr.visit(&mut |expr| {
        let name_at = |expr: Option<&Expr>, message: &str| match expr.map(Expr::unwrapped) {
            Some(Expr::Text(name)) if !is_label_name(name, Profile::V2_53) => {
                Err(QueryError::Execution(format!("{message}{name}")))
            }
            _ => Ok(()),
        };
        let checked = match expr {
            // What is the same at every step was evaluated once, and had a parameter.
            Expr::Aggregate(aggregate) if !invariant::is_invariant(expr, once) => {
                match aggregate.operator {
                    Aggregator::CountValues => {
                        name_at(aggregate.parameter.as_ref(), "invalid label name ")
                    }
                    Aggregator::Topk | Aggregator::Bottomk | Aggregator::Quantile => {
                        Err(QueryError::Execution(
                            "unexpected error: runtime error: index out of range [0] with length 0"
                                .to_owned(),
                        ))
                    }
                    _ => Ok(()),
                }
            }
            Expr::Call(call) if call.function.name.starts_with("label_") => {
                let name = call.function.name;
                let sources = if name == "label_join" {
                    3..
                } else {
                    call.args.len()..
                };
                let mut sources = call.args.get(sources).into_iter().flatten();
                let source = format!("invalid source label name in {name}(): ");
                sources
                    .try_for_each(|arg| name_at(Some(arg), &source))
                    .and_then(|()| {
                        let target = format!("invalid destination label name in {name}(): ");
                        name_at(call.args.get(1), &target)
                    })
            }
            _ => Ok(()),
        };
        if refused.is_ok() {
            refused = checked;
        }
    });
    refused
}
