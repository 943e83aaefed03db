//! How many steps are evaluated together: enough to share the work per series, few enough to
//! bound memory.

use super::context::Context;
use super::grid::Grid;
use crate::query::ast::Expr;

/// Most values that one node of an expression holds, unless a single step has more: 4 MiB.
const MAX_CELLS: usize = 512 * 1024;
/// Most steps of a chunk, for expressions that select little or nothing.
const MAX_STEPS: usize = 16 * 1024;

/// Cuts a grid into chunks for an expression.
pub(super) fn split(
    context: &Context<'_>,
    expr: &Expr,
    grid: Grid,
) -> impl Iterator<Item = Grid> + use<> {
    let steps = steps_per_chunk(context, expr);
    (0..grid.steps).step_by(steps).map(move |from| Grid {
        start_ms: grid.at(from),
        steps: steps.min(grid.steps - from),
        ..grid
    })
}

fn steps_per_chunk(context: &Context<'_>, expr: &Expr) -> usize {
    let mut widest = 1;
    expr.visit(&mut |expr| {
        if let Expr::Selector(selector) | Expr::Range { selector, .. } = expr {
            widest = context.series(selector).len().max(widest);
        }
    });
    let cells = MAX_CELLS.min(context.options.max_samples / 4);
    (cells / widest).clamp(1, MAX_STEPS)
}
