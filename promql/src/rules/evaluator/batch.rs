//! Many evaluations at once, rule by rule instead of step by step.
//!
//! A rule is evaluated at all steps before the next one is looked at. That comes to the same when
//! no rule reads what is written later (`independence`), and is many times faster: the series of an
//! expression are looked up and walked once. Whatever goes wrong is not told here: the caller
//! starts over, step by step, and gets the exact error.

use std::collections::{BTreeMap, BTreeSet};

use super::group::RunningRule;
use super::{Evaluator, Health};
use crate::engine::{Columns, Engine, Grid, Row, is_absent};
use crate::labels::{Labels, METRIC_NAME};
use crate::query::{Expr, Query};
use crate::rules::Rule;
use crate::store::Store;
use crate::value::{Value, stale_nan};

/// Something failed at some step. Store and states are void: start over, step by step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Redo;

/// Sums that are carried from window to window differ from sums of their own in the last digits.
const CARRIED: [&str; 2] = ["sum_over_time", "avg_over_time"];

impl Evaluator {
    /// Evaluates groups at every step of a grid. The store holds every sample up to the last step
    /// that others write; [`Evaluator::is_independent`] has said that this comes to the same as
    /// evaluating step by step.
    ///
    /// Changes of state are not told. `ALERTS` is only written if `writes_alerts`.
    pub(crate) fn evaluate_grid(
        &mut self,
        order: &[usize],
        store: &mut Store,
        grid: Grid,
        writes_alerts: bool,
    ) -> Result<(), Redo> {
        if grid.steps == 0 {
            return Ok(());
        }
        for index in order {
            let Some(group) = self.groups.get_mut(*index) else {
                continue;
            };
            let read = Grid {
                start_ms: grid.start_ms.saturating_sub(group.query_offset_ms),
                ..grid
            };
            for rule in &mut group.rules {
                let rows = rows(&self.engine, store, &rule.rule.expr, read)?;
                let (rows, active) = match &mut rule.alerts {
                    None => {
                        let rows = recorded(&rule.rule, rows)?;
                        let active = count(&rows, grid.steps);
                        (rows, active)
                    }
                    Some(alerts) => {
                        let advanced = alerts
                            .advance_columns(&rows, grid, &self.config, writes_alerts)
                            .map_err(|_| Redo)?;
                        (advanced.samples, advanced.active)
                    }
                };
                if group.limit > 0 && active.iter().any(|count| *count > group.limit) {
                    return Err(Redo);
                }
                write(rule, rows, store, read)?;
                rule.health = Health::Ok;
                rule.last_error = None;
                rule.last_evaluation_ms = Some(grid.at(grid.steps - 1));
                rule.evaluated_ms = rule.last_evaluation_ms;
            }
            group.last_evaluation_ms = Some(grid.at(grid.steps - 1));
        }
        Ok(())
    }
}

/// Returns the elements of an expression at all steps.
fn rows(engine: &Engine, store: &Store, query: &Query, grid: Grid) -> Result<Vec<Row>, Redo> {
    if carries_sums(query) {
        return rows_one_by_one(engine, store, query, grid);
    }
    match engine.grid(store, query, grid) {
        Ok(Columns::Vector(rows)) => Ok(rows),
        Ok(Columns::Scalar(values)) => Ok(vec![Row {
            labels: Labels::default(),
            values,
        }]),
        Ok(Columns::Text(_)) | Err(_) => Err(Redo),
    }
}

fn carries_sums(query: &Query) -> bool {
    let mut found = false;
    query.expr().visit(&mut |expr| {
        if let Expr::Call(call) = expr {
            found |= CARRIED.contains(&call.function.name);
        }
    });
    found
}

fn rows_one_by_one(
    engine: &Engine,
    store: &Store,
    query: &Query,
    grid: Grid,
) -> Result<Vec<Row>, Redo> {
    let mut rows: BTreeMap<Labels, Vec<f64>> = BTreeMap::new();
    for step in 0..grid.steps {
        let evaluated = engine.instant(store, query, grid.at(step));
        let elements = match evaluated.map_err(|_| Redo)?.value {
            Value::Vector(points) => points
                .into_iter()
                .map(|point| (point.labels, point.sample.value))
                .collect(),
            Value::Scalar(sample) => vec![(Labels::default(), sample.value)],
            Value::String(_) | Value::Matrix(_) => return Err(Redo),
        };
        for (labels, value) in elements {
            let absent = || vec![stale_nan(); grid.steps];
            rows.entry(labels).or_insert_with(absent)[step] = value;
        }
    }
    let row = |(labels, values)| Row { labels, values };
    Ok(rows.into_iter().map(row).collect())
}

/// Gives rows the name and the labels of a recording rule. Rows that become one must take turns.
fn recorded(rule: &Rule, rows: Vec<Row>) -> Result<Vec<Row>, Redo> {
    let mut merged: BTreeMap<Labels, Vec<f64>> = BTreeMap::new();
    for row in rows {
        let own = rule
            .labels
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()));
        let labels = Labels::from_pairs(
            row.labels
                .iter()
                .chain([(METRIC_NAME, rule.name.as_str())])
                .chain(own),
        );
        let Some(values) = merged.get_mut(&labels) else {
            merged.insert(labels, row.values);
            continue;
        };
        for (value, more) in values.iter_mut().zip(row.values) {
            if is_absent(more) {
                continue;
            }
            if !is_absent(*value) {
                return Err(Redo);
            }
            *value = more;
        }
    }
    let row = |(labels, values)| Row { labels, values };
    Ok(merged.into_iter().map(row).collect())
}

fn count(rows: &[Row], steps: usize) -> Vec<usize> {
    (0..steps)
        .map(|step| {
            rows.iter()
                .filter(|row| !is_absent(row.values[step]))
                .count()
        })
        .collect()
}

/// Writes columns; a series that has no sample at a step after one where it had ends there.
fn write(
    running: &mut RunningRule,
    rows: Vec<Row>,
    store: &mut Store,
    grid: Grid,
) -> Result<(), Redo> {
    let mut ending = std::mem::take(&mut running.written);
    let mut written = BTreeSet::new();
    for row in rows {
        let mut is_live = ending.remove(&row.labels);
        for (step, value) in row.values.iter().enumerate() {
            let was_live = std::mem::replace(&mut is_live, !is_absent(*value));
            // An absent value is the stale marker itself.
            if is_live || was_live {
                store
                    .append(&row.labels, grid.at(step), *value)
                    .map_err(|_| Redo)?;
            }
        }
        if is_live {
            written.insert(row.labels);
        }
    }
    for labels in ending {
        store
            .append(&labels, grid.start_ms, stale_nan())
            .map_err(|_| Redo)?;
    }
    running.written = written;
    Ok(())
}

#[cfg(test)]
mod tests;
