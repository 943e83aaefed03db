//! The times of many evaluations, and the values that come back.

use std::collections::HashMap;

use super::rows::Datum;
use super::{QueryError, group, result};
use crate::labels::Labels;
use crate::value::{is_stale, stale_nan};

/// Returns the value that stands for "no element at this step": the stale marker, which no
/// arithmetic makes and which never reaches a result otherwise.
pub(crate) fn absent() -> f64 {
    stale_nan()
}

/// Says whether a step has no element. An ordinary NaN is one.
pub fn is_absent(value: f64) -> bool {
    is_stale(value)
}

/// Evaluation times at equal distances.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Grid {
    /// The first time.
    pub start_ms: i64,
    /// Distance of two times.
    pub step_ms: i64,
    /// How many times there are.
    pub steps: usize,
}

impl Grid {
    /// Returns the time of a step.
    pub fn at(&self, step: usize) -> i64 {
        self.start_ms
            .saturating_add(self.step_ms.saturating_mul(step as i64))
    }
}

/// One element over all steps.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// Its labels; no other row has the same.
    pub labels: Labels,
    /// One value per step; [`is_absent`] tells where there is no element.
    pub values: Vec<f64>,
}

/// What a query is at every step of a grid.
#[derive(Debug, Clone, PartialEq)]
pub enum Columns {
    /// One number per step.
    Scalar(Vec<f64>),
    /// The elements that are there at one step at least, in no promised order.
    Vector(Vec<Row>),
    /// A text, the same at every step.
    Text(String),
}

impl Columns {
    /// Returns no rows at all.
    pub(super) fn none() -> Self {
        Self::Vector(Vec::new())
    }
}

/// Puts the columns of several chunks of steps side by side.
#[derive(Debug)]
pub(super) struct Assembly {
    steps: usize,
    max_samples: usize,
    order: HashMap<Labels, usize>,
    rows: Vec<Row>,
    scalars: Vec<f64>,
    text: Option<String>,
    is_scalar: bool,
}

impl Assembly {
    pub(super) fn new(steps: usize, max_samples: usize) -> Self {
        Self {
            steps,
            max_samples,
            order: HashMap::new(),
            rows: Vec::new(),
            scalars: Vec::new(),
            text: None,
            is_scalar: false,
        }
    }

    /// Adds what an expression was at the steps from `from` on.
    pub(super) fn add(
        &mut self,
        datum: Datum,
        from: usize,
        steps: usize,
    ) -> Result<(), QueryError> {
        match datum {
            Datum::Text(text) => self.text = Some(text),
            Datum::Scalar(numbers) => {
                self.is_scalar = true;
                self.scalars.extend(numbers.into_values(steps));
            }
            Datum::Vector(mut rows) => {
                result::finish(&mut rows)?;
                for (head, row) in rows.iter() {
                    self.add_row(&head.labels, row, from)?;
                }
            }
        }
        Ok(())
    }

    fn add_row(&mut self, labels: &Labels, row: &[f64], from: usize) -> Result<(), QueryError> {
        if self.rows.len().saturating_mul(self.steps) > self.max_samples {
            return Err(QueryError::TooManySamples {
                limit: self.max_samples,
            });
        }
        let at = *self.order.entry(labels.clone()).or_insert_with(|| {
            self.rows.push(Row {
                labels: labels.clone(),
                values: vec![absent(); self.steps],
            });
            self.rows.len() - 1
        });
        for (into, value) in self.rows[at].values[from..].iter_mut().zip(row) {
            if is_absent(*value) {
                continue;
            }
            if !is_absent(*into) {
                return Err(group::same_labelset());
            }
            *into = *value;
        }
        Ok(())
    }

    pub(super) fn into_columns(self) -> Columns {
        match self.text {
            Some(text) => Columns::Text(text),
            None if self.is_scalar => Columns::Scalar(self.scalars),
            None => Columns::Vector(self.rows),
        }
    }
}
