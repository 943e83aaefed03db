//! What an expression evaluated to over the steps of a grid.
//!
//! A vector is a table: one row per element, one column per step. A step at which an element is
//! absent holds the stale marker's bits. Those bits are a NaN, so arithmetic on them would give
//! some other NaN: each operation looks first and passes absence on.

use super::grid::{absent, is_absent};
use crate::labels::{Labels, METRIC_NAME};

/// What became of the metric name. It is cut off late: most consumers never look at it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Name {
    /// It counts.
    Kept,
    /// It counts until the query ends (delayed name removal).
    Doomed,
    /// It no longer counts, although it may still be among the labels.
    Gone,
}

/// The identity of a row.
#[derive(Debug, Clone)]
pub(crate) struct Head {
    pub(crate) labels: Labels,
    pub(crate) name: Name,
}

impl Head {
    pub(crate) fn new(labels: Labels) -> Self {
        Self {
            labels,
            name: Name::Kept,
        }
    }

    /// Returns the labels without a name that no longer counts.
    pub(crate) fn settled(&self) -> Labels {
        if self.name == Name::Gone && self.labels.metric_name().is_some() {
            self.labels.retain(|name| name != METRIC_NAME)
        } else {
            self.labels.clone()
        }
    }
}

/// The rows of a vector, all values in one block.
#[derive(Debug, Clone)]
pub(crate) struct Rows {
    steps: usize,
    heads: Vec<Head>,
    values: Vec<f64>,
}

impl Rows {
    /// Returns no rows over `steps` steps, which must not be 0.
    pub(crate) fn new(steps: usize) -> Self {
        Self {
            steps: steps.max(1),
            heads: Vec::new(),
            values: Vec::new(),
        }
    }

    pub(crate) fn with_capacity(steps: usize, rows: usize) -> Self {
        let mut empty = Self::new(steps);
        empty.heads.reserve(rows);
        empty.values.reserve(rows.saturating_mul(empty.steps));
        empty
    }

    pub(crate) fn steps(&self) -> usize {
        self.steps
    }

    pub(crate) fn len(&self) -> usize {
        self.heads.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.heads.is_empty()
    }

    /// Returns how many values there are room for, absent ones included.
    pub(crate) fn cells(&self) -> usize {
        self.values.len()
    }

    pub(crate) fn heads(&self) -> &[Head] {
        &self.heads
    }

    pub(crate) fn heads_mut(&mut self) -> &mut [Head] {
        &mut self.heads
    }

    pub(crate) fn row(&self, index: usize) -> &[f64] {
        &self.values[index * self.steps..(index + 1) * self.steps]
    }

    pub(crate) fn row_mut(&mut self, index: usize) -> &mut [f64] {
        &mut self.values[index * self.steps..(index + 1) * self.steps]
    }

    pub(crate) fn iter(&self) -> impl ExactSizeIterator<Item = (&Head, &[f64])> {
        self.heads.iter().zip(self.values.chunks_exact(self.steps))
    }

    /// Adds a row that `fill` writes, unless it leaves every step absent.
    pub(crate) fn add(&mut self, head: impl FnOnce() -> Head, fill: impl FnOnce(&mut [f64])) {
        let start = self.values.len();
        self.values.resize(start + self.steps, absent());
        fill(&mut self.values[start..]);
        if is_present_somewhere(&self.values[start..]) {
            self.heads.push(head());
        } else {
            self.values.truncate(start);
        }
    }

    pub(crate) fn push(&mut self, head: Head, row: &[f64]) {
        self.heads.push(head);
        self.values.extend_from_slice(row);
        self.values.resize(self.heads.len() * self.steps, absent());
    }

    /// Adds the rows of another table over the same steps.
    pub(crate) fn append(&mut self, mut other: Rows) {
        self.heads.append(&mut other.heads);
        self.values.append(&mut other.values);
    }

    /// Changes each row and drops those that end up without any value.
    pub(crate) fn retain_mut(&mut self, mut change: impl FnMut(usize, &mut [f64])) {
        let steps = self.steps;
        let mut kept = 0;
        for index in 0..self.heads.len() {
            let row = &mut self.values[index * steps..(index + 1) * steps];
            change(index, row);
            if !is_present_somewhere(row) {
                continue;
            }
            if kept != index {
                self.values
                    .copy_within(index * steps..(index + 1) * steps, kept * steps);
                self.heads.swap(kept, index);
            }
            kept += 1;
        }
        self.heads.truncate(kept);
        self.values.truncate(kept * steps);
    }

    /// Returns the same rows in another order.
    pub(crate) fn reordered(&self, order: &[usize]) -> Self {
        let mut rows = Self::with_capacity(self.steps, order.len());
        for index in order {
            rows.push(self.heads[*index].clone(), self.row(*index));
        }
        rows
    }

    /// Repeats rows of one step over `steps` steps.
    fn broadcast(self, steps: usize) -> Self {
        let mut rows = Self::with_capacity(steps, self.heads.len());
        rows.values.extend(
            self.values
                .iter()
                .flat_map(|value| std::iter::repeat_n(*value, steps)),
        );
        rows.heads = self.heads;
        rows
    }
}

pub(crate) fn is_present_somewhere(row: &[f64]) -> bool {
    row.iter().any(|value| !is_absent(*value))
}

/// A scalar over the steps of a grid.
#[derive(Debug, Clone)]
pub(crate) enum Numbers {
    /// The same at every step.
    Constant(f64),
    /// One per step.
    PerStep(Vec<f64>),
}

impl Numbers {
    pub(crate) fn at(&self, step: usize) -> f64 {
        match self {
            Self::Constant(value) => *value,
            Self::PerStep(values) => values.get(step).copied().unwrap_or(f64::NAN),
        }
    }

    /// Returns the numbers that occur: one, or one per step.
    pub(crate) fn distinct(&self) -> &[f64] {
        match self {
            Self::Constant(value) => std::slice::from_ref(value),
            Self::PerStep(values) => values,
        }
    }

    pub(crate) fn into_values(self, steps: usize) -> Vec<f64> {
        match self {
            Self::Constant(value) => vec![value; steps],
            Self::PerStep(values) => values,
        }
    }

    pub(crate) fn map(self, mut change: impl FnMut(f64) -> f64) -> Self {
        match self {
            Self::Constant(value) => Self::Constant(change(value)),
            Self::PerStep(mut values) => {
                for value in &mut values {
                    *value = change(*value);
                }
                Self::PerStep(values)
            }
        }
    }
}

/// What an expression evaluated to.
#[derive(Debug, Clone)]
pub(crate) enum Datum {
    Scalar(Numbers),
    Text(String),
    Vector(Rows),
}

impl Datum {
    pub(crate) fn number(value: f64) -> Self {
        Self::Scalar(Numbers::Constant(value))
    }

    /// Returns how many values are held.
    pub(crate) fn cells(&self) -> usize {
        match self {
            Self::Scalar(numbers) => numbers.distinct().len(),
            Self::Text(_) => 1,
            Self::Vector(rows) => rows.cells(),
        }
    }

    /// Repeats what was evaluated at one step over `steps` steps.
    pub(crate) fn broadcast(self, steps: usize) -> Self {
        match self {
            Self::Scalar(numbers) => Self::number(numbers.at(0)),
            Self::Text(text) => Self::Text(text),
            Self::Vector(rows) => Self::Vector(rows.broadcast(steps)),
        }
    }
}
