//! The method: steps one after the other; faults arm and go on, waits and pauses block.

use promql::value::Value;

use super::alerts;
use super::io::{Ask, Out, Poll};
use super::ledger::{Ledger, State};
use super::machine::Setup;
use super::preflight::Assignment;
use super::target::ArmOrder;
use crate::event::{AlertPhase, EventKind};
use crate::playbook::{Action, Condition, FaultStep, OnTimeout, Playbook, WaitFor, WaitState};
use crate::tolerance::Reading;
use crate::verdict::{CheckKind, CheckStatus};

/// Where the method stands.
#[derive(Debug)]
pub(super) struct Method {
    assignment: Assignment,
    index: usize,
    now: Now,
    /// When each step began, milliseconds since the epoch.
    pub(super) started_ms: Vec<Option<i64>>,
}

/// What the current step is doing.
#[derive(Debug)]
enum Now {
    Begin,
    Arming,
    Pausing {
        until_ms: i64,
    },
    Waiting {
        until_ms: i64,
        poll: Poll,
        holds: bool,
        last: String,
    },
}

/// What came of the method so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Progress {
    Working,
    /// Every step is done, or left out on purpose.
    Done,
    /// A wait was in vain; what was done so far is judged all the same.
    GaveUp,
    /// It cannot be carried out; the check has been written.
    Failed,
}

impl Method {
    pub(super) fn begin(assignment: Assignment) -> Self {
        Self {
            started_ms: vec![None; assignment.len()],
            assignment,
            index: 0,
            now: Now::Begin,
        }
    }

    /// Goes on as far as it can now.
    pub(super) fn tick(
        &mut self,
        playbook: &Playbook,
        setup: &Setup,
        ledger: &mut Ledger,
        out: &mut Out,
    ) -> Progress {
        while let Some(step) = playbook.method.get(self.index) {
            let progress = match (&mut self.now, &step.action) {
                (Now::Begin, action) => {
                    self.started_ms[self.index] = Some(out.now_ms);
                    out.emit(EventKind::StepStarted {
                        step: self.index,
                        name: step.name.clone(),
                    });
                    self.now = self.start(playbook, action, setup, ledger, out);
                    Progress::Working
                }
                (Now::Arming, _) => {
                    if ledger.arming() {
                        return Progress::Working;
                    }
                    self.armed(ledger, &step.name, out)
                }
                (Now::Pausing { until_ms }, _) => {
                    if out.now_ms < *until_ms {
                        return Progress::Working;
                    }
                    self.next(&step.name, CheckStatus::Pass, "", out);
                    Progress::Working
                }
                (Now::Waiting { .. }, Action::WaitFor(wait)) => {
                    match self.wait(wait, &step.name, out) {
                        Some(progress) => progress,
                        None => return Progress::Working,
                    }
                }
                (Now::Waiting { .. }, _) => Progress::Failed,
            };
            if progress != Progress::Working {
                return progress;
            }
        }
        Progress::Done
    }

    fn start(
        &self,
        playbook: &Playbook,
        action: &Action,
        setup: &Setup,
        ledger: &mut Ledger,
        out: &mut Out,
    ) -> Now {
        match action {
            Action::Fault(fault) => {
                let name = &playbook.method[self.index].name;
                for &target in &self.assignment[self.index] {
                    let order = order(playbook, (&setup.run_id, setup.seed), self.index, fault);
                    ledger.arm((self.index, name), target, order, out);
                }
                Now::Arming
            }
            Action::Pause { for_ms } => Now::Pausing {
                until_ms: out.now_ms + for_ms,
            },
            Action::WaitFor(wait) => Now::Waiting {
                until_ms: out.now_ms + wait.timeout_ms,
                poll: Poll::new(wait.interval_ms),
                holds: false,
                last: "no answer yet".to_owned(),
            },
        }
    }

    fn armed(&mut self, ledger: &Ledger, name: &str, out: &mut Out) -> Progress {
        let mut mine = ledger.entries.iter().filter(|e| e.step == self.index);
        if mine.all(|entry| entry.state != State::Unknown) {
            self.next(name, CheckStatus::Pass, "", out);
            return Progress::Working;
        }
        let detail = "the fault could not be armed on every target";
        self.next(name, CheckStatus::Error, detail, out);
        out.check(CheckKind::Injection, name, CheckStatus::Error, detail);
        Progress::Failed
    }

