//! The stack of charts: one time axis, one pair of rulers, panels above each other.

use super::paint::{outline, put, row};
use super::panel::{self, Reading, Threshold};
use crate::dashboard::chart::{
    Mark, Plot, Shade, TimeScale, ValueScale, ruler, time_axis, value_axis,
};
use crate::dashboard::model::{Focus, Model};
use crate::dashboard::panel::Panel;
use crate::dashboard::tables::AlertSpan;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use std::collections::VecDeque;

/// Cells for the labels of the values: "faults" has to fit as well.
const LEFT_GUTTER: u16 = 7;
/// Cells for the last value.
const RIGHT_GUTTER: u16 = 8;

/// A panel with all that is derived of it.
struct Shown<'a> {
    index: usize,
    panel: &'a Panel,
    threshold: Option<Threshold>,
    reading: Reading,
}

pub(super) fn render(model: &Model, area: Rect, buffer: &mut Buffer) {
    let theme = &model.config.theme;
    let area = area.intersection(buffer.area);
    if area.width < LEFT_GUTTER + RIGHT_GUTTER + 8 || area.height < 6 {
        return;
    }
    let focused = model.focus == Focus::Charts;
    let cells = area.width - 2 - LEFT_GUTTER - RIGHT_GUTTER;
    let scale = time_scale(model, cells);
    let shown = shown(model, &scale);
    outline(buffer, area, theme.line, theme);
    let roomy = area.height >= 20;
    let rulers = if model.layers.annotations { 2 } else { 0 };
    let axis: u16 = if roomy { 2 } else { 1 };
    let count = shown.len().max(1) as u16;
    let plots = area.height.saturating_sub(count + rulers + axis + 1);
    let mut y = area.y;
    for (place, one) in shown.iter().enumerate() {
        let height = plots / count + u16::from((place as u16) < plots % count);
        let title = Rect::new(area.x, y, area.width, 1);
        let is_selected = focused && model.selection(Focus::Charts) == one.index;
        draw_title(model, one, is_selected, title, buffer);
        let body = Rect::new(area.x + 1, y + 1, area.width - 2, height);
        draw_panel(model, one, &scale, body, buffer);
        y += height + 1;
    }
    let plot_x = area.x + 1 + LEFT_GUTTER;
    if model.layers.annotations && y + 1 < area.bottom() {
        draw_rulers(model, &scale, Rect::new(plot_x, y, cells, 2), buffer);
        y += 2;
    }
    let axis_area = Rect::new(
        plot_x,
        y,
        cells,
        axis.min(area.bottom().saturating_sub(y + 1)),
    );
    time_axis(&scale, &model.config.zone, theme, axis_area, buffer);
}

fn time_scale(model: &Model, cells: u16) -> TimeScale {
    let across = model.config.theme.marker.dots().0 as u16;
    TimeScale::new(
        cells,
        across,
        model.viewport.window_ms,
        model.end_ms(),
        model.step_ms(),
    )
}

fn shown<'a>(model: &'a Model, scale: &TimeScale) -> Vec<Shown<'a>> {
    model
        .panels
        .iter()
        .enumerate()
        .filter(|(index, _)| !model.fullscreen || *index == model.selection(Focus::Charts))
        .map(|(index, panel)| Shown {
            index,
            panel,
            threshold: panel::threshold(model, panel),
            reading: panel::reading(model, panel, scale),
        })
        .collect()
}

fn draw_title(model: &Model, one: &Shown<'_>, focused: bool, area: Rect, buffer: &mut Buffer) {
    let theme = &model.config.theme;
    let style = if focused { theme.focus } else { theme.line };
    let [left_tee, right_tee] = theme.glyphs.tees;
    let is_first = buffer[(area.x, area.y)].symbol() == theme.glyphs.corners[0];
    for x in area.x + 1..area.right() - 1 {
        buffer[(x, area.y)]
            .set_symbol(theme.glyphs.horizontal)
            .set_style(style);
    }
    if !is_first {
        put(buffer, area, left_tee, theme.line);
        let right = Rect::new(area.right() - 1, area.y, 1, 1);
        put(buffer, right, right_tee, theme.line);
    }
    let cursor = if focused { theme.glyphs.cursor } else { " " };
    let inner = Rect::new(area.x + 1, area.y, area.width - 2, 1);
    put(buffer, inner, cursor, theme.focus);
    let title = panel::title(model, one.panel, one.reading, one.threshold, focused);
    let room = usize::from(inner.width).saturating_sub(title.width() + 4);
    let trouble = panel::trouble(one.panel, model.now_ms, room, theme);
    let trouble_width = trouble.width() as u16;
    buffer.set_line(inner.x + 1, inner.y, &title, inner.width.saturating_sub(2));
    if trouble_width > 0 && usize::from(trouble_width) <= room {
        let x = inner.right() - trouble_width - 1;
        buffer.set_line(x, inner.y, &trouble, trouble_width);
    }
}

