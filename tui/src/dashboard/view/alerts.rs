//! The alerts: what fires, what is about to, and whether anyone would notice.

use super::paint::{bar, boxed, cut, highlight, paragraph, put, row, spread, window};
use crate::dashboard::format::{Unit, age, span};
use crate::dashboard::model::{Focus, Model};
use crate::dashboard::tables::AlertRow;
use crate::dashboard::theme::Theme;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use signals::source::AlertState;

/// Rows per alert.
const TALL: usize = 2;

/// Returns how many rows the section would like, border included.
pub(super) fn wanted(model: &Model) -> u16 {
    let list = match model.alerts.rows.len() {
        0 => 2,
        count => count * TALL,
    };
    let extra = model.alerts.beats.len().min(1) + model.alerts.broken.len().min(2);
    (list + extra).min(60) as u16 + 2
}

pub(super) fn render(model: &Model, area: Rect, buffer: &mut Buffer) {
    let theme = &model.config.theme;
    let focused = model.focus == Focus::Alerts;
    let inner = boxed(buffer, area, title(model), focused, theme);
    if inner.is_empty() {
        return;
    }
    if let Some(error) = &model.alerts.error {
        let text = format!("{} {error}", theme.glyphs.warning);
        paragraph(buffer, inner, &text, theme.warn);
        return;
    }
    let used = if model.alerts.rows.is_empty() {
        quiet(model, inner, buffer)
    } else {
        list(model, focused, inner, buffer)
    };
    let beats = model.alerts.beats.first().map(|name| {
        let text = format!("{} {name} fires, as it must", theme.glyphs.heart);
        (text, theme.good)
    });
    let broken = model.alerts.broken.iter().map(|(name, error)| {
        let text = format!("{} rule {name} fails: {error}", theme.glyphs.warning);
        (text, theme.warn)
    });
    for (place, (text, style)) in broken.chain(beats).enumerate() {
        put(buffer, row(inner, used + place), &text, style);
    }
}

fn title(model: &Model) -> Line<'static> {
    let theme = &model.config.theme;
    let mut spans = vec![Span::styled("Alerts", theme.title)];
    let firing = model.alerts.count(AlertState::Firing);
    let pending = model.alerts.count(AlertState::Pending);
    if firing > 0 {
        spans.push(Span::styled(format!("  {firing} firing"), theme.bad));
    }
    if pending > 0 {
        spans.push(Span::styled(format!("  {pending} pending"), theme.warn));
    }
    Line::from(spans)
}

/// Says that nothing fires, and what makes that believable.
fn quiet(model: &Model, area: Rect, buffer: &mut Buffer) -> usize {
    let theme = &model.config.theme;
    let Some(at_ms) = model.alerts.at_ms else {
        put(buffer, area, "asking for the rules …", theme.dim);
        return 1;
    };
    if model.alerts.rules == 0 {
        let text = "the source has no alerting rules, so nothing here can fire";
        return paragraph(buffer, area, text, theme.warn);
    }
    let text = format!("{} nothing fires, nothing is pending", theme.glyphs.step[2]);
    put(buffer, area, &text, theme.good);
    let told = age((model.now_ms - at_ms).max(0));
    let text = format!("{} alerting rules watch, {told} ago", model.alerts.rules);
    put(buffer, row(area, 1), &text, theme.dim);
    2
}

fn list(model: &Model, focused: bool, area: Rect, buffer: &mut Buffer) -> usize {
    let rows = &model.alerts.rows;
    let selected = model.selection(Focus::Alerts);
    let room = usize::from(area.height) / TALL;
    let mut y = 0;
    for index in window(selected, rows.len(), room) {
        alert(model, &rows[index], row(area, y), row(area, y + 1), buffer);
        if focused && index == selected {
            highlight(buffer, row(area, y), model.config.theme.selected);
        }
        y += TALL;
    }
    y
}

