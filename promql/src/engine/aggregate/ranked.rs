//! Aggregations that need a group in order: `topk`, `bottomk`, `quantile`.

use std::cmp::Ordering;

use super::representative;
use crate::engine::QueryError;
use crate::engine::context::Element;
use crate::engine::group::{Groups, Part};
use crate::query::ast::{Aggregate, Aggregator};

/// Returns the `count` largest or smallest elements of each group with their own labels, best
/// first; NaN is worst either way. Equal values are taken in the order of their labels.
pub(super) fn select(
    aggregate: &Aggregate,
    mut elements: Vec<Element>,
    count: f64,
) -> Result<Vec<Element>, QueryError> {
    if count.is_nan() || count >= i64::MAX as f64 || count <= i64::MIN as f64 {
        return Err(QueryError::Execution(format!(
            "Scalar value {count} overflows int64"
        )));
    }
    let count = count.max(0.0) as usize;
    if count == 0 {
        return Ok(Vec::new());
    }
    let largest = aggregate.operator == Aggregator::Topk;
    elements.sort_by(|a, b| {
        best_first(largest, a.value, b.value).then_with(|| a.labels.cmp(&b.labels))
    });
    let mut groups = Groups::new(Part::from(&aggregate.grouping));
    let mut members: Vec<Vec<&Element>> = Vec::new();
    for element in &elements {
        let (group, opened) = groups.enter(element);
        if opened {
            members.push(Vec::new());
        }
        if members[group].len() < count {
            members[group].push(element);
        }
    }
    Ok(members.into_iter().flatten().cloned().collect())
}

fn best_first(largest: bool, a: f64, b: f64) -> Ordering {
    match (a.is_nan(), b.is_nan()) {
        (true, true) => Ordering::Equal,
        (true, false) => Ordering::Greater,
        (false, true) => Ordering::Less,
        (false, false) if largest => b.total_cmp(&a),
        (false, false) => a.total_cmp(&b),
    }
}

pub(super) fn quantiles(aggregate: &Aggregate, elements: &[Element], q: f64) -> Vec<Element> {
    let part = Part::from(&aggregate.grouping);
    let mut groups = Groups::new(part);
    let mut members: Vec<Vec<f64>> = Vec::new();
    for element in elements {
        let (group, opened) = groups.enter(element);
        if opened {
            members.push(Vec::new());
        }
        members[group].push(element.value);
    }
    members
        .into_iter()
        .enumerate()
        .map(|(group, mut values)| {
            representative(part, groups.first(group), quantile(q, &mut values))
        })
        .collect()
}

/// Returns the q-quantile by linear interpolation between the two closest ranks. NaN sorts below
/// every number; a q below 0 is −∞, above 1 +∞.
pub(crate) fn quantile(q: f64, values: &mut [f64]) -> f64 {
    if values.is_empty() || q.is_nan() {
        return f64::NAN;
    }
    if q < 0.0 {
        return f64::NEG_INFINITY;
    }
    if q > 1.0 {
        return f64::INFINITY;
    }
    values.sort_by(|a, b| match (a.is_nan(), b.is_nan()) {
        (true, true) => Ordering::Equal,
        (true, false) => Ordering::Less,
        (false, true) => Ordering::Greater,
        (false, false) => a.total_cmp(b),
    });
    let rank = q * (values.len() - 1) as f64;
    let lower = rank.floor();
    let weight = rank - lower;
    let upper = (lower as usize + 1).min(values.len() - 1);
    values[lower as usize] * (1.0 - weight) + values[upper] * weight
}
