//! What happens in a run, in a few words: the progress lines of `run` and of the dashboard.

use chaos::EventKind;
use chaos::event::AlertPhase;
use chaos::verdict::CheckStatus;

/// Returns the words for an event, if it is worth a line while the run goes on.
pub(crate) fn words(event: &EventKind) -> Option<String> {
    match event {
        EventKind::RunStarted(started) => Some(format!("{}: {}", started.playbook, started.title)),
        EventKind::FaultArmed(armed) => Some(format!(
            "fault start: {} for {}",
            armed.summary,
            chaos::span(armed.for_ms)
        )),
        EventKind::FaultEnded(ended) => Some(format!(
            "fault end: {}, hit {} of {}",
            ended.reason.words(),
            ended.injected,
            ended.evaluated
        )),
        EventKind::Alert { labels, state } => {
            let name = labels.get("alertname").map_or("?", String::as_str);
            let service = labels.get("service").map(|service| format!(" ({service})"));
            let word = match state {
                AlertPhase::Resolved => "resolved",
                AlertPhase::Pending => "pending",
                AlertPhase::Firing => "firing",
            };
            Some(format!("{name}{} {word}", service.unwrap_or_default()))
        }
        EventKind::StepEnded {
            name,
            status: CheckStatus::Fail | CheckStatus::Error,
            detail,
            ..
        } => Some(format!("{name}: {detail}")),
        EventKind::Aborted { name, detail } => Some(format!("aborted by {name}: {detail}")),
        EventKind::Cancelled { at_once: true } => {
            Some("left at once; the leases end the faults".to_owned())
        }
        EventKind::Cancelled { at_once: false } => Some("stopping".to_owned()),
        EventKind::Note { text } => Some(text.clone()),
        EventKind::Verdict(outcome) => Some(format!("verdict: {}", outcome.exit.meaning())),
        EventKind::Phase { .. }
        | EventKind::Probe(_)
        | EventKind::StepStarted { .. }
        | EventKind::StepEnded { .. }
        | EventKind::AlertSpan(_)
        | EventKind::Series(_)
        | EventKind::Check(_)
        | EventKind::Detection(_) => None,
    }
}
