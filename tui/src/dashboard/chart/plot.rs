//! One plot: lines, threshold and shades on a rectangle of cells.

use super::dots::Dots;
use super::{TimeScale, ValueScale};
use crate::dashboard::theme::Theme;
use promql::value::Sample;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use signals::buckets::Cell;

/// A series to draw.
#[derive(Debug, Clone, Copy)]
pub struct Line<'a> {
    /// Its samples in the order of time.
    pub samples: &'a [Sample],
    /// How it looks.
    pub style: Style,
}

/// A stretch of time that stands out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shade {
    /// Its begin, milliseconds since the epoch.
    pub start_ms: i64,
    /// Its end, milliseconds since the epoch.
    pub end_ms: i64,
}

/// What is drawn on a plot.
#[derive(Debug, Clone, Copy)]
pub struct Plot<'a> {
    /// The columns.
    pub time: &'a TimeScale,
    /// The rows.
    pub values: &'a ValueScale,
    /// The series, the most important last.
    pub lines: &'a [Line<'a>],
    /// Where the dashed line goes, and whether values above it (`true`) or below it are bad.
    pub threshold: Option<(f64, bool)>,
    /// What stands out.
    pub shades: &'a [Shade],
    /// Until when a bucket without a sample is a gap; after that its sample may still come.
    pub known_until_ms: i64,
    /// Colours and glyphs.
    pub theme: &'a Theme,
}

/// One column of dots of a line: the dots it covers and where the line leaves it.
#[derive(Debug, Clone, Copy)]
struct Stroke {
    top: usize,
    bottom: usize,
    leave: usize,
}

impl Stroke {
    fn flat(y: usize) -> Self {
        Self {
            top: y,
            bottom: y,
            leave: y,
        }
    }

    fn reach(&mut self, y: usize) {
        self.top = self.top.min(y);
        self.bottom = self.bottom.max(y);
    }
}

