//! `ALERTS`: which alerts are active, which episodes there were, and what a playbook says of each.

use std::collections::BTreeMap;

use promql::labels::{Labels, METRIC_NAME};
use promql::value::{Series, Value};

use crate::event::{AlertPhase, AlertSpan};
use crate::playbook::Playbook;

/// The query that returns every active alert.
pub(super) const ALL: &str = "ALERTS";

/// What a playbook says of an alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// It fires at all times, such as Watchdog.
    Always,
    /// It must show.
    Expected,
    /// It must not fire.
    Forbidden,
    /// It may fire.
    Allowed,
    /// Nothing.
    Unlisted,
}

/// Returns what the playbook says of an alert; what it names beats what `*` covers.
pub(super) fn role(playbook: &Playbook, labels: &Labels) -> Role {
    if labels.get("obs_tui_expect") == Some("always") || labels.get("alertname") == Some("Watchdog")
    {
        return Role::Always;
    }
    let expected = playbook.expect_alerts.iter().map(|e| &e.pattern);
    if expected.into_iter().any(|pattern| pattern.matches(labels)) {
        return Role::Expected;
    }
    let lists = [
        (&playbook.must_not_fire, Role::Forbidden),
        (&playbook.may_fire, Role::Allowed),
    ];
    for any in [false, true] {
        for (list, role) in lists {
            let mut list = list.iter().filter(|pattern| pattern.is_any() == any);
            if list.any(|pattern| pattern.matches(labels)) {
                return role;
            }
        }
    }
    Role::Unlisted
}

/// Reads the answer to [`ALL`]: identity without the state → state.
pub(super) fn active(value: &Value) -> BTreeMap<Labels, AlertPhase> {
    let mut found = BTreeMap::new();
    let Value::Vector(points) = value else {
        return found;
    };
    for point in points {
        let Some(phase) = phase(&point.labels) else {
            continue;
        };
        let known = found
            .entry(identity(&point.labels))
            .or_insert(AlertPhase::Pending);
        *known = phase.max(*known);
    }
    found
}

fn phase(labels: &Labels) -> Option<AlertPhase> {
    match labels.get("alertstate") {
        Some("firing") => Some(AlertPhase::Firing),
        Some("pending") => Some(AlertPhase::Pending),
        _ => None,
    }
}

fn identity(labels: &Labels) -> Labels {
    labels.retain(|name| name != METRIC_NAME && name != "alertstate")
}

/// Returns labels in the form events carry.
pub(super) fn plain(labels: &Labels) -> BTreeMap<String, String> {
    labels
        .iter()
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

/// An alert as a person reads it: `Name{label="value"}`.
pub(super) fn shown(labels: &Labels) -> String {
    let name = labels.get("alertname").unwrap_or("?").to_owned();
    let rest = labels.with("alertname", "");
    if rest.is_empty() {
        name
    } else {
        format!("{name}{rest}")
    }
}

/// One episode of one alert, from the recorded series.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Span {
    pub(super) labels: Labels,
    /// The first step at which it was pending or firing.
    pub(super) pending_ms: i64,
    /// The first step at which it fired.
    pub(super) firing_ms: Option<i64>,
    /// The last step at which it was there.
    pub(super) last_ms: i64,
    /// The first step at which it was gone; absent when it lasted to the end.
    pub(super) resolved_ms: Option<i64>,
}

impl Span {
    pub(super) fn to_event(&self) -> AlertSpan {
        AlertSpan {
            labels: plain(&self.labels),
            pending_ms: self.pending_ms,
            firing_ms: self.firing_ms,
            resolved_ms: self.resolved_ms,
        }
    }
}

/// Cuts the series of [`ALL`] into episodes. A step without a sample ends one.
pub(super) fn spans(series: &[Series], step_ms: i64, end_ms: i64) -> Vec<Span> {
    let mut steps: BTreeMap<Labels, BTreeMap<i64, AlertPhase>> = BTreeMap::new();
    for one in series {
        let Some(phase) = phase(&one.labels) else {
            continue;
        };
        let of_alert = steps.entry(identity(&one.labels)).or_default();
        for sample in &one.samples {
            let known = of_alert.entry(sample.t_ms).or_insert(phase);
            *known = phase.max(*known);
        }
    }
    steps
        .into_iter()
        .flat_map(|(labels, steps)| episodes(&labels, &steps, step_ms, end_ms))
        .collect()
}

fn episodes(
    labels: &Labels,
    steps: &BTreeMap<i64, AlertPhase>,
    step_ms: i64,
    end_ms: i64,
) -> Vec<Span> {
    let mut found: Vec<Span> = Vec::new();
    let mut last_ms = None;
    for (&t_ms, &phase) in steps {
        let goes_on = last_ms.is_some_and(|last| t_ms - last <= step_ms);
        if !goes_on {
            close(found.last_mut(), last_ms, step_ms);
            found.push(Span {
                labels: labels.clone(),
                pending_ms: t_ms,
                firing_ms: None,
                last_ms: t_ms,
                resolved_ms: None,
            });
        }
        if let Some(span) = found.last_mut() {
            span.last_ms = t_ms;
            if phase == AlertPhase::Firing {
                span.firing_ms.get_or_insert(t_ms);
            }
        }
        last_ms = Some(t_ms);
    }
    if last_ms.is_some_and(|last| last + step_ms <= end_ms) {
        close(found.last_mut(), last_ms, step_ms);
    }
    found
}

fn close(span: Option<&mut Span>, last_ms: Option<i64>, step_ms: i64) {
    if let (Some(span), Some(last_ms)) = (span, last_ms) {
        span.resolved_ms = Some(last_ms + step_ms);
    }
}
