//! Many evaluations at once: the times, and the values that come back.

use std::collections::HashMap;

use super::{Engine, QueryError};
use crate::labels::Labels;
use crate::query::Query;
use crate::store::Store;
use crate::value::{Value, is_stale, stale_nan};

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

impl Engine {
    /// Evaluates a query at every step of a grid, each as if it were an instant query of its own:
    /// `@ start()` and `@ end()` mean the step, and elements at different steps never collide.
    ///
    /// An error at any step is the error of the grid.
    pub fn grid(&self, store: &Store, query: &Query, grid: Grid) -> Result<Columns, QueryError> {
        let mut scalars = Vec::new();
        let mut order: HashMap<Labels, usize> = HashMap::new();
        let mut rows: Vec<Row> = Vec::new();
        for step in 0..grid.steps {
            match self.instant(store, query, grid.at(step))?.value {
                Value::Scalar(sample) => scalars.push(sample.value),
                Value::String(text) => return Ok(Columns::Text(text)),
                Value::Vector(points) => {
                    for point in points {
                        let row = *order.entry(point.labels).or_insert_with_key(|labels| {
                            rows.push(Row {
                                labels: labels.clone(),
                                values: vec![absent(); grid.steps],
                            });
                            rows.len() - 1
                        });
                        rows[row].values[step] = point.sample.value;
                    }
                }
                Value::Matrix(_) => {
                    return Err(QueryError::BadRange(
                        "a grid needs a scalar or an instant vector expression",
                    ));
                }
            }
        }
        if scalars.len() == grid.steps && grid.steps > 0 {
            return Ok(Columns::Scalar(scalars));
        }
        Ok(Columns::Vector(rows))
    }
}
