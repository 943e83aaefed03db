//! The alerts of one rule: a state machine per label set, see `alert`.
//!
//! Pending as soon as the expression has an element, firing when it has had one for `for`,
//! resolved when it has none (after `keep_firing_for`, counted from the first evaluation without).
//! A pending alert that misses one evaluation is forgotten. A resolved one is remembered for a
//! quarter of an hour, so that its end is not lost on the way to an Alertmanager.

mod alert;
mod columns;

use std::collections::BTreeMap;

use super::evaluator::{Config, compiled};
use super::file::{Alerting, Rule};
use super::status::{AlertState, AlertStatus, Notification, Transition};
use super::template::{Data, Patterns, Template};
use crate::engine::Profile;
use crate::labels::{Labels, METRIC_NAME};
use crate::value::{Point, Sample};
use alert::{Alert, Phase};

const ALERT_NAME: &str = "alertname";
/// The series that tell since when alerts are active.
pub(super) const FOR_STATE: &str = "ALERTS_FOR_STATE";

#[derive(Debug)]
pub(super) struct Alerts {
    name: String,
    for_ms: i64,
    keep_firing_for_ms: i64,
    labels: Vec<(String, Template)>,
    annotations: Vec<(String, Template)>,
    patterns: Patterns,
    /// The labels of the rule as they are written, templates not expanded.
    raw_labels: Labels,
    by_labels: BTreeMap<Labels, Alert>,
    /// Whether it is known how long alerts have been active; nothing is written before.
    is_restored: bool,
}

/// One element of the expression, turned into an alert.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Element {
    pub(super) labels: Labels,
    pub(super) annotations: Vec<(String, String)>,
    pub(super) value: f64,
}

impl Alerts {
    pub(super) fn new(rule: &Rule, alerting: &Alerting, profile: Profile) -> Self {
        Self {
            name: rule.name.clone(),
            for_ms: alerting.for_ms,
            keep_firing_for_ms: alerting.keep_firing_for_ms,
            labels: compiled(&rule.labels, profile),
            annotations: compiled(&alerting.annotations, profile),
            patterns: Patterns::default(),
            raw_labels: Labels::from_pairs(
                rule.labels
                    .iter()
                    .map(|(name, value)| (name.as_str(), value.as_str())),
            ),
            by_labels: BTreeMap::new(),
            is_restored: true,
        }
    }

    pub(super) fn for_ms(&self) -> i64 {
        self.for_ms
    }

    /// Writes nothing until the states of an earlier run were looked for.
    pub(super) fn await_restore(&mut self) {
        self.is_restored = false;
    }

    /// Writes the states from now on.
    pub(super) fn end_restore(&mut self) {
        self.is_restored = true;
    }

    /// Returns the labels that every series of `ALERTS_FOR_STATE` of the rule has, in the eyes of
    /// Prometheus.
    pub(super) fn state_labels(&self) -> Labels {
        self.raw_labels
            .with(METRIC_NAME, FOR_STATE)
            .with(ALERT_NAME, &self.name)
    }

    /// Takes over the alerts of the rule that this one replaces.
    pub(super) fn take_over(&mut self, old: Self) {
        self.by_labels = old.by_labels;
    }

    /// Moves alerts back to where they were. `found` returns the last sample of an alert's state
    /// before the restart, and the grace.
    pub(super) fn restore(&mut self, t_ms: i64, found: impl Fn(&Labels) -> Option<(Sample, i64)>) {
        for (labels, alert) in &mut self.by_labels {
            let Some((last, grace_ms)) = found(labels) else {
                continue;
            };
            // Prometheus counts in whole seconds here.
            let down_ms = last.t_ms.div_euclid(1000) * 1000;
            let active_ms = (last.value as i64).saturating_mul(1000);
            let left_ms = self.for_ms - down_ms.saturating_sub(active_ms);
            alert.active_at_ms = if left_ms <= 0 {
                // It fired; the next evaluation finds that it still does.
                active_ms
            } else if left_ms < grace_ms {
                t_ms.saturating_add(grace_ms) - self.for_ms
            } else {
                active_ms.saturating_add(t_ms - down_ms)
            };
        }
    }

    /// Expands the templates for an element; `query` answers the function of that name.
    pub(super) fn element(
        &self,
        point: &Point,
        config: &Config,
        query: &dyn Fn(&str) -> Result<Vec<Point>, String>,
    ) -> Element {
        let data = Data {
            alert: &self.name,
            labels: &point.labels,
            value: point.sample.value,
            external_labels: &config.external_labels,
            external_url: &config.external_url,
            patterns: &self.patterns,
            query,
        };
        Element {
            labels: self.labels_of(&data),
            annotations: self.annotations_of(&data),
            value: point.sample.value,
        }
    }

    fn labels_of(&self, data: &Data<'_>) -> Labels {
        let own = self
            .labels
            .iter()
            .map(|(name, template)| (name.clone(), template.expand(data)));
        Labels::from_pairs(
            data.labels
                .iter()
                .filter(|(name, _)| *name != METRIC_NAME)
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .chain(own)
                .chain([(ALERT_NAME.to_owned(), self.name.clone())]),
        )
    }

    fn annotations_of(&self, data: &Data<'_>) -> Vec<(String, String)> {
        self.annotations
            .iter()
            .map(|(name, template)| (name.clone(), template.expand(data)))
            .collect()
    }

