//! Aggregations that need a group in order: `topk`, `bottomk`, `quantile`.

use std::cmp::Ordering;

use super::Grouped;
use crate::engine::context::Context;
use crate::engine::grid::{absent, is_absent};
use crate::engine::rows::{Numbers, Rows};
use crate::engine::{Profile, QueryError};
use crate::query::ast::{Aggregate, Aggregator};

/// Keeps the `count` largest or smallest elements of each group at each step; NaN is worst either
/// way. Equal values are taken in the order of their labels. At a single step the rows come out
/// best first.
pub(super) fn select(
    context: &Context<'_>,
    aggregate: &Aggregate,
    mut rows: Rows,
    counts: &Numbers,
) -> Result<Rows, QueryError> {
    let steps = rows.steps();
    let counts = whole_numbers(counts, &rows, context.options.profile)?;
    let largest = aggregate.operator == Aggregator::Topk;
    let rank = by_labels(&rows);
    let members = Grouped::of(aggregate, &rows).members();
    let mut kept = vec![false; rows.cells()];
    let mut order = Vec::new();
    let mut candidates: Vec<(f64, usize)> = Vec::new();
    for members in &members {
        for step in 0..steps {
            candidates.clear();
            candidates.extend(
                members
                    .iter()
                    .map(|row| (rows.row(*row)[step], *row))
                    .filter(|(value, _)| !is_absent(*value)),
            );
            candidates.sort_by(|a, b| {
                best_first(largest, a.0, b.0).then_with(|| rank[a.1].cmp(&rank[b.1]))
            });
            candidates.truncate(counts[step]);
            for (_, row) in &candidates {
                kept[row * steps + step] = true;
                if steps == 1 {
                    order.push(*row);
                }
            }
        }
    }
    if steps == 1 {
        return Ok(rows.reordered(&order));
    }
    rows.retain_mut(|index, row| {
        for (value, kept) in row.iter_mut().zip(&kept[index * steps..]) {
            if !kept {
                *value = absent();
            }
        }
    });
    Ok(rows)
}

/// Returns how many elements are wanted at each step.
///
/// What is no count is an error: before 3.5 always, since then only where there is an element to
/// be counted, and not at all when no step asks for any.
pub(super) fn whole_numbers(
    counts: &Numbers,
    rows: &Rows,
    profile: Profile,
) -> Result<Vec<usize>, QueryError> {
    let is_new = profile >= Profile::V3_5;
    if is_new && counts.distinct().iter().all(|count| *count < 1.0) {
        return Ok(vec![0; rows.steps()]);
    }
    (0..rows.steps())
        .map(|step| {
            let count = counts.at(step);
            let is_whole = count < i64::MAX as f64 && count >= i64::MIN as f64;
            if !is_whole && (!is_new || rows.iter().any(|(_, row)| !is_absent(row[step]))) {
                return Err(QueryError::Execution(format!(
                    "Scalar value {} overflows int64",
                    go_float(count)
                )));
            }
            Ok(count.max(0.0) as usize)
        })
        .collect()
}

/// Returns the place of each row in the order of labels.
fn by_labels(rows: &Rows) -> Vec<usize> {
    let mut sorted: Vec<usize> = (0..rows.len()).collect();
    sorted.sort_by(|a, b| rows.heads()[*a].labels.cmp(&rows.heads()[*b].labels));
    let mut rank = vec![0; rows.len()];
    for (place, row) in sorted.into_iter().enumerate() {
        rank[row] = place;
    }
    rank
}

/// Writes a float as Go does in its messages.
fn go_float(value: f64) -> String {
    match value {
        f64::INFINITY => "+Inf".to_owned(),
        f64::NEG_INFINITY => "-Inf".to_owned(),
        value if value.is_nan() => "NaN".to_owned(),
        value => format!("{value:e}").replace('e', "e+"),
    }
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

pub(super) fn quantiles(aggregate: &Aggregate, rows: &Rows, q: &Numbers) -> Rows {
    let steps = rows.steps();
    let grouped = Grouped::of(aggregate, rows);
    let mut values = vec![absent(); grouped.heads.len() * steps];
    let mut present = Vec::new();
    for (members, into) in grouped.members().iter().zip(values.chunks_exact_mut(steps)) {
        for (step, into) in into.iter_mut().enumerate() {
            present.clear();
            present.extend(
                members
                    .iter()
                    .map(|row| rows.row(*row)[step])
                    .filter(|value| !is_absent(*value)),
            );
            if !present.is_empty() {
                *into = quantile(q.at(step), &mut present);
            }
        }
    }
    grouped.into_rows(steps, &values)
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
