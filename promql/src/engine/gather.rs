//! Rows of several chunks of steps, put together into series.

use std::collections::HashMap;

use super::context::{Context, Steps};
use super::grid::is_absent;
use super::rows::{Datum, Rows};
use super::{QueryError, group, result};
use crate::labels::Labels;
use crate::query::Expr;

/// One series in the making.
#[derive(Debug)]
pub(crate) struct Gathering {
    pub(crate) labels: Labels,
    pub(crate) times_ms: Vec<i64>,
    pub(crate) values: Vec<f64>,
}

/// Series in the order in which their first sample came.
#[derive(Debug, Default)]
pub(crate) struct Gathered {
    order: HashMap<Labels, usize>,
    series: Vec<Gathering>,
    samples: usize,
}

impl Gathered {
    pub(crate) fn series(&self) -> &[Gathering] {
        &self.series
    }

    pub(crate) fn into_series(self) -> Vec<Gathering> {
        self.series
    }

    /// Returns how many samples there are.
    pub(crate) fn samples(&self) -> usize {
        self.samples
    }

    /// Adds what an expression was at some steps; they must be later than all before.
    pub(crate) fn add(
        &mut self,
        context: &Context<'_>,
        datum: Datum,
        steps: Steps,
    ) -> Result<(), QueryError> {
        match datum {
            Datum::Text(_) => Ok(()),
            Datum::Scalar(numbers) => {
                let values = numbers.into_values(steps.count());
                context.hold(values.len())?;
                self.add_row(Labels::default(), &values, steps)
            }
            Datum::Vector(rows) => self.add_rows(context, &rows, steps),
        }
    }

    /// Adds the result of a query, whose names are cut off for good.
    pub(crate) fn add_finished(
        &mut self,
        context: &Context<'_>,
        expr: &Expr,
        mut datum: Datum,
        steps: Steps,
    ) -> Result<(), QueryError> {
        if let Datum::Vector(rows) = &mut datum {
            result::finish_apart(context, expr, rows)?;
        }
        self.add(context, datum, steps)
    }

    fn add_rows(
        &mut self,
        context: &Context<'_>,
        rows: &Rows,
        steps: Steps,
    ) -> Result<(), QueryError> {
        for (head, row) in rows.iter() {
            context.hold(row.iter().filter(|value| !is_absent(**value)).count())?;
            self.add_row(head.settled(), row, steps)?;
        }
        Ok(())
    }

    /// Two rows with the same labels make one series unless both are there at one step.
    fn add_row(&mut self, labels: Labels, row: &[f64], steps: Steps) -> Result<(), QueryError> {
        let at = *self.order.entry(labels).or_insert_with_key(|labels| {
            self.series.push(Gathering {
                labels: labels.clone(),
                times_ms: Vec::new(),
                values: Vec::new(),
            });
            self.series.len() - 1
        });
        let series = &mut self.series[at];
        let in_order = series
            .times_ms
            .last()
            .is_none_or(|last_ms| *last_ms < steps.at(0));
        let before = series.values.len();
        for (step, value) in row.iter().enumerate() {
            if !is_absent(*value) {
                series.times_ms.push(steps.at(step));
                series.values.push(*value);
            }
        }
        self.samples += series.values.len() - before;
        if in_order { Ok(()) } else { series.sort() }
    }
}

impl Gathering {
    fn sort(&mut self) -> Result<(), QueryError> {
        let mut samples: Vec<(i64, f64)> = self
            .times_ms
            .iter()
            .copied()
            .zip(self.values.iter().copied())
            .collect();
        samples.sort_by_key(|(t_ms, _)| *t_ms);
        if samples.windows(2).any(|pair| pair[0].0 == pair[1].0) {
            return Err(group::same_labelset());
        }
        (self.times_ms, self.values) = samples.into_iter().unzip();
        Ok(())
    }
}
