//! A run: its steps with a mark at now, and the verdict when it is over.

use super::paint::{bar, boxed, cut, paragraph, put, row, spread, window};
use crate::dashboard::format::{span, timer};
use crate::dashboard::model::{Focus, Model};
use crate::dashboard::msg::{Grade, RunStatus, StepState};
use crate::dashboard::tables::{RunState, Step, Verdict};
use crate::dashboard::theme::Theme;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

/// Returns how many rows the section would like, border included.
pub(super) fn wanted(run: &RunState) -> u16 {
    let rows = match &run.verdict {
        None => run.steps.len().max(1) + 1,
        Some(verdict) => verdict.checks.len() + 3,
    };
    rows.min(60) as u16 + 2
}

pub(super) fn render(model: &Model, run: &RunState, area: Rect, buffer: &mut Buffer) {
    let theme = &model.config.theme;
    let focused = model.focus == Focus::Playbooks;
    let until = run.verdict.as_ref().map_or(model.now_ms, |v| v.at_ms);
    let mut title = vec![
        Span::styled(format!("Run {}", run.playbook), theme.title),
        Span::styled(format!("  {}", timer(until - run.started_ms)), theme.focus),
    ];
    if let Some(deadline_ms) = run.deadline_ms.filter(|_| run.is_on()) {
        title.push(Span::styled(
            format!(" / {}", timer(deadline_ms)),
            theme.dim,
        ));
    }
    let inner = boxed(buffer, area, Line::from(title), focused, theme);
    if inner.is_empty() {
        return;
    }
    match &run.verdict {
        Some(verdict) => {
            let used = headline(verdict, inner, buffer, theme);
            checks(verdict, below(inner, used), buffer, theme);
        }
        None => steps(model, run, inner, buffer),
    }
}

fn below(area: Rect, rows: usize) -> Rect {
    let rows = (rows as u16).min(area.height);
    Rect {
        y: area.y + rows,
        height: area.height - rows,
        ..area
    }
}

fn steps(model: &Model, run: &RunState, area: Rect, buffer: &mut Buffer) {
    let theme = &model.config.theme;
    if run.aborting {
        put(buffer, area, "aborting, then recovery …", theme.warn);
    } else {
        put(
            buffer,
            area,
            &cut(&run.title, usize::from(area.width), theme),
            theme.dim,
        );
    }
    let list = below(area, 1);
    if run.steps.is_empty() {
        put(buffer, list, "starting …", theme.dim);
        return;
    }
    let current = run.current().unwrap_or(run.steps.len() - 1);
    // The step after the current one stays visible: what comes next is what people ask.
    let anchor = (current + 1).min(run.steps.len() - 1);
    let visible = window(anchor, run.steps.len(), usize::from(list.height));
    for (y, index) in visible.enumerate() {
        step(model, &run.steps[index], row(list, y), buffer);
    }
}

fn step(model: &Model, step: &Step, area: Rect, buffer: &mut Buffer) {
    let theme = &model.config.theme;
    let (glyph, style) = look(&step.state, theme);
    let text = match &step.state {
        StepState::Running => theme.title,
        StepState::Waiting | StepState::Skipped => theme.dim,
        _ => theme.text,
    };
    let mut left = vec![
        Span::styled(format!("{glyph} "), style),
        Span::styled(step.view.name.clone(), text),
    ];
    if let StepState::Done(word) | StepState::Failed(word) = &step.state {
        left.push(Span::styled(format!("  {word}"), theme.dim));
    }
    spread(buffer, area, &Line::from(left), &clock(model, step));
}

/// Returns how long a step took, or how far it has come.
fn clock(model: &Model, step: &Step) -> Line<'static> {
    let theme = &model.config.theme;
    let Some(started_ms) = step.started_ms else {
        let limit = step.view.limit_ms.map_or_else(String::new, span);
        return Line::styled(limit, theme.line);
    };
    if let Some(ended_ms) = step.ended_ms {
        return Line::styled(span(ended_ms - started_ms), theme.dim);
    }
    let gone = model.now_ms - started_ms;
    let Some(limit_ms) = step.view.limit_ms.filter(|limit| *limit > 0) else {
        return Line::styled(span(gone), theme.focus);
    };
    let (full, empty) = bar(gone as f64 / limit_ms as f64, 6, theme);
    Line::from(vec![
        Span::styled(full, theme.focus),
        Span::styled(empty, theme.line),
        Span::styled(format!(" {}/{}", span(gone), span(limit_ms)), theme.focus),
    ])
}

