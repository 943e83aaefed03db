//! The first row, which says how things stand, and the last, which says what can be done.

use super::paint::{cut, spread};
use crate::dashboard::format::{age, clock, span, timer};
use crate::dashboard::keys::{self, Action, Mode};
use crate::dashboard::model::{Focus, Model};
use crate::dashboard::tables::SourceState;
use crate::dashboard::theme::Theme;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};
use ratatui::text::{Line, Span};
use signals::source::AlertState;

/// A part of the status row; those with a low weight give way first.
struct Group {
    weight: u8,
    spans: Vec<Span<'static>>,
}

impl Group {
    fn width(&self) -> usize {
        self.spans.iter().map(Span::width).sum()
    }
}

pub(super) fn render(model: &Model, area: Rect, buffer: &mut Buffer) {
    let theme = &model.config.theme;
    let mut groups = groups(model, area.width);
    let clock = format!("{} ", clock(model.now_ms, &model.config.zone));
    let separator = format!(" {} ", theme.glyphs.bar);
    let room = usize::from(area.width).saturating_sub(clock.len() + 2);
    let width = |groups: &[Group]| groups.iter().map(|g| g.width() + 3).sum::<usize>();
    while width(&groups) > room {
        let Some(lightest) = groups.iter().map(|group| group.weight).min() else {
            break;
        };
        groups.retain(|group| group.weight != lightest);
    }
    let mut spans = vec![Span::raw(" ")];
    for (index, group) in groups.into_iter().enumerate() {
        if index > 0 {
            spans.push(Span::styled(separator.clone(), theme.line));
        }
        spans.extend(group.spans);
    }
    let right = Line::styled(clock, theme.dim);
    spread(buffer, area, &Line::from(spans), &right);
}

fn groups(model: &Model, width: u16) -> Vec<Group> {
    let theme = &model.config.theme;
    let mut groups = vec![
        Group {
            weight: 1,
            spans: vec![Span::styled("obs-tui", theme.title)],
        },
        Group {
            weight: 8,
            spans: source(
                &model.source,
                model.now_ms,
                if width < 70 { 14 } else { 28 },
                theme,
            ),
        },
    ];
    if let Some((state, _)) = &model.alertmanager {
        groups.push(Group {
            weight: 3,
            spans: alertmanager(state, theme),
        });
    }
    groups.push(Group {
        weight: 7,
        spans: window(model),
    });
    if model.service > 0 {
        groups.push(Group {
            weight: 4,
            spans: vec![Span::styled(model.service_name().to_owned(), theme.focus)],
        });
    }
    let faults = model.faults.rows.len();
    groups.push(Group {
        weight: if faults > 0 { 6 } else { 2 },
        spans: vec![Span::styled(
            format!("faults {faults}"),
            if faults > 0 {
                theme.fault.add_modifier(Modifier::BOLD)
            } else {
                theme.dim
            },
        )],
    });
    groups.push(Group {
        weight: 9,
        spans: alerts(model, width),
    });
    groups.extend(run(model));
    groups
}

fn source(state: &SourceState, now_ms: i64, room: usize, theme: &Theme) -> Vec<Span<'static>> {
    let [on, trouble, lost] = theme.glyphs.source;
    let name = cut(&state.name, room, theme);
    let told = state
        .data_at_ms
        .map(|at_ms| age((now_ms - at_ms).max(0)))
        .unwrap_or_default();
    match (&state.error, state.data_at_ms) {
        (None, None) => vec![
            Span::styled(trouble, theme.dim),
            Span::styled(format!(" {name} …"), theme.dim),
        ],
        (None, Some(_)) => vec![
            Span::styled(on, theme.good),
            Span::styled(format!(" {name} "), theme.text),
            Span::styled(told, theme.dim),
        ],
        (Some(_), None) => vec![Span::styled(
            format!("{lost} {name} unreachable"),
            theme.bad,
        )],
        (Some(_), Some(_)) => vec![Span::styled(
            format!("{lost} {name} lost {told}"),
            theme.bad,
        )],
    }
}

fn alertmanager(state: &SourceState, theme: &Theme) -> Vec<Span<'static>> {
    let [on, trouble, lost] = theme.glyphs.source;
    match (&state.error, state.data_at_ms) {
        (Some(_), _) => vec![Span::styled(format!("{lost} AM lost"), theme.bad)],
        (None, None) => vec![Span::styled(format!("{trouble} AM"), theme.dim)],
        (None, Some(_)) => vec![
            Span::styled(on, theme.good),
            Span::styled(" AM", theme.text),
        ],
    }
}

fn window(model: &Model) -> Vec<Span<'static>> {
    let theme = &model.config.theme;
    let [live, held] = theme.glyphs.play;
    let length = span(model.viewport.window_ms);
    match model.viewport.held_ms {
        None => vec![
            Span::styled(format!("{live} LIVE "), theme.good),
            Span::styled(length, theme.text),
        ],
        Some(end_ms) => vec![
            Span::styled(
                format!("{held} PAUSED "),
                theme.warn.add_modifier(Modifier::BOLD),
            ),
            Span::styled(
                format!("{length} to {}", clock(end_ms, &model.config.zone)),
                theme.text,
            ),
        ],
    }
}

