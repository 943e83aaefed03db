//! `count_values`: how often each value occurs, the value as a label.

use std::collections::HashMap;

use crate::engine::context::{Context, Steps};
use crate::engine::eval::{eval, eval_vector};
use crate::engine::grid::is_absent;
use crate::engine::group::Part;
use crate::engine::rows::{Datum, Head, Rows};
use crate::engine::{Profile, QueryError};
use crate::labels::{Labels, is_label_name};
use crate::query::ast::{Aggregate, Grouping};
use crate::query::print::number;

pub(super) fn count(
    context: &Context<'_>,
    aggregate: &Aggregate,
    steps: Steps,
) -> Result<Rows, QueryError> {
    let label = label(context, aggregate, steps)?;
    let rows = eval_vector(context, &aggregate.expr, steps)?;
    let grouping = with_label(&aggregate.grouping, &label);
    let part = Part::from(&grouping);
    let mut groups: HashMap<Labels, usize> = HashMap::new();
    let mut heads = Vec::new();
    let mut counts: Vec<Vec<f64>> = Vec::new();
    for (head, row) in rows.iter() {
        let settled = head.settled();
        let mut known: HashMap<u64, usize> = HashMap::new();
        for (step, value) in row.iter().enumerate() {
            if is_absent(*value) {
                continue;
            }
            let group = *known.entry(value.to_bits()).or_insert_with(|| {
                let labelled = Head::new(settled.with(&label, &number(*value)));
                let labels = part.of(&labelled);
                *groups.entry(labels).or_insert_with_key(|labels| {
                    heads.push(labels.clone());
                    counts.push(vec![0.0; steps.count()]);
                    heads.len() - 1
                })
            });
            counts[group][step] += 1.0;
        }
        context.check(heads.len().saturating_mul(steps.count()))?;
    }
    let mut result = Rows::with_capacity(steps.count(), heads.len());
    for (labels, counts) in heads.into_iter().zip(counts) {
        result.add(
            || Head::new(labels),
            |row| {
                for (into, count) in row.iter_mut().zip(counts) {
                    if count > 0.0 {
                        *into = count;
                    }
                }
            },
        );
    }
    Ok(result)
}

fn label(context: &Context<'_>, aggregate: &Aggregate, steps: Steps) -> Result<String, QueryError> {
    let label = match &aggregate.parameter {
        Some(expr) => match eval(context, expr, steps)? {
            Datum::Text(label) => label,
            Datum::Scalar(_) | Datum::Vector(_) => String::new(),
        },
        None => String::new(),
    };
    if !is_label_name(&label, context.options.profile) {
        return Err(QueryError::Execution(match context.options.profile {
            Profile::V3_5 => format!("invalid label name {label:?}"),
            // These versions quote the quoted name.
            Profile::V2_42 | Profile::V2_53 => {
                format!("invalid label name {:?}", format!("{label:?}"))
            }
        }));
    }
    Ok(label)
}

/// The new label counts unless it is taken out by name.
fn with_label(grouping: &Grouping, label: &str) -> Grouping {
    match grouping {
        Grouping::Only(names) => {
            let mut names = names.clone();
            names.push(label.to_owned());
            Grouping::Only(names)
        }
        Grouping::Except(names) => Grouping::Except(names.clone()),
    }
}
