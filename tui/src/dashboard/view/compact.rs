//! The small screen: numbers and sparklines; the rest by focus.

use super::digits;
use super::paint::{put, put_line, row, spread};
use super::panel::{self, Reading, Threshold};
use super::{alerts, run, section};
use crate::dashboard::chart::{Plot, TimeScale};
use crate::dashboard::model::{Focus, Model};
use crate::dashboard::panel::{Panel, PanelState};
use crate::dashboard::theme::Marker;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

pub(super) fn render(model: &Model, area: Rect, buffer: &mut Buffer) {
    if model.focus != Focus::Charts {
        return section(model, model.focus, area, buffer);
    }
    let has_run = model.run.is_some() && area.height >= 10;
    let below = 1 + u16::from(has_run);
    let shown: Vec<(usize, &Panel)> = model
        .panels
        .iter()
        .enumerate()
        .filter(|(index, _)| !model.fullscreen || *index == model.selection(Focus::Charts))
        .collect();
    let count = shown.len().max(1) as u16;
    let room = area.height - below;
    let mut y = area.y;
    for (place, (index, one)) in shown.into_iter().enumerate() {
        let height = room / count + u16::from((place as u16) < room % count);
        draw(
            model,
            index,
            one,
            Rect::new(area.x, y, area.width, height),
            buffer,
        );
        y += height;
    }
    let line = Rect::new(area.x + 1, y, area.width - 1, 1);
    let theme = &model.config.theme;
    put_line(buffer, line, &alerts::in_one_line(model), theme);
    if has_run {
        let line = Rect { y: y + 1, ..line };
        put_line(buffer, line, &run::in_one_line(model), theme);
    }
}

fn draw(model: &Model, index: usize, one: &Panel, area: Rect, buffer: &mut Buffer) {
    let theme = &model.config.theme;
    let numbers = (area.width * 2 / 5).clamp(18, 26);
    let plot = Rect::new(
        area.x + numbers,
        area.y,
        area.width.saturating_sub(numbers + 1),
        area.height,
    );
    let scale = TimeScale::new(
        plot.width,
        theme.marker.dots().0 as u16,
        model.viewport.window_ms,
        model.end_ms(),
        model.step_ms(),
    );
    let threshold = panel::threshold(model, one);
    let reading = panel::reading(model, one, &scale);
    let left = Rect::new(area.x + 1, area.y, numbers - 2, area.height);
    draw_numbers(model, index, one, (reading, threshold), left, buffer);
    if plot.height == 0 || panel::message(model, one, plot, buffer) {
        return;
    }
    let lines = panel::lines(one, index, theme);
    let values = panel::value_scale(one, &lines, threshold, &scale, 2);
    Plot {
        time: &scale,
        values: &values,
        lines: &lines,
        threshold: threshold.map(|bound| (bound.value, bound.above)),
        shades: &[],
        known_until_ms: panel::known_until_ms(model, one),
        theme,
    }
    .render(plot, buffer);
}

fn draw_numbers(
    model: &Model,
    index: usize,
    one: &Panel,
    (reading, threshold): (Reading, Option<Threshold>),
    area: Rect,
    buffer: &mut Buffer,
) {
    let theme = &model.config.theme;
    let selected = model.selection(Focus::Charts) == index;
    let name = if selected { theme.focus } else { theme.title };
    let title = Line::from(Span::styled(one.spec.title.clone(), name));
    let note = match one.state(model.now_ms) {
        PanelState::Stale { age_ms, .. } => Span::styled(
            format!(
                "{} {}",
                theme.glyphs.warning,
                super::super::format::span(age_ms)
            ),
            theme.warn,
        ),
        _ => reading.change.map_or_else(Span::default, |change| {
            panel::change_span(change, one.spec.worse, theme)
        }),
    };
    let value = panel::value(one, reading, threshold, theme);
    if usize::from(area.height) > digits::HEIGHT && theme.marker != Marker::Ascii {
        spread(buffer, area, &title, &Line::from(note));
        for (y, text) in digits::big(&value.content).iter().enumerate() {
            put(buffer, row(area, y + 1), text, value.style);
        }
    } else {
        spread(buffer, area, &title, &Line::from(value));
        buffer.set_line(
            area.x,
            row(area, 1).y,
            &Line::from(note),
            row(area, 1).width,
        );
    }
}
