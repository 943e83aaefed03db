//! What keys do to the model.

use super::keys::Action;
use super::model::{Focus, Model, Overlay, Question, WINDOWS_MS};
use super::msg::Effect;
use super::tables::{EventKind, RunState};

/// Carries out an action.
pub(crate) fn act(model: &mut Model, action: Action) -> Vec<Effect> {
    match action {
        Action::StopAllFaults => return stop_all_faults(model),
        Action::Quit | Action::Interrupt => return quit(model, action),
        Action::Suspend => return vec![Effect::Suspend],
        Action::CopyRunbook => return copy_runbook(model),
        Action::Yes => return yes(model),
        Action::No => model.overlay = None,
        Action::Open => open(model),
        Action::Back => back(model),
        Action::Help => popup(model, Overlay::Help),
        Action::AbortRun => ask_abort(model),
        Action::Refresh => refresh(model),
        Action::FocusNext => focus(model, model.focus.index() + 1),
        Action::FocusPrevious => focus(model, model.focus.index() + Focus::ALL.len() - 1),
        Action::FocusPlaybooks => focus(model, Focus::Playbooks.index()),
        Action::Left => focus(model, Focus::Charts.index()),
        Action::Right if model.focus == Focus::Charts => focus(model, Focus::Alerts.index()),
        Action::Right => {}
        Action::Up => move_selection(model, |at, _| at.saturating_sub(1)),
        Action::Down => move_selection(model, |at, last| (at + 1).min(last)),
        Action::First => move_selection(model, |_, _| 0),
        Action::Last => move_selection(model, |_, last| last),
        Action::TogglePause => {
            let now_ms = model.now_ms;
            hold(model, model.viewport.held_ms.is_none().then_some(now_ms));
        }
        Action::GoLive => hold(model, None),
        Action::PanBack => pan(model, -1),
        Action::PanForward => pan(model, 1),
        Action::ZoomIn => zoom(model, false),
        Action::ZoomOut => zoom(model, true),
        Action::Fullscreen => model.fullscreen = !model.fullscreen,
        Action::CycleService => cycle_service(model),
        Action::ToggleThresholds => model.layers.thresholds ^= true,
        Action::ToggleAnnotations => model.layers.annotations ^= true,
    }
    Vec::new()
}

fn popup(model: &mut Model, overlay: Overlay) {
    model.scroll = 0;
    model.overlay = Some(overlay);
}

fn flash(model: &mut Model, text: impl Into<String>) {
    model.flash = Some((model.now_ms, text.into()));
}

fn stop_all_faults(model: &mut Model) -> Vec<Effect> {
    if matches!(model.overlay, Some(Overlay::Confirm(_))) {
        model.overlay = None;
    }
    let mut effects = Vec::new();
    if let Some(run) = model.run.as_mut().filter(|run| run.is_on()) {
        run.aborting = true;
        effects.push(Effect::AbortRun);
    }
    effects.push(Effect::StopAllFaults);
    model.faults.fetch.hurry();
    model
        .events
        .push(model.now_ms, EventKind::Warning, "stop all faults, by hand");
    flash(model, "stopping all faults");
    effects
}

fn quit(model: &mut Model, action: Action) -> Vec<Effect> {
    let asked = model.overlay == Some(Overlay::Confirm(Question::Quit));
    if (asked && action == Action::Interrupt) || !model.is_something_broken() {
        return vec![Effect::Quit];
    }
    popup(model, Overlay::Confirm(Question::Quit));
    Vec::new()
}

fn copy_runbook(model: &mut Model) -> Vec<Effect> {
    let row = match &model.overlay {
        Some(Overlay::Alert(row)) => Some(row.as_ref()),
        _ => model.alerts.rows.get(model.selection(Focus::Alerts)),
    };
    match row.map(|row| row.runbook.clone()) {
        Some(url) if !url.is_empty() => {
            flash(model, format!("copied {url}"));
            vec![Effect::CopyToClipboard(url)]
        }
        Some(_) => {
            flash(model, "this alert names no runbook");
            Vec::new()
        }
        None => {
            flash(model, "no alert is selected");
            Vec::new()
        }
    }
}

fn yes(model: &mut Model) -> Vec<Effect> {
    let Some(Overlay::Confirm(question)) = model.overlay.take() else {
        return Vec::new();
    };
    match question {
        Question::Quit => vec![Effect::Quit],
        Question::Abort => {
            let Some(run) = model.run.as_mut().filter(|run| run.is_on()) else {
                return Vec::new();
            };
            run.aborting = true;
            vec![Effect::AbortRun]
        }
        Question::Withdraw { target, id } => {
            model.faults.fetch.hurry();
            vec![Effect::StopFault { target, id }]
        }
        Question::Start(playbook) if model.run_is_on() => {
            flash(
                model,
                format!("a run is on; {} was not started", playbook.name),
            );
            Vec::new()
        }
        Question::Start(playbook) => {
            model.run = Some(RunState {
                playbook: playbook.name.clone(),
                title: playbook.title,
                steps: Vec::new(),
                started_ms: model.now_ms,
                deadline_ms: None,
                aborting: false,
                verdict: None,
            });
            model.focus = Focus::Playbooks;
            hold(model, None);
            vec![Effect::StartPlaybook {
                name: playbook.name,
            }]
        }
    }
}

