//! One static picture of a range query: the dashboard's chart on paper.
//!
//! It holds no plotter of its own: lines, axes and scales are those of [`crate::dashboard::chart`].
//! What is added here is what a picture needs that nobody can click on: a letter for every series, so
//! that it reads without colour, and a legend with the labels in which the series differ.
//!
//! Invariant: pure; the same figure gives the same cells.
//!
//! Modules in reading order: `legend`, [`guess`] (the unit of an expression), `ansi`.

mod ansi;
mod legend;
mod unit;

use jiff::tz::TimeZone;
use promql::value::Series;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};
use signals::source::Range;

use crate::dashboard::chart::{Line, Plot, TimeScale, ValueScale, time_axis, value_axis};
use crate::dashboard::text::{fit, width};
use crate::dashboard::{Marker, Palette, Theme, Unit};
use legend::Legend;

pub use unit::guess;

/// Series that have a letter; more cannot be told apart.
pub const SERIES_LIMIT: usize = 26;
/// The narrowest picture in which a line can be seen.
pub const LEAST_WIDTH: u16 = 30;
/// Letters of lines that end at the same height stand side by side, as many as this.
const MARGIN: u16 = 4;
/// Distance between the letters on a line without colour.
const LETTER_EVERY: usize = 16;

/// What is drawn.
#[derive(Debug, Clone, Copy)]
pub struct Figure<'a> {
    /// What stands above it: the expression.
    pub title: &'a str,
    /// The series, at most [`SERIES_LIMIT`] of which are drawn.
    pub series: &'a [Series],
    /// The time it shows, and the distance between samples.
    pub range: Range,
    /// What the values measure.
    pub unit: Unit,
    /// Columns of the whole picture.
    pub width: u16,
    /// Rows of the plot itself.
    pub rows: u16,
    /// Colours and glyphs.
    pub theme: &'a Theme,
    /// The zone of the clock on the axis.
    pub zone: &'a TimeZone,
}

