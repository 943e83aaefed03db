//! Reports: functions of a journal's events, and of nothing else.

mod json;
mod text;

pub use json::json;
pub use text::{Style, text};

use std::collections::BTreeMap;

use crate::event::{AlertPhase, AlertSpan, Event, EventKind, FaultArmed, FaultEnded, RunStarted};
use crate::verdict::{Check, Outcome};

/// The events of a run, sorted by what a report asks of them.
struct Digest<'e> {
    started: Option<&'e RunStarted>,
    began_ms: i64,
    ended_ms: i64,
    armed: Vec<&'e FaultArmed>,
    ended: Vec<&'e FaultEnded>,
    spans: Vec<AlertSpan>,
    checks: Vec<&'e Check>,
    verdict: Option<&'e Outcome>,
}

impl<'e> Digest<'e> {
    fn of(events: &'e [Event]) -> Self {
        let mut digest = Self {
            started: None,
            began_ms: events.first().map_or(0, |event| event.t_ms),
            ended_ms: events.last().map_or(0, |event| event.t_ms),
            armed: Vec::new(),
            ended: Vec::new(),
            spans: Vec::new(),
            checks: Vec::new(),
            verdict: None,
        };
        for event in events {
            match &event.kind {
                EventKind::RunStarted(started) => digest.started = Some(started),
                EventKind::FaultArmed(armed) => digest.armed.push(armed),
                EventKind::FaultEnded(ended) => digest.ended.push(ended),
                EventKind::AlertSpan(span) => digest.spans.push(span.clone()),
                EventKind::Check(check) => digest.checks.push(check),
                EventKind::Verdict(outcome) => digest.verdict = Some(outcome),
                _ => {}
            }
        }
        if digest.spans.is_empty() {
            digest.spans = live_spans(events);
        }
        digest
    }

    /// The moment times are told from: the first fault, or the beginning.
    fn zero_ms(&self) -> i64 {
        let first = self.armed.iter().map(|armed| armed.start_ms).min();
        first.unwrap_or(self.began_ms)
    }
}

/// What was seen live stands in for the recorded series of a run that never came to read them.
fn live_spans(events: &[Event]) -> Vec<AlertSpan> {
    let mut open: BTreeMap<&BTreeMap<String, String>, AlertSpan> = BTreeMap::new();
    let mut spans = Vec::new();
    for event in events {
        let EventKind::Alert { labels, state } = &event.kind else {
            continue;
        };
        if *state == AlertPhase::Resolved {
            if let Some(mut span) = open.remove(labels) {
                span.resolved_ms = Some(event.t_ms);
                spans.push(span);
            }
            continue;
        }
        let span = open.entry(labels).or_insert_with(|| AlertSpan {
            labels: labels.clone(),
            pending_ms: event.t_ms,
            firing_ms: None,
            resolved_ms: None,
        });
        if *state == AlertPhase::Firing {
            span.firing_ms.get_or_insert(event.t_ms);
        }
    }
    spans.extend(open.into_values());
    spans
}

/// An alert as a person reads it: its name and the labels that tell it from others.
fn alert_name(labels: &BTreeMap<String, String>) -> String {
    let mut words = vec![labels.get("alertname").cloned().unwrap_or_default()];
    let rest = labels.iter().filter(|(name, _)| *name != "alertname");
    words.extend(rest.map(|(name, value)| format!("{name}={value}")));
    words.join(" ")
}
