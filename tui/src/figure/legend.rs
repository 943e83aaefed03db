//! What the letters stand for: a line for each series with the labels in which they differ.

use promql::labels::{Labels, METRIC_NAME};
use promql::value::Series;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::{letter, plain, style};
use crate::dashboard::text::{fit, width};
use crate::dashboard::{Theme, Unit};

/// Columns of a number; the names have the rest.
const NUMBER: usize = 10;
/// Narrower than this, the least and the greatest value give way to the names.
const ROOMY: u16 = 60;

/// The words for some series.
pub(super) struct Legend {
    names: Vec<String>,
    common: String,
}

impl Legend {
    pub(super) fn of(series: &[Series]) -> Self {
        let is_common = |name: &str| {
            let first = series.first().and_then(|one| one.labels.get(name));
            first.is_some() && series.iter().all(|one| one.labels.get(name) == first)
        };
        let part = |labels: &Labels, common: bool| {
            let pairs = labels.iter();
            Labels::from_pairs(pairs.filter(|(name, _)| is_common(name) == common))
        };
        let name = |labels: &Labels| match series.len() {
            // A single series differs from nothing: it is told as a whole.
            1 => labels.to_string(),
            _ => part(labels, false).to_string(),
        };
        Self {
            names: series.iter().map(|one| name(&one.labels)).collect(),
            common: match series {
                [first, _, ..] => told(&part(&first.labels, true)),
                _ => String::new(),
            },
        }
    }

    /// Returns what all series have in common, empty if there is nothing.
    pub(super) fn common(&self) -> &str {
        &self.common
    }

    /// Returns how many rows it takes.
    pub(super) fn height(&self) -> u16 {
        self.names.len() as u16 + 1
    }

    pub(super) fn draw(
        &self,
        series: &[Series],
        unit: Unit,
        theme: &Theme,
        area: Rect,
        buffer: &mut Buffer,
    ) {
        let heads: &[&str] = if area.width < ROOMY {
            &["last"]
        } else {
            &["min", "max", "last"]
        };
        let numbers = area.right().saturating_sub((heads.len() * NUMBER) as u16);
        let put = |column: usize, y: u16, text: &str, style, buffer: &mut Buffer| {
            let text = plain(text, theme);
            let end = usize::from(numbers) + (column + 1) * NUMBER;
            let x = end.saturating_sub(width(&text)) as u16;
            buffer.set_stringn(x, y, text, NUMBER, style);
        };
        for (column, head) in heads.iter().enumerate() {
            put(column, area.y, head, theme.dim, buffer);
        }
        for (index, (one, name)) in series.iter().zip(&self.names).enumerate() {
            let y = area.y + 1 + index as u16;
            let is_alone = series.len() == 1;
            if !is_alone {
                buffer.set_string(0, y, letter(index).to_string(), style(theme, index));
            }
            let x = if is_alone { 0 } else { 2 };
            let room = usize::from(numbers.saturating_sub(x));
            let name = fit(&plain(name, theme), room, theme.glyphs.ellipsis);
            buffer.set_string(x, y, name, theme.text);
            let shown = Numbers::of(one);
            for (column, head) in heads.iter().enumerate() {
                let value = match *head {
                    "min" => shown.min,
                    "max" => shown.max,
                    _ => shown.last,
                };
                let text = value.map_or(theme.glyphs.none.to_owned(), |value| unit.format(value));
                put(column, y, &text, theme.text, buffer);
            }
        }
    }
}

/// The numbers of a series; NaN counts for the last value only.
struct Numbers {
    min: Option<f64>,
    max: Option<f64>,
    last: Option<f64>,
}

impl Numbers {
    fn of(one: &Series) -> Self {
        let values = || one.samples.iter().map(|sample| sample.value);
        let known = || values().filter(|value| !value.is_nan());
        Self {
            min: known().reduce(f64::min),
            max: known().reduce(f64::max),
            last: values().next_back(),
        }
    }
}

/// Writes labels as a selector would, without the braces around nothing.
fn told(labels: &Labels) -> String {
    match labels.get(METRIC_NAME) {
        None if labels.iter().next().is_none() => String::new(),
        _ => labels.to_string(),
    }
}