impl Figure<'_> {
    /// Draws the picture.
    pub fn draw(&self) -> Buffer {
        let series = &self.series[..self.series.len().min(SERIES_LIMIT)];
        let legend = Legend::of(series);
        let ticks = usize::from(self.rows / 4).clamp(2, 5);
        let values = series.iter().flat_map(|one| &one.samples);
        let values = ValueScale::fitted(values.map(|sample| sample.value), self.unit, ticks);
        let labels = values.ticks();
        let widest = labels.iter().map(|(_, label)| width(label)).max();
        let gutter = (widest.unwrap_or(0) as u16 + 1).min(self.width / 3);
        let margin = if series.len() > 1 { MARGIN } else { 0 };
        let across = self.theme.marker.dots().0 as u16;
        let cells = self.width.saturating_sub(gutter + margin);
        let Range {
            start_ms,
            end_ms,
            step_ms,
        } = self.range;
        let time = TimeScale::covering(cells, across, start_ms, end_ms, step_ms);
        let head = 2;
        let height = head + self.rows + 2 + legend.height();
        let mut buffer = Buffer::empty(Rect::new(0, 0, self.width, height));
        self.draw_head(&legend, &mut buffer);
        let axis = Rect::new(0, head, gutter, self.rows);
        value_axis(&values, self.theme, axis, &mut buffer);
        let plot = Rect::new(gutter, head, time.cells(), self.rows);
        self.draw_lines(series, &time, &values, plot, &mut buffer);
        let below = Rect::new(gutter, head + self.rows, time.cells(), 2);
        time_axis(&time, self.zone, self.theme, below, &mut buffer);
        if series.len() > 1 {
            let beside = Rect::new(plot.right(), head, MARGIN, self.rows);
            self.draw_ends(series, &values, beside, &mut buffer);
        }
        let foot = Rect::new(0, below.bottom(), self.width, legend.height());
        legend.draw(series, self.unit, self.theme, foot, &mut buffer);
        buffer
    }

    /// Returns the picture as lines of text, with colours if the theme has any.
    pub fn text(&self) -> String {
        ansi::text(&self.draw(), self.theme.palette != Palette::Mono)
    }

    /// Writes the expression, and below it the time and what all series have in common.
    fn draw_head(&self, legend: &Legend, buffer: &mut Buffer) {
        let ellipsis = self.theme.glyphs.ellipsis;
        let room = usize::from(self.width);
        let title = self.plain(self.title);
        buffer.set_string(0, 0, fit(&title, room, ellipsis), self.theme.title);
        let format = |t_ms, format| crate::dashboard::format::strftime(t_ms, self.zone, format);
        let mut words = vec![
            format!(
                "{} to {}",
                format(self.range.start_ms, "%Y-%m-%d %H:%M:%S"),
                format(self.range.end_ms, "%H:%M:%S %Z")
            ),
            format!("step {}", exact(self.range.step_ms)),
        ];
        if self.unit == Unit::PerSecond {
            words.push("per second".to_owned());
        }
        if !legend.common().is_empty() {
            words.push(self.plain(legend.common()));
        }
        let line = words.join(&format!(" {} ", self.theme.glyphs.bar));
        buffer.set_string(0, 1, fit(&line, room, ellipsis), self.theme.dim);
    }

    /// Replaces what an ASCII terminal cannot show.
    fn plain(&self, text: &str) -> String {
        plain(text, self.theme)
    }

    fn draw_lines(
        &self,
        series: &[Series],
        time: &TimeScale,
        values: &ValueScale,
        area: Rect,
        buffer: &mut Buffer,
    ) {
        let mut lines: Vec<Line<'_>> = series
            .iter()
            .enumerate()
            .map(|(index, one)| Line {
                samples: &one.samples,
                style: style(self.theme, index),
            })
            .collect();
        // The first of the legend lies on top.
        lines.reverse();
        Plot {
            time,
            values,
            lines: &lines,
            threshold: None,
            shades: &[],
            known_until_ms: self.range.end_ms,
            theme: self.theme,
        }
        .render(area, buffer);
        if series.len() > 1 && self.theme.palette == Palette::Mono {
            for (index, one) in series.iter().enumerate().rev() {
                self.letter_line(index, one, time, values, area, buffer);
            }
        }
    }

    /// Puts the letter of a series on its line: here and there, and everywhere where a line of
    /// ASCII marks has nothing else to be told by.
    fn letter_line(
        &self,
        index: usize,
        one: &Series,
        time: &TimeScale,
        values: &ValueScale,
        area: Rect,
        buffer: &mut Buffer,
    ) {
        let across = self.theme.marker.dots().0;
        let buckets = time.fill(&one.samples);
        let every = match self.theme.marker {
            Marker::Ascii => 1,
            Marker::Braille | Marker::Block => LETTER_EVERY,
        };
        let first = (index * 5 + 3) % every;
        for x in (first..usize::from(area.width)).step_by(every) {
            let bucket = buckets.get(time.bucket_at(x * across)).copied().flatten();
            let Some(bucket) = bucket.filter(|bucket| bucket.last.is_finite()) else {
                continue;
            };
            let y = values.row(bucket.last, area.height, self.theme.marker) as u16;
            buffer[(area.x + x as u16, area.y + y)]
                .set_char(letter(index))
                .set_style(style(self.theme, index));
        }
    }

    /// Writes the letters beside the ends of the lines.
    fn draw_ends(&self, series: &[Series], values: &ValueScale, area: Rect, buffer: &mut Buffer) {
        let area = area.intersection(buffer.area);
        for (index, one) in series.iter().enumerate() {
            let last = one.samples.last().map(|sample| sample.value);
            let Some(last) = last.filter(|value| value.is_finite()) else {
                continue;
            };
            let y = area.y + values.row(last, area.height, self.theme.marker) as u16;
            let free = (area.x + 1..area.right()).find(|x| buffer[(*x, y)].symbol() == " ");
            if let Some(x) = free {
                buffer[(x, y)]
                    .set_char(letter(index))
                    .set_style(style(self.theme, index));
            }
        }
    }
}

/// Returns the letter of a series.
fn letter(index: usize) -> char {
    char::from(b'a' + (index % SERIES_LIMIT) as u8)
}

fn style(theme: &Theme, index: usize) -> Style {
    let style = theme.series[index % theme.series.len()];
    // The colours come round; bold keeps the second round apart from the first.
    if (index / theme.series.len()) % 2 == 1 {
        style.add_modifier(Modifier::BOLD)
    } else {
        style
    }
}

fn plain(text: &str, theme: &Theme) -> String {
    let text = crate::dashboard::text::clean(text);
    match theme.marker {
        Marker::Ascii => text
            .chars()
            .map(|c| if c.is_ascii() { c } else { '?' })
            .collect(),
        Marker::Braille | Marker::Block => text,
    }
}

/// Formats a step without losing any of it: `1s`, `1.5s`, `250ms`, `2m`.
fn exact(ms: i64) -> String {
    match ms {
        ms if ms % 60_000 == 0 => crate::dashboard::format::span(ms),
        ms if ms < 1_000 => format!("{ms}ms"),
        ms => format!("{}s", ms as f64 / 1000.0),
    }
}
