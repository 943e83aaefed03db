//! From evaluated elements to the values that callers see.

use std::collections::HashMap;

use super::QueryError;
use super::context::{Context, Datum, Element, Name};
use super::eval::ensure_distinct;
use super::window;
use crate::labels::Labels;
use crate::query::Expr;
use crate::value::{Point, Sample, Series, Value};

/// Returns the value of an instant query.
pub(super) fn instant(datum: Datum, t_ms: i64) -> Result<Value, QueryError> {
    Ok(match datum {
        Datum::Scalar(value) => Value::Scalar(Sample { t_ms, value }),
        Datum::Text(text) => Value::String(text),
        Datum::Vector(elements) => Value::Vector(
            finished(elements)?
                .into_iter()
                .map(|element| Point {
                    labels: element.labels,
                    sample: Sample {
                        t_ms,
                        value: element.value,
                    },
                })
                .collect(),
        ),
    })
}

/// Returns the samples of a range vector, sorted by labels.
pub(super) fn matrix_at(
    context: &Context<'_>,
    expr: &Expr,
    t_ms: i64,
) -> Result<Value, QueryError> {
    let mut series = Vec::new();
    window::for_each(context, expr, t_ms, &mut |labels, window| {
        let samples = window
            .times_ms
            .iter()
            .zip(window.values)
            .map(|(t_ms, value)| Sample {
                t_ms: *t_ms,
                value: *value,
            })
            .collect();
        series.push(Series {
            labels: labels.clone(),
            samples,
        });
    })?;
    series.sort_by(|a, b| a.labels.cmp(&b.labels));
    Ok(Value::Matrix(series))
}

/// Cuts off names that no longer count.
fn finished(mut elements: Vec<Element>) -> Result<Vec<Element>, QueryError> {
    let mut was_doomed = false;
    for element in &mut elements {
        if element.name == Name::Kept {
            continue;
        }
        was_doomed |= element.name == Name::Doomed;
        element.name = Name::Gone;
        element.labels = element.settled();
    }
    if was_doomed {
        ensure_distinct(&elements)?;
    }
    Ok(elements)
}

/// The rows of a range query as they come in.
#[derive(Default)]
pub(super) struct Rows {
    order: HashMap<Labels, usize>,
    series: Vec<Series>,
    samples: usize,
}

impl Rows {
    pub(super) fn samples(&self) -> usize {
        self.samples
    }

    pub(super) fn add(&mut self, datum: Datum, t_ms: i64) -> Result<(), QueryError> {
        match datum {
            Datum::Scalar(value) => self.push(Labels::default(), Sample { t_ms, value }),
            Datum::Text(_) => Ok(()),
            Datum::Vector(elements) => finished(elements)?.into_iter().try_for_each(|element| {
                let sample = Sample {
                    t_ms,
                    value: element.value,
                };
                self.push(element.labels, sample)
            }),
        }
    }

    fn push(&mut self, labels: Labels, sample: Sample) -> Result<(), QueryError> {
        let series = if let Some(index) = self.order.get(&labels) {
            &mut self.series[*index]
        } else {
            self.order.insert(labels.clone(), self.series.len());
            self.series.push(Series {
                labels,
                samples: Vec::new(),
            });
            let last = self.series.len() - 1;
            &mut self.series[last]
        };
        if series
            .samples
            .last()
            .is_some_and(|last| last.t_ms == sample.t_ms)
        {
            return Err(QueryError::Execution(format!(
                "vector cannot contain metrics with the same labelset: {} is there twice",
                series.labels
            )));
        }
        series.samples.push(sample);
        self.samples += 1;
        Ok(())
    }

    pub(super) fn into_matrix(mut self) -> Value {
        self.series.sort_by(|a, b| a.labels.cmp(&b.labels));
        Value::Matrix(self.series)
    }
}
