//! What goes into the machine and what comes out of it.

use promql::value::{Series, Value};
use signals::source::{Range, Rule};

use super::target::{ArmOrder, FaultView, TargetState};
use crate::event::{Event, EventKind};
use crate::verdict::{Check, CheckKind, CheckStatus, Outcome};

/// Something that happened outside.
#[derive(Debug, Clone, PartialEq)]
pub enum Input {
    /// Time went on; sent a few times a second, and once to begin.
    Tick,
    /// A person or a signal wants the run to stop.
    Cancel,
    /// A query was answered.
    Answer {
        /// Which one.
        ask: Ask,
        /// The value, or why there is none.
        result: Result<Value, String>,
    },
    /// A range query was answered.
    Ranged {
        /// Which one.
        ask: RangeAsk,
        /// The series, or why there are none.
        result: Result<Vec<Series>, String>,
    },
    /// The rules were read.
    Rules(Result<Vec<Rule>, RulesFailure>),
    /// A target told what is there.
    Listed {
        /// Index of the target.
        target: usize,
        /// When it was asked, milliseconds since the epoch.
        asked_ms: i64,
        /// What it told.
        result: Result<TargetState, String>,
    },
    /// A fault was armed, or not.
    Armed {
        /// Index of the fault.
        fault: usize,
        /// What the target says.
        result: Result<FaultView, String>,
    },
    /// A lease was renewed, or not.
    Renewed {
        /// Index of the fault.
        fault: usize,
        /// What the target says.
        result: Result<(), String>,
    },
    /// A fault was withdrawn, or not.
    Withdrawn {
        /// Index of the fault.
        fault: usize,
        /// What the target says.
        result: Result<(), String>,
    },
}

/// Why there are no rules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RulesFailure {
    /// The source has no such API.
    NotOffered(String),
    /// It has, and it failed.
    Failed(String),
}

/// Which question an answer belongs to. Rounds keep late answers from being taken for new ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Ask {
    /// A probe of the steady state.
    Probe {
        /// Its index.
        index: usize,
        /// The round.
        round: u32,
    },
    /// An abort condition.
    Guard {
        /// Its index.
        index: usize,
        /// The round.
        round: u32,
    },
    /// All active alerts.
    Alerts {
        /// The round.
        round: u32,
    },
    /// The condition of the current `wait_for`.
    Wait {
        /// The round.
        round: u32,
    },
}

/// Which series a range query reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum RangeAsk {
    /// `ALERTS`.
    Alerts,
    /// A probe of the steady state, by index.
    Probe(usize),
}

/// Something to do. Every command but `Emit` and `Finish` is answered by exactly one input.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Journal and show an event.
    Emit(Event),
    /// Evaluate a query now.
    Query {
        /// Goes back with the answer.
        ask: Ask,
        /// The query.
        expr: String,
    },
    /// Evaluate a query over a range.
    Range {
        /// Goes back with the answer.
        ask: RangeAsk,
        /// The query.
        expr: String,
        /// The step grid.
        range: Range,
    },
    /// Read the rules.
    Rules,
    /// Ask a target what is there.
    List {
        /// Index of the target.
        target: usize,
        /// Goes back with the answer: a fault that was armed later is rightly not in it.
        asked_ms: i64,
    },
    /// Arm a fault.
    Arm {
        /// Goes back with the answer.
        fault: usize,
        /// Index of the target.
        target: usize,
        /// What to arm.
        order: Box<ArmOrder>,
    },
    /// Renew a lease.
    Renew {
        /// Goes back with the answer.
        fault: usize,
        /// Index of the target.
        target: usize,
        /// The fault's id.
        id: String,
        /// The fault's owner: the run.
        owner: String,
    },
    /// Withdraw a fault; that it is unknown there is a success.
    Withdraw {
        /// Goes back with the answer.
        fault: usize,
        /// Index of the target.
        target: usize,
        /// The fault's id.
        id: String,
        /// The fault's owner: the run.
        owner: String,
    },
    /// The run is over; nothing follows.
    Finish(Box<Outcome>),
}

/// What one step puts out, and what the run has found so far.
#[derive(Debug, Default)]
pub(super) struct Out {
    pub(super) now_ms: i64,
    pub(super) commands: Vec<Command>,
    pub(super) checks: Vec<Check>,
    last_round: u32,
}

impl Out {
    pub(super) fn emit(&mut self, kind: EventKind) {
        let t_ms = self.now_ms;
        self.commands.push(Command::Emit(Event { t_ms, kind }));
    }

    pub(super) fn note(&mut self, text: impl Into<String>) {
        self.emit(EventKind::Note { text: text.into() });
    }

    pub(super) fn send(&mut self, command: Command) {
        self.commands.push(command);
    }

    pub(super) fn list(&mut self, target: usize) {
        let asked_ms = self.now_ms;
        self.send(Command::List { target, asked_ms });
    }

    pub(super) fn query(&mut self, ask: Ask, expr: &str) {
        self.send(Command::Query {
            ask,
            expr: expr.to_owned(),
        });
    }

    pub(super) fn check(
        &mut self,
        kind: CheckKind,
        name: impl Into<String>,
        status: CheckStatus,
        detail: impl Into<String>,
    ) {
        let check = Check {
            kind,
            name: name.into(),
            status,
            detail: detail.into(),
        };
        self.checks.push(check.clone());
        self.emit(EventKind::Check(check));
    }

    pub(super) fn next_round(&mut self) -> u32 {
        self.last_round += 1;
        self.last_round
    }
}

/// Something that is asked again and again, never twice at a time.
#[derive(Debug, Clone)]
pub(super) struct Poll {
    every_ms: i64,
    next_ms: i64,
    /// The round under way.
    pub(super) round: Option<u32>,
}

impl Poll {
    pub(super) fn new(every_ms: i64) -> Self {
        Self {
            every_ms,
            next_ms: i64::MIN,
            round: None,
        }
    }

    /// Returns the round to ask in, when it is time and nothing is under way.
    pub(super) fn due(&mut self, out: &mut Out) -> Option<u32> {
        if self.round.is_some() || out.now_ms < self.next_ms {
            return None;
        }
        self.next_ms = out.now_ms + self.every_ms;
        self.round = Some(out.next_round());
        self.round
    }

    /// Says whether an answer belongs to the round under way, and ends that round.
    pub(super) fn answered(&mut self, round: u32) -> bool {
        let ours = self.round == Some(round);
        if ours {
            self.round = None;
        }
        ours
    }
}
