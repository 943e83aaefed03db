//! The report of a run as plain text: timeline, checks, time to detect, verdict.

use std::fmt::Write;

use super::{Digest, alert_name};
use crate::detection::Detection;
use crate::event::{Event, EventKind};
use crate::sanitise;
use crate::verdict::{Check, CheckStatus, ExitCode, Outcome};

/// Whether words are coloured for a terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Style {
    /// No escape sequences at all.
    #[default]
    Plain,
    /// Verdict words in colour.
    Colour,
}

/// Returns the report, with a line break at its end. Nothing from outside reaches it unsanitised.
pub fn text(events: &[Event], style: Style) -> String {
    let digest = Digest::of(events);
    let mut out = String::new();
    head(&mut out, &digest);
    timeline(&mut out, events, &digest);
    checks(&mut out, &digest.checks, style);
    if let Some(outcome) = digest.verdict {
        detections(&mut out, &outcome.detections);
        for alert in &outcome.unexpected {
            line(&mut out, &format!("unexpected alert: {alert}"));
        }
        verdict(&mut out, outcome, style);
    } else {
        line(&mut out, "\nThe journal ends here: the run has no verdict.");
    }
    out
}

/// Appends one line; line breaks at its start are kept, everything else is sanitised.
fn line(out: &mut String, text: &str) {
    let rest = text.trim_start_matches('\n');
    out.push_str(&text[..text.len() - rest.len()]);
    out.push_str(sanitise::line(rest).trim_end());
    out.push('\n');
}

fn head(out: &mut String, digest: &Digest<'_>) {
    let Some(started) = digest.started else {
        return;
    };
    line(out, &format!("{}: {}", started.playbook, started.title));
    let mut about = format!("run {} · source {}", started.run_id, started.source);
    if !started.targets.is_empty() {
        let _ = write!(about, " · targets {}", started.targets.join(", "));
    }
    for (name, value) in &started.vars {
        let _ = write!(about, " · {name}={value}");
    }
    line(out, &about);
}

/// Moments from several sources, in the order of time and then of arrival.
fn timeline(out: &mut String, events: &[Event], digest: &Digest<'_>) {
    let mut moments: Vec<(i64, String)> = Vec::new();
    let mut add = |t_ms: i64, what: &str, detail: &str| {
        moments.push((t_ms, format!("{what:<15} {detail}")));
    };
    for event in events {
        match &event.kind {
            EventKind::Note { text } => add(event.t_ms, "note", text),
            EventKind::Aborted { name, detail } => {
                add(event.t_ms, "aborted", &format!("{name}: {detail}"));
            }
            EventKind::Cancelled { at_once } => {
                let how = if *at_once {
                    "left at once"
                } else {
                    "recovering"
                };
                add(event.t_ms, "interrupted", how);
            }
            EventKind::FaultArmed(armed) => {
                let detail = format!(
                    "{} → {} for {} ({})",
                    armed.summary,
                    armed.target,
                    crate::span(armed.for_ms),
                    armed.name
                );
                add(armed.start_ms, "fault start", &detail);
            }
            EventKind::FaultEnded(ended) => {
                let mut armed = digest.armed.iter();
                let armed = armed.find(|a| a.id == ended.id && a.target == ended.target);
                let detail = format!(
                    "{} → {} {}, hit {} of {}",
                    armed.map_or(&ended.id, |armed| &armed.summary),
                    ended.target,
                    ended.reason.words(),
                    ended.injected,
                    ended.evaluated
                );
                add(ended.end_ms, "fault end", &detail);
            }
            EventKind::Detection(found) => {
                if let (Some(t_ms), Some(probe)) = (found.moves_ms, &found.moved_probe) {
                    add(
                        t_ms,
                        "metric moves",
                        &format!("{probe} (for {})", found.alert),
                    );
                }
            }
            _ => {}
        }
    }
    for span in &digest.spans {
        let name = alert_name(&span.labels);
        let end = match span.firing_ms {
            Some(_) => "alert resolved",
            None => "alert cleared",
        };
        for (t_ms, what) in [
            (Some(span.pending_ms), "alert pending"),
            (span.firing_ms, "alert firing"),
            (span.resolved_ms, end),
        ] {
            // The series begin earlier than the run, at a moment that says nothing of the alert.
            if let Some(t_ms) = t_ms.filter(|t_ms| *t_ms >= digest.began_ms) {
                add(t_ms, what, &name);
            }
        }
    }
    moments.sort_by_key(|(t_ms, _)| *t_ms);
    if !moments.is_empty() {
        line(out, "\nTimeline");
    }
    for (t_ms, moment) in moments {
        line(
            out,
            &format!("  {} {moment}", offset(t_ms - digest.zero_ms())),
        );
    }
}

/// An offset in seconds with a sign, right-aligned: ` +12.3s`.
fn offset(ms: i64) -> String {
    let sign = if ms < 0 { '-' } else { '+' };
    let ms = ms.unsigned_abs();
    format!("{:>9}", format!("{sign}{}.{}s", ms / 1000, ms % 1000 / 100))
}

fn checks(out: &mut String, checks: &[&Check], style: Style) {
    if checks.is_empty() {
        return;
    }
    line(out, "\nChecks");
    let names = checks.iter().map(|check| check.name.chars().count());
    let width = names.max().unwrap_or_default().min(64);
    for check in checks {
        let rest = format!(
            " {:<13}  {:<width$}  {}",
            check.kind.words(),
            check.name,
            check.detail
        );
        let word = format!("{:<5}", check.status.word());
        out.push_str("  ");
        out.push_str(&coloured(&word, check.status, style));
        line(out, &rest);
    }
}

fn detections(out: &mut String, detections: &[Detection]) {
    let shown = |ms: Option<i64>| ms.map_or("–".to_owned(), crate::span);
    for (index, found) in detections.iter().enumerate() {
        if index == 0 {
            line(out, "\nTime to detect");
        }
        let [moves, pending, firing] = found.legs_ms();
        let mut text = format!(
            "  {}  fault → metric {} → pending {} → firing {} (total {})",
            found.alert,
            shown(moves),
            shown(pending),
            shown(firing),
            shown(found.time_to_detect_ms())
        );
        if let Some(ms) = found.time_to_resolve_ms() {
            let _ = write!(text, " · resolved {} after the fault", crate::span(ms));
        }
        line(out, &text);
    }
}

fn verdict(out: &mut String, outcome: &Outcome, style: Style) {
    let (word, status) = match outcome.exit {
        ExitCode::Pass => ("PASS", CheckStatus::Pass),
        ExitCode::Environment => ("ERROR", CheckStatus::Error),
        ExitCode::Interrupted => ("STOPPED", CheckStatus::Error),
        _ => ("FAIL", CheckStatus::Fail),
    };
    let deviated = if outcome.deviated { ", deviated" } else { "" };
    out.push('\n');
    out.push_str(&coloured(word, status, style));
    line(
        out,
        &format!(
            " {} {}{deviated} in {} (exit {}: {})",
            outcome.playbook,
            outcome.status.word(),
            crate::span(outcome.ended_ms - outcome.started_ms),
            outcome.exit.code(),
            outcome.exit.meaning()
        ),
    );
}

fn coloured(word: &str, status: CheckStatus, style: Style) -> String {
    if style == Style::Plain {
        return word.to_owned();
    }
    let colour = match status {
        CheckStatus::Pass => "32",
        CheckStatus::Fail => "31",
        CheckStatus::Error => "33",
        CheckStatus::NotApplicable => "2",
    };
    format!("\u{1b}[{colour}m{word}\u{1b}[0m")
}
