//! Range selectors and subqueries: one window of samples per series.

use std::collections::HashMap;

use super::QueryError;
use super::context::{Context, Datum};
use super::eval::eval;
use crate::engine::Profile;
use crate::labels::Labels;
use crate::query::ast::{Expr, Selector, Subquery};
use crate::store::Scratch;

/// The samples of one series in a range, never empty.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Window<'w> {
    pub(crate) times_ms: &'w [i64],
    pub(crate) values: &'w [f64],
    /// Lower edge of the range.
    pub(crate) start_ms: i64,
    /// Upper edge of the range.
    pub(crate) end_ms: i64,
    /// Time of the evaluation; differs from `end_ms` under `offset` and `@`.
    pub(crate) t_ms: i64,
    pub(crate) profile: Profile,
}

/// Calls `each` with the labels and the window of every series that has samples in the range.
pub(crate) fn for_each(
    context: &Context<'_>,
    expr: &Expr,
    t_ms: i64,
    each: &mut dyn FnMut(&Labels, Window<'_>),
) -> Result<(), QueryError> {
    match expr.unwrapped() {
        Expr::Range { selector, range_ms } => {
            for_each_selected(context, selector, *range_ms, t_ms, each)
        }
        Expr::Subquery(subquery) => for_each_computed(context, subquery, t_ms, each),
        other => Err(QueryError::Execution(format!(
            "expected a range vector, found {}",
            other.type_of().name()
        ))),
    }
}

fn for_each_selected(
    context: &Context<'_>,
    selector: &Selector,
    range_ms: i64,
    t_ms: i64,
    each: &mut dyn FnMut(&Labels, Window<'_>),
) -> Result<(), QueryError> {
    let end_ms = context.shifted(selector.shift, t_ms);
    let after_ms = context.window_start(end_ms, range_ms);
    let mut scratch = Scratch::default();
    for id in context.series(selector) {
        let (times_ms, values) = context.store.window(*id, after_ms, end_ms, &mut scratch);
        if times_ms.is_empty() {
            continue;
        }
        context.check(times_ms.len())?;
        let window = Window {
            times_ms,
            values,
            start_ms: end_ms.saturating_sub(range_ms),
            end_ms,
            t_ms,
            profile: context.options.profile,
        };
        each(context.store.labels(*id), window);
    }
    Ok(())
}

/// A subquery is evaluated at the multiples of its step that lie in the range, so that its points
/// do not move with the query.
fn for_each_computed(
    context: &Context<'_>,
    subquery: &Subquery,
    t_ms: i64,
    each: &mut dyn FnMut(&Labels, Window<'_>),
) -> Result<(), QueryError> {
    let end_ms = context.shifted(subquery.shift, t_ms);
    let after_ms = context.window_start(end_ms, subquery.range_ms);
    let step_ms = subquery
        .step_ms
        .unwrap_or(context.options.default_subquery_step_ms)
        .max(1);
    let mut order: HashMap<Labels, usize> = HashMap::new();
    let mut series: Vec<(Labels, Vec<i64>, Vec<f64>)> = Vec::new();
    let mut point_ms = (after_ms.div_euclid(step_ms) + 1).saturating_mul(step_ms);
    while point_ms <= end_ms {
        match eval(context, &subquery.expr, point_ms)? {
            Datum::Vector(elements) => {
                context.hold(elements.len())?;
                for element in elements {
                    let labels = element.settled();
                    let at = *order.entry(labels).or_insert_with_key(|labels| {
                        series.push((labels.clone(), Vec::new(), Vec::new()));
                        series.len() - 1
                    });
                    series[at].1.push(point_ms);
                    series[at].2.push(element.value);
                }
            }
            Datum::Scalar(value) => {
                if series.is_empty() {
                    series.push((Labels::default(), Vec::new(), Vec::new()));
                }
                context.hold(1)?;
                series[0].1.push(point_ms);
                series[0].2.push(value);
            }
            Datum::Text(_) => {}
        }
        let Some(next_ms) = point_ms.checked_add(step_ms) else {
            break;
        };
        point_ms = next_ms;
    }
    for (labels, times_ms, values) in &series {
        let window = Window {
            times_ms,
            values,
            start_ms: end_ms.saturating_sub(subquery.range_ms),
            end_ms,
            t_ms,
            profile: context.options.profile,
        };
        each(labels, window);
    }
    Ok(())
}