fn open(model: &mut Model) {
    let at = model.selection(model.focus);
    match model.focus {
        Focus::Charts => model.fullscreen = !model.fullscreen,
        Focus::Alerts => {
            if let Some(row) = model.alerts.rows.get(at).cloned() {
                popup(model, Overlay::Alert(Box::new(row)));
            }
        }
        Focus::Playbooks => open_playbook(model, at),
        Focus::Faults => {
            if let Some(row) = model.faults.rows.get(at) {
                let question = Question::Withdraw {
                    target: row.target.clone(),
                    id: row.view.id.clone(),
                };
                popup(model, Overlay::Confirm(question));
            }
        }
        Focus::Events => {}
    }
}

fn open_playbook(model: &mut Model, at: usize) {
    match &model.run {
        Some(run) if run.is_on() => flash(model, "a run is on; x aborts it"),
        Some(_) => popup(model, Overlay::Verdict),
        None if model.config.fault_targets.is_empty() => {
            flash(
                model,
                "nothing to break: give a fault target with --fault URL",
            );
        }
        None => {
            if let Some(playbook) = model.playbooks.get(at).cloned() {
                popup(model, Overlay::Confirm(Question::Start(playbook)));
            }
        }
    }
}

fn back(model: &mut Model) {
    if model.overlay.take().is_some() {
        return;
    }
    let judged = model.run.as_ref().is_some_and(|run| !run.is_on());
    if model.fullscreen {
        model.fullscreen = false;
    } else if model.focus == Focus::Playbooks && judged {
        model.run = None;
    } else {
        model.focus = Focus::Charts;
    }
}

fn ask_abort(model: &mut Model) {
    if model.run_is_on() {
        popup(model, Overlay::Confirm(Question::Abort));
    } else {
        flash(model, "no run is on");
    }
}

fn refresh(model: &mut Model) {
    for panel in &mut model.panels {
        panel.fetch.hurry();
    }
    model.alerts.fetch.hurry();
    model.faults.fetch.hurry();
    if let Some((_, fetch)) = &mut model.alertmanager {
        fetch.hurry();
    }
}

fn focus(model: &mut Model, index: usize) {
    model.focus = Focus::ALL[index % Focus::ALL.len()];
    model.fullscreen &= model.focus == Focus::Charts;
}

fn move_selection(model: &mut Model, to: impl Fn(usize, usize) -> usize) {
    if model.overlay.is_some() {
        // The view knows how long the text is, and stops at its end.
        model.scroll = to(model.scroll, 1_000);
        return;
    }
    let last = model.rows(model.focus).saturating_sub(1);
    let at = model.selection(model.focus);
    model.selected[model.focus.index()] = to(at, last);
}

fn hold(model: &mut Model, held_ms: Option<i64>) {
    model.viewport.held_ms = held_ms;
    reask(model);
}

fn pan(model: &mut Model, direction: i64) {
    let end_ms = model.end_ms() + direction * model.viewport.window_ms / 2;
    hold(model, (end_ms < model.now_ms).then_some(end_ms.max(0)));
}

fn zoom(model: &mut Model, out: bool) {
    let window_ms = model.viewport.window_ms;
    let next = if out {
        WINDOWS_MS.iter().find(|other| **other > window_ms)
    } else {
        WINDOWS_MS.iter().rev().find(|other| **other < window_ms)
    };
    if let Some(next) = next {
        model.viewport.window_ms = *next;
        reask(model);
    }
}

fn cycle_service(model: &mut Model) {
    if model.services.len() < 2 {
        flash(model, "no other service is known");
        return;
    }
    model.service = (model.service + 1) % model.services.len();
    for panel in &mut model.panels {
        panel.tracks.clear();
        panel.answered_ms = None;
        panel.error = None;
    }
    reask(model);
}

/// Asks at once where the screen now needs what is not there.
fn reask(model: &mut Model) {
    for index in 0..model.panels.len() {
        if !model.covers(&model.panels[index]) {
            model.panels[index].fetch.supersede();
        }
    }
}

impl Model {
    /// Returns how many rows a part of the screen has.
    pub(crate) fn rows(&self, focus: Focus) -> usize {
        match focus {
            Focus::Charts => self.panels.len(),
            Focus::Alerts => self.alerts.rows.len(),
            Focus::Playbooks => self.playbooks.len(),
            Focus::Faults => self.faults.rows.len(),
            Focus::Events => self.events.list.len(),
        }
    }

    /// Returns the selected row of a part, which always exists if there is any.
    pub(crate) fn selection(&self, focus: Focus) -> usize {
        self.selected[focus.index()].min(self.rows(focus).saturating_sub(1))
    }
}