fn draw_panel(model: &Model, one: &Shown<'_>, scale: &TimeScale, area: Rect, buffer: &mut Buffer) {
    let theme = &model.config.theme;
    if area.height == 0 || panel::message(model, one.panel, area, buffer) {
        return;
    }
    let lines = panel::lines(one.panel, one.index, theme);
    let ticks = match area.height {
        0..3 => 1,
        3..6 => 2,
        6..9 => 3,
        9..14 => 4,
        _ => 5,
    };
    let values = panel::value_scale(one.panel, &lines, one.threshold, scale, ticks);
    let plot = Rect::new(area.x + LEFT_GUTTER, area.y, scale.cells(), area.height);
    let axis = Rect::new(area.x, area.y, LEFT_GUTTER, area.height);
    value_axis(&values, theme, axis, buffer);
    let shades = shades(model);
    Plot {
        time: scale,
        values: &values,
        lines: &lines,
        threshold: one.threshold.map(|bound| (bound.value, bound.above)),
        shades: &shades,
        known_until_ms: panel::known_until_ms(model, one.panel),
        theme,
    }
    .render(plot, buffer);
    let gutter = Rect::new(plot.right(), area.y, RIGHT_GUTTER, area.height);
    draw_last(model, one, &values, gutter, buffer);
}

fn shades(model: &Model) -> Vec<Shade> {
    if !model.layers.annotations {
        return Vec::new();
    }
    model
        .faults
        .spans
        .iter()
        .map(|span| Shade {
            start_ms: span.start_ms,
            end_ms: span.end_ms.unwrap_or(model.end_ms().max(span.start_ms)),
        })
        .collect()
}

/// Writes the last value and the threshold into the gutter, each at its height.
fn draw_last(model: &Model, one: &Shown<'_>, values: &ValueScale, area: Rect, buffer: &mut Buffer) {
    let theme = &model.config.theme;
    let unit = one.panel.spec.unit;
    let visible = |value: f64| (values.low()..=values.high()).contains(&value);
    if let Some(bound) = one.threshold.filter(|bound| visible(bound.value)) {
        let y = values.row(bound.value, area.height, theme.marker);
        put(
            buffer,
            row(area, y),
            &format!(" {}", unit.format(bound.value)),
            theme.warn,
        );
    }
    if let Some(last) = one.reading.last {
        let y = values.row(last, area.height, theme.marker);
        let style = panel::value_style(one.reading, one.threshold, theme);
        let text = format!(" {:<7}", unit.format(last));
        put(buffer, row(area, y), &text, style);
    }
}

fn draw_rulers(model: &Model, scale: &TimeScale, area: Rect, buffer: &mut Buffer) {
    let theme = &model.config.theme;
    let name = |y: u16| Rect::new(area.x - LEFT_GUTTER, area.y + y, LEFT_GUTTER - 1, 1);
    put(buffer, name(0), "faults", theme.dim);
    put(buffer, name(1), "alerts", theme.dim);
    let now_ms = model.end_ms();
    let faults: Vec<Mark<'_>> = model
        .faults
        .spans
        .iter()
        .map(|span| Mark {
            start_ms: span.start_ms,
            end_ms: span.end_ms,
            glyphs: theme.glyphs.fault,
            label: &span.label,
            style: theme.fault,
        })
        .collect();
    ruler(&faults, scale, now_ms, row(area, 0), buffer);
    ruler(&alert_marks(model), scale, now_ms, row(area, 1), buffer);
}

/// Says whether an earlier span of the same alert, with other labels, overlaps this one.
fn is_named_before(spans: &VecDeque<AlertSpan>, index: usize) -> bool {
    let span = &spans[index];
    spans.iter().take(index).any(|other| {
        other.name == span.name && other.end_ms.is_none_or(|end_ms| end_ms >= span.pending_ms)
    })
}

/// Returns the marks of all alerts: pending ones first, so that firing ones lie on top, and then
/// the names of the whole spans.
fn alert_marks(model: &Model) -> Vec<Mark<'_>> {
    let theme = &model.config.theme;
    let [pending, firing] = theme.glyphs.alert;
    let spans = &model.alerts.spans;
    let mark = |start_ms, end_ms, glyph, style| Mark {
        start_ms,
        end_ms,
        glyphs: [glyph; 3],
        label: "",
        style,
    };
    let pendings = spans
        .iter()
        .filter(|span| span.firing_ms != Some(span.pending_ms))
        .map(|span| {
            let end_ms = span.firing_ms.or(span.end_ms);
            mark(span.pending_ms, end_ms, pending, theme.warn)
        });
    let firings = spans
        .iter()
        .filter_map(|span| Some(mark(span.firing_ms?, span.end_ms, firing, theme.bad)));
    let names = spans.iter().enumerate().map(|(index, span)| Mark {
        label: if is_named_before(spans, index) {
            ""
        } else {
            &span.name
        },
        ..mark(
            span.pending_ms,
            span.end_ms,
            "",
            span.firing_ms.map_or(theme.warn, |_| theme.bad),
        )
    });
    pendings.chain(firings).chain(names).collect()
}
