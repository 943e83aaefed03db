//! What a run would do, without doing it: the timeline (`explain`) and every control call
//! (`--dry-run`). Pure functions of the playbook.

use std::fmt::Write;

use serde_json::Value;

use crate::playbook::{Action, Condition, OnTimeout, Playbook, ProbeMode, WaitState};
use crate::sanitise;
use crate::span;

/// Returns the timeline a run would follow, one line a moment.
pub fn timeline(playbook: &Playbook) -> String {
    let mut out = String::new();
    let mut line = |text: String| {
        out.push_str(sanitise::line(&text).trim_end());
        out.push('\n');
    };
    line(format!("{}: {}", playbook.name, playbook.title));
    if !playbook.description.is_empty() {
        line(playbook.description.clone());
    }
    for (name, value) in &playbook.vars {
        line(format!("  {name} = {value}"));
    }
    line(String::new());
    line("  before   preflight: targets, rules and queries".to_owned());
    for probe in &playbook.steady_state.probes {
        let mode = match probe.mode {
            ProbeMode::Edges => "",
            ProbeMode::Continuous => ", all the time",
        };
        line(format!(
            "  before   {} must be {} within {}{mode}: {}",
            probe.name,
            probe.tolerance,
            span(playbook.steady_state.warm_up_ms),
            probe.query.text
        ));
    }
    for text in method(playbook) {
        line(text);
    }
    for text in afterwards(playbook) {
        line(text);
    }
    out
}

fn method(playbook: &Playbook) -> Vec<String> {
    let mut lines = Vec::new();
    let mut at_ms = 0;
    let mut waited = "";
    for step in &playbook.method {
        let at = format!("{waited}+{}", span(at_ms));
        match &step.action {
            Action::Fault(fault) => lines.push(format!(
                "  {at:<8} {}: {} for {} (lease {}, ends {waited}+{})",
                step.name,
                fault.injection.summary(),
                span(fault.for_ms),
                span(fault.lease_ms),
                span(at_ms + fault.for_ms)
            )),
            Action::Pause { for_ms } => {
                lines.push(format!(
                    "  {at:<8} {}: nothing for {}",
                    step.name,
                    span(*for_ms)
                ));
                at_ms += for_ms;
            }
            Action::WaitFor(wait) => {
                let what = condition(&wait.condition);
                let then = match wait.on_timeout {
                    OnTimeout::Fail => "fails and stops the method",
                    OnTimeout::Skip => "skips the rest of the method",
                    OnTimeout::RunAnyway => "goes on",
                };
                let limit = span(wait.timeout_ms);
                lines.push(format!(
                    "  {at:<8} waits up to {limit} until {what}, else {then}"
                ));
                // How long it takes is not known; what follows is told from its end.
                at_ms = 0;
                waited = "wait ";
            }
        }
    }
    lines
}

fn condition(condition: &Condition) -> String {
    match condition {
        Condition::Alert { pattern, state } => {
            let state = match state {
                WaitState::Pending => "pending",
                WaitState::Firing => "firing",
                WaitState::Inactive => "inactive",
            };
            format!("{pattern} is {state}")
        }
        Condition::Query { query, comparator } => format!("`{}` is {comparator}", query.text),
    }
}

fn afterwards(playbook: &Playbook) -> Vec<String> {
    let mut lines =
        vec!["  end      all faults of the run are withdrawn, and that is read back".to_owned()];
    for probe in &playbook.steady_state.probes {
        lines.push(format!(
            "  after    {} must be {} again",
            probe.name, probe.tolerance
        ));
    }
    for expected in &playbook.expect_alerts {
        let from = match expected.after.and_then(|index| playbook.method.get(index)) {
            Some(step) => format!("the start of {}", step.name),
            None => "the first fault".to_owned(),
        };
        let mut text = format!(
            "  judged   {} must show within {} of {from}",
            expected.pattern,
            span(expected.within_ms)
        );
        if let Some(ms) = expected.resolve_within_ms {
            let _ = write!(text, ", and be gone within {} of the end", span(ms));
        }
        lines.push(text);
    }
    for pattern in &playbook.must_not_fire {
        lines.push(format!("  judged   {pattern} must not fire"));
    }
    for guard in &playbook.abort_conditions {
        lines.push(format!(
            "  guard    {} stops the run when `{}` is {} for {}",
            guard.name,
            guard.query.text,
            guard.comparator,
            span(guard.for_ms)
        ));
    }
    lines.push(format!(
        "  limit    {} for everything",
        span(playbook.deadline_ms)
    ));
    lines
}

/// A request to a control API that a run would make.
#[derive(Debug, Clone, PartialEq)]
pub struct Call {
    /// The step it belongs to; none for recovery.
    pub step: Option<String>,
    /// `PUT`, `POST`, `DELETE` or `GET`.
    pub method: &'static str,
    /// Path and query, without host.
    pub path: String,
    /// The body.
    pub body: Option<Value>,
    /// When and where, in a few words.
    pub note: String,
}

/// Returns every control call of a run by that name, in order.
pub fn calls(playbook: &Playbook, run_id: &str, seed: u64) -> Vec<Call> {
    let orders = crate::run::orders(playbook, run_id, seed);
    let call = |step: Option<&str>, method, path: String, body, note: &str| Call {
        step: step.map(str::to_owned),
        method,
        path,
        body,
        note: note.to_owned(),
    };
    let mut calls = vec![call(
        None,
        "GET",
        "/faults".to_owned(),
        None,
        "preflight, every target",
    )];
    for (step, order) in &orders {
        let served = match order.injection.service() {
            Some(service) => format!(
                "every target that serves {} on {service}",
                order.injection.kind()
            ),
            None => format!("every target that serves {}", order.injection.kind()),
        };
        let path = format!("/faults/{}", order.id);
        let body = Some(order.request().to_value());
        calls.push(call(Some(step), "PUT", path.clone(), body, &served));
        let note = format!("each {} while it lives", span(order.lease_ms / 3));
        let path = format!("{path}/renew?owner={run_id}");
        calls.push(call(Some(step), "POST", path, None, &note));
    }
    for (_, order) in &orders {
        let path = format!("/faults/{}?owner={run_id}", order.id);
        calls.push(call(None, "DELETE", path, None, "recovery"));
    }
    if !orders.is_empty() {
        calls.push(call(
            None,
            "GET",
            "/faults".to_owned(),
            None,
            "recovery is read back",
        ));
    }
    calls
}

/// Returns the calls as text, one a line, bodies as JSON.
pub fn dry_run(calls: &[Call]) -> String {
    let mut out = String::new();
    for call in calls {
        let body = call.body.as_ref().map(Value::to_string).unwrap_or_default();
        let text = format!("{:<6} {} {body}", call.method, call.path);
        let _ = writeln!(
            out,
            "{}  # {}",
            sanitise::line(text.trim_end()),
            sanitise::line(&call.note)
        );
    }
    out
}
