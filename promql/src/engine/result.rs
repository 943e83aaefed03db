//! From evaluated rows to the values that callers see.

use super::QueryError;
use super::context::{Context, Steps};
use super::gather::Gathered;
use super::group;
use super::rows::{Datum, Name, Rows};
use super::window;
use crate::labels::Labels;
use crate::query::Expr;
use crate::value::{Point, Sample, Series, Value};

/// Returns the value of an instant query from that of a single step.
pub(super) fn instant(datum: Datum, t_ms: i64) -> Result<Value, QueryError> {
    Ok(match datum {
        Datum::Scalar(numbers) => Value::Scalar(Sample {
            t_ms,
            value: numbers.at(0),
        }),
        Datum::Text(text) => Value::String(text),
        Datum::Vector(mut rows) => {
            finish(&mut rows)?;
            Value::Vector(
                rows.iter()
                    .map(|(head, row)| Point {
                        labels: head.labels.clone(),
                        sample: Sample {
                            t_ms,
                            value: row[0],
                        },
                    })
                    .collect(),
            )
        }
    })
}

/// Returns the samples of a range vector, sorted by labels.
pub(super) fn matrix_at(
    context: &Context<'_>,
    expr: &Expr,
    steps: Steps,
) -> Result<Value, QueryError> {
    let mut series = Vec::new();
    window::for_each(context, expr, steps, &mut |labels, track| {
        if let Some(window) = track.window(0) {
            series.push(Series {
                labels: labels.clone(),
                samples: samples(window.times_ms, window.values),
            });
        }
        Ok(())
    })?;
    series.sort_by(|a, b| a.labels.cmp(&b.labels));
    Ok(Value::Matrix(series))
}

/// Returns the value of a range query.
pub(super) fn matrix(gathered: Gathered) -> Value {
    let mut series: Vec<Series> = gathered
        .into_series()
        .into_iter()
        .map(|series| Series {
            samples: samples(&series.times_ms, &series.values),
            labels: series.labels,
        })
        .collect();
    series.sort_by(|a, b| a.labels.cmp(&b.labels));
    Value::Matrix(series)
}

fn samples(times_ms: &[i64], values: &[f64]) -> Vec<Sample> {
    times_ms
        .iter()
        .zip(values)
        .map(|(t_ms, value)| Sample {
            t_ms: *t_ms,
            value: *value,
        })
        .collect()
}

/// Cuts off names that no longer count. Where they went late, equal rows become one unless they
/// are there at the same step.
pub(super) fn finish(rows: &mut Rows) -> Result<(), QueryError> {
    if cut_names(rows) {
        group::merge_equal(rows)?;
    }
    Ok(())
}

/// As [`finish`], and equal rows are an error even at different steps.
pub(super) fn finish_apart(
    context: &Context<'_>,
    expr: &Expr,
    rows: &mut Rows,
) -> Result<(), QueryError> {
    if !context.options.delayed_name_removal {
        cut_names(rows);
        return Ok(());
    }
    let before: Vec<Labels> = rows
        .heads()
        .iter()
        .map(|head| head.labels.clone())
        .collect();
    cut_names(rows);
    context.refuse_equal_rows(expr, &before, rows)
}

/// Says whether some names were cut off late.
fn cut_names(rows: &mut Rows) -> bool {
    let mut was_doomed = false;
    for head in rows.heads_mut() {
        if head.name == Name::Kept {
            continue;
        }
        was_doomed |= head.name == Name::Doomed;
        head.name = Name::Gone;
        head.labels = head.settled();
    }
    was_doomed
}
