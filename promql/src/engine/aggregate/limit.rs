//! `limitk` and `limit_ratio`: a sample of each group, the same one every time.
//!
//! `limitk` takes the first elements in the order of labels. `limit_ratio` looks at the hash of
//! the labels as a share of the largest hash: the elements below the ratio are taken, or with a
//! negative ratio those that its complement leaves.

use super::{Grouped, ranked};
use crate::engine::QueryError;
use crate::engine::context::Context;
use crate::engine::grid::{absent, is_absent};
use crate::engine::hash::xxhash64;
use crate::engine::rows::{Numbers, Rows};
use crate::labels::Labels;
use crate::query::ast::{Aggregate, Aggregator};
use crate::query::print::number;

pub(super) fn select(
    context: &Context<'_>,
    aggregate: &Aggregate,
    rows: Rows,
    limits: &Numbers,
) -> Result<Rows, QueryError> {
    if aggregate.operator == Aggregator::Limitk {
        first(context, aggregate, rows, limits)
    } else {
        share(context, rows, limits)
    }
}

fn first(
    context: &Context<'_>,
    aggregate: &Aggregate,
    mut rows: Rows,
    counts: &Numbers,
) -> Result<Rows, QueryError> {
    let steps = rows.steps();
    let counts = ranked::whole_numbers(counts, &rows, context.options.profile)?;
    let grouped = Grouped::of(aggregate, &rows);
    let mut taken = vec![0; grouped.heads.len() * steps];
    rows.retain_mut(|index, row| {
        let taken = &mut taken[grouped.group_of[index] * steps..];
        for (step, (value, taken)) in row.iter_mut().zip(taken).enumerate() {
            if is_absent(*value) {
                continue;
            }
            if *taken < counts[step] {
                *taken += 1;
            } else {
                *value = absent();
            }
        }
    });
    Ok(rows)
}

/// Groups do not matter here: each element is taken or not by itself.
fn share(context: &Context<'_>, mut rows: Rows, ratios: &Numbers) -> Result<Rows, QueryError> {
    for ratio in ratios.distinct() {
        if ratio.is_nan() {
            return Err(QueryError::Execution("Ratio value NaN is NaN".to_owned()));
        }
        if ratio.abs() > 1.0 {
            context.warn(format!(
                "ratio value should be between -1 and 1, got {}, capping to {}",
                number(*ratio),
                number(ratio.signum())
            ));
        }
    }
    let offsets: Vec<f64> = rows
        .heads()
        .iter()
        .map(|head| hash(&head.settled()) as f64 / u64::MAX as f64)
        .collect();
    rows.retain_mut(|index, row| {
        for (step, value) in row.iter_mut().enumerate() {
            let ratio = ratios.at(step).clamp(-1.0, 1.0);
            let offset = offsets[index];
            let taken = (ratio > 0.0 && offset < ratio) || (ratio < 0.0 && offset >= 1.0 + ratio);
            if !taken {
                *value = absent();
            }
        }
    });
    Ok(rows)
}

/// Prometheus' hash of a label set, over its texts with their lengths before them. Builds with
/// another form of labels hash them otherwise; this is the one of the released binaries.
fn hash(labels: &Labels) -> u64 {
    let mut bytes = Vec::new();
    for (name, value) in labels.iter() {
        for text in [name, value] {
            match u8::try_from(text.len()) {
                Ok(length) if length < u8::MAX => bytes.push(length),
                _ => {
                    bytes.push(u8::MAX);
                    bytes.extend_from_slice(&(text.len() as u32).to_le_bytes()[..3]);
                }
            }
            bytes.extend_from_slice(text.as_bytes());
        }
    }
    xxhash64(&bytes)
}
