//! What happens in a run, as it is journaled, shown live, and reported from.
//!
//! One event is one JSON object on one line. Each stands for itself: a reader needs no state of
//! the runner.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::detection::Detection;
use crate::verdict::{Check, CheckStatus, Outcome};

/// The version of the journal format, written in [`RunStarted`].
pub const JOURNAL_VERSION: u32 = 1;

/// Something that happened, and when.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// When, milliseconds since the epoch.
    pub t_ms: i64,
    /// What.
    #[serde(flatten)]
    pub kind: EventKind,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum EventKind {
    /// A run begins; the first event of a journal.
    RunStarted(RunStarted),
    /// The run enters a phase.
    Phase {
        /// Which one.
        phase: Phase,
    },
    /// Something a person should know that decides nothing.
    Note {
        /// The text.
        text: String,
    },
    /// A probe says something else than before.
    Probe(ProbeResult),
    /// A step of the method begins.
    StepStarted {
        /// Its index.
        step: usize,
        /// Its name.
        name: String,
    },
    /// A step of the method is over.
    StepEnded {
        /// Its index.
        step: usize,
        /// Its name.
        name: String,
        /// Whether it did what it should.
        status: CheckStatus,
        /// Why not; empty otherwise.
        detail: String,
    },
    /// A fault is active.
    FaultArmed(FaultArmed),
    /// A fault is over.
    FaultEnded(FaultEnded),
    /// An alert changes its state, as seen live.
    Alert {
        /// Its labels, `alertname` included.
        labels: BTreeMap<String, String>,
        /// The state it is in now.
        state: AlertPhase,
    },
    /// The spans of an alert, read from the recorded series when the run is over.
    AlertSpan(AlertSpan),
    /// The series of a probe around the run.
    Series(RecordedSeries),
    /// A guard or the deadline stops the run.
    Aborted {
        /// Which guard; "deadline" for the deadline.
        name: String,
        /// Why.
        detail: String,
    },
    /// A person or a signal stops the run.
    Cancelled {
        /// Whether it is left at once, with the leases as the net.
        at_once: bool,
    },
    /// A check is decided.
    Check(Check),
    /// The moments of an expected alert.
    Detection(Detection),
    /// The run is over; the last event of a journal.
    Verdict(Outcome),
}

/// What a run is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunStarted {
    /// The journal format.
    pub journal: u32,
    /// The name of the run, unique on a machine; the owner of its faults.
    pub run_id: String,
    /// The playbook by its file or shipped name.
    pub playbook: String,
    /// Its title.
    pub title: String,
    /// Where the numbers come from, as a person would name it.
    pub source: String,
    /// The fault targets by name.
    pub targets: Vec<String>,
    /// The variables used.
    pub vars: BTreeMap<String, String>,
    /// The seed of the faults' decisions.
    pub seed: u64,
}

/// The parts of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Targets, rules and queries are looked at.
    Preflight,
    /// The steady state is awaited.
    WarmUp,
    /// The steps are carried out.
    Method,
    /// The method is done, faults still live.
    Hold,
    /// Faults are withdrawn and that is verified.
    Recovery,
    /// Steady state and resolved alerts are awaited.
    Settle,
    /// The recorded series are read.
    Collect,
    /// Nothing is left to do.
    Done,
}

/// When a probe is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum When {
    /// Before the first fault.
    Before,
    /// During the method.
    During,
    /// After recovery.
    After,
}

/// What a probe says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ProbeResult {
    /// Its name.
    pub name: String,
    /// When it was asked.
    pub when: When,
    /// Pass, fail, or error when there was nothing to judge.
    pub status: CheckStatus,
    /// The value that decided.
    pub value: Option<f64>,
    /// What was asked of it, or what went wrong.
    pub detail: String,
}

/// A fault that is active now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FaultArmed {
    /// Its id on the target.
    pub id: String,
    /// The step that armed it.
    pub step: usize,
    /// The step's name.
    pub name: String,
    /// The kind, such as `error`.
    pub kind: String,
    /// A few words on kind, parameters and scope.
    pub summary: String,
    /// The target by name.
    pub target: String,
    /// The service it is aimed at.
    pub service: Option<String>,
    /// When it began, milliseconds since the epoch.
    pub start_ms: i64,
    /// Its hard end, in milliseconds from the start.
    pub for_ms: i64,
    /// Its dead-man time in milliseconds.
    pub lease_ms: i64,
}

/// A fault that is over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FaultEnded {
    /// Its id on the target.
    pub id: String,
    /// The target by name.
    pub target: String,
    /// Why it is over.
    pub reason: FaultEnd,
    /// When it ended, milliseconds since the epoch.
    pub end_ms: i64,
    /// How many decisions it took part in.
    pub evaluated: u64,
    /// How many it hit.
    pub injected: u64,
}

/// Why a fault is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultEnd {
    /// Somebody withdrew it.
    Withdrawn,
    /// Its `for` was over.
    Expired,
    /// Nobody renewed its lease.
    LeaseLost,
    /// The target does not know it any more, as after a restart.
    Lost,
}

impl FaultEnd {
    /// Returns the words a report uses.
    pub fn words(self) -> &'static str {
        match self {
            Self::Withdrawn => "withdrawn",
            Self::Expired => "expired",
            Self::LeaseLost => "lease lost",
            Self::Lost => "lost by the target",
        }
    }
}

/// The state of an alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AlertPhase {
    /// It is gone.
    Resolved,
    /// The condition holds.
    Pending,
    /// It fires.
    Firing,
}

/// One episode of an alert: from pending to gone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlertSpan {
    /// Its labels, `alertname` included.
    pub labels: BTreeMap<String, String>,
    /// The first sample of the episode, milliseconds since the epoch.
    pub pending_ms: i64,
    /// The first firing sample.
    pub firing_ms: Option<i64>,
    /// The first step without it; absent when it was still there at the end.
    pub resolved_ms: Option<i64>,
}

/// A probe's query over the run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RecordedSeries {
    /// The probe's name.
    pub name: String,
    /// The query.
    pub query: String,
    /// The labels of this series.
    pub labels: BTreeMap<String, String>,
    /// Time in milliseconds since the epoch, and value; what is not a number is null.
    pub samples: Vec<(i64, Option<f64>)>,
}
