//! One panel: what its numbers say, its title, and the text that stands where there is no data.

use super::paint::{cut, paragraph, row};
use crate::dashboard::chart::{Line as ChartLine, TimeScale, ValueScale};
use crate::dashboard::format::{Unit, span};
use crate::dashboard::model::Model;
use crate::dashboard::panel::{Panel, PanelState, ThresholdSpec, Worse};
use crate::dashboard::theme::Theme;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};
use ratatui::text::{Line, Span};
use signals::buckets::Cell;

/// A threshold that is known.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Threshold {
    pub(super) value: f64,
    /// Whether values above it are the bad ones.
    pub(super) above: bool,
}

/// What the numbers of a panel say.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Reading {
    /// The newest value, if it is of the end of the window.
    pub(super) last: Option<f64>,
    /// How the newest value differs from the average of the window, as a ratio.
    pub(super) change: Option<f64>,
}

pub(super) fn threshold(model: &Model, panel: &Panel) -> Option<Threshold> {
    if !model.layers.thresholds {
        return None;
    }
    match &panel.spec.threshold {
        ThresholdSpec::None => None,
        ThresholdSpec::Value(value) => Some(Threshold {
            value: *value,
            above: panel.spec.worse != Some(Worse::Down),
        }),
        ThresholdSpec::Rule(name) => {
            model
                .alerts
                .conditions
                .get(name)
                .map(|(text, value)| Threshold {
                    value: *value,
                    above: text.starts_with('>'),
                })
        }
    }
}

/// Returns the lines of a panel, the most important last.
pub(super) fn lines<'a>(panel: &'a Panel, index: usize, theme: &Theme) -> Vec<ChartLine<'a>> {
    let colours = theme.series.len();
    panel
        .tracks
        .iter()
        .enumerate()
        .map(|(track, one)| ChartLine {
            samples: &one.samples,
            style: theme.series[(index + track) % colours],
        })
        .rev()
        .collect()
}

/// Returns what the numbers say at the end of the window.
pub(super) fn reading(model: &Model, panel: &Panel, scale: &TimeScale) -> Reading {
    let end_ms = model.end_ms();
    let oldest_ms = end_ms - (5 * model.step_ms()).max(10_000);
    let newest = panel
        .tracks
        .iter()
        .filter_map(|track| {
            let upto = track
                .samples
                .partition_point(|sample| sample.t_ms <= end_ms);
            let sample = track.samples[..upto].last()?;
            (sample.t_ms >= oldest_ms && !sample.value.is_nan()).then_some((track, sample.value))
        })
        .max_by(|(_, a), (_, b)| a.total_cmp(b));
    let Some((track, last)) = newest else {
        return Reading {
            last: None,
            change: None,
        };
    };
    let visible = track
        .samples
        .iter()
        .filter(|s| s.t_ms >= scale.start_ms() && s.t_ms <= end_ms && s.value.is_finite());
    let (sum, count) = visible.fold((0.0, 0_u32), |(sum, n), s| (sum + s.value, n + 1));
    let average = sum / f64::from(count.max(1));
    let change = (count >= 5 && average.abs() > 1e-12 && last.is_finite())
        .then(|| (last - average) / average.abs());
    Reading {
        last: Some(last),
        change,
    }
}

/// Returns until when missing samples are gaps: those of the last moments may be on their way.
pub(super) fn known_until_ms(model: &Model, panel: &Panel) -> i64 {
    let end_ms = model.end_ms();
    let newest_ms = panel
        .tracks
        .iter()
        .filter_map(|track| track.samples.last())
        .map(|sample| sample.t_ms)
        .max();
    let late_ms = (2 * model.step_ms()).max(2 * model.config.refresh_ms + 2_000);
    match newest_ms {
        Some(newest_ms) if newest_ms >= end_ms - late_ms => newest_ms,
        _ => end_ms,
    }
}

/// Returns the scale of a panel's values; the threshold is on it unless it would flatten the data.
pub(super) fn value_scale(
    panel: &Panel,
    lines: &[ChartLine<'_>],
    threshold: Option<Threshold>,
    time: &TimeScale,
    ticks: usize,
) -> ValueScale {
    let buckets: Vec<Cell> = lines
        .iter()
        .flat_map(|line| time.fill(line.samples))
        .flatten()
        .collect();
    let high = buckets
        .iter()
        .map(|bucket| bucket.max)
        .filter(|value| value.is_finite())
        .fold(0.0, f64::max);
    let bound = threshold
        .map(|threshold| threshold.value)
        .filter(|value| panel.spec.unit == Unit::Ratio || *value <= high * 4.0);
    let ends = buckets
        .iter()
        .flat_map(|bucket| [bucket.min, bucket.max])
        .chain(bound);
    ValueScale::new(ends, panel.spec.unit, ticks)
}

/// Returns the title: name, value, change, threshold.
pub(super) fn title(
    model: &Model,
    panel: &Panel,
    reading: Reading,
    threshold: Option<Threshold>,
    focused: bool,
) -> Line<'static> {
    let theme = &model.config.theme;
    let name = if focused { theme.focus } else { theme.title };
    let mut spans = vec![Span::styled(format!("{}  ", panel.spec.title), name)];
    spans.push(value(panel, reading, threshold, theme));
    if let Some(change) = reading.change {
        spans.push(Span::raw("  "));
        spans.push(change_span(change, panel.spec.worse, theme));
        let window = span(model.viewport.window_ms);
        spans.push(Span::styled(format!(" vs {window} avg"), theme.dim));
    }
    if let Some(threshold) = threshold {
        let sign = if threshold.above { '>' } else { '<' };
        let bound = panel.spec.unit.format(threshold.value);
        spans.push(Span::styled(format!("  alert {sign} {bound}"), theme.warn));
    }
    if panel.tracks.len() > 1 {
        let count = panel.tracks.len() + panel.more_tracks;
        spans.push(Span::styled(format!("  max of {count} series"), theme.dim));
    }
    spans.push(Span::raw(" "));
    Line::from(spans)
}

