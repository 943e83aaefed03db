//! The machine: which phase follows which, and what leads to recovery.

mod closing;

use std::mem;
use std::sync::Arc;

use super::collect::Collect;
use super::effect;
use super::io::{Ask, Command, Input, Out};
use super::judge::Findings;
use super::ledger::Ledger;
use super::method::{Method, Progress};
use super::preflight::Preflight;
use super::recovery::{self, Recovery};
use super::settle::Settle;
use super::warm_up::{Gate, WarmUp};
use super::watch::Watch;
use crate::event::{EventKind, JOURNAL_VERSION, Phase, RunStarted};
use crate::playbook::Playbook;
use crate::verdict::{CheckKind, CheckStatus, RunStatus};

/// What a run is told at its start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setup {
    /// The name of the run: lower-case letters, digits, dashes; unique; the owner of its faults.
    pub run_id: String,
    /// Where the numbers come from, as a person would name it.
    pub source: String,
    /// Whether the source is our own engine, whose PromQL is what our parser reads.
    pub embedded: bool,
    /// The fault targets by name.
    pub targets: Vec<String>,
    /// The seed of the faults' decisions.
    pub seed: u64,
    /// Whether faults of another owner on a target are no reason to stay away.
    pub take_over: bool,
}

enum State {
    Fresh,
    Preflight(Preflight),
    WarmUp(WarmUp),
    Method,
    Hold,
    Recovery(Recovery),
    Settle(Settle),
    Collect(Collect),
    Done,
}

/// Why a run does not go its whole way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ending {
    /// It cannot be carried out.
    Failed,
    /// A wait was in vain; what was done is judged all the same.
    GaveUp,
    /// A guard or the deadline.
    Aborted,
    /// A person or a signal.
    Interrupted,
}

impl Ending {
    fn status(self) -> RunStatus {
        match self {
            Self::Failed | Self::GaveUp => RunStatus::Failed,
            Self::Aborted => RunStatus::Aborted,
            Self::Interrupted => RunStatus::Interrupted,
        }
    }
}

/// A run. See [`Machine::step`].
pub struct Machine {
    playbook: Arc<Playbook>,
    setup: Setup,
    state: State,
    out: Out,
    method: Method,
    ledger: Ledger,
    watch: Watch,
    started_ms: Option<i64>,
    body_start_ms: Option<i64>,
    /// How the run ends, once that is not "completed".
    ending: Option<Ending>,
    guard: Option<String>,
    cancels: u32,
    recovered_ms: Option<i64>,
    settled: bool,
    effective: bool,
    /// Whether the source told which rules it has.
    rules_known: bool,
}

impl Machine {
    /// Returns a run that has not begun; the first step begins it.
    pub fn new(playbook: Arc<Playbook>, setup: Setup) -> Self {
        Self {
            watch: Watch::begin(&playbook, setup.targets.len()),
            ledger: Ledger::new(setup.targets.clone()),
            method: Method::begin(vec![Vec::new(); playbook.method.len()]),
            playbook,
            setup,
            state: State::Fresh,
            out: Out::default(),
            started_ms: None,
            body_start_ms: None,
            ending: None,
            guard: None,
            cancels: 0,
            recovered_ms: None,
            settled: false,
            effective: true,
            rules_known: false,
        }
    }

    /// Takes what happened and returns what to do. `now_ms` is the wall clock in milliseconds
    /// since the epoch and does not go back. After [`Command::Finish`] nothing is returned.
    pub fn step(&mut self, now_ms: i64, input: Input) -> Vec<Command> {
        self.out.now_ms = now_ms;
        if !matches!(self.state, State::Done) {
            self.take(input);
        }
        while !matches!(self.state, State::Done) {
            let state = mem::replace(&mut self.state, State::Done);
            let (state, moved) = self.advance(state);
            self.state = state;
            if !moved {
                break;
            }
        }
        mem::take(&mut self.out.commands)
    }

