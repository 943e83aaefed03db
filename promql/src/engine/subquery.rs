//! Subqueries: an expression evaluated at the multiples of its step, so that its points do not
//! move with the query.
//!
//! The windows of all steps overlap, so the points of all of them are evaluated together.

use super::QueryError;
use super::chunk;
use super::context::{Context, Steps};
use super::eval::eval;
use super::gather::Gathered;
use super::grid::Grid;
use super::window::Frame;
use crate::query::ast::Subquery;

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
