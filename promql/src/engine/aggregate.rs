//! Aggregations: `sum`, `avg`, `topk`, `quantile`, ….

mod count_values;
mod fold;
mod limit;
mod ranked;
mod sums;

use super::context::{Context, Steps};
use super::eval::{eval_scalar, eval_vector};
use super::group::{Groups, Part};
use super::rows::{Datum, Head, Numbers, Rows};
use super::{Profile, QueryError};
use crate::query::ast::{Aggregate, Aggregator};
use crate::query::print::number;

pub(crate) use ranked::quantile;

pub(crate) fn eval(
    context: &Context<'_>,
    aggregate: &Aggregate,
    steps: Steps,
) -> Result<Datum, QueryError> {
    Ok(Datum::Vector(match aggregate.operator {
        Aggregator::Topk | Aggregator::Bottomk => {
            let counts = parameter(context, aggregate, steps)?;
            let rows = eval_vector(context, &aggregate.expr, steps)?;
            ranked::select(context, aggregate, rows, &counts)?
        }
        Aggregator::Limitk | Aggregator::LimitRatio => {
            let limits = parameter(context, aggregate, steps)?;
            let rows = eval_vector(context, &aggregate.expr, steps)?;
            limit::select(context, aggregate, rows, &limits)?
        }
        Aggregator::Quantile => {
            let q = parameter(context, aggregate, steps)?;
            warn_about_quantile(context, &q);
            let rows = eval_vector(context, &aggregate.expr, steps)?;
            ranked::quantiles(aggregate, &rows, &q)
        }
        Aggregator::CountValues => count_values::count(context, aggregate, steps)?,
        _ => {
            let rows = eval_vector(context, &aggregate.expr, steps)?;
            fold::fold(context, aggregate, &rows)
        }
    }))
}

/// Remarks on quantiles outside of 0 to 1.
pub(crate) fn warn_about_quantile(context: &Context<'_>, q: &Numbers) {
    let mut told = None;
    for q in q.distinct() {
        if !(0.0..=1.0).contains(q) && told != Some(q.to_bits()) {
            told = Some(q.to_bits());
            context.warn(format!(
                "quantile value should be between 0 and 1, got {}",
                number(*q)
            ));
        }
    }
}

fn parameter(
    context: &Context<'_>,
    aggregate: &Aggregate,
    steps: Steps,
) -> Result<Numbers, QueryError> {
    match &aggregate.parameter {
        Some(expr) => {
            let values = eval_scalar(context, expr, steps)?;
            // 2.53 took the value at the first step for all of them.
            let one_for_all = context.options.profile == Profile::V2_53 && !steps.separate;
            Ok(if one_for_all {
                Numbers::Constant(values.at(0))
            } else {
                values
            })
        }
        None => Err(QueryError::Execution(format!(
            "{} needs a parameter",
            aggregate.operator.text()
        ))),
    }
}

/// Which group each row belongs to.
struct Grouped {
    /// One per row.
    group_of: Vec<usize>,
    /// What stands for each group.
    heads: Vec<Head>,
}

impl Grouped {
    fn of(aggregate: &Aggregate, rows: &Rows) -> Self {
        let part = Part::from(&aggregate.grouping);
        let mut groups = Groups::new(part);
        let mut heads = Vec::new();
        let group_of = rows
            .heads()
            .iter()
            .map(|head| {
                let (group, opened) = groups.enter(head);
                if opened {
                    heads.push(Head {
                        labels: part.of(head),
                        name: head.name,
                    });
                }
                group
            })
            .collect();
        Self { group_of, heads }
    }

    /// Returns the rows of each group.
    fn members(&self) -> Vec<Vec<usize>> {
        let mut members = vec![Vec::new(); self.heads.len()];
        for (row, group) in self.group_of.iter().enumerate() {
            members[*group].push(row);
        }
        members
    }

    /// Returns one row per group from the values of all groups, one after another.
    fn into_rows(self, steps: usize, values: &[f64]) -> Rows {
        let mut rows = Rows::with_capacity(steps, self.heads.len());
        for (head, row) in self.heads.into_iter().zip(values.chunks_exact(steps)) {
            rows.push(head, row);
        }
        rows
    }
}