    fn take(&mut self, input: Input) {
        match input {
            Input::Tick => {}
            Input::Cancel => self.cancel(),
            Input::Answer { ask, result } => self.answered(ask, &result),
            Input::Ranged { ask, result } => {
                if let State::Collect(collect) = &mut self.state {
                    collect.answer(ask, result);
                }
            }
            Input::Rules(result) => {
                if let State::Preflight(preflight) = &mut self.state {
                    self.rules_known = result.is_ok();
                    preflight.rules(result);
                }
            }
            Input::Listed {
                target,
                asked_ms,
                result,
            } => {
                if let Ok(state) = &result {
                    self.ledger.listed(target, asked_ms, state, &mut self.out);
                }
                self.watch.listed(target);
                match &mut self.state {
                    State::Preflight(preflight) => preflight.listed(target, result),
                    State::Recovery(recovery) => recovery.listed(target, result.map(|_| ())),
                    _ => {}
                }
            }
            Input::Armed { fault, result } => self.ledger.armed(fault, result, &mut self.out),
            Input::Renewed { fault, result } => {
                self.ledger.renewed(fault, &result, &mut self.out);
            }
            Input::Withdrawn { .. } => {
                if let State::Recovery(recovery) = &mut self.state {
                    recovery.withdrawn();
                }
            }
        }
    }

    fn answered(&mut self, ask: Ask, result: &Result<promql::value::Value, String>) {
        let playbook = &self.playbook;
        match (&mut self.state, ask) {
            (State::WarmUp(warm_up), _) => warm_up.answer(playbook, ask, result, &mut self.out),
            (State::Method, Ask::Wait { round }) => self.method.answer(playbook, round, result),
            (State::Settle(settle), Ask::Probe { index, round }) => {
                settle.answer(playbook, (index, round), result, &mut self.out);
            }
            _ => self.watch.answer(playbook, ask, result, &mut self.out),
        }
    }

    /// Does what the state can do now. Returns the state that follows, and whether it is another.
    fn advance(&mut self, state: State) -> (State, bool) {
        if let Some(next) = self.over_deadline(&state) {
            return (next, true);
        }
        match state {
            State::Fresh => (self.begin(), true),
            State::Preflight(preflight) => {
                match preflight.conclude(&self.playbook, &self.setup, &mut self.out) {
                    None => (State::Preflight(preflight), false),
                    Some(Err(())) => (self.end(Ending::Failed), true),
                    Some(Ok(assignment)) => {
                        self.method = Method::begin(assignment);
                        self.enter(Phase::WarmUp);
                        let warm_up = WarmUp::begin(&self.playbook, self.out.now_ms);
                        (State::WarmUp(warm_up), true)
                    }
                }
            }
            State::WarmUp(mut warm_up) => match warm_up.tick(&self.playbook, &mut self.out) {
                Gate::Waiting => (State::WarmUp(warm_up), false),
                Gate::Shut => (self.end(Ending::Failed), true),
                Gate::Open => {
                    self.body_start_ms = Some(self.out.now_ms);
                    self.enter(Phase::Method);
                    (State::Method, true)
                }
            },
            State::Method => self.body(false),
            State::Hold => self.body(true),
            State::Recovery(mut recovery) => match recovery.tick(&self.ledger, &mut self.out) {
                None => (State::Recovery(recovery), false),
                Some(recovered) => (self.after_recovery(recovered), true),
            },
            State::Settle(settle) => self.settling(settle),
            State::Collect(collect) => {
                if !collect.complete() {
                    return (State::Collect(collect), false);
                }
                let findings = self.judge(&collect);
                (self.finish(findings), true)
            }
            State::Done => (State::Done, false),
        }
    }

    fn begin(&mut self) -> State {
        self.started_ms = Some(self.out.now_ms);
        self.out.emit(EventKind::RunStarted(RunStarted {
            journal: JOURNAL_VERSION,
            run_id: self.setup.run_id.clone(),
            playbook: self.playbook.name.clone(),
            title: self.playbook.title.clone(),
            source: self.setup.source.clone(),
            targets: self.setup.targets.clone(),
            vars: self.playbook.vars.iter().cloned().collect(),
            seed: self.setup.seed,
        }));
        self.enter(Phase::Preflight);
        State::Preflight(Preflight::begin(self.setup.targets.len(), &mut self.out))
    }

