//! Aggregations: `sum`, `avg`, `topk`, `quantile`, ….

mod fold;
mod ranked;

use super::QueryError;
use super::context::{Context, Datum, Element};
use super::eval::{eval as eval_expr, eval_scalar, eval_vector};
use super::group::{Groups, Part};
use crate::query::ast::{Aggregate, Aggregator, Grouping};
use crate::query::print::number;

pub(crate) use ranked::quantile;

pub(crate) fn eval(
    context: &Context<'_>,
    aggregate: &Aggregate,
    t_ms: i64,
) -> Result<Datum, QueryError> {
    let result = match aggregate.operator {
        Aggregator::Topk | Aggregator::Bottomk => {
            let count = parameter(context, aggregate, t_ms)?;
            let elements = eval_vector(context, &aggregate.expr, t_ms)?;
            ranked::select(aggregate, elements, count)?
        }
        Aggregator::Quantile => {
            let q = parameter(context, aggregate, t_ms)?;
            warn_about_quantile(context, q);
            let elements = eval_vector(context, &aggregate.expr, t_ms)?;
            ranked::quantiles(aggregate, &elements, q)
        }
        Aggregator::CountValues => {
            let elements = eval_vector(context, &aggregate.expr, t_ms)?;
            count_values(context, aggregate, &elements, t_ms)?
        }
        _ => {
            let elements = eval_vector(context, &aggregate.expr, t_ms)?;
            fold::fold(aggregate, context.options.profile, &elements)
        }
    };
    context.hold(result.len())?;
    Ok(Datum::Vector(result))
}

/// Remarks on a quantile outside of 0 to 1.
pub(crate) fn warn_about_quantile(context: &Context<'_>, q: f64) {
    if !(0.0..=1.0).contains(&q) {
        context.warn(format!(
            "quantile value should be between 0 and 1, got {}",
            number(q)
        ));
    }
}

fn parameter(context: &Context<'_>, aggregate: &Aggregate, t_ms: i64) -> Result<f64, QueryError> {
    match &aggregate.parameter {
        Some(expr) => eval_scalar(context, expr, t_ms),
        None => Err(QueryError::Execution(format!(
            "{} needs a parameter",
            aggregate.operator.text()
        ))),
    }
}

/// Builds the element that stands for a group.
fn representative(part: Part<'_>, first: &Element, value: f64) -> Element {
    Element {
        labels: part.of(first),
        value,
        name: first.name,
    }
}

fn count_values(
    context: &Context<'_>,
    aggregate: &Aggregate,
    elements: &[Element],
    t_ms: i64,
) -> Result<Vec<Element>, QueryError> {
    let label = match &aggregate.parameter {
        Some(expr) => match eval_expr(context, expr, t_ms)? {
            Datum::Text(label) => label,
            Datum::Scalar(_) | Datum::Vector(_) => String::new(),
        },
        None => String::new(),
    };
    if label.is_empty() {
        return Err(QueryError::Execution(format!(
            "invalid label name {label:?} in count_values"
        )));
    }
    let labelled: Vec<Element> = elements
        .iter()
        .map(|element| Element::new(element.settled().with(&label, &number(element.value)), 1.0))
        .collect();
    let grouping = match &aggregate.grouping {
        Grouping::Only(names) => {
            let mut names = names.clone();
            names.push(label);
            Grouping::Only(names)
        }
        Grouping::Except(names) => Grouping::Except(
            names
                .iter()
                .filter(|name| **name != label)
                .cloned()
                .collect(),
        ),
    };
    let part = Part::from(&grouping);
    let mut groups = Groups::new(part);
    let mut counts: Vec<Element> = Vec::new();
    for element in &labelled {
        let (group, opened) = groups.enter(element);
        if opened {
            counts.push(representative(part, element, 1.0));
        } else {
            counts[group].value += 1.0;
        }
    }
    Ok(counts)
}