    fn wait(&mut self, wait: &WaitFor, name: &str, out: &mut Out) -> Option<Progress> {
        let Now::Waiting {
            until_ms,
            poll,
            holds,
            last,
        } = &mut self.now
        else {
            return None;
        };
        let kind = match wait.condition {
            Condition::Alert { .. } => CheckKind::WaitAlert,
            Condition::Query { .. } => CheckKind::WaitQuery,
        };
        if *holds {
            let detail = last.clone();
            out.check(kind, name, CheckStatus::Pass, detail.as_str());
            self.next(name, CheckStatus::Pass, &detail, out);
            return Some(Progress::Working);
        }
        if out.now_ms >= *until_ms {
            let detail = format!("not within {}: {last}", crate::span(wait.timeout_ms));
            let status = match wait.on_timeout {
                OnTimeout::Fail => CheckStatus::Fail,
                OnTimeout::Skip | OnTimeout::RunAnyway => CheckStatus::NotApplicable,
            };
            out.check(kind, name, status, detail.as_str());
            self.next(name, status, &detail, out);
            return Some(match wait.on_timeout {
                OnTimeout::Fail => Progress::GaveUp,
                OnTimeout::Skip => Progress::Done,
                OnTimeout::RunAnyway => Progress::Working,
            });
        }
        if let Some(round) = poll.due(out) {
            let expr = match &wait.condition {
                Condition::Alert { .. } => alerts::ALL,
                Condition::Query { query, .. } => &query.text,
            };
            out.query(Ask::Wait { round }, expr);
        }
        None
    }

    /// Takes the answer to the condition of a wait.
    pub(super) fn answer(
        &mut self,
        playbook: &Playbook,
        round: u32,
        result: &Result<Value, String>,
    ) {
        let Some(Action::WaitFor(wait)) = playbook.method.get(self.index).map(|s| &s.action) else {
            return;
        };
        let Now::Waiting {
            poll, holds, last, ..
        } = &mut self.now
        else {
            return;
        };
        if !poll.answered(round) {
            return;
        }
        (*holds, *last) = match result {
            Err(error) => (false, error.clone()),
            Ok(value) => judge(&wait.condition, value),
        };
    }

    fn next(&mut self, name: &str, status: CheckStatus, detail: &str, out: &mut Out) {
        out.emit(EventKind::StepEnded {
            step: self.index,
            name: name.to_owned(),
            status,
            detail: detail.to_owned(),
        });
        self.index += 1;
        self.now = Now::Begin;
    }
}

/// Returns what each fault step of a run asks its targets for, with the step's name.
pub fn orders(playbook: &Playbook, run_id: &str, seed: u64) -> Vec<(String, ArmOrder)> {
    playbook
        .faults()
        .map(|(index, step, fault)| {
            let order = order(playbook, (run_id, seed), index, fault);
            (step.name.clone(), order)
        })
        .collect()
}

pub(super) fn order(
    playbook: &Playbook,
    (run_id, seed): (&str, u64),
    index: usize,
    fault: &FaultStep,
) -> ArmOrder {
    // Fault ids have at most 40 characters; the random end of the run's name is what matters.
    let start = run_id.len().saturating_sub(34);
    ArmOrder {
        id: format!("{}-s{index}", run_id[start..].trim_start_matches('-')),
        owner: run_id.to_owned(),
        reason: format!("{}: {}", playbook.name, playbook.method[index].name),
        injection: fault.injection.clone(),
        for_ms: fault.for_ms,
        lease_ms: fault.lease_ms,
        seed: seed.wrapping_add(index as u64),
    }
}

fn judge(condition: &Condition, value: &Value) -> (bool, String) {
    match condition {
        Condition::Query { comparator, .. } => match comparator.read(value) {
            Reading::Within(value) => (true, format!("{} {comparator}", crate::number(value))),
            Reading::Outside(value) => (
                false,
                format!("{} is not {comparator}", crate::number(value)),
            ),
            Reading::NoData => (false, "no data".to_owned()),
        },
        Condition::Alert { pattern, state } => {
            let found = alerts::active(value)
                .into_iter()
                .filter(|(labels, _)| pattern.matches(labels))
                .map(|(_, phase)| phase)
                .max();
            let holds = match state {
                WaitState::Pending => found.is_some(),
                WaitState::Firing => found == Some(AlertPhase::Firing),
                WaitState::Inactive => found.is_none(),
            };
            let word = match found {
                Some(AlertPhase::Firing) => "firing",
                Some(_) => "pending",
                None => "inactive",
            };
            (holds, format!("{pattern} is {word}"))
        }
    }
}
