//! One evaluation of the rules of a group.

use std::collections::BTreeSet;

use super::super::alerts::{Alerts, Element};
use super::super::file::Rule;
use super::super::status::GroupOutcome;
use super::Config;
use super::group::RunningRule;
use crate::engine::Engine;
use crate::labels::{Labels, METRIC_NAME};
use crate::query::{Dialect, Query};
use crate::store::Store;
use crate::value::{Point, Value, stale_nan};

/// One evaluation of one group.
pub(super) struct Run<'r> {
    pub(super) engine: &'r Engine,
    pub(super) config: &'r Config,
    pub(super) group: &'r str,
    pub(super) limit: usize,
    pub(super) t_ms: i64,
    /// The time of the queries and of what is written.
    pub(super) query_ms: i64,
}

impl Run<'_> {
    /// Evaluates a rule. It has been evaluated where only its samples were refused.
    pub(super) fn rule(
        &self,
        running: &mut RunningRule,
        store: &mut Store,
        outcome: &mut GroupOutcome,
    ) -> Result<(), String> {
        let points = self.query(&running.rule.expr, store, self.query_ms)?;
        let samples = match &mut running.alerts {
            None => self.recorded(&running.rule, points)?,
            Some(alerts) => {
                let elements = self.alert_elements(alerts, &points, store)?;
                let before = outcome.transitions.len();
                let advanced = alerts.advance(elements, self.t_ms, &mut outcome.transitions);
                for transition in &mut outcome.transitions[before..] {
                    self.group.clone_into(&mut transition.group);
                }
                if self.limit > 0 && advanced > self.limit {
                    alerts.clear(self.t_ms, self.group, &mut outcome.transitions);
                    return Err(format!(
                        "exceeded limit of {} with {advanced} alerts",
                        self.limit
                    ));
                }
                alerts.samples()
            }
        };
        running.evaluated_ms = Some(self.t_ms);
        self.commit(running, samples, store, outcome)
    }

    fn query(&self, query: &Query, store: &Store, t_ms: i64) -> Result<Vec<Point>, String> {
        let evaluated = self
            .engine
            .instant(store, query, t_ms)
            .map_err(|error| error.to_string())?;
        match evaluated.value {
            Value::Vector(points) => Ok(points),
            Value::Scalar(sample) => Ok(vec![Point {
                labels: Labels::default(),
                sample,
            }]),
            Value::String(_) | Value::Matrix(_) => {
                Err("rule result is not a vector or scalar".to_owned())
            }
        }
    }

    fn recorded(&self, rule: &Rule, points: Vec<Point>) -> Result<Vec<(Labels, f64)>, String> {
        let mut seen = BTreeSet::new();
        let mut samples = Vec::with_capacity(points.len());
        for point in points {
            let own = rule
                .labels
                .iter()
                .map(|(name, value)| (name.as_str(), value.as_str()));
            let labels = Labels::from_pairs(
                point
                    .labels
                    .iter()
                    .chain([(METRIC_NAME, rule.name.as_str())])
                    .chain(own),
            );
            if !seen.insert(labels.clone()) {
                return Err(
                    "vector contains metrics with the same labelset after applying rule labels"
                        .to_owned(),
                );
            }
            samples.push((labels, point.sample.value));
        }
        if self.limit > 0 && samples.len() > self.limit {
            return Err(format!(
                "exceeded limit of {} with {} series",
                self.limit,
                samples.len()
            ));
        }
        Ok(samples)
    }

    fn alert_elements(
        &self,
        alerts: &Alerts,
        points: &[Point],
        store: &Store,
    ) -> Result<Vec<Element>, String> {
        let dialect = Dialect {
            profile: self.config.options.profile,
            experimental: false,
        };
        // Templates ask about the time of the evaluation, whatever the offset of the rule.
        let query = |text: &str| {
            let query = Query::parse_as(text, dialect).map_err(|error| error.to_string())?;
            self.query(&query, store, self.t_ms)
        };
        let mut seen = BTreeSet::new();
        let mut elements = Vec::with_capacity(points.len());
        for point in points {
            let element = alerts.element(point, self.config, &query);
            if !seen.insert(element.labels.clone()) {
                return Err(
                    "vector contains metrics with the same labelset after applying alert labels"
                        .to_owned(),
                );
            }
            elements.push(element);
        }
        Ok(elements)
    }

    /// Writes the results of a rule and ends the series that it wrote last time only.
    fn commit(
        &self,
        running: &mut RunningRule,
        samples: Vec<(Labels, f64)>,
        store: &mut Store,
        outcome: &mut GroupOutcome,
    ) -> Result<(), String> {
        let mut written = BTreeSet::new();
        let mut refused = None;
        for (labels, value) in samples {
            match store.append(&labels, self.query_ms, value) {
                Ok(()) => {
                    outcome.samples_written += 1;
                    written.insert(labels);
                }
                Err(error) => refused = refused.or_else(|| Some(error.to_string())),
            }
        }
        for labels in running.written.difference(&written) {
            // A refused marker means that somebody else writes the series: it has not ended.
            if store.append(labels, self.query_ms, stale_nan()).is_ok() {
                outcome.samples_written += 1;
            }
        }
        running.written = written;
        refused.map_or(Ok(()), Err)
    }
}