fn look(state: &StepState, theme: &Theme) -> (&'static str, Style) {
    let [waiting, running, done, failed, skipped] = theme.glyphs.step;
    match state {
        StepState::Waiting => (waiting, theme.line),
        StepState::Running => (running, theme.focus),
        StepState::Done(_) => (done, theme.good),
        StepState::Failed(_) => (failed, theme.bad),
        StepState::Skipped => (skipped, theme.dim),
    }
}

/// Writes the verdict in a word and in a sentence; returns how many rows it took.
pub(super) fn headline(verdict: &Verdict, area: Rect, buffer: &mut Buffer, theme: &Theme) -> usize {
    let [_, _, passed, failed, _] = theme.glyphs.step;
    let (text, style) = match (verdict.exit_code, verdict.status) {
        (0, _) => (format!("{passed} PASS"), theme.good),
        (code, RunStatus::Interrupted) => {
            (format!("{failed} INTERRUPTED  exit {code}"), theme.warn)
        }
        (code, RunStatus::Aborted) => (format!("{failed} ABORTED  exit {code}"), theme.bad),
        (code, _) => (format!("{failed} FAIL  exit {code}"), theme.bad),
    };
    put(buffer, area, &text, style);
    1 + paragraph(buffer, below(area, 1), &verdict.reason, theme.text)
}

/// Writes one row per check, the figures at the right.
pub(super) fn checks(verdict: &Verdict, area: Rect, buffer: &mut Buffer, theme: &Theme) {
    for (y, check) in verdict
        .checks
        .iter()
        .take(usize::from(area.height))
        .enumerate()
    {
        let (glyph, style) = grade(check.grade, theme);
        let name = cut(
            &check.name,
            usize::from(area.width).saturating_sub(2),
            theme,
        );
        let left = Line::from(vec![
            Span::styled(format!("{glyph} "), style),
            Span::styled(name, theme.text),
        ]);
        let room = usize::from(area.width).saturating_sub(left.width() + 1);
        // A few characters of a detail say nothing; Enter shows it in full.
        let detail = if room >= 8 {
            cut(&check.detail, room, theme)
        } else {
            String::new()
        };
        let right = Line::styled(detail, theme.dim);
        spread(buffer, row(area, y), &left, &right);
    }
}

pub(super) fn grade(grade: Grade, theme: &Theme) -> (&'static str, Style) {
    let [_, _, passed, failed, skipped] = theme.glyphs.step;
    match grade {
        Grade::Pass => (passed, theme.good),
        Grade::Fail => (failed, theme.bad),
        Grade::Error => (theme.glyphs.warning, theme.warn),
        Grade::NotApplicable => (skipped, theme.dim),
    }
}

/// Returns the run or the playbooks in one line, for the screens that have only that.
pub(super) fn in_one_line(model: &Model) -> Line<'static> {
    let theme = &model.config.theme;
    let Some(run) = &model.run else {
        let names: Vec<&str> = model
            .playbooks
            .iter()
            .map(|one| one.name.as_str())
            .collect();
        return Line::from(vec![
            Span::styled("p", theme.key),
            Span::styled(format!(" {}", names.join("  ")), theme.dim),
        ]);
    };
    if let Some(verdict) = &run.verdict {
        let [_, _, passed, failed, _] = theme.glyphs.step;
        let (glyph, style) = match verdict.exit_code {
            0 => (passed, theme.good),
            _ => (failed, theme.bad),
        };
        let text = format!("{glyph} {}: {}", run.playbook, verdict.reason);
        return Line::styled(text, style);
    }
    let on = theme.glyphs.step[1];
    let step = run.current().and_then(|index| run.steps.get(index));
    let name = step.map_or("starting …", |step| &step.view.name);
    let elapsed = timer(model.now_ms - run.started_ms);
    Line::from(vec![
        Span::styled(format!("{on} {} ", run.playbook), theme.focus),
        Span::styled(format!("{elapsed}  {name}"), theme.text),
    ])
}
