//! The axis of the values, beside a plot.

use super::ValueScale;
use crate::dashboard::text::width;
use crate::dashboard::theme::Theme;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

/// Draws the axis on the last column of an area as high as the plot, and the labels before it.
pub fn value_axis(values: &ValueScale, theme: &Theme, area: Rect, buffer: &mut Buffer) {
    let area = area.intersection(buffer.area);
    if area.is_empty() {
        return;
    }
    let axis_x = area.right() - 1;
    for y in area.top()..area.bottom() {
        buffer[(axis_x, y)]
            .set_symbol(theme.glyphs.y_line)
            .set_style(theme.line);
    }
    let mut taken = None;
    for (value, label) in values.ticks() {
        let row = values.row(value, area.height, theme.marker);
        if taken == Some(row) {
            continue;
        }
        taken = Some(row);
        let y = area.top() + row as u16;
        let x = axis_x.saturating_sub(width(&label) as u16).max(area.x);
        buffer.set_stringn(x, y, &label, usize::from(axis_x - x), theme.dim);
        buffer[(axis_x, y)]
            .set_symbol(theme.glyphs.y_tick)
            .set_style(theme.line);
    }
}
