//! Rules and alerts as they come in: rows, spans for the charts, events.

use super::{source_failed, source_spoke, write_labels};
use crate::dashboard::condition::comparison;
use crate::dashboard::model::Model;
use crate::dashboard::tables::{AlertRow, AlertSpan, Alerts, EventKind, EventLog, push_span};
use crate::dashboard::text::clean;
use signals::source::{Alert, AlertState, Health, Rule, RuleKind};
use signals::{Answer, SourceError};

/// The most alerts kept; beyond that no screen helps.
const ROW_LIMIT: usize = 2_000;

/// Takes in the answer to the question for rules.
pub(crate) fn rules(model: &mut Model, result: Result<Answer<Vec<Rule>>, SourceError>) {
    let now_ms = model.now_ms;
    match result {
        Ok(answer) => {
            model.alerts.fetch.answered(now_ms, model.config.refresh_ms);
            let before = (model.alerts.rows.clone(), model.alerts.error.take());
            let at_ms = answer.at_ms;
            read_rules(&mut model.alerts, &answer.value);
            track(&mut model.alerts, &mut model.events, at_ms);
            model.alerts.at_ms = Some(at_ms);
            source_spoke(model, at_ms);
            model.dirty |= before.0 != model.alerts.rows || before.1.is_some();
        }
        Err(error) => {
            model.alerts.fetch.failed(now_ms, 7);
            model.alerts.error = Some(clean(&error.to_string()));
            source_failed(model, &error);
            model.dirty = true;
        }
    }
}

fn read_rules(alerts: &mut Alerts, rules: &[Rule]) {
    alerts.rows.clear();
    alerts.beats.clear();
    alerts.broken.clear();
    alerts.conditions.clear();
    alerts.rules = 0;
    for rule in rules {
        if let Health::Err(error) = &rule.health {
            alerts.broken.push((clean(&rule.name), clean(error)));
        }
        let RuleKind::Alerting {
            for_ms,
            alerts: active,
            ..
        } = &rule.kind
        else {
            continue;
        };
        alerts.rules += 1;
        let condition = comparison(&rule.expr);
        let text = condition.as_ref().map_or("", |(text, _)| text);
        let (beats, active): (Vec<_>, Vec<_>) = active.iter().partition(|alert| is_beat(alert));
        alerts.beats.extend(beats.iter().map(|_| clean(&rule.name)));
        let room = ROW_LIMIT.saturating_sub(alerts.rows.len());
        let rows = active
            .into_iter()
            .take(room)
            .map(|alert| row(rule, alert, *for_ms, text));
        alerts.rows.extend(rows);
        if let Some(condition) = condition {
            alerts.conditions.insert(clean(&rule.name), condition);
        }
    }
    alerts.rows.sort_by(|a, b| {
        let rank = |row: &AlertRow| (row.state != AlertState::Firing, severity(row));
        rank(a)
            .cmp(&rank(b))
            .then_with(|| a.active_at_ms.cmp(&b.active_at_ms))
            .then_with(|| a.name.cmp(&b.name))
            .then_with(|| a.labels.cmp(&b.labels))
    });
}

/// Says whether an alert fires as long as alerting works.
fn is_beat(alert: &Alert) -> bool {
    alert.labels.get("obs_tui_expect") == Some("always")
}

fn severity(row: &AlertRow) -> u8 {
    match row.severity.as_str() {
        "critical" | "page" => 0,
        "error" | "high" => 1,
        "warning" | "warn" | "ticket" => 2,
        _ => 3,
    }
}

fn row(rule: &Rule, alert: &Alert, for_ms: i64, condition: &str) -> AlertRow {
    let label = |name: &str| alert.labels.get(name).map(clean).unwrap_or_default();
    let note = |name: &str| {
        alert
            .annotations
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| clean(value))
            .unwrap_or_default()
    };
    AlertRow {
        name: clean(&rule.name),
        severity: label("severity"),
        labels: write_labels(
            &alert.labels,
            &["alertname", "severity", "obs_tui_expect", "__name__"],
        ),
        state: alert.state,
        active_at_ms: alert.active_at_ms,
        firing_at_ms: (alert.state == AlertState::Firing).then_some(alert.active_at_ms + for_ms),
        for_ms,
        value: alert.value,
        condition: clean(condition),
        expr: clean(&rule.expr),
        summary: note("summary"),
        description: note("description"),
        runbook: note("runbook_url"),
    }
}

/// Compares the rows with the spans that are open, and writes down what changed.
fn track(alerts: &mut Alerts, events: &mut EventLog, at_ms: i64) {
    let keys: Vec<String> = alerts.rows.iter().map(AlertRow::key).collect();
    for span in alerts.spans.iter_mut().filter(|span| span.end_ms.is_none()) {
        if keys.contains(&span.key) {
            continue;
        }
        span.end_ms = Some(at_ms);
        let (kind, word) = match span.firing_ms {
            Some(_) => (EventKind::Resolved, "resolved"),
            None => (EventKind::Info, "no longer pending"),
        };
        events.push(at_ms, kind, format!("{} {word}", span.name));
    }
    for (row, key) in alerts.rows.iter().zip(keys) {
        let open = |span: &&mut AlertSpan| span.end_ms.is_none() && span.key == key;
        let known = alerts.spans.iter_mut().rev().find(open);
        let firing_ms = row.firing_at_ms.map(|firing_ms| firing_ms.min(at_ms));
        if let Some(span) = known {
            if let (None, Some(firing_ms)) = (span.firing_ms, firing_ms) {
                span.firing_ms = Some(firing_ms);
                events.push(firing_ms, EventKind::Firing, format!("{} FIRING", row.name));
            }
            continue;
        }
        let span = AlertSpan {
            key,
            name: row.name.clone(),
            pending_ms: row.active_at_ms,
            firing_ms,
            end_ms: None,
        };
        if !push_span(&mut alerts.spans, span, |span| span.end_ms.is_some()) {
            continue;
        }
        if row.for_ms > 0 {
            let text = format!("{} pending", row.name);
            events.push(row.active_at_ms, EventKind::Pending, text);
        }
        if let Some(firing_ms) = firing_ms {
            events.push(firing_ms, EventKind::Firing, format!("{} FIRING", row.name));
        }
    }
}
