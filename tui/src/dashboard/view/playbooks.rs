//! The playbooks that can be started; while a run is on, or has just ended, the run.

use super::paint::{boxed, cut, highlight, paragraph, put, row, spread, window};
use super::run;
use crate::dashboard::format::span;
use crate::dashboard::model::{Focus, Model};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

/// Rows kept for what the selected playbook breaks.
const ABOUT: usize = 2;

/// Returns how many rows the section would like, border included.
pub(super) fn wanted(model: &Model) -> u16 {
    match &model.run {
        Some(run) => run::wanted(run),
        None => (model.playbooks.len().max(1) + ABOUT).min(60) as u16 + 2,
    }
}

pub(super) fn render(model: &Model, area: Rect, buffer: &mut Buffer) {
    if let Some(state) = &model.run {
        return run::render(model, state, area, buffer);
    }
    let theme = &model.config.theme;
    let focused = model.focus == Focus::Playbooks;
    let title = Line::styled("Playbooks", theme.title);
    let inner = boxed(buffer, area, title, focused, theme);
    if inner.is_empty() {
        return;
    }
    if model.playbooks.is_empty() {
        put(buffer, inner, "no playbooks", theme.dim);
        return;
    }
    let selected = model.selection(Focus::Playbooks);
    let height = usize::from(inner.height);
    let list = if height >= model.playbooks.len().min(3) + ABOUT {
        height - ABOUT
    } else {
        height
    };
    let names = model.playbooks.iter().map(|one| one.name.len()).max();
    let names = names.unwrap_or(0).min(usize::from(inner.width) / 2);
    for (y, index) in window(selected, model.playbooks.len(), list).enumerate() {
        let playbook = &model.playbooks[index];
        let area = row(inner, y);
        let cursor = if index == selected {
            theme.glyphs.cursor
        } else {
            " "
        };
        let about = format!("~{}", span(playbook.about_ms));
        let room = usize::from(area.width).saturating_sub(names + about.len() + 5);
        let left = Line::from(vec![
            Span::styled(cursor, theme.focus),
            Span::styled(format!(" {:names$}  ", playbook.name), theme.text),
            Span::styled(cut(&playbook.title, room, theme), theme.dim),
        ]);
        spread(buffer, area, &left, &Line::styled(about, theme.dim));
        if focused && index == selected {
            highlight(buffer, area, theme.selected);
        }
    }
    if list < height {
        let shown = list.min(model.playbooks.len());
        let about = Rect {
            x: inner.x + 2,
            y: inner.y + shown as u16,
            width: inner.width.saturating_sub(2),
            height: (height - shown).min(ABOUT) as u16,
        };
        let breaks = model.playbooks[selected].breaks.join("; ");
        let text = if breaks.is_empty() {
            "breaks nothing".to_owned()
        } else {
            format!("breaks: {breaks}")
        };
        let text = cut(&text, usize::from(about.width) * ABOUT - 4, theme);
        paragraph(buffer, about, &text, theme.fault);
    }
}