impl Plot<'_> {
    /// Draws on an area as wide as the time scale.
    pub fn render(&self, area: Rect, buffer: &mut Buffer) {
        let area = area.intersection(buffer.area);
        if area.is_empty() {
            return;
        }
        self.draw_shades(area, buffer);
        self.draw_threshold(area, buffer);
        let all: Vec<Vec<Option<Cell>>> = self
            .lines
            .iter()
            .map(|line| self.time.fill(line.samples))
            .collect();
        self.draw_gaps(&all, area, buffer);
        for (line, buckets) in self.lines.iter().zip(&all) {
            self.draw_line(line.style, buckets, area, buffer);
            self.draw_clamps(line.style, buckets, area, buffer);
        }
    }

    fn draw_shades(&self, area: Rect, buffer: &mut Buffer) {
        for shade in self.shades {
            let Some((from, to)) = self.time.cells_of(shade.start_ms, shade.end_ms) else {
                continue;
            };
            for x in from..=to.min(area.width.saturating_sub(1)) {
                for y in area.top()..area.bottom() {
                    let cell = &mut buffer[(area.left() + x, y)];
                    match self.theme.tint {
                        Some(colour) => cell.set_bg(colour),
                        None => cell
                            .set_symbol(self.theme.glyphs.texture)
                            .set_style(self.theme.dim),
                    };
                }
            }
        }
    }

    fn threshold_row(&self, area: Rect) -> Option<u16> {
        let (value, _) = self.threshold?;
        let visible = (self.values.low()..=self.values.high()).contains(&value);
        visible.then(|| area.top() + self.row_of(value, area))
    }

    fn row_of(&self, value: f64, area: Rect) -> u16 {
        self.values.row(value, area.height, self.theme.marker) as u16
    }

    fn draw_threshold(&self, area: Rect, buffer: &mut Buffer) {
        let Some(y) = self.threshold_row(area) else {
            return;
        };
        for x in area.left()..area.right() {
            buffer[(x, y)]
                .set_symbol(self.theme.glyphs.threshold)
                .set_style(self.theme.warn);
        }
    }

    /// Marks on the base line where no series has a sample.
    fn draw_gaps(&self, all: &[Vec<Option<Cell>>], area: Rect, buffer: &mut Buffer) {
        let across = self.theme.marker.dots().0;
        let y = area.bottom() - 1;
        let known = self.time.cell(self.known_until_ms);
        for x in (0..area.width).take_while(|x| i64::from(*x) <= known) {
            let first = self.time.bucket_at(usize::from(x) * across);
            let last = self.time.bucket_at(usize::from(x) * across + across - 1);
            let has_sample = all
                .iter()
                .any(|buckets| (first..=last).any(|b| buckets.get(b).is_some_and(Option::is_some)));
            let cell = &mut buffer[(area.left() + x, y)];
            if !has_sample && cell.symbol() == " " {
                cell.set_symbol(self.theme.glyphs.gap)
                    .set_style(self.theme.line);
            }
        }
    }

    fn draw_line(&self, style: Style, buckets: &[Option<Cell>], area: Rect, buffer: &mut Buffer) {
        let (columns, rows) = (usize::from(area.width), usize::from(area.height));
        let mut dots = Dots::new(self.theme.marker, columns, rows);
        let mut strokes = self.strokes(buckets, dots.width(), dots.height());
        join(&mut strokes);
        for (x, stroke) in strokes.iter().enumerate() {
            if let Some(stroke) = stroke {
                dots.set_column(x, stroke.top, stroke.bottom);
            }
        }
        for row in 0..rows {
            let style = self.style_of_row(style, row as u16, area);
            for column in 0..columns {
                if let Some(glyph) = dots.glyph(column, row) {
                    buffer[(area.left() + column as u16, area.top() + row as u16)]
                        .set_char(glyph)
                        .set_style(style);
                }
            }
        }
    }

    fn style_of_row(&self, style: Style, row: u16, area: Rect) -> Style {
        let Some((value, above)) = self.threshold else {
            return style;
        };
        let bound = if value > self.values.high() {
            -1
        } else {
            i32::from(self.row_of(value, area))
        };
        let beyond = if above {
            i32::from(row) < bound
        } else {
            i32::from(row) > bound && bound >= 0
        };
        if beyond { self.theme.bad } else { style }
    }

    fn strokes(
        &self,
        buckets: &[Option<Cell>],
        width: usize,
        height: usize,
    ) -> Vec<Option<Stroke>> {
        let y = |value: f64| self.values.dot(value, height);
        (0..width)
            .map(|x| {
                let index = self.time.bucket_at(x);
                let bucket = buckets.get(index).copied().flatten()?;
                if self.time.dots_per_bucket() > 1 {
                    return Some(self.slope(buckets, index, x, height));
                }
                Some(Stroke {
                    top: y(bucket.max),
                    bottom: y(bucket.min),
                    leave: y(bucket.last),
                })
            })
            .collect()
    }

    /// Returns the stroke of a dot column within a bucket that is several dots wide: on the line
    /// between the middles of this bucket and the neighbour it leans to.
    fn slope(&self, buckets: &[Option<Cell>], index: usize, x: usize, height: usize) -> Stroke {
        let wide = self.time.dots_per_bucket();
        let at = |index: usize| {
            let bucket = buckets.get(index).copied().flatten()?;
            Some(self.values.dot(bucket.last, height) as f64)
        };
        let here = at(index).unwrap_or(0.0);
        let origin = self.time.bucket_dot(self.time.first_bucket()) + (index * wide) as i64;
        let middle = (wide - 1) as f64 / 2.0;
        let lean = (x as i64 - origin) as f64 - middle;
        let neighbour = if lean < 0.0 {
            index.checked_sub(1).and_then(at)
        } else {
            at(index + 1)
        };
        let there = neighbour.unwrap_or(here);
        let y = here + (there - here) * lean.abs() / wide as f64;
        let mut stroke = Stroke::flat(y.round().max(0.0) as usize);
        if lean.abs() <= 0.5
            && let Some(bucket) = buckets[index]
        {
            stroke.reach(self.values.dot(bucket.max, height));
            stroke.reach(self.values.dot(bucket.min, height));
        }
        stroke
    }

    /// Marks the columns whose values do not fit the rows.
    fn draw_clamps(&self, style: Style, buckets: &[Option<Cell>], area: Rect, buffer: &mut Buffer) {
        let across = self.theme.marker.dots().0;
        for x in 0..area.width {
            let index = self.time.bucket_at(usize::from(x) * across);
            let Some(bucket) = buckets.get(index).copied().flatten() else {
                continue;
            };
            let [above, below] = self.theme.glyphs.clamp;
            if bucket.max > self.values.high() * (1.0 + 1e-9) {
                buffer[(area.left() + x, area.top())]
                    .set_symbol(above)
                    .set_style(style);
            }
            if bucket.min < self.values.low() - self.values.high().abs() * 1e-9 {
                buffer[(area.left() + x, area.bottom() - 1)]
                    .set_symbol(below)
                    .set_style(style);
            }
        }
    }
}

/// Makes neighbours touch: each goes half of the way.
fn join(strokes: &mut [Option<Stroke>]) {
    for x in 1..strokes.len() {
        let (Some(mut before), Some(mut here)) = (strokes[x - 1], strokes[x]) else {
            continue;
        };
        let enter = before.leave.clamp(here.top, here.bottom);
        let meeting = usize::midpoint(before.leave, enter);
        before.reach(meeting);
        // On the way down one dot further, so that the two touch without overlapping.
        here.reach(if before.leave < enter {
            meeting + 1
        } else {
            meeting
        });
        strokes[x - 1] = Some(before);
        strokes[x] = Some(here);
    }
}
