//! The events of a run as they come in.

use crate::dashboard::model::Model;
use crate::dashboard::msg::{CheckView, RunEvent, RunStatus, StepState, StepView};
use crate::dashboard::tables::{EventKind, RunState, Step, Verdict};
use crate::dashboard::text::clean;

/// Takes in an event of a run.
pub(crate) fn run(model: &mut Model, event: RunEvent) {
    model.dirty = true;
    match event {
        RunEvent::Started {
            playbook,
            title,
            steps,
            deadline_ms,
            at_ms,
        } => {
            let aborting = model
                .run
                .as_ref()
                .is_some_and(|run| run.is_on() && run.aborting);
            let playbook = clean(&playbook);
            let text = format!("run {playbook} starts");
            model.events.push(at_ms, EventKind::Run, text);
            model.run = Some(RunState {
                playbook,
                title: clean(&title),
                steps: steps.iter().map(waiting).collect(),
                started_ms: at_ms,
                deadline_ms,
                aborting,
                verdict: None,
            });
        }
        RunEvent::Step {
            index,
            state,
            at_ms,
        } => step(model, index, state, at_ms),
        RunEvent::Note { text, at_ms } => model.events.push(at_ms, EventKind::Run, clean(&text)),
        RunEvent::Ended {
            status,
            exit_code,
            reason,
            checks,
            at_ms,
        } => ended(
            model,
            Verdict {
                status,
                exit_code,
                reason: clean(&reason),
                checks: checks
                    .into_iter()
                    .map(|check| CheckView {
                        name: clean(&check.name),
                        detail: clean(&check.detail),
                        grade: check.grade,
                    })
                    .collect(),
                at_ms,
            },
        ),
    }
}

fn waiting(view: &StepView) -> Step {
    Step {
        view: StepView {
            name: clean(&view.name),
            limit_ms: view.limit_ms,
        },
        state: StepState::Waiting,
        started_ms: None,
        ended_ms: None,
    }
}

fn step(model: &mut Model, index: usize, state: StepState, at_ms: i64) {
    let Some(step) = model.run.as_mut().and_then(|run| run.steps.get_mut(index)) else {
        return;
    };
    let name = &step.view.name;
    let (kind, text) = match &state {
        StepState::Waiting | StepState::Skipped => (EventKind::Run, String::new()),
        StepState::Running => (EventKind::Run, name.clone()),
        StepState::Done(_) => (EventKind::Good, String::new()),
        StepState::Failed(why) => (EventKind::Error, format!("{name}: {}", clean(why))),
    };
    match &state {
        StepState::Running => step.started_ms = Some(at_ms),
        StepState::Waiting => {}
        _ => step.ended_ms = Some(at_ms),
    }
    step.state = match state {
        StepState::Done(word) => StepState::Done(clean(&word)),
        StepState::Failed(why) => StepState::Failed(clean(&why)),
        other => other,
    };
    if !text.is_empty() {
        model.events.push(at_ms, kind, text);
    }
}

fn ended(model: &mut Model, verdict: Verdict) {
    let Some(run) = &mut model.run else { return };
    let kind = match verdict.exit_code {
        0 => EventKind::Good,
        _ => EventKind::Error,
    };
    let word = match verdict.status {
        RunStatus::Completed => "completed",
        RunStatus::Failed => "failed",
        RunStatus::Aborted => "aborted",
        RunStatus::Interrupted => "interrupted",
    };
    let text = format!("run {} {word}: {}", run.playbook, verdict.reason);
    model.events.push(verdict.at_ms, kind, text);
    run.verdict = Some(verdict);
    if let Some(crate::dashboard::Overlay::Confirm(crate::dashboard::Question::Abort)) =
        &model.overlay
    {
        model.overlay = None;
    }
}