fn alerts(model: &Model, width: u16) -> Vec<Span<'static>> {
    let theme = &model.config.theme;
    let [pending_glyph, firing_glyph] = theme.glyphs.alert;
    let firing = model.alerts.count(AlertState::Firing);
    let pending = model.alerts.count(AlertState::Pending);
    if model.alerts.error.is_some() {
        return vec![Span::styled(
            format!("{} alerts unknown", theme.glyphs.warning),
            theme.warn,
        )];
    }
    if model.alerts.at_ms.is_none() {
        return vec![Span::styled("alerts …", theme.dim)];
    }
    if firing + pending == 0 {
        return vec![Span::styled(
            format!("{} no alerts", theme.glyphs.step[2]),
            theme.good,
        )];
    }
    let mut spans = Vec::new();
    if firing > 0 {
        spans.push(Span::styled(
            format!("{firing_glyph} FIRING {firing}"),
            theme.bad,
        ));
    }
    if pending > 0 && (firing == 0 || width >= 50) {
        let space = if firing > 0 { "  " } else { "" };
        spans.push(Span::styled(
            format!("{space}{pending_glyph} PENDING {pending}"),
            theme.warn,
        ));
    }
    spans
}

fn run(model: &Model) -> Option<Group> {
    let theme = &model.config.theme;
    let run = model.run.as_ref()?;
    let [_, on, passed, failed, _] = theme.glyphs.step;
    let (text, style) = match &run.verdict {
        None => {
            let step = run.current().map_or(run.steps.len(), |index| index + 1);
            let elapsed = timer(model.now_ms - run.started_ms);
            let count = run.steps.len();
            let style = theme.focus;
            (
                format!("{on} {} {step}/{count} {elapsed}", run.playbook),
                style,
            )
        }
        Some(verdict) if verdict.exit_code == 0 => {
            (format!("{passed} {} passed", run.playbook), theme.good)
        }
        Some(verdict) => (
            format!("{failed} {} exit {}", run.playbook, verdict.exit_code),
            theme.bad,
        ),
    };
    Some(Group {
        weight: 5,
        spans: vec![Span::styled(text, style)],
    })
}

/// Draws the keys of the mode, as many as fit, or what has just been done.
pub(super) fn footer(model: &Model, area: Rect, buffer: &mut Buffer) {
    let theme = &model.config.theme;
    let ascii = *theme.glyphs == crate::dashboard::Glyphs::ASCII;
    let mode = model.mode();
    let hint = |action: Action| {
        let binding = keys::in_mode(mode).find(|binding| binding.action == action)?;
        let chord = binding.chords.first()?.label(ascii);
        Some((chord, word(model, binding).to_owned()))
    };
    let mut spans = vec![Span::raw(" ")];
    if let Some((_, text)) = &model.flash {
        spans.push(Span::styled(format!("{text}   "), theme.focus));
    }
    // The way to the help is always shown.
    let help = hint(Action::Help);
    let reserved = help
        .as_ref()
        .map_or(0, |(chord, word)| chord.len() + word.len() + 4);
    let room = usize::from(area.width).saturating_sub(reserved);
    let mut used: usize = spans.iter().map(Span::width).sum();
    for binding in keys::in_mode(mode) {
        if binding.short.is_empty()
            || binding.action == Action::Help
            || (binding.action == Action::AbortRun && !model.run_is_on())
        {
            continue;
        }
        let Some((chord, word)) = hint(binding.action) else {
            continue;
        };
        let width = chord.chars().count() + word.len() + 3;
        if used + width > room {
            continue;
        }
        used += width;
        let alarm = binding.action == Action::StopAllFaults && model.is_something_broken();
        spans.extend(pair(&chord, &word, alarm, theme));
    }
    let right = help.map_or_else(Line::default, |(chord, word)| {
        Line::from(pair(&chord, &word, false, theme))
    });
    spread(buffer, area, &Line::from(spans), &right);
}

fn pair(chord: &str, word: &str, alarm: bool, theme: &Theme) -> Vec<Span<'static>> {
    let (key, text) = if alarm {
        let style = theme.bad.add_modifier(Modifier::REVERSED);
        (style, theme.bad)
    } else {
        (theme.key, theme.dim)
    };
    vec![
        Span::styled(chord.to_owned(), key),
        Span::styled(format!(" {word}"), text),
        Span::styled("  ", Style::new()),
    ]
}

fn word<'a>(model: &Model, binding: &'a keys::Binding) -> &'a str {
    match (binding.action, model.mode()) {
        (Action::Open, Mode::Main) => match model.focus {
            Focus::Charts => "full",
            Focus::Alerts => "details",
            Focus::Playbooks if model.run_is_on() => "wait",
            Focus::Playbooks if model.run.is_some() => "verdict",
            Focus::Playbooks => "run",
            Focus::Faults => "withdraw",
            Focus::Events => "",
        },
        (Action::TogglePause, _) if model.viewport.held_ms.is_some() => "live",
        _ => binding.short,
    }
}
