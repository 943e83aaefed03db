//! What lies on top: help, questions, an alert or a verdict in full.

use super::alerts::{look, when};
use super::paint::{boxed, put, row};
use super::run::{checks, grade, headline};
use crate::dashboard::format::{Unit, clock, span};
use crate::dashboard::keys::{self, Binding, Mode};
use crate::dashboard::model::{Model, Overlay, Question};
use crate::dashboard::msg::PlaybookView;
use crate::dashboard::tables::{AlertRow, Verdict};
use crate::dashboard::text::wrap;
use crate::dashboard::theme::{Glyphs, Theme};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

pub(super) fn render(model: &Model, area: Rect, buffer: &mut Buffer) {
    let theme = &model.config.theme;
    match &model.overlay {
        None => {}
        Some(Overlay::Help) => help(model, area, buffer),
        Some(Overlay::Confirm(question)) => confirm(model, question, area, buffer),
        Some(Overlay::Alert(alert)) => {
            let lines = alert_lines(model, alert, usize::from(area.width.min(76)) - 4);
            let title = Line::styled(alert.name.clone(), theme.title);
            popup(model, title, &lines, area, buffer);
        }
        Some(Overlay::Verdict) => {
            if let Some(run) = &model.run
                && let Some(verdict) = &run.verdict
            {
                let title = format!("Verdict of {}", run.playbook);
                let title = Line::styled(title, theme.title);
                full_verdict(model, title, verdict, area, buffer);
            }
        }
    }
}

/// Clears the middle of an area, draws a box there and returns what is inside.
fn window(
    width: u16,
    height: u16,
    title: Line<'_>,
    theme: &Theme,
    area: Rect,
    buffer: &mut Buffer,
) -> Rect {
    let (width, height) = (width.min(area.width), height.min(area.height));
    let place = Rect::new(
        area.x + (area.width - width) / 2,
        area.y + (area.height - height) / 2,
        width,
        height,
    );
    for position in place.positions() {
        buffer[position].reset();
    }
    let inner = boxed(buffer, place, title, true, theme);
    Rect {
        x: inner.x + 1,
        width: inner.width.saturating_sub(2),
        ..inner
    }
}

fn popup(model: &Model, title: Line<'_>, lines: &[Line<'_>], area: Rect, buffer: &mut Buffer) {
    let theme = &model.config.theme;
    let height = (lines.len() + 2).min(usize::from(area.height)) as u16;
    let inner = window(area.width.min(76), height, title, theme, area, buffer);
    scrolled(model, lines, inner, buffer);
}

fn scrolled(model: &Model, lines: &[Line<'_>], area: Rect, buffer: &mut Buffer) {
    let room = usize::from(area.height);
    let start = model.scroll.min(lines.len().saturating_sub(room));
    for (y, line) in lines.iter().skip(start).take(room).enumerate() {
        let area = row(area, y);
        buffer.set_line(area.x, area.y, line, area.width);
    }
    let more = lines.len().saturating_sub(start + room);
    if more > 0 && room > 0 {
        let text = format!(" {more} more below ");
        let x = area.right().saturating_sub(text.len() as u16);
        let place = Rect::new(x, area.bottom(), text.len() as u16, 1);
        put(buffer, place, &text, model.config.theme.dim);
    }
}

fn help(model: &Model, area: Rect, buffer: &mut Buffer) {
    let theme = &model.config.theme;
    let mut lines = Vec::new();
    for binding in keys::TABLE {
        if binding.modes == [Mode::Popup] || binding.modes == [Mode::Confirm] {
            continue;
        }
        lines.push(help_line(binding, theme));
    }
    lines.push(Line::default());
    let legend = |glyph: &'static str, style: Style, text: &'static str| {
        vec![
            Span::styled(format!(" {glyph} "), style),
            Span::styled(format!("{text}   "), theme.dim),
        ]
    };
    let glyphs = theme.glyphs;
    let [pending, firing] = glyphs.alert;
    let mut spans = legend(glyphs.fault[0], theme.fault, "fault begins");
    spans.extend(legend(glyphs.fault[2], theme.fault, "ends"));
    spans.extend(legend(pending, theme.warn, "pending"));
    spans.extend(legend(firing, theme.bad, "firing"));
    spans.extend(legend(glyphs.threshold, theme.warn, "threshold"));
    spans.extend(legend(glyphs.gap, theme.line, "no data"));
    lines.push(Line::from(spans));
    let title = Line::styled("Keys", theme.title);
    popup(model, title, &lines, area, buffer);
}

fn help_line(binding: &Binding, theme: &Theme) -> Line<'static> {
    let ascii = *theme.glyphs == Glyphs::ASCII;
    let chords: Vec<String> = binding
        .chords
        .iter()
        .map(|chord| chord.label(ascii))
        .collect();
    Line::from(vec![
        Span::styled(format!("{:>12}  ", chords.join(" ")), theme.key),
        Span::styled(binding.help, theme.text),
    ])
}

