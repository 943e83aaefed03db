//! What the model knows besides the charts: sources, alerts, faults, the run, the event log.

use super::msg::{CheckView, FaultView, RunStatus, StepState, StepView};
use super::schedule::Fetch;
use signals::source::AlertState;
use std::collections::{BTreeMap, VecDeque};

/// The most events kept.
pub(crate) const EVENT_LIMIT: usize = 512;
/// The most spans kept for the charts, of each kind.
pub(crate) const SPAN_LIMIT: usize = 256;

/// How a server does.
#[derive(Debug, Clone, Default)]
pub struct SourceState {
    /// How a person calls it.
    pub name: String,
    /// The newest moment it has told of.
    pub data_at_ms: Option<i64>,
    /// Why the last answer failed.
    pub error: Option<String>,
}

/// An active alert.
#[derive(Debug, Clone, PartialEq)]
pub struct AlertRow {
    /// The alert's name.
    pub name: String,
    /// Its severity; may be empty.
    pub severity: String,
    /// Its other labels, `service=payments`.
    pub labels: String,
    /// Pending or firing.
    pub state: AlertState,
    /// When the condition began to hold.
    pub active_at_ms: i64,
    /// When it began to fire, as far as known.
    pub firing_at_ms: Option<i64>,
    /// How long the condition must hold.
    pub for_ms: i64,
    /// The value of the expression.
    pub value: f64,
    /// The comparison of its rule: `> 0.1`.
    pub condition: String,
    /// The expression of its rule.
    pub expr: String,
    /// The annotation `summary`.
    pub summary: String,
    /// The annotation `description`.
    pub description: String,
    /// The annotation `runbook_url`.
    pub runbook: String,
}

impl AlertRow {
    /// What tells this alert from the others.
    pub(crate) fn key(&self) -> String {
        format!("{} {} {}", self.name, self.severity, self.labels)
    }
}

/// The life of one alert on the time axis.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct AlertSpan {
    pub(crate) key: String,
    pub(crate) name: String,
    pub(crate) pending_ms: i64,
    pub(crate) firing_ms: Option<i64>,
    pub(crate) end_ms: Option<i64>,
}

/// A stretch of time with a name.
#[derive(Debug, Clone, PartialEq)]
pub struct Span {
    /// What it belongs to.
    pub key: String,
    /// What the ruler says.
    pub label: String,
    /// When it began.
    pub start_ms: i64,
    /// When it ended; `None` while it lasts.
    pub end_ms: Option<i64>,
}

/// The alerts and the rules behind them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Alerts {
    /// Firing first, then pending; without those that must always fire.
    pub(crate) rows: Vec<AlertRow>,
    /// The names of the alerts that fire as long as alerting works, such as Watchdog.
    pub(crate) beats: Vec<String>,
    pub(crate) spans: VecDeque<AlertSpan>,
    /// How many alerting rules are loaded.
    pub(crate) rules: usize,
    /// Rules whose evaluation fails, with the reason.
    pub(crate) broken: Vec<(String, String)>,
    /// The comparison of each alerting rule: text and bound.
    pub(crate) conditions: BTreeMap<String, (String, f64)>,
    pub(crate) at_ms: Option<i64>,
    pub(crate) error: Option<String>,
    pub(crate) fetch: Fetch,
}

impl Alerts {
    pub(crate) fn count(&self, state: AlertState) -> usize {
        self.rows.iter().filter(|row| row.state == state).count()
    }
}

/// A live fault and where it was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FaultRow {
    /// The name of the target.
    pub target: String,
    /// What the target says of it.
    pub view: FaultView,
    /// When it was armed.
    pub since_ms: i64,
    /// When the target said so.
    pub seen_ms: i64,
}

impl FaultRow {
    /// Returns how long it has left.
    pub fn remaining_ms(&self, now_ms: i64) -> Option<i64> {
        self.view
            .remaining_ms
            .map(|remaining| (remaining - (now_ms - self.seen_ms)).max(0))
    }
}

/// The faults of all targets.
#[derive(Debug, Clone, Default)]
pub(crate) struct Faults {
    pub(crate) rows: Vec<FaultRow>,
    pub(crate) spans: VecDeque<Span>,
    /// Targets that do not answer, with the reason.
    pub(crate) errors: BTreeMap<String, String>,
    pub(crate) answered: bool,
    pub(crate) fetch: Fetch,
}

/// A step of the run and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// The step.
    pub view: StepView,
    /// Its state.
    pub state: StepState,
    /// When it began.
    pub started_ms: Option<i64>,
    /// When it was over.
    pub ended_ms: Option<i64>,
}

/// How a run came out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// How it ended.
    pub status: RunStatus,
    /// The exit code.
    pub exit_code: u8,
    /// Why, in a sentence.
    pub reason: String,
    /// All checks.
    pub checks: Vec<CheckView>,
    /// When.
    pub at_ms: i64,
}

/// The run on the screen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunState {
    /// The playbook.
    pub playbook: String,
    /// Its title.
    pub title: String,
    /// Its steps.
    pub steps: Vec<Step>,
    /// When it began.
    pub started_ms: i64,
    /// Its hard limit.
    pub deadline_ms: Option<i64>,
    /// Whether a person has asked for its end.
    pub aborting: bool,
    /// Set when it is over.
    pub verdict: Option<Verdict>,
}

impl RunState {
    /// Says whether it is still going on.
    pub fn is_on(&self) -> bool {
        self.verdict.is_none()
    }

    /// Returns the step that is running, or else the first that is not over.
    pub fn current(&self) -> Option<usize> {
        let find = |wanted: &StepState| self.steps.iter().position(|step| step.state == *wanted);
        find(&StepState::Running).or_else(|| find(&StepState::Waiting))
    }
}

/// What an event tells of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventKind {
    /// A fault was armed.
    FaultStart,
    /// A fault is gone.
    FaultEnd,
    /// An alert became pending.
    Pending,
    /// An alert fires.
    Firing,
    /// An alert is over.
    Resolved,
    /// A run moved on.
    Run,
    /// Something went well.
    Good,
    /// Good to know.
    Info,
    /// Something is not as it should be.
    Warning,
    /// Something failed.
    Error,
}

/// A line of the event log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// When it happened.
    pub at_ms: i64,
    /// What kind it is.
    pub kind: EventKind,
    /// The line.
    pub text: String,
}

/// The merged log, oldest first.
#[derive(Debug, Clone, Default)]
pub(crate) struct EventLog {
    pub(crate) list: VecDeque<Event>,
}

impl EventLog {
    pub(crate) fn push(&mut self, at_ms: i64, kind: EventKind, text: impl Into<String>) {
        let event = Event {
            at_ms,
            kind,
            text: text.into(),
        };
        // Sources report late and out of order, but never by much.
        let place = self
            .list
            .iter()
            .rposition(|other| other.at_ms <= at_ms)
            .map_or(0, |index| index + 1);
        self.list.insert(place, event);
        if self.list.len() > EVENT_LIMIT {
            self.list.pop_front();
        }
    }
}

/// Appends a span; when there are too many the oldest that is over makes room. Returns whether
/// there was room.
pub(crate) fn push_span<T>(spans: &mut VecDeque<T>, span: T, is_over: impl Fn(&T) -> bool) -> bool {
    if spans.len() >= SPAN_LIMIT {
        let Some(oldest) = spans.iter().position(is_over) else {
            return false;
        };
        spans.remove(oldest);
    }
    spans.push_back(span);
    true
}
