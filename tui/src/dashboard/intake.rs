//! What answers do to the model. Every text that comes in is cleaned here, once.

mod alerts;
mod faults;
mod run;

pub(crate) use alerts::rules;
pub(crate) use faults::faults;
pub(crate) use run::run;

use super::model::Model;
use super::panel::{Panel, Request, Track};
use super::tables::EventKind;
use super::text::clean;
use promql::labels::Labels;
use promql::value::{Sample, Series, is_stale};
use signals::{Answer, SourceError};

/// The most series a panel keeps; a chart with more cannot be read.
const TRACK_LIMIT: usize = 12;

/// A source that has just come up is asked this often for its first samples, this many times.
const EAGER_MS: i64 = 250;
const EAGER_ANSWERS: u32 = 20;

/// Takes in the answer to a panel's query.
pub(crate) fn series(
    model: &mut Model,
    index: usize,
    request: u64,
    result: Result<Answer<Vec<Series>>, SourceError>,
) {
    let now_ms = model.now_ms;
    let refresh_ms = model.config.refresh_ms;
    let Some(panel) = model.panels.get_mut(index) else {
        return;
    };
    let Some(asked) = panel.request.take_if(|asked| asked.id == request) else {
        return;
    };
    model.dirty = true;
    match result {
        Ok(answer) => {
            panel.answered_ms = Some(now_ms);
            panel.error = None;
            panel.notes = answer.notes.iter().map(|note| clean(note)).collect();
            let at_ms = answer.at_ms;
            merge(panel, &asked, answer.value);
            let eager = panel.tracks.is_empty() && panel.empty_answers < EAGER_ANSWERS;
            panel.empty_answers += u32::from(eager);
            let pause_ms = if eager {
                EAGER_MS.min(refresh_ms)
            } else {
                refresh_ms
            };
            panel.fetch.answered(now_ms, pause_ms);
            source_spoke(model, at_ms);
        }
        Err(error) => {
            panel.fetch.failed(now_ms, request);
            panel.error = Some((clean(&error.to_string()), clean(&in_short(&error))));
            source_failed(model, &error);
        }
    }
}

fn merge(panel: &mut Panel, asked: &Request, series: Vec<Series>) {
    let mut tracks = if asked.replaces {
        Vec::new()
    } else {
        std::mem::take(&mut panel.tracks)
    };
    for track in &mut tracks {
        let keep = track
            .samples
            .partition_point(|sample| sample.t_ms < asked.range.start_ms);
        track.samples.truncate(keep);
    }
    panel.more_tracks = 0;
    for one in series {
        let name = clean(&one.labels.to_string());
        let samples = one.samples.into_iter().filter(|s| !is_stale(s.value));
        match tracks.iter().position(|track| track.name == name) {
            Some(known) => tracks[known].samples.extend(samples),
            None if tracks.len() < TRACK_LIMIT => tracks.push(Track {
                name,
                samples: samples.collect(),
            }),
            None => panel.more_tracks += 1,
        }
    }
    let mut range = asked.range;
    if let (false, Some((_, covered))) = (asked.replaces, &panel.covered) {
        let length_ms = covered.end_ms - covered.start_ms;
        range.start_ms = covered.start_ms.max(range.end_ms - length_ms);
    }
    for track in &mut tracks {
        trim(&mut track.samples, range.start_ms);
    }
    tracks.retain(|track| !track.samples.is_empty());
    panel.covered = Some((asked.expr.clone(), range));
    panel.tracks = tracks;
}

fn trim(samples: &mut Vec<Sample>, start_ms: i64) {
    let old = samples.partition_point(|sample| sample.t_ms < start_ms);
    samples.drain(..old);
}

/// Says why in a few words; which server it was stands elsewhere on the screen.
fn in_short(error: &SourceError) -> String {
    match error {
        SourceError::Unreachable { cause, .. } => cause.clone(),
        SourceError::Timeout { timeout_ms, .. } => format!("no answer within {timeout_ms} ms"),
        SourceError::Refused { status, .. } => format!("refused with {status}"),
        SourceError::BadQuery { message, .. } | SourceError::BadAnswer { message, .. } => {
            message.clone()
        }
        SourceError::NotOffered { what, .. } => format!("{what} is not offered"),
        other => other.to_string(),
    }
}

/// Notes that the source answered.
fn source_spoke(model: &mut Model, at_ms: i64) {
    let newest = model.source.data_at_ms.map_or(at_ms, |old| old.max(at_ms));
    model.source.data_at_ms = Some(newest);
    if model.source.error.take().is_some() {
        let text = format!("{} answers again", model.source.name);
        model.events.push(model.now_ms, EventKind::Good, text);
    }
}

/// Notes that the source did not; a wrong query is not its fault.
fn source_failed(model: &mut Model, error: &SourceError) {
    if matches!(
        error,
        SourceError::BadQuery { .. } | SourceError::NotOffered { .. }
    ) {
        return;
    }
    let text = clean(&error.to_string());
    if model.source.error.is_none() {
        model
            .events
            .push(model.now_ms, EventKind::Error, text.clone());
    }
    model.source.error = Some(text);
}

/// Takes in whether the Alertmanager is there.
pub(crate) fn alertmanager(model: &mut Model, result: Result<(), String>) {
    let now_ms = model.now_ms;
    let refresh_ms = model.config.refresh_ms.max(5_000);
    let Some((state, fetch)) = &mut model.alertmanager else {
        return;
    };
    let before = state.error.clone();
    match result {
        Ok(()) => {
            fetch.answered(now_ms, refresh_ms);
            state.data_at_ms = Some(now_ms);
            state.error = None;
        }
        Err(error) => {
            fetch.failed(now_ms, 1);
            state.error = Some(clean(&error));
        }
    }
    if before.is_some() == state.error.is_some() {
        return;
    }
    model.dirty = true;
    let (kind, text) = match &state.error {
        Some(error) => (EventKind::Error, format!("Alertmanager: {error}")),
        None => (EventKind::Good, "the Alertmanager answers again".to_owned()),
    };
    model.events.push(now_ms, kind, text);
}

/// Writes labels without those named, `service=payments path=/x`.
fn write_labels(labels: &Labels, without: &[&str]) -> String {
    let mut out = String::new();
    for (name, value) in labels.iter() {
        if without.contains(&name) {
            continue;
        }
        if !out.is_empty() {
            out.push(' ');
        }
        out.push_str(&clean(name));
        out.push('=');
        out.push_str(&clean(value));
    }
    clean(&out)
}
