//! Rules, targets, exemplars and versions on the wire.

use std::collections::BTreeMap;

use promql::duration;
use promql::labels::Labels;
use serde::Deserialize;

use super::result::{labels, number};
use crate::clean;
use crate::source::{Alert, AlertState, Exemplar, Health, Rule, RuleKind, Target};
use crate::times::{rfc3339_ms, seconds_to_ms};

type Map = BTreeMap<String, String>;

#[derive(Deserialize)]
pub(super) struct BuildInfo {
    pub(super) version: String,
}

#[derive(Deserialize)]
pub(super) struct Rules {
    #[serde(default)]
    groups: Vec<WireGroup>,
}

#[derive(Deserialize)]
struct WireGroup {
    name: String,
    #[serde(default)]
    interval: f64,
    #[serde(default)]
    rules: Vec<WireRule>,
}

#[derive(Deserialize)]
struct WireRule {
    name: String,
    #[serde(default)]
    query: String,
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    duration: f64,
    #[serde(default, rename = "keepFiringFor")]
    keep_firing_for: f64,
    #[serde(default)]
    labels: Option<Map>,
    #[serde(default)]
    annotations: Option<Map>,
    #[serde(default)]
    alerts: Option<Vec<WireAlert>>,
    #[serde(default)]
    health: String,
    #[serde(default, rename = "lastError")]
    last_error: String,
    #[serde(default, rename = "lastEvaluation")]
    last_evaluation: String,
}

#[derive(Deserialize)]
struct WireAlert {
    #[serde(default)]
    labels: Map,
    #[serde(default)]
    annotations: Map,
    state: String,
    #[serde(default, rename = "activeAt")]
    active_at: Option<String>,
    #[serde(default)]
    value: String,
}

/// Returns the rules in the order of their groups.
pub(super) fn rules(data: Rules) -> Vec<Rule> {
    let mut list = Vec::new();
    for group in data.groups {
        let (name, interval_ms) = (clean::message(&group.name), seconds_to_ms(group.interval));
        list.extend(
            group
                .rules
                .into_iter()
                .map(|wire| rule(wire, &name, interval_ms)),
        );
    }
    list
}

/// Returns the active alerts of all rules.
pub(super) fn alerts(data: Rules) -> Vec<Alert> {
    data.groups
        .into_iter()
        .flat_map(|group| group.rules)
        .flat_map(|rule| rule.alerts.unwrap_or_default())
        .filter_map(alert)
        .collect()
}

fn rule(wire: WireRule, group: &str, interval_ms: i64) -> Rule {
    let kind = if wire.kind == "alerting" {
        RuleKind::Alerting {
            for_ms: seconds_to_ms(wire.duration),
            keep_firing_for_ms: seconds_to_ms(wire.keep_firing_for),
            alerts: wire
                .alerts
                .unwrap_or_default()
                .into_iter()
                .filter_map(alert)
                .collect(),
        }
    } else {
        RuleKind::Recording
    };
    Rule {
        group: group.to_owned(),
        name: clean::message(&wire.name),
        expr: clean::text(&wire.query).into_owned(),
        labels: wire.labels.map_or_else(Labels::default, labels),
        annotations: clean::pairs(wire.annotations.unwrap_or_default()),
        kind,
        health: health(&wire.health, &wire.last_error),
        last_evaluation_ms: rfc3339_ms(&wire.last_evaluation),
        interval_ms,
    }
}

/// Returns `None` for an alert that is not active.
fn alert(wire: WireAlert) -> Option<Alert> {
    let state = match wire.state.as_str() {
        "pending" => AlertState::Pending,
        "firing" => AlertState::Firing,
        _ => return None,
    };
    Some(Alert {
        labels: labels(wire.labels),
        annotations: clean::pairs(wire.annotations),
        state,
        active_at_ms: wire
            .active_at
            .as_deref()
            .and_then(rfc3339_ms)
            .unwrap_or_default(),
        value: number(&wire.value).unwrap_or(f64::NAN),
    })
}

fn health(word: &str, error: &str) -> Health {
    match word {
        "ok" | "up" => Health::Ok,
        "err" | "down" => Health::Err(clean::message(error)),
        _ if !error.is_empty() => Health::Err(clean::message(error)),
        _ => Health::Unknown,
    }
}

#[derive(Deserialize)]
pub(super) struct Targets {
    #[serde(default, rename = "activeTargets")]
    active: Vec<WireTarget>,
}

#[derive(Deserialize)]
struct WireTarget {
    #[serde(default)]
    labels: Map,
    #[serde(default, rename = "scrapeUrl")]
    url: String,
    #[serde(default, rename = "lastError")]
    last_error: String,
    #[serde(default, rename = "lastScrape")]
    last_scrape: String,
    #[serde(default, rename = "lastScrapeDuration")]
    last_duration: f64,
    #[serde(default)]
    health: String,
    #[serde(default, rename = "scrapeInterval")]
    interval: String,
}

/// Returns the active targets.
pub(super) fn targets(data: &Targets) -> Vec<Target> {
    data.active.iter().map(target).collect()
}

fn target(wire: &WireTarget) -> Target {
    let label = |name: &str| clean::message(wire.labels.get(name).map_or("", String::as_str));
    Target {
        job: label("job"),
        instance: label("instance"),
        url: clean::message(&wire.url),
        health: health(&wire.health, &wire.last_error),
        last_scrape_ms: rfc3339_ms(&wire.last_scrape),
        last_duration_ms: wire.last_duration * 1000.0,
        interval_ms: duration::parse_ms(&wire.interval).unwrap_or_default(),
    }
}

#[derive(Deserialize)]
pub(super) struct WireExemplars {
    #[serde(default, rename = "seriesLabels")]
    series: Map,
    #[serde(default)]
    exemplars: Vec<WireExemplar>,
}

#[derive(Deserialize)]
struct WireExemplar {
    #[serde(default)]
    labels: Map,
    #[serde(default)]
    value: String,
    #[serde(default)]
    timestamp: f64,
}

/// Returns the exemplars of all series, oldest first within a series.
pub(super) fn exemplars(data: Vec<WireExemplars>) -> Vec<Exemplar> {
    let mut list = Vec::new();
    for wire in data {
        let series = labels(wire.series);
        list.extend(wire.exemplars.into_iter().map(|one| Exemplar {
            series: series.clone(),
            labels: labels(one.labels),
            value: number(&one.value).unwrap_or(f64::NAN),
            t_ms: seconds_to_ms(one.timestamp),
        }));
    }
    list
}