fn alert(model: &Model, alert: &AlertRow, first: Rect, second: Rect, buffer: &mut Buffer) {
    let theme = &model.config.theme;
    let (glyph, word, style) = look(alert, theme);
    let state = format!("{word} {}", when(alert, model.now_ms));
    let room = usize::from(first.width).saturating_sub(state.chars().count() + 3);
    let left = Line::from(vec![
        Span::styled(format!("{glyph} "), style),
        Span::styled(cut(&alert.name, room, theme), theme.title),
    ]);
    spread(buffer, first, &left, &Line::styled(state, style));
    let details = details(alert, theme);
    let body = Rect {
        x: second.x + 2,
        width: second.width.saturating_sub(2),
        ..second
    };
    if alert.state == AlertState::Pending && alert.for_ms > 0 && body.width > 24 {
        let gone = model.now_ms - alert.active_at_ms;
        let (full, empty) = bar(gone as f64 / alert.for_ms as f64, 8, theme);
        let text = cut(&details, usize::from(body.width) - 9, theme);
        let line = Line::from(vec![
            Span::styled(full, theme.warn),
            Span::styled(empty, theme.line),
            Span::styled(format!(" {text}"), theme.dim),
        ]);
        buffer.set_line(body.x, body.y, &line, body.width);
    } else {
        let text = cut(&details, usize::from(body.width), theme);
        put(buffer, body, &text, theme.dim);
    }
}

/// Returns glyph, word and style of an alert's state.
pub(super) fn look(alert: &AlertRow, theme: &Theme) -> (&'static str, &'static str, Style) {
    let [pending, firing] = theme.glyphs.alert;
    match alert.state {
        AlertState::Firing => (firing, "FIRING", theme.bad),
        AlertState::Pending => (pending, "PENDING", theme.warn),
    }
}

/// Returns how long it has fired, or how far its pending time has come.
pub(super) fn when(alert: &AlertRow, now_ms: i64) -> String {
    match (alert.state, alert.firing_at_ms) {
        (AlertState::Firing, Some(since_ms)) => span(now_ms - since_ms),
        _ if alert.for_ms > 0 => {
            let gone = (now_ms - alert.active_at_ms).clamp(0, alert.for_ms);
            format!("{}/{}", span(gone), span(alert.for_ms))
        }
        _ => span(now_ms - alert.active_at_ms),
    }
}

fn details(alert: &AlertRow, theme: &Theme) -> String {
    let dot = format!(" {} ", theme.glyphs.dot);
    let value = format!("{} {}", Unit::Plain.format(alert.value), alert.condition);
    [value.trim_end(), &alert.severity, &alert.labels]
        .into_iter()
        .filter(|part| !part.is_empty())
        .collect::<Vec<_>>()
        .join(&dot)
}

/// Returns all alerts in one line, for the screens that have only that.
pub(super) fn in_one_line(model: &Model) -> Line<'static> {
    let theme = &model.config.theme;
    if let Some(error) = &model.alerts.error {
        return Line::styled(format!("{} {error}", theme.glyphs.warning), theme.warn);
    }
    let mut spans = Vec::new();
    for alert in model.alerts.rows.iter().take(8) {
        let (glyph, word, style) = look(alert, theme);
        spans.push(Span::styled(format!("{glyph} {} ", alert.name), style));
        let text = format!("{word} {}   ", when(alert, model.now_ms));
        spans.push(Span::styled(text, style));
    }
    if !spans.is_empty() {
        return Line::from(spans);
    }
    match (model.alerts.at_ms, model.alerts.rules) {
        (None, _) => Line::styled("asking for the rules …", theme.dim),
        (Some(_), 0) => Line::styled("the source has no alerting rules", theme.warn),
        (Some(_), rules) => {
            let ok = theme.glyphs.step[2];
            Line::styled(
                format!("{ok} nothing fires, {rules} rules watch"),
                theme.good,
            )
        }
    }
}