    fn body(&mut self, holding: bool) -> (State, bool) {
        let touched = self.ledger.touched();
        if let Some((name, detail)) = self.watch.tick(&self.playbook, &touched, &mut self.out) {
            self.guard = Some(name.clone());
            return (self.abort(CheckKind::Guard, &name, detail), true);
        }
        self.ledger.renew(&mut self.out);
        if holding {
            if !self.ledger.all_over(self.out.now_ms) {
                return (State::Hold, false);
            }
            return (self.recover(), true);
        }
        let method = &mut self.method;
        match method.tick(&self.playbook, &self.setup, &mut self.ledger, &mut self.out) {
            Progress::Working => (State::Method, false),
            Progress::Done => {
                self.enter(Phase::Hold);
                (State::Hold, true)
            }
            Progress::GaveUp => (self.end(Ending::GaveUp), true),
            Progress::Failed => (self.end(Ending::Failed), true),
        }
    }

    fn after_recovery(&mut self, recovered: bool) -> State {
        self.recovered_ms = Some(self.out.now_ms);
        if !recovered && self.ending.is_none() {
            self.ending = Some(Ending::Failed);
        }
        if self.body_start_ms.is_none() {
            return self.finish(Findings::none());
        }
        self.effective = effect::conclude(&self.playbook, &self.ledger, &mut self.out);
        self.watch.conclude(&self.playbook, &mut self.out);
        let stopped_by = self.guard.as_deref();
        self.watch
            .guards_held(&self.playbook, stopped_by, &mut self.out);
        if recovered && matches!(self.ending, None | Some(Ending::GaveUp)) {
            self.enter(Phase::Settle);
            return State::Settle(Settle::begin(&self.playbook, self.out.now_ms));
        }
        self.collect()
    }

    fn settling(&mut self, mut settle: Settle) -> (State, bool) {
        let moments = self.moments();
        let done = settle.tick(&self.playbook, &mut self.watch, &moments, &mut self.out);
        if !done {
            return (State::Settle(settle), false);
        }
        self.settled = true;
        (self.collect(), true)
    }

    fn collect(&mut self) -> State {
        self.enter(Phase::Collect);
        let from_ms = self.body_start_ms.unwrap_or(self.out.now_ms);
        State::Collect(Collect::begin(&self.playbook, from_ms, &mut self.out))
    }

    fn over_deadline(&mut self, state: &State) -> Option<State> {
        let over = self.out.now_ms >= self.started_ms? + self.playbook.deadline_ms;
        let recovered = match state {
            State::Settle(_) => true,
            State::Preflight(_) | State::WarmUp(_) | State::Method | State::Hold => false,
            _ => return None,
        };
        if !over {
            return None;
        }
        let detail = format!(
            "the run is not done after {}",
            crate::span(self.playbook.deadline_ms)
        );
        let next = if recovered {
            self.stop(CheckKind::Deadline, "deadline", detail);
            self.collect()
        } else {
            self.abort(CheckKind::Deadline, "deadline", detail)
        };
        Some(next)
    }

    fn cancel(&mut self) {
        self.cancels += 1;
        let at_once = self.cancels > 1;
        self.out.emit(EventKind::Cancelled { at_once });
        self.ending = Some(Ending::Interrupted);
        let state = mem::replace(&mut self.state, State::Done);
        self.state = match state {
            _ if at_once => {
                recovery::conclude_left(&self.ledger, &mut self.out);
                self.finish(Findings::none())
            }
            State::Fresh | State::Preflight(_) | State::WarmUp(_) | State::Method | State::Hold => {
                self.recover()
            }
            State::Settle(_) => self.collect(),
            State::Recovery(_) | State::Collect(_) | State::Done => state,
        };
    }

    fn abort(&mut self, kind: CheckKind, name: &str, detail: String) -> State {
        self.stop(kind, name, detail);
        self.recover()
    }

    fn stop(&mut self, kind: CheckKind, name: &str, detail: String) {
        self.out.emit(EventKind::Aborted {
            name: name.to_owned(),
            detail: detail.clone(),
        });
        self.out.check(kind, name, CheckStatus::Fail, detail);
        self.ending = Some(Ending::Aborted);
    }

    fn end(&mut self, ending: Ending) -> State {
        self.ending = Some(ending);
        self.recover()
    }

    /// The one way out of everything that may have armed a fault.
    fn recover(&mut self) -> State {
        self.enter(Phase::Recovery);
        State::Recovery(Recovery::begin(self.out.now_ms))
    }

    fn enter(&mut self, phase: Phase) {
        self.out.emit(EventKind::Phase { phase });
    }
}
