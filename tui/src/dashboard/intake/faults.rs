//! Faults as they come in: rows, spans for the charts, events.

use crate::dashboard::model::Model;
use crate::dashboard::msg::FaultView;
use crate::dashboard::tables::{EventKind, FaultRow, Span, push_span};
use crate::dashboard::text::clean;

/// Takes in what one target says of its faults.
pub(crate) fn faults(model: &mut Model, target: &str, result: Result<Vec<FaultView>, String>) {
    let now_ms = model.now_ms;
    let list = match result {
        Ok(list) => list,
        Err(error) => return failed(model, target, &error),
    };
    model.faults.answered = true;
    model.faults.fetch.answered(now_ms, model.config.refresh_ms);
    if model.faults.errors.remove(target).is_some() {
        let text = format!("fault target {target} answers again");
        model.events.push(now_ms, EventKind::Good, text);
        model.dirty = true;
    }
    let (live, ended): (Vec<_>, Vec<_>) = list
        .into_iter()
        .map(cleaned)
        .partition(|view| view.ended.is_none());
    let was_empty = !model.faults.rows.iter().any(|row| row.target == target);
    model.dirty |= !(was_empty && live.is_empty());
    close_spans(model, target, &live, &ended);
    open_spans(model, target, &live);
    model.faults.rows.retain(|row| row.target != target);
    model
        .faults
        .rows
        .extend(live.into_iter().map(|view| FaultRow {
            target: target.to_owned(),
            since_ms: now_ms - view.age_ms,
            seen_ms: now_ms,
            view,
        }));
    model
        .faults
        .rows
        .sort_by(|a, b| (&a.target, &a.view.id).cmp(&(&b.target, &b.view.id)));
}

fn failed(model: &mut Model, target: &str, error: &str) {
    let error = clean(error);
    model.faults.fetch.failed(model.now_ms, 3);
    if !model.faults.errors.contains_key(target) {
        let text = format!("fault target {target}: {error}");
        model.events.push(model.now_ms, EventKind::Error, text);
    }
    model.faults.errors.insert(target.to_owned(), error);
    model.dirty = true;
}

fn cleaned(view: FaultView) -> FaultView {
    FaultView {
        id: clean(&view.id),
        kind: clean(&view.kind),
        what: clean(&view.what),
        place: clean(&view.place),
        share: clean(&view.share),
        owner: clean(&view.owner),
        reason: clean(&view.reason),
        ended: view.ended.map(|(why, ago)| (clean(&why), ago)),
        ..view
    }
}

fn key(target: &str, id: &str) -> String {
    format!("{target}/{id}")
}

fn close_spans(model: &mut Model, target: &str, live: &[FaultView], ended: &[FaultView]) {
    let now_ms = model.now_ms;
    let prefix = key(target, "");
    let events = &mut model.events;
    let spans = &mut model.faults.spans;
    for span in spans.iter_mut().filter(|span| span.end_ms.is_none()) {
        let Some(id) = span.key.strip_prefix(&prefix) else {
            continue;
        };
        if live.iter().any(|view| view.id == id) {
            continue;
        }
        let end = ended.iter().rev().find(|view| view.id == id);
        let (why, ago_ms) = end
            .and_then(|view| view.ended.clone())
            .unwrap_or_else(|| ("gone".to_owned(), None));
        let end_ms = (now_ms - ago_ms.unwrap_or(0)).clamp(span.start_ms, now_ms.max(span.start_ms));
        span.end_ms = Some(end_ms);
        events.push(end_ms, EventKind::FaultEnd, format!("fault {id} {why}"));
    }
}

fn open_spans(model: &mut Model, target: &str, live: &[FaultView]) {
    for view in live {
        let key = key(target, &view.id);
        let spans = &mut model.faults.spans;
        if spans
            .iter()
            .any(|span| span.end_ms.is_none() && span.key == key)
        {
            continue;
        }
        let start_ms = model.now_ms - view.age_ms;
        let what = [&view.kind, &view.what, &view.share]
            .into_iter()
            .filter(|part| !part.is_empty())
            .cloned()
            .collect::<Vec<_>>()
            .join(" ");
        let place = if view.place.is_empty() {
            String::new()
        } else {
            format!(" on {}", view.place)
        };
        let text = format!("fault {}: {what}{place}", view.id);
        let span = Span {
            key,
            label: what,
            start_ms,
            end_ms: None,
        };
        if push_span(spans, span, |span| span.end_ms.is_some()) {
            model.events.push(start_ms, EventKind::FaultStart, text);
        }
    }
}