fn confirm(model: &Model, question: &Question, area: Rect, buffer: &mut Buffer) {
    let theme = &model.config.theme;
    let width = area.width.min(66);
    let room = usize::from(width) - 4;
    let (title, mut lines) = match question {
        Question::Start(playbook) => start_lines(playbook, room, theme),
        Question::Abort => (
            "Abort the run?".to_owned(),
            plain(
                "Its faults are withdrawn and recovery is verified before it ends.",
                room,
                theme,
            ),
        ),
        Question::Withdraw { target, id } => (
            format!("Withdraw {id}?"),
            plain(&format!("The fault ends at once on {target}."), room, theme),
        ),
        Question::Quit => ("Quit?".to_owned(), quit_lines(model, room, theme)),
    };
    lines.push(Line::default());
    lines.push(answers(question, theme));
    let height = lines.len() as u16 + 2;
    let title = Line::styled(title, theme.title);
    let inner = window(width, height, title, theme, area, buffer);
    // The answers stay visible on the smallest screen.
    let skipped = lines.len().saturating_sub(usize::from(inner.height));
    let cut = lines.len() - 1 - skipped.min(lines.len() - 1);
    for (y, line) in lines[..cut].iter().chain(lines.last()).enumerate() {
        let area = row(inner, y);
        buffer.set_line(area.x, area.y, line, area.width);
    }
}

fn plain(text: &str, room: usize, theme: &Theme) -> Vec<Line<'static>> {
    wrap(text, room)
        .into_iter()
        .map(|line| Line::styled(line, theme.text))
        .collect()
}

fn start_lines(
    playbook: &PlaybookView,
    room: usize,
    theme: &Theme,
) -> (String, Vec<Line<'static>>) {
    let mut lines = vec![Line::styled(playbook.title.clone(), theme.title)];
    lines.extend(
        wrap(&playbook.description, room)
            .into_iter()
            .map(|line| Line::styled(line, theme.dim)),
    );
    lines.push(Line::default());
    let mut fact = |name: &str, values: &[String], none: &str, style: Style| {
        let none = [none.to_owned()];
        let values = if values.is_empty() { &none } else { values };
        for (index, value) in values.iter().enumerate() {
            let name = if index == 0 { name } else { "" };
            for (part, text) in wrap(value, room.saturating_sub(11)).into_iter().enumerate() {
                let name = if part == 0 { name } else { "" };
                lines.push(Line::from(vec![
                    Span::styled(format!("{name:<11}"), theme.dim),
                    Span::styled(text, style),
                ]));
            }
        }
    };
    fact("breaks", &playbook.breaks, "nothing", theme.fault);
    fact("expects", &playbook.expects, "no alert", theme.text);
    let about = format!("about {}", span(playbook.about_ms));
    fact("takes", &[about], "", theme.text);
    (format!("Run {}?", playbook.name), lines)
}

fn quit_lines(model: &Model, room: usize, theme: &Theme) -> Vec<Line<'static>> {
    let mut lines = Vec::new();
    if let Some(run) = model.run.as_ref().filter(|run| run.is_on()) {
        let text = format!(
            "The run {} is on. It is aborted and recovers first.",
            run.playbook
        );
        lines.extend(plain(&text, room, theme));
    }
    for fault in model.faults.rows.iter().take(4) {
        let text = format!("{} is active on {}.", fault.view.id, fault.target);
        lines.extend(plain(&text, room, theme));
    }
    let text = "A fault that is left behind ends by itself when its lease is over.";
    lines.extend(plain(text, room, theme));
    lines
}

