//! What callers see of rules and alerts.

use std::time::Duration;

use super::template::graph_link;
use crate::labels::Labels;

/// The state of an alert or of an alerting rule (the highest of its alerts).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AlertState {
    /// Nothing is wrong, or no longer.
    Inactive,
    /// The condition holds, not yet long enough.
    Pending,
    /// The condition has held long enough.
    Firing,
}

impl AlertState {
    /// Returns the word Prometheus uses.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Inactive => "inactive",
            Self::Pending => "pending",
            Self::Firing => "firing",
        }
    }
}

/// Whether the last evaluation of a rule went well.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Health {
    /// Not evaluated yet.
    Unknown,
    /// The last evaluation had a result.
    Ok,
    /// The last evaluation failed.
    Err,
}

/// Kinds of rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RuleKind {
    /// Writes series.
    Recording,
    /// Raises alerts.
    Alerting,
}

/// A group as the evaluator runs it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupStatus {
    /// Index of the rule file among those given.
    pub file: usize,
    /// Name of the group.
    pub name: String,
    /// Time between evaluations.
    pub interval_ms: i64,
    /// Time of the last evaluation.
    pub last_evaluation_ms: Option<i64>,
    /// How long it took, if anybody measured.
    pub evaluation_duration: Option<Duration>,
    /// Slots that passed without an evaluation because one took too long; they are not made up for.
    pub missed_evaluations: u64,
}

/// One active alert.
#[derive(Debug, Clone, PartialEq)]
pub struct AlertStatus {
    /// Its labels, `alertname` included.
    pub labels: Labels,
    /// Its annotations, templates expanded.
    pub annotations: Vec<(String, String)>,
    /// Pending or firing; inactive for one that resolved lately.
    pub state: AlertState,
    /// Since when the condition holds.
    pub active_at_ms: i64,
    /// Since when it fires.
    pub fired_at_ms: Option<i64>,
    /// When it resolved.
    pub resolved_at_ms: Option<i64>,
    /// Since when it only fires because of `keep_firing_for`.
    pub keep_firing_since_ms: Option<i64>,
    /// The value of the expression at the last evaluation.
    pub value: f64,
}

/// One rule as `/api/v1/rules` shows it.
#[derive(Debug, Clone, PartialEq)]
pub struct RuleStatus {
    /// Name of its group.
    pub group: String,
    /// Name of the alert or of the recorded series.
    pub name: String,
    /// What it does.
    pub kind: RuleKind,
    /// Its expression in canonical form.
    pub query: String,
    /// How long the condition must hold.
    pub for_ms: i64,
    /// How long it fires on.
    pub keep_firing_for_ms: i64,
    /// Its labels as written.
    pub labels: Vec<(String, String)>,
    /// Its annotations as written.
    pub annotations: Vec<(String, String)>,
    /// The highest state of its alerts.
    pub state: AlertState,
    /// Pending and firing alerts, sorted by labels.
    pub alerts: Vec<AlertStatus>,
    /// Whether the last evaluation went well.
    pub health: Health,
    /// Why it did not.
    pub last_error: Option<String>,
    /// When it was evaluated last.
    pub last_evaluation_ms: Option<i64>,
    /// How long that took, if anybody measured.
    pub evaluation_duration: Option<Duration>,
}

/// A change of state of one alert.
#[derive(Debug, Clone, PartialEq)]
pub struct Transition {
    /// Name of the group.
    pub group: String,
    /// Name of the alert.
    pub alert: String,
    /// Labels of the alert.
    pub labels: Labels,
    /// Annotations, templates expanded.
    pub annotations: Vec<(String, String)>,
    /// State before.
    pub from: AlertState,
    /// State after.
    pub to: AlertState,
    /// Time of the evaluation that changed it.
    pub t_ms: i64,
    /// Value of the expression.
    pub value: f64,
}

/// A rule that could not be evaluated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleError {
    /// Name of the rule.
    pub rule: String,
    /// What went wrong.
    pub message: String,
}

/// What one evaluation of a group did.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct GroupOutcome {
    /// Alerts that changed state, in the order of the rules.
    pub transitions: Vec<Transition>,
    /// Rules that failed.
    pub errors: Vec<RuleError>,
    /// Samples written, stale markers included.
    pub samples_written: usize,
}

/// An alert as it is posted to an Alertmanager.
#[derive(Debug, Clone, PartialEq)]
pub struct Notification {
    /// Labels of the alert.
    pub labels: Labels,
    /// Annotations, templates expanded.
    pub annotations: Vec<(String, String)>,
    /// Since when it fires.
    pub starts_at_ms: i64,
    /// When it ended, or when it counts as ended if nothing more is heard of it.
    pub ends_at_ms: i64,
    /// The expression that raised it.
    pub expr: String,
}

impl Notification {
    /// Returns the path of the expression on the page of Prometheus; with the address before it, it
    /// is the `generatorURL` that an Alertmanager gets.
    pub fn generator_path(&self) -> String {
        graph_link(&self.expr, 1)
    }
}
