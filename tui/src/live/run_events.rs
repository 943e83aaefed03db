//! From the events of a run to what the screen shows of it.

use chaos::event::Phase;
use chaos::playbook::Action;
use chaos::verdict::{Check, CheckStatus, Outcome, RunStatus as Status};
use chaos::{Event, EventKind, Playbook};
use tokio::sync::mpsc;

use crate::dashboard::{CheckView, Grade, Msg, RunEvent, RunStatus, StepState, StepView};
use crate::run_words;

/// The steps of every run around its method.
const BEFORE: &str = "steady state";
const AFTER: [&str; 3] = ["faults run out", "recovery", "alerts resolve"];

/// Passes the events of a run on to the screen until the run is over.
pub(super) async fn forward(
    playbook: Playbook,
    mut events: mpsc::Receiver<Event>,
    screen: mpsc::Sender<Msg>,
) {
    let mut view = RunView::new(&playbook);
    while let Some(event) = events.recv().await {
        for shown in view.show(&event) {
            if screen.send(Msg::Run(shown)).await.is_err() {
                // The screen is gone; the run goes on to its recovery without it.
                return;
            }
        }
    }
}

/// Which step of the list is going on.
struct RunView<'p> {
    playbook: &'p Playbook,
    running: Option<usize>,
}

impl<'p> RunView<'p> {
    fn new(playbook: &'p Playbook) -> Self {
        Self {
            playbook,
            running: None,
        }
    }

    fn show(&mut self, event: &Event) -> Vec<RunEvent> {
        let at_ms = event.t_ms;
        match &event.kind {
            EventKind::RunStarted(started) => vec![RunEvent::Started {
                playbook: started.playbook.clone(),
                title: started.title.clone(),
                steps: self.steps(),
                deadline_ms: Some(self.playbook.deadline_ms),
                at_ms,
            }],
            EventKind::Phase { phase } => self.phase(*phase, at_ms),
            EventKind::StepStarted { step, .. } => self.enter(1 + step, at_ms),
            EventKind::StepEnded {
                step,
                status,
                detail,
                ..
            } => {
                self.running = None;
                let state = match status {
                    CheckStatus::Pass => StepState::Done(detail.clone()),
                    CheckStatus::NotApplicable => StepState::Skipped,
                    CheckStatus::Fail | CheckStatus::Error => StepState::Failed(detail.clone()),
                };
                vec![RunEvent::Step {
                    index: 1 + step,
                    state,
                    at_ms,
                }]
            }
            EventKind::Verdict(outcome) => self.verdict(outcome, at_ms),
            // The screen tells these from what it asks for itself, at the moment they are true.
            EventKind::Alert { .. } | EventKind::FaultArmed(_) | EventKind::FaultEnded(_) => {
                Vec::new()
            }
            other => match run_words::words(other) {
                Some(text) => vec![RunEvent::Note { text, at_ms }],
                None => Vec::new(),
            },
        }
    }

    fn steps(&self) -> Vec<StepView> {
        let step = |name: &str, limit_ms| StepView {
            name: name.to_owned(),
            limit_ms,
        };
        let before = step(BEFORE, Some(self.playbook.steady_state.warm_up_ms));
        let method = self
            .playbook
            .method
            .iter()
            .map(|one| step(&one.name, limit_ms(&one.action)));
        let after = AFTER.iter().map(|name| step(name, None));
        std::iter::once(before).chain(method).chain(after).collect()
    }

    fn phase(&mut self, phase: Phase, at_ms: i64) -> Vec<RunEvent> {
        let after = 1 + self.playbook.method.len();
        match phase {
            Phase::Preflight | Phase::Collect => Vec::new(),
            Phase::WarmUp => self.enter(0, at_ms),
            Phase::Method | Phase::Done => self.leave(at_ms),
            Phase::Hold => self.enter(after, at_ms),
            Phase::Recovery => self.enter(after + 1, at_ms),
            Phase::Settle => self.enter(after + 2, at_ms),
        }
    }

    fn enter(&mut self, index: usize, at_ms: i64) -> Vec<RunEvent> {
        let mut shown = self.leave(at_ms);
        self.running = Some(index);
        shown.push(RunEvent::Step {
            index,
            state: StepState::Running,
            at_ms,
        });
        shown
    }

    fn leave(&mut self, at_ms: i64) -> Vec<RunEvent> {
        let left = self.running.take().map(|index| RunEvent::Step {
            index,
            state: StepState::Done(String::new()),
            at_ms,
        });
        left.into_iter().collect()
    }

    fn verdict(&mut self, outcome: &Outcome, at_ms: i64) -> Vec<RunEvent> {
        let mut shown = self.leave(at_ms);
        shown.push(RunEvent::Ended {
            status: match outcome.status {
                Status::Completed => RunStatus::Completed,
                Status::Failed => RunStatus::Failed,
                Status::Aborted => RunStatus::Aborted,
                Status::Interrupted => RunStatus::Interrupted,
            },
            exit_code: outcome.exit.code(),
            reason: reason(outcome),
            checks: outcome.checks.iter().map(check_view).collect(),
            at_ms,
        });
        shown
    }
}

fn limit_ms(action: &Action) -> Option<i64> {
    match action {
        // Arms and goes on: its time is shown with the fault.
        Action::Fault(_) => None,
        Action::WaitFor(wait) => Some(wait.timeout_ms),
        Action::Pause { for_ms } => Some(*for_ms),
    }
}

/// The first check that did not hold says why; else the meaning of the code.
fn reason(outcome: &Outcome) -> String {
    let failed = outcome
        .checks
        .iter()
        .find(|check| check.exit() == outcome.exit);
    match failed {
        Some(check) if outcome.exit.code() != 0 => {
            format!("{} {}: {}", check.kind.words(), check.name, check.detail)
        }
        _ => outcome.exit.meaning().to_owned(),
    }
}

fn check_view(check: &Check) -> CheckView {
    CheckView {
        name: format!("{} {}", check.kind.words(), check.name),
        grade: match check.status {
            CheckStatus::Pass => Grade::Pass,
            CheckStatus::Fail => Grade::Fail,
            CheckStatus::Error => Grade::Error,
            CheckStatus::NotApplicable => Grade::NotApplicable,
        },
        detail: check.detail.clone(),
    }
}