fn answers(question: &Question, theme: &Theme) -> Line<'static> {
    let yes = match question {
        Question::Start(_) => "run it",
        Question::Abort => "abort it",
        Question::Withdraw { .. } => "withdraw it",
        Question::Quit => "quit",
    };
    Line::from(vec![
        Span::styled(
            " Enter ",
            theme.key.add_modifier(ratatui::style::Modifier::REVERSED),
        ),
        Span::styled(format!(" {yes}     "), theme.text),
        Span::styled(
            " Esc ",
            theme.key.add_modifier(ratatui::style::Modifier::REVERSED),
        ),
        Span::styled(" leave it", theme.text),
    ])
}

fn alert_lines(model: &Model, alert: &AlertRow, room: usize) -> Vec<Line<'static>> {
    let theme = &model.config.theme;
    let (glyph, word, style) = look(alert, theme);
    let mut lines = vec![Line::from(vec![
        Span::styled(
            format!("{glyph} {word} {}", when(alert, model.now_ms)),
            style,
        ),
        Span::styled(format!("   {}", alert.severity), theme.text),
    ])];
    lines.extend(plain(&alert.summary, room, theme));
    lines.push(Line::default());
    let value = Unit::Plain.format(alert.value);
    let since = clock(alert.active_at_ms, &model.config.zone);
    let held = if alert.for_ms > 0 {
        span(alert.for_ms)
    } else {
        "at once".to_owned()
    };
    let facts = [
        ("value", format!("{value} {}", alert.condition)),
        ("since", since),
        ("for", held),
        ("labels", alert.labels.clone()),
        ("expr", alert.expr.clone()),
        ("about", alert.description.clone()),
        ("runbook", alert.runbook.clone()),
    ];
    for (name, text) in facts {
        for (part, line) in wrap(&text, room.saturating_sub(9)).into_iter().enumerate() {
            let name = if part == 0 { name } else { "" };
            lines.push(Line::from(vec![
                Span::styled(format!("{name:<9}"), theme.dim),
                Span::styled(line, theme.text),
            ]));
        }
    }
    if !alert.runbook.is_empty() {
        lines.push(Line::default());
        lines.push(Line::from(vec![
            Span::styled("o", theme.key),
            Span::styled(" copies the runbook's address", theme.dim),
        ]));
    }
    lines
}

fn full_verdict(
    model: &Model,
    title: Line<'_>,
    verdict: &Verdict,
    area: Rect,
    buffer: &mut Buffer,
) {
    let theme = &model.config.theme;
    let width = area.width.min(90);
    let reason = wrap(&verdict.reason, usize::from(width) - 4).len();
    let needs_two = |check: &crate::dashboard::CheckView| {
        check.name.len() + check.detail.len() + 6 > usize::from(width) - 4
    };
    if !verdict.checks.iter().any(needs_two) {
        let height = (verdict.checks.len() + reason + 4) as u16;
        let inner = window(width, height, title, theme, area, buffer);
        let used = headline(verdict, inner, buffer, theme) + 1;
        let rest = Rect {
            y: inner.y + used as u16,
            height: inner.height.saturating_sub(used as u16),
            ..inner
        };
        return checks(verdict, rest, buffer, theme);
    }
    let mut lines = Vec::new();
    for check in &verdict.checks {
        let (glyph, style) = grade(check.grade, theme);
        lines.push(Line::from(vec![
            Span::styled(format!("{glyph} "), style),
            Span::styled(check.name.clone(), theme.text),
        ]));
        for part in wrap(&check.detail, usize::from(width) - 8) {
            lines.push(Line::styled(format!("    {part}"), theme.dim));
        }
    }
    let height = (lines.len() + reason + 4).min(usize::from(area.height)) as u16;
    let inner = window(width, height, title, theme, area, buffer);
    let used = headline(verdict, inner, buffer, theme) + 1;
    let rest = Rect {
        y: inner.y + used as u16,
        height: inner.height.saturating_sub(used as u16),
        ..inner
    };
    scrolled(model, &lines, rest, buffer);
}
