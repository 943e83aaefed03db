//! The JSON document of a run (`--json`).

use serde_json::{Value, json};

use super::Digest;
use crate::detection::Detection;
use crate::event::{Event, EventKind};

/// Returns one document. Without a verdict, as after a crash, `status` is null.
pub fn json(events: &[Event]) -> Value {
    let digest = Digest::of(events);
    let verdict = digest.verdict;
    let notes = events.iter().filter_map(|event| match &event.kind {
        EventKind::Note { text } => Some(json!({ "t_ms": event.t_ms, "text": text })),
        _ => None,
    });
    json!({
        "playbook": digest.started.map(|s| &s.playbook),
        "title": digest.started.map(|s| &s.title),
        "run_id": digest.started.map(|s| &s.run_id),
        "source": digest.started.map(|s| &s.source),
        "targets": digest.started.map(|s| &s.targets),
        "vars": digest.started.map(|s| &s.vars),
        "seed": digest.started.map(|s| s.seed),
        "started_ms": digest.began_ms,
        "ended_ms": digest.ended_ms,
        "status": verdict.map(|v| v.status),
        "deviated": verdict.map(|v| v.deviated),
        "exit": verdict.map(|v| v.exit),
        "checks": digest.checks,
        "faults": faults(&digest),
        "alerts": digest.spans,
        "detections": verdict
            .map(|v| v.detections.iter().map(detection).collect::<Vec<_>>())
            .unwrap_or_default(),
        "unexpected": verdict.map(|v| v.unexpected.clone()).unwrap_or_default(),
        "notes": notes.collect::<Vec<_>>(),
    })
}

fn faults(digest: &Digest<'_>) -> Vec<Value> {
    let faults = digest.armed.iter().map(|armed| {
        let mut ended = digest.ended.iter();
        let end = ended.find(|end| end.id == armed.id && end.target == armed.target);
        json!({
            "id": armed.id,
            "step": armed.name,
            "kind": armed.kind,
            "summary": armed.summary,
            "target": armed.target,
            "service": armed.service,
            "start_ms": armed.start_ms,
            "end_ms": end.map(|end| end.end_ms),
            "reason": end.map(|end| end.reason),
            "evaluated": end.map(|end| end.evaluated),
            "injected": end.map(|end| end.injected),
        })
    });
    faults.collect()
}

fn detection(detection: &Detection) -> Value {
    let [moves, pending, firing] = detection.legs_ms();
    json!({
        "alert": detection.alert,
        "moved_probe": detection.moved_probe,
        "fault_start_ms": detection.origin_ms,
        "metric_moves_ms": detection.moves_ms,
        "pending_ms": detection.pending_ms,
        "firing_ms": detection.firing_ms,
        "withdrawn_ms": detection.withdrawn_ms,
        "resolved_ms": detection.resolved_ms,
        "fault_to_metric_ms": moves,
        "metric_to_pending_ms": pending,
        "pending_to_firing_ms": firing,
        "time_to_detect_ms": detection.time_to_detect_ms(),
        "time_to_resolve_ms": detection.time_to_resolve_ms(),
    })
}
