//! What comes in and what goes out: messages and effects.
//!
//! The shapes of faults, playbooks and runs are the screen's own, so that the screen can be fed by
//! a live run, a journal or a test alike.

use crossterm::event::KeyEvent;
use promql::value::Series;
use signals::source::{Range, Rule};
use signals::{Answer, SourceError};

/// Everything that can change the [`Model`](super::Model).
#[derive(Debug, Clone)]
pub enum Msg {
    /// A key was pressed.
    Key(KeyEvent),
    /// The terminal has a new size.
    Resize {
        /// Width in cells.
        columns: u16,
        /// Height in cells.
        rows: u16,
    },
    /// Time has passed. The rim sends one before every batch of messages.
    Tick {
        /// Milliseconds since the epoch.
        now_ms: i64,
    },
    /// Answers [`Effect::QueryPanel`].
    Series {
        /// The panel asked for.
        panel: usize,
        /// The number of the request; an answer to a superseded one is dropped.
        request: u64,
        /// The series or the reason there are none.
        result: Result<Answer<Vec<Series>>, SourceError>,
    },
    /// Answers [`Effect::FetchRules`].
    Rules(Result<Answer<Vec<Rule>>, SourceError>),
    /// Answers [`Effect::FetchFaults`], once per fault target.
    Faults {
        /// The name of the target.
        target: String,
        /// Its live faults and, as far as it remembers them, its ended ones.
        result: Result<Vec<FaultView>, String>,
    },
    /// Answers [`Effect::FetchAlertmanager`].
    Alertmanager(Result<(), String>),
    /// The playbooks that can be started; replaces the list.
    Playbooks(Vec<PlaybookView>),
    /// The services whose panels can be shown; the first is the edge.
    Services(Vec<String>),
    /// Something happened in a run.
    Run(RunEvent),
    /// A line for the event log.
    Notice {
        /// How bad it is.
        level: NoticeLevel,
        /// What to say.
        text: String,
    },
}

/// How bad a notice is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoticeLevel {
    /// Good to know.
    Info,
    /// Something is not as it should be.
    Warning,
    /// Something failed.
    Error,
}

/// A fault as the screen shows it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FaultView {
    /// Its id, unique within the target.
    pub id: String,
    /// Its kind: `latency`, `error`, …
    pub kind: String,
    /// What it does, short: `503`, `+800ms`, `x3`.
    pub what: String,
    /// Where it does it: `payments POST /payment/pay`; empty is everywhere.
    pub place: String,
    /// The share of requests it hits at this moment: `50%`.
    pub share: String,
    /// Who armed it.
    pub owner: String,
    /// Why it was armed.
    pub reason: String,
    /// How long ago it was armed, in milliseconds.
    pub age_ms: i64,
    /// How long until it ends by itself, in milliseconds.
    pub remaining_ms: Option<i64>,
    /// How many requests it was asked about.
    pub evaluated: u64,
    /// How many requests it hit.
    pub injected: u64,
    /// `None` while it lives; else why it ended and how long ago, in milliseconds, if known.
    pub ended: Option<(String, Option<i64>)>,
}

/// A playbook as the list and the confirm dialog show it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PlaybookView {
    /// The name that starts it.
    pub name: String,
    /// Its title.
    pub title: String,
    /// Its description.
    pub description: String,
    /// What it breaks, one line per fault: `error 503 on payments, 50% for 1m 30s`.
    pub breaks: Vec<String>,
    /// The alerts it expects.
    pub expects: Vec<String>,
    /// About how long it takes, in milliseconds.
    pub about_ms: i64,
}

/// One step of a run.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct StepView {
    /// Its name: `break payments`, `wait for PaymentFailureRateHigh`.
    pub name: String,
    /// How long it is expected or allowed to take, in milliseconds.
    pub limit_ms: Option<i64>,
}

/// Where a step stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StepState {
    /// Not begun.
    Waiting,
    /// Going on.
    Running,
    /// Over, with a word on how it went; may be empty.
    Done(String),
    /// Failed, with the reason.
    Failed(String),
    /// Left out.
    Skipped,
}

/// The outcome of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Grade {
    /// It held.
    Pass,
    /// It did not hold.
    Fail,
    /// It could not be judged.
    Error,
    /// It does not apply.
    NotApplicable,
}

/// One check of a verdict.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckView {
    /// What was checked.
    pub name: String,
    /// How it came out.
    pub grade: Grade,
    /// The figures: `fired after 41s, within 60s`.
    pub detail: String,
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunStatus {
    /// All steps were done.
    Completed,
    /// A step failed.
    Failed,
    /// A guard or the deadline ended it.
    Aborted,
    /// A person ended it.
    Interrupted,
}

/// What a run reports. Times are milliseconds since the epoch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RunEvent {
    /// It begins; replaces the run shown before.
    Started {
        /// The playbook's name.
        playbook: String,
        /// Its title.
        title: String,
        /// Its steps in order, steady state and recovery included.
        steps: Vec<StepView>,
        /// The hard limit of the run, in milliseconds.
        deadline_ms: Option<i64>,
        /// When.
        at_ms: i64,
    },
    /// A step changed its state.
    Step {
        /// Its place in the list.
        index: usize,
        /// Its state.
        state: StepState,
        /// When.
        at_ms: i64,
    },
    /// Something worth a line in the event log.
    Note {
        /// The line.
        text: String,
        /// When.
        at_ms: i64,
    },
    /// It is over, recovery included.
    Ended {
        /// How.
        status: RunStatus,
        /// The exit code that `obs-tui run` would have given.
        exit_code: u8,
        /// One sentence that says why.
        reason: String,
        /// All checks.
        checks: Vec<CheckView>,
        /// When.
        at_ms: i64,
    },
}

/// What the core wants done. The rim does `Suspend`, `CopyToClipboard` and `Quit` itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// Ask the source; answer with [`Msg::Series`], errors and timeouts included.
    QueryPanel {
        /// The panel, to be given back.
        panel: usize,
        /// The number of the request, to be given back. A newer request supersedes it.
        request: u64,
        /// The query.
        expr: String,
        /// The grid.
        range: Range,
    },
    /// Ask the source for its rules; answer with [`Msg::Rules`].
    FetchRules,
    /// Ask every fault target; answer with one [`Msg::Faults`] each.
    FetchFaults,
    /// Ask whether the Alertmanager is there; answer with [`Msg::Alertmanager`].
    FetchAlertmanager,
    /// Start a playbook; its events come back as [`Msg::Run`].
    StartPlaybook {
        /// Its name.
        name: String,
    },
    /// Abort the run; recovery follows and is reported like the rest.
    AbortRun,
    /// Withdraw every fault on every target, whoever owns it.
    StopAllFaults,
    /// Withdraw one fault.
    StopFault {
        /// The name of the target.
        target: String,
        /// The id of the fault.
        id: String,
    },
    /// Put a text on the clipboard.
    CopyToClipboard(String),
    /// Give the terminal back and stop until continued.
    Suspend,
    /// Leave the dashboard.
    Quit,
}
