//! The words of a verdict: checks, statuses, exit codes.

use serde::{Deserialize, Serialize};

use crate::detection::Detection;

/// How a program that ran playbooks ends. The number is the process exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(into = "u8", try_from = "u8")]
#[repr(u8)]
pub enum ExitCode {
    /// Everything held.
    Pass = 0,
    /// The hypothesis deviated, or a query wait timed out.
    Deviated = 1,
    /// Usage, schema, unreadable file, rule errors.
    Usage = 2,
    /// An alert expectation failed, or an alert wait timed out.
    AlertFailed = 3,
    /// A guard or the deadline stopped the run.
    Aborted = 4,
    /// A person or a signal stopped the run.
    Interrupted = 5,
    /// No effect, no data, steady state false before the first fault, environment broken.
    Environment = 6,
    /// A fault could not be withdrawn, or it could not be verified.
    RecoveryFailed = 7,
}

/// Worst first.
const PRECEDENCE: [ExitCode; 8] = [
    ExitCode::RecoveryFailed,
    ExitCode::Interrupted,
    ExitCode::Aborted,
    ExitCode::Environment,
    ExitCode::Usage,
    ExitCode::AlertFailed,
    ExitCode::Deviated,
    ExitCode::Pass,
];

impl ExitCode {
    /// Returns the worst of several codes: 7 > 5 > 4 > 6 > 2 > 3 > 1; none is a pass.
    pub fn worst(codes: impl IntoIterator<Item = Self>) -> Self {
        codes
            .into_iter()
            .min_by_key(|code| PRECEDENCE.iter().position(|known| known == code))
            .unwrap_or(Self::Pass)
    }

    /// Returns the process exit code.
    pub fn code(self) -> u8 {
        self as u8
    }

    /// Returns what the code means in a few words.
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Pass => "everything held",
            Self::Deviated => "the steady state deviated or a query wait timed out",
            Self::Usage => "usage or playbook error",
            Self::AlertFailed => "an alert did not behave as expected",
            Self::Aborted => "stopped by a guard or the deadline",
            Self::Interrupted => "interrupted",
            Self::Environment => "no effect, no data, or the environment is broken",
            Self::RecoveryFailed => "a fault may be left behind: recovery failed",
        }
    }
}

impl From<ExitCode> for u8 {
    fn from(code: ExitCode) -> Self {
        code.code()
    }
}

impl TryFrom<u8> for ExitCode {
    type Error = String;

    fn try_from(code: u8) -> Result<Self, String> {
        PRECEDENCE
            .into_iter()
            .find(|known| known.code() == code)
            .ok_or_else(|| format!("{code} is not an exit code of obs-tui"))
    }
}

/// What a check says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum CheckStatus {
    /// It held.
    #[serde(rename = "pass")]
    Pass,
    /// It did not.
    #[serde(rename = "fail")]
    Fail,
    /// It could not be judged.
    #[serde(rename = "error")]
    Error,
    /// It had no occasion.
    #[serde(rename = "n/a")]
    NotApplicable,
}

impl CheckStatus {
    /// Returns the word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::Error => "error",
            Self::NotApplicable => "n/a",
        }
    }
}

/// What a check is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckKind {
    /// Targets, rules and queries before anything is done.
    Preflight,
    /// A probe before the first fault.
    SteadyBefore,
    /// A continuous probe during the method.
    SteadyDuring,
    /// A probe after recovery.
    SteadyAfter,
    /// A `wait_for` on a query.
    WaitQuery,
    /// A `wait_for` on an alert.
    WaitAlert,
    /// The proof that a fault had an effect.
    Injection,
    /// An expected alert.
    Alert,
    /// An expected alert is gone again.
    Resolve,
    /// An alert that must stay silent.
    MustNotFire,
    /// An abort condition.
    Guard,
    /// The limit of the run.
    Deadline,
    /// The faults are gone, read back.
    Recovery,
}

impl CheckKind {
    /// Returns how a report names the kind.
    pub fn words(self) -> &'static str {
        match self {
            Self::Preflight => "preflight",
            Self::SteadyBefore => "steady before",
            Self::SteadyDuring => "steady during",
            Self::SteadyAfter => "steady after",
            Self::WaitQuery | Self::WaitAlert => "wait for",
            Self::Injection => "effect",
            Self::Alert => "alert",
            Self::Resolve => "resolves",
            Self::MustNotFire => "must not fire",
            Self::Guard => "guard",
            Self::Deadline => "deadline",
            Self::Recovery => "recovery",
        }
    }

    /// Returns the code a failed check of this kind leads to.
    fn failed(self) -> ExitCode {
        match self {
            Self::SteadyDuring | Self::SteadyAfter | Self::WaitQuery => ExitCode::Deviated,
            Self::WaitAlert | Self::Alert | Self::Resolve | Self::MustNotFire => {
                ExitCode::AlertFailed
            }
            Self::Guard | Self::Deadline => ExitCode::Aborted,
            Self::Preflight | Self::SteadyBefore | Self::Injection => ExitCode::Environment,
            Self::Recovery => ExitCode::RecoveryFailed,
        }
    }
}

/// One judgement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    /// What it is about.
    pub kind: CheckKind,
    /// Which one of that kind.
    pub name: String,
    /// What it says.
    pub status: CheckStatus,
    /// Why, with numbers.
    pub detail: String,
}

impl Check {
    /// Returns the exit code this check alone leads to.
    pub fn exit(&self) -> ExitCode {
        match self.status {
            CheckStatus::Pass | CheckStatus::NotApplicable => ExitCode::Pass,
            CheckStatus::Fail => self.kind.failed(),
            CheckStatus::Error if self.kind == CheckKind::Recovery => ExitCode::RecoveryFailed,
            CheckStatus::Error => ExitCode::Environment,
        }
    }
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunStatus {
    /// The method was carried out.
    Completed,
    /// The method could not be carried out.
    Failed,
    /// A guard or the deadline stopped it.
    Aborted,
    /// A person or a signal stopped it.
    Interrupted,
}

impl RunStatus {
    /// Returns the word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Aborted => "aborted",
            Self::Interrupted => "interrupted",
        }
    }
}

/// The verdict of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    /// The playbook by its file or shipped name.
    pub playbook: String,
    /// How the run ended.
    pub status: RunStatus,
    /// Whether something the playbook claims did not hold.
    pub deviated: bool,
    /// All checks in the order they were decided.
    pub checks: Vec<Check>,
    /// Time to detect of every expected alert.
    pub detections: Vec<Detection>,
    /// Alerts that fired and stand nowhere in the playbook, as text.
    pub unexpected: Vec<String>,
    /// The exit code.
    pub exit: ExitCode,
    /// When the run began, milliseconds since the epoch.
    pub started_ms: i64,
    /// When it ended, milliseconds since the epoch.
    pub ended_ms: i64,
}

impl Outcome {
    /// Returns the exit code of a status and its checks.
    pub fn exit_of(status: RunStatus, checks: &[Check]) -> ExitCode {
        let of_status = match status {
            RunStatus::Completed | RunStatus::Failed => ExitCode::Pass,
            RunStatus::Aborted => ExitCode::Aborted,
            RunStatus::Interrupted => ExitCode::Interrupted,
        };
        let of_checks = ExitCode::worst(checks.iter().map(Check::exit));
        match (status, of_checks) {
            // Whatever kept the run from being carried out, it is not a pass.
            (RunStatus::Failed, ExitCode::Pass) => ExitCode::Environment,
            _ => ExitCode::worst([of_status, of_checks]),
        }
    }
}