    /// Moves every alert on by one evaluation and returns how many are pending or firing.
    pub(super) fn advance(
        &mut self,
        elements: Vec<Element>,
        t_ms: i64,
        transitions: &mut Vec<Transition>,
    ) -> usize {
        let before: BTreeMap<Labels, AlertState> = self
            .by_labels
            .iter()
            .map(|(labels, alert)| (labels.clone(), alert.phase.state()))
            .collect();
        let present = self.take_in(elements, t_ms);
        let ended = self.step(&present, t_ms);
        let now = self.by_labels.iter().chain(&ended);
        for (labels, alert) in now {
            let from = before.get(labels).copied().unwrap_or(AlertState::Inactive);
            let to = if ended.contains_key(labels) {
                AlertState::Inactive
            } else {
                alert.phase.state()
            };
            if from != to {
                transitions.push(self.transition(labels, alert, from, to, t_ms));
            }
        }
        self.by_labels
            .values()
            .filter(|alert| alert.phase.state() != AlertState::Inactive)
            .count()
    }

    /// Updates known alerts and opens new ones; returns the label sets that have an element.
    fn take_in(&mut self, elements: Vec<Element>, t_ms: i64) -> Vec<Labels> {
        let mut present = Vec::with_capacity(elements.len());
        for element in elements {
            present.push(element.labels.clone());
            match self.by_labels.get_mut(&element.labels) {
                Some(alert) if alert.phase.state() != AlertState::Inactive => {
                    alert.value = element.value;
                    alert.annotations = element.annotations;
                }
                _ => {
                    let alert = Alert {
                        annotations: element.annotations,
                        value: element.value,
                        active_at_ms: t_ms,
                        phase: Phase::Pending,
                        last_sent_ms: None,
                    };
                    self.by_labels.insert(element.labels, alert);
                }
            }
        }
        present.sort();
        present
    }

    /// Advances the phases; returns the alerts that are forgotten.
    fn step(&mut self, present: &[Labels], t_ms: i64) -> BTreeMap<Labels, Alert> {
        let mut forgotten = Vec::new();
        for (labels, alert) in &mut self.by_labels {
            let is_present = present.binary_search(labels).is_ok();
            if is_present {
                alert.hold(t_ms, self.for_ms);
            } else if !alert.fade(t_ms, self.keep_firing_for_ms) {
                forgotten.push(labels.clone());
            }
        }
        forgotten
            .into_iter()
            .filter_map(|labels| self.by_labels.remove_entry(&labels))
            .collect()
    }

    /// Forgets every alert: what Prometheus does when a rule exceeds its limit.
    pub(super) fn clear(&mut self, t_ms: i64, group: &str, transitions: &mut Vec<Transition>) {
        for (labels, alert) in &self.by_labels {
            let from = alert.phase.state();
            if from != AlertState::Inactive {
                let mut transition =
                    self.transition(labels, alert, from, AlertState::Inactive, t_ms);
                group.clone_into(&mut transition.group);
                transitions.push(transition);
            }
        }
        self.by_labels.clear();
    }

    /// Returns the samples of `ALERTS` and `ALERTS_FOR_STATE` for every active alert.
    pub(super) fn samples(&self) -> Vec<(Labels, f64)> {
        let mut samples = Vec::new();
        if !self.is_restored {
            return samples;
        }
        for (labels, alert) in &self.by_labels {
            let state = alert.phase.state();
            if state == AlertState::Inactive {
                continue;
            }
            let labels = self.shown(labels);
            let named = |name| labels.with(METRIC_NAME, name);
            samples.push((named("ALERTS").with("alertstate", state.as_str()), 1.0));
            let active_at_s = alert.active_at_ms.div_euclid(1000) as f64;
            samples.push((named(FOR_STATE), active_at_s));
        }
        samples
    }

    /// Returns the labels of the series of an alert: a label that a template leaves empty shows up
    /// there as it is written.
    fn shown(&self, labels: &Labels) -> Labels {
        Labels::from_pairs(self.raw_labels.iter().chain(labels.iter()))
    }

    /// Returns the pending and firing alerts, sorted by labels.
    pub(super) fn active(&self) -> Vec<AlertStatus> {
        self.by_labels
            .iter()
            .filter(|(_, alert)| alert.phase.state() != AlertState::Inactive)
            .map(|(labels, alert)| alert.status(labels))
            .collect()
    }

    /// Returns the alerts that an Alertmanager should hear of now.
    pub(super) fn due(
        &mut self,
        expr: &str,
        t_ms: i64,
        resend_delay_ms: i64,
        valid_for_ms: i64,
    ) -> Vec<Notification> {
        let mut due = Vec::new();
        for (labels, alert) in &mut self.by_labels {
            let (since_ms, resolved_at_ms) = match alert.phase {
                Phase::Pending => continue,
                Phase::Firing { since_ms, .. } => (since_ms, None),
                Phase::Resolved { since_ms, at_ms } => (since_ms, Some(at_ms)),
            };
            let is_due = alert.last_sent_ms.is_none_or(|sent_ms| {
                resolved_at_ms.is_some_and(|at_ms| at_ms > sent_ms)
                    || sent_ms.saturating_add(resend_delay_ms) < t_ms
            });
            if !is_due {
                continue;
            }
            alert.last_sent_ms = Some(t_ms);
            due.push(Notification {
                labels: labels.clone(),
                annotations: alert.annotations.clone(),
                starts_at_ms: since_ms,
                ends_at_ms: resolved_at_ms.unwrap_or_else(|| t_ms.saturating_add(valid_for_ms)),
                expr: expr.to_owned(),
            });
        }
        due
    }

    fn transition(
        &self,
        labels: &Labels,
        alert: &Alert,
        from: AlertState,
        to: AlertState,
        t_ms: i64,
    ) -> Transition {
        Transition {
            group: String::new(),
            alert: self.name.clone(),
            labels: labels.clone(),
            annotations: alert.annotations.clone(),
            from,
            to,
            t_ms,
            value: alert.value,
        }
    }
}
