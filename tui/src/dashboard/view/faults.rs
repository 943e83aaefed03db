//! The faults: what is broken on purpose, where, how much, and for how long still.

use super::paint::{boxed, cut, highlight, paragraph, put, row, spread, window};
use crate::dashboard::format::span;
use crate::dashboard::model::{Focus, Model};
use crate::dashboard::tables::FaultRow;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

/// Rows per fault.
const TALL: usize = 2;

/// Returns how many rows the section would like, border included.
pub(super) fn wanted(model: &Model) -> u16 {
    let list = (model.faults.rows.len() * TALL).max(1);
    (list + model.faults.errors.len()).min(60) as u16 + 2
}

pub(super) fn render(model: &Model, area: Rect, buffer: &mut Buffer) {
    let theme = &model.config.theme;
    let focused = model.focus == Focus::Faults;
    let mut title = vec![Span::styled("Faults", theme.title)];
    if !model.faults.rows.is_empty() {
        let text = format!("  {} active", model.faults.rows.len());
        title.push(Span::styled(text, theme.fault));
    }
    let inner = boxed(buffer, area, Line::from(title), focused, theme);
    if inner.is_empty() {
        return;
    }
    let mut y = 0;
    for (target, error) in &model.faults.errors {
        let text = format!("{} {target}: {error}", theme.glyphs.warning);
        put(buffer, row(inner, y), &text, theme.warn);
        y += 1;
    }
    if model.faults.rows.is_empty() {
        let rest = Rect {
            y: inner.y + y as u16,
            height: inner.height.saturating_sub(y as u16),
            ..inner
        };
        paragraph(buffer, rest, nothing(model), theme.dim);
        return;
    }
    let selected = model.selection(Focus::Faults);
    let room = (usize::from(inner.height) - y.min(usize::from(inner.height))) / TALL;
    for index in window(selected, model.faults.rows.len(), room) {
        let fault = &model.faults.rows[index];
        draw(model, fault, row(inner, y), row(inner, y + 1), buffer);
        if focused && index == selected {
            highlight(buffer, row(inner, y), theme.selected);
        }
        y += TALL;
    }
}

fn nothing(model: &Model) -> &'static str {
    if model.config.fault_targets.is_empty() {
        "no fault target: attach one with --fault URL"
    } else if !model.faults.errors.is_empty() {
        "what is broken there is not known"
    } else if model.faults.answered {
        "nothing is broken"
    } else {
        "asking the fault targets …"
    }
}

fn draw(model: &Model, fault: &FaultRow, first: Rect, second: Rect, buffer: &mut Buffer) {
    let theme = &model.config.theme;
    let view = &fault.view;
    let left_over = fault
        .remaining_ms(model.now_ms)
        .map_or_else(String::new, |ms| format!("{} left", span(ms)));
    let what = [&view.kind, &view.what, &view.share]
        .into_iter()
        .filter(|part| !part.is_empty())
        .cloned()
        .collect::<Vec<_>>()
        .join(" ");
    let left = Line::from(vec![
        Span::styled(format!("{} ", theme.glyphs.fault[0]), theme.fault),
        Span::styled(what, theme.title),
        Span::styled(format!("  {}", view.id), theme.dim),
    ]);
    spread(buffer, first, &left, &Line::styled(left_over, theme.fault));
    let counts = format!("{} of {} hit", view.injected, view.evaluated);
    // A fault that hits nothing proves nothing.
    let style = if view.injected == 0 && model.now_ms - fault.since_ms > 5_000 {
        theme.warn
    } else {
        theme.dim
    };
    let place = if view.place.is_empty() {
        "everywhere"
    } else {
        &view.place
    };
    let body = Rect {
        x: second.x + 2,
        width: second.width.saturating_sub(2),
        ..second
    };
    let room = usize::from(body.width).saturating_sub(counts.len() + 1);
    let place = Line::styled(cut(place, room, theme), theme.dim);
    spread(buffer, body, &place, &Line::styled(counts, style));
}

/// Returns all faults in one line, for the screens that have only that.
pub(super) fn in_one_line(model: &Model) -> Line<'static> {
    let theme = &model.config.theme;
    if let Some((target, error)) = model.faults.errors.first_key_value() {
        let text = format!("{} {target}: {error}", theme.glyphs.warning);
        return Line::styled(text, theme.warn);
    }
    if model.faults.rows.is_empty() {
        return Line::styled(nothing(model), theme.dim);
    }
    let mut spans = Vec::new();
    for fault in model.faults.rows.iter().take(6) {
        let view = &fault.view;
        let left_over = fault
            .remaining_ms(model.now_ms)
            .map_or_else(String::new, span);
        let glyph = theme.glyphs.fault[0];
        let text = format!("{glyph} {} {} {} ", view.kind, view.what, view.share);
        spans.push(Span::styled(text, theme.fault));
        let text = format!("{} {left_over} left   ", view.place);
        spans.push(Span::styled(text, theme.text));
    }
    Line::from(spans)
}
