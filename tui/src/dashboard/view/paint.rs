//! Small strokes that every part of the screen uses.

use crate::dashboard::text::{self, fit};
use crate::dashboard::theme::Theme;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

/// Writes a text on the first row of an area, cut at its right edge.
pub(super) fn put(buffer: &mut Buffer, area: Rect, text: &str, style: Style) {
    let area = area.intersection(buffer.area);
    if !area.is_empty() {
        buffer.set_stringn(area.x, area.y, text, usize::from(area.width), style);
    }
}

/// Writes one line at the left and one at the right of the first row; the left one gives way.
pub(super) fn spread(buffer: &mut Buffer, area: Rect, left: &Line<'_>, right: &Line<'_>) {
    let area = area.intersection(buffer.area);
    if area.is_empty() {
        return;
    }
    let right_width = (right.width() as u16).min(area.width);
    let gap = u16::from(right_width > 0);
    let room = area.width.saturating_sub(right_width + gap);
    buffer.set_line(area.x, area.y, left, room);
    buffer.set_line(area.right() - right_width, area.y, right, right_width);
}

/// Writes a line on the first row of an area; what is cut shows as an ellipsis.
pub(super) fn put_line(buffer: &mut Buffer, area: Rect, line: &Line<'_>, theme: &Theme) {
    let area = area.intersection(buffer.area);
    if area.is_empty() {
        return;
    }
    buffer.set_line(area.x, area.y, line, area.width);
    if line.width() > usize::from(area.width) {
        let last = Rect::new(area.right() - 1, area.y, 1, 1);
        put(buffer, last, theme.glyphs.ellipsis, theme.dim);
    }
}

/// Gives the first row of an area a style.
pub(super) fn highlight(buffer: &mut Buffer, area: Rect, style: Style) {
    let row = Rect { height: 1, ..area }.intersection(buffer.area);
    buffer.set_style(row, style);
}

/// Returns row `y` of an area, empty if it is outside.
pub(super) fn row(area: Rect, y: usize) -> Rect {
    if y >= usize::from(area.height) {
        return Rect::default();
    }
    Rect::new(area.x, area.y + y as u16, area.width, 1)
}

/// Draws a box with a title and returns what is inside.
pub(super) fn boxed(
    buffer: &mut Buffer,
    area: Rect,
    title: Line<'_>,
    focused: bool,
    theme: &Theme,
) -> Rect {
    let area = area.intersection(buffer.area);
    if area.width < 2 || area.height < 2 {
        return Rect::default();
    }
    let style = if focused { theme.focus } else { theme.line };
    outline(buffer, area, style, theme);
    let bare = title.width() == 0;
    let mut spans = vec![Span::raw(" ")];
    let style = title.style;
    spans.extend(title.spans.into_iter().map(|span| Span {
        style: style.patch(span.style),
        ..span
    }));
    spans.push(Span::raw(" "));
    if !bare {
        let room = area.width.saturating_sub(3);
        buffer.set_line(area.x + 1, area.y, &Line::from(spans), room);
    }
    Rect::new(area.x + 1, area.y + 1, area.width - 2, area.height - 2)
}

/// Draws the border of an area.
pub(super) fn outline(buffer: &mut Buffer, area: Rect, style: Style, theme: &Theme) {
    let glyphs = theme.glyphs;
    let (right, bottom) = (area.right() - 1, area.bottom() - 1);
    for x in area.x..=right {
        for y in [area.y, bottom] {
            buffer[(x, y)]
                .set_symbol(glyphs.horizontal)
                .set_style(style);
        }
    }
    for y in area.y..=bottom {
        for x in [area.x, right] {
            buffer[(x, y)].set_symbol(glyphs.vertical).set_style(style);
        }
    }
    let corners = [
        (area.x, area.y),
        (right, area.y),
        (area.x, bottom),
        (right, bottom),
    ];
    for (corner, glyph) in corners.into_iter().zip(glyphs.corners) {
        buffer[corner].set_symbol(glyph).set_style(style);
    }
}

/// Writes a text over several rows; returns how many it took.
pub(super) fn paragraph(buffer: &mut Buffer, area: Rect, text: &str, style: Style) -> usize {
    let lines = text::wrap(text, usize::from(area.width));
    let shown = lines.len().min(usize::from(area.height));
    for (y, line) in lines.iter().take(shown).enumerate() {
        put(buffer, row(area, y), line, style);
    }
    shown
}

/// Returns a bar of `cells` cells, filled by a share.
pub(super) fn bar(share: f64, cells: usize, theme: &Theme) -> (String, String) {
    let [full, empty] = theme.glyphs.progress;
    let filled = (share.clamp(0.0, 1.0) * cells as f64).round() as usize;
    (full.repeat(filled), empty.repeat(cells - filled))
}

/// Returns which rows of a list are visible so that the selected one is.
pub(super) fn window(selected: usize, count: usize, room: usize) -> std::ops::Range<usize> {
    let room = room.max(1);
    let start = (selected + 1)
        .saturating_sub(room)
        .min(count.saturating_sub(room));
    start..count.min(start + room)
}

/// Cuts a text to a width.
pub(super) fn cut(text: &str, cells: usize, theme: &Theme) -> String {
    fit(text, cells, theme.glyphs.ellipsis)
}
