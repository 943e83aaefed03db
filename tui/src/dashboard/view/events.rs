//! The event log: faults, alerts, runs and servers in one order, the newest first.

use super::paint::{boxed, highlight, put, put_line, row, window};
use crate::dashboard::format::clock;
use crate::dashboard::model::{Focus, Model};
use crate::dashboard::tables::{Event, EventKind};
use crate::dashboard::theme::Theme;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

pub(super) fn render(model: &Model, area: Rect, buffer: &mut Buffer) {
    let theme = &model.config.theme;
    let focused = model.focus == Focus::Events;
    let title = Line::styled("Events", theme.title);
    let inner = boxed(buffer, area, title, focused, theme);
    if inner.is_empty() {
        return;
    }
    let events = &model.events.list;
    if events.is_empty() {
        put(buffer, inner, "nothing has happened yet", theme.dim);
        return;
    }
    let selected = model.selection(Focus::Events);
    let visible = window(selected, events.len(), usize::from(inner.height));
    for (y, index) in visible.enumerate() {
        let event = &events[events.len() - 1 - index];
        let area = row(inner, y);
        put_line(buffer, area, &line(model, event), theme);
        if focused && index == selected {
            highlight(buffer, area, theme.selected);
        }
    }
}

fn line(model: &Model, event: &Event) -> Line<'static> {
    let theme = &model.config.theme;
    let (glyph, style) = look(event.kind, theme);
    let text = match event.kind {
        EventKind::Firing | EventKind::Error | EventKind::FaultStart => theme.title,
        _ => theme.text,
    };
    Line::from(vec![
        Span::styled(clock(event.at_ms, &model.config.zone), theme.dim),
        Span::styled(format!(" {glyph} "), style),
        Span::styled(event.text.clone(), text),
    ])
}

fn look(kind: EventKind, theme: &Theme) -> (&'static str, Style) {
    let glyphs = theme.glyphs;
    match kind {
        EventKind::FaultStart => (glyphs.fault[0], theme.fault),
        EventKind::FaultEnd => (glyphs.fault[2], theme.fault),
        EventKind::Pending => (glyphs.alert[0], theme.warn),
        EventKind::Firing => (glyphs.alert[1], theme.bad),
        EventKind::Resolved | EventKind::Good => (glyphs.step[2], theme.good),
        EventKind::Run => (glyphs.step[1], theme.focus),
        EventKind::Info => (glyphs.dot, theme.dim),
        EventKind::Warning => (glyphs.warning, theme.warn),
        EventKind::Error => (glyphs.step[3], theme.bad),
    }
}