pub(super) fn value(
    panel: &Panel,
    reading: Reading,
    threshold: Option<Threshold>,
    theme: &Theme,
) -> Span<'static> {
    let text = reading.last.map_or_else(
        || theme.glyphs.none.to_owned(),
        |last| panel.spec.unit.format(last),
    );
    Span::styled(text, value_style(reading, threshold, theme))
}

pub(super) fn value_style(reading: Reading, threshold: Option<Threshold>, theme: &Theme) -> Style {
    let Some(last) = reading.last else {
        return theme.dim;
    };
    match threshold {
        Some(bound) if bound.above && last > bound.value => theme.bad,
        Some(bound) if !bound.above && last < bound.value => theme.bad,
        _ => theme.title,
    }
}

pub(super) fn change_span(change: f64, worse: Option<Worse>, theme: &Theme) -> Span<'static> {
    let [up, down, steady] = theme.glyphs.trend;
    let percent = change * 100.0;
    if percent.abs() < 2.0 {
        return Span::styled(format!("{steady} steady"), theme.dim);
    }
    let glyph = if percent > 0.0 { up } else { down };
    let is_worse = match worse {
        Some(Worse::Up) => percent > 0.0,
        Some(Worse::Down) => percent < 0.0,
        None => false,
    };
    let style = match percent.abs() {
        size if size < 20.0 => theme.dim,
        _ if is_worse => theme.warn,
        _ => theme.text,
    };
    let text = match percent.abs() {
        size if size >= 1_000.0 => format!("{glyph} x{:.0}", change + 1.0),
        size => format!("{glyph} {size:.0}%"),
    };
    Span::styled(text, style)
}

/// Returns what is wrong, for the right end of the title.
pub(super) fn trouble(panel: &Panel, now_ms: i64, room: usize, theme: &Theme) -> Line<'static> {
    let warn = theme.warn.add_modifier(Modifier::BOLD);
    match panel.state(now_ms) {
        PanelState::Stale {
            age_ms,
            error,
            retry_in_ms,
            failures,
        } => {
            let head = format!(" {} stale {}", theme.glyphs.warning, span(age_ms));
            let tail = format!(", {} ", retry(retry_in_ms, failures));
            let left = room.saturating_sub(head.len() + tail.len() + 4);
            let middle = if left >= 12 {
                format!(": {}", cut(&error, left, theme))
            } else {
                String::new()
            };
            Line::styled(format!("{head}{middle}{tail}"), warn)
        }
        PanelState::Fresh if !panel.notes.is_empty() => Line::styled(
            cut(
                &format!(" {} {} ", theme.glyphs.warning, panel.notes[0]),
                room,
                theme,
            ),
            theme.warn,
        ),
        _ => Line::default(),
    }
}

fn retry(retry_in_ms: i64, failures: u32) -> String {
    if retry_in_ms > 0 {
        let seconds = (retry_in_ms + 999) / 1_000;
        format!("retry in {seconds}s ({failures})")
    } else {
        format!("retrying ({failures})")
    }
}

/// Writes why there is no line; returns whether it did.
pub(super) fn message(model: &Model, panel: &Panel, area: Rect, buffer: &mut Buffer) -> bool {
    let theme = &model.config.theme;
    let inner = Rect::new(
        area.x + 1,
        area.y + area.height.saturating_sub(3) / 3,
        area.width.saturating_sub(2),
        area.height - area.height.saturating_sub(3) / 3,
    );
    match panel.state(model.now_ms) {
        PanelState::Fresh | PanelState::Stale { .. } => return false,
        PanelState::Loading => {
            let text = format!("asking {} …", model.source.name);
            paragraph(buffer, inner, &text, theme.dim);
        }
        PanelState::Empty { expr } => {
            let key = &panel.spec.key;
            let advice = format!("set it with --panel {key}=EXPR or --select '{{…}}'");
            let room = usize::from(inner.width) * usize::from(inner.height).saturating_sub(1);
            let text = cut(&format!("query returned nothing: {expr}"), room, theme);
            let used = paragraph(buffer, inner, &text, theme.warn);
            paragraph(buffer, below(inner, used), &advice, theme.text);
        }
        PanelState::Failed {
            error,
            retry_in_ms,
            failures,
        } => {
            let text = format!("{} {error}", theme.glyphs.warning);
            let used = paragraph(buffer, inner, &text, theme.bad);
            paragraph(
                buffer,
                below(inner, used),
                &retry(retry_in_ms, failures),
                theme.dim,
            );
        }
    }
    true
}

fn below(area: Rect, rows: usize) -> Rect {
    let first = row(area, rows);
    Rect {
        height: area.height.saturating_sub(rows as u16),
        ..first
    }
}
