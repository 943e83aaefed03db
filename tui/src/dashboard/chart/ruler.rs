//! What is drawn once for a stack of charts: rows with spans, and the time axis.

use super::TimeScale;
use crate::dashboard::text;
use crate::dashboard::theme::Theme;
use jiff::tz::TimeZone;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};

/// A stretch of a ruler.
#[derive(Debug, Clone, Copy)]
pub struct Mark<'a> {
    /// Its begin, milliseconds since the epoch.
    pub start_ms: i64,
    /// Its end, milliseconds since the epoch; `None` goes on to the right edge.
    pub end_ms: Option<i64>,
    /// Glyphs of begin, middle and end; empty ones leave what is there.
    pub glyphs: [&'a str; 3],
    /// What stands beside it where there is room.
    pub label: &'a str,
    /// How it looks.
    pub style: Style,
}

/// Draws marks on one row of cells; later ones lie on earlier ones. `now_ms` ends open marks.
pub fn ruler(marks: &[Mark<'_>], scale: &TimeScale, now_ms: i64, area: Rect, buffer: &mut Buffer) {
    let area = area.intersection(buffer.area);
    if area.is_empty() {
        return;
    }
    for mark in marks {
        let end_ms = mark.end_ms.unwrap_or(now_ms.max(mark.start_ms));
        let Some((from, to)) = scale.cells_of(mark.start_ms, end_ms) else {
            continue;
        };
        for x in from..=to {
            let glyph = if i64::from(x) == scale.cell(mark.start_ms) {
                mark.glyphs[0]
            } else if mark.end_ms.is_some() && i64::from(x) == scale.cell(end_ms) {
                mark.glyphs[2]
            } else {
                mark.glyphs[1]
            };
            if !glyph.is_empty() {
                buffer[(area.left() + x, area.top())]
                    .set_symbol(glyph)
                    .set_style(mark.style);
            }
        }
    }
    for mark in marks {
        label(mark, scale, now_ms, area, buffer);
    }
}

/// Says whether a stretch shows the same glyph throughout: no label, no begin of another mark.
fn is_even(area: Rect, from: u16, to: u16, buffer: &Buffer) -> bool {
    let first = buffer[(area.left() + from, area.top())].symbol();
    (from..=to).all(|x| buffer[(area.left() + x, area.top())].symbol() == first)
}

/// Writes a label into its mark, or else to the left or right of it, where nothing else is.
fn label(mark: &Mark<'_>, scale: &TimeScale, now_ms: i64, area: Rect, buffer: &mut Buffer) {
    let end_ms = mark.end_ms.unwrap_or(now_ms.max(mark.start_ms));
    let Some((from, to)) = scale.cells_of(mark.start_ms, end_ms) else {
        return;
    };
    let wide = text::width(mark.label) as u16;
    if wide == 0 {
        return;
    }
    let is_blank = |x: u16, buffer: &Buffer| buffer[(area.left() + x, area.top())].symbol() == " ";
    let fits_blank = |start: u16, buffer: &Buffer| {
        start + wide <= area.width && (start..start + wide).all(|x| is_blank(x, buffer))
    };
    let inside = to - from + 1 >= wide + 4 && is_even(area, from + 1, from + wide + 2, buffer);
    let start = if inside {
        Some(from + 2)
    } else if fits_blank(to + 2, buffer) {
        Some(to + 2)
    } else {
        from.checked_sub(wide + 1)
            .filter(|start| fits_blank(*start, buffer))
    };
    if let Some(start) = start {
        let padded = if inside {
            format!(" {} ", mark.label)
        } else {
            mark.label.to_owned()
        };
        let shift = u16::from(inside);
        // Within the mark the label keeps the mark's body.
        let style = if inside {
            mark.style.add_modifier(Modifier::REVERSED)
        } else {
            mark.style
        };
        buffer.set_string(area.left() + start - shift, area.top(), padded, style);
    }
}

/// Draws the time axis: a line with ticks on the first row and labels on the second; with one row
/// only, the labels interrupt the line.
pub fn time_axis(
    scale: &TimeScale,
    zone: &TimeZone,
    theme: &Theme,
    area: Rect,
    buffer: &mut Buffer,
) {
    let area = area.intersection(buffer.area);
    if area.is_empty() {
        return;
    }
    let [tick, line] = theme.glyphs.x_axis;
    let ticks = scale.ticks(zone);
    for x in 0..area.width {
        let symbol = if area.height > 1 && ticks.iter().any(|(cell, _)| *cell == x) {
            tick
        } else {
            line
        };
        buffer[(area.left() + x, area.top())]
            .set_symbol(symbol)
            .set_style(theme.line);
    }
    let y = area.top() + u16::from(area.height > 1);
    for (cell, label) in ticks {
        let label = if area.height > 1 {
            label
        } else {
            format!(" {label} ")
        };
        let wide = text::width(&label) as u16;
        let start = cell.saturating_sub(wide / 2);
        // A label that is cut is worse than none.
        if start + wide <= area.width && (start > 0 || cell == wide / 2) {
            buffer.set_string(area.left() + start, y, label, theme.dim);
        }
    }
}
