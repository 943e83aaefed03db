//! A playbook as a checked type: everything after [`Playbook::parse`] can trust it.
//!
//! Text → tree of spanned nodes → `${…}` substituted in scalars → accumulating decoder → these
//! types. The YAML is parsed once; all problems of a file are reported together.

mod alerts;
mod decode;
mod fields;
mod injection;
mod load;
mod steps;
mod substitute;

use std::collections::BTreeMap;
use std::sync::Arc;

use promql::labels::Labels;
use promql::yaml::{self, Place, decode::Problems};
use serde::{Deserialize, Serialize};

pub use injection::Injection;

use crate::problem::Problem;
use crate::tolerance::Tolerance;

/// The limit of a run that does not state one.
pub const DEFAULT_DEADLINE_MS: i64 = 30 * 60 * 1000;
/// The dead-man time of a fault that does not state one.
pub const DEFAULT_LEASE_MS: i64 = 10 * 1000;

/// More problems than this help nobody.
const MAX_PROBLEMS: usize = 100;

/// A run as a person wrote it, checked.
#[derive(Debug, Clone, PartialEq)]
pub struct Playbook {
    /// The file or the shipped name, for messages.
    pub name: String,
    /// One line that says what happens.
    pub title: String,
    /// What it is for.
    pub description: String,
    /// Words to find it by.
    pub tags: Vec<String>,
    /// The variables with the values used.
    pub vars: Vec<(String, String)>,
    /// Hard limit of the whole run in milliseconds.
    pub deadline_ms: i64,
    /// What holds before, and after recovery.
    pub steady_state: SteadyState,
    /// What is done, in order.
    pub method: Vec<Step>,
    /// Alerts that must show.
    pub expect_alerts: Vec<Expectation>,
    /// Alerts that must stay silent.
    pub must_not_fire: Vec<AlertPattern>,
    /// Alerts that are known collateral.
    pub may_fire: Vec<AlertPattern>,
    /// Guards that stop the run.
    pub abort_conditions: Vec<AbortCondition>,
    text: Arc<str>,
}

/// The hypothesis that the system is healthy.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct SteadyState {
    /// What is claimed.
    pub title: String,
    /// How long the probes are retried until they hold, in milliseconds.
    pub warm_up_ms: i64,
    /// The claims.
    pub probes: Vec<Probe>,
}

/// A query and what it must say.
#[derive(Debug, Clone, PartialEq)]
pub struct Probe {
    /// Its name.
    pub name: String,
    /// What is asked.
    pub query: Expr,
    /// What the answer must be.
    pub tolerance: Tolerance,
    /// When it is asked.
    pub mode: ProbeMode,
}

/// When a probe is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ProbeMode {
    /// Before the method, and after recovery.
    #[default]
    Edges,
    /// Also during the method; a miss deviates.
    Continuous,
}

/// A PromQL expression and where it stands in the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expr {
    /// The expression.
    pub text: String,
    /// Where.
    pub place: Place,
    /// The path of the field.
    pub path: String,
}

/// One step of the method.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// Its name, given or made from what it does.
    pub name: String,
    /// What it does.
    pub action: Action,
}

/// What a step does.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// Arms a fault and goes on.
    Fault(FaultStep),
    /// Blocks until a condition holds.
    WaitFor(WaitFor),
    /// Blocks for a while.
    Pause {
        /// How long, in milliseconds.
        for_ms: i64,
    },
}

/// A fault and how long it lives.
#[derive(Debug, Clone, PartialEq)]
pub struct FaultStep {
    /// What is sent to the server.
    pub injection: Injection,
    /// The hard end held by the server, in milliseconds.
    pub for_ms: i64,
    /// The dead-man time, in milliseconds.
    pub lease_ms: i64,
}

/// A condition to wait for.
#[derive(Debug, Clone, PartialEq)]
pub struct WaitFor {
    /// What must hold.
    pub condition: Condition,
    /// How long to wait, in milliseconds.
    pub timeout_ms: i64,
    /// How often to look, in milliseconds.
    pub interval_ms: i64,
    /// What follows when it does not hold in time.
    pub on_timeout: OnTimeout,
}

/// What a `wait_for` looks at.
#[derive(Debug, Clone, PartialEq)]
pub enum Condition {
    /// An alert reaches a state.
    Alert {
        /// Which alert.
        pattern: AlertPattern,
        /// Which state.
        state: WaitState,
    },
    /// A query says something.
    Query {
        /// What is asked.
        query: Expr,
        /// What the answer must be.
        comparator: Tolerance,
    },
}

/// The state a `wait_for` waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum WaitState {
    /// Pending or already firing.
    Pending,
    /// Firing.
    #[default]
    Firing,
    /// Neither.
    Inactive,
}

/// What follows when a wait ends without its condition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnTimeout {
    /// The check fails and the rest of the method is left out.
    #[default]
    Fail,
    /// The rest of the method is left out; nothing failed.
    Skip,
    /// The method goes on; nothing failed.
    RunAnyway,
}

/// The state an expectation asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExpectState {
    /// The alert becomes pending; firing counts as well.
    Pending,
    /// The alert fires.
    #[default]
    Firing,
}

/// An alert that must show, and go away.
#[derive(Debug, Clone, PartialEq)]
pub struct Expectation {
    /// Which alert.
    pub pattern: AlertPattern,
    /// Pending or firing.
    pub state: ExpectState,
    /// How soon, in milliseconds.
    pub within_ms: i64,
    /// The index of the step from whose start `within` counts; the first fault when absent.
    pub after: Option<usize>,
    /// How soon it must be gone once the faults are withdrawn, in milliseconds.
    pub resolve_within_ms: Option<i64>,
}

/// An alert by name and a subset of its labels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlertPattern {
    /// The `alertname` label; [`AlertPattern::ANY`] stands for every alert not named elsewhere.
    pub alertname: String,
    /// Labels that must be there with these values.
    pub exp_labels: Labels,
}

/// A guard: when it holds for long enough, the run stops and recovers.
#[derive(Debug, Clone, PartialEq)]
pub struct AbortCondition {
    /// Its name.
    pub name: String,
    /// What is asked.
    pub query: Expr,
    /// What must hold for the run to stop.
    pub comparator: Tolerance,
    /// For how long, in milliseconds.
    pub for_ms: i64,
}

impl AlertPattern {
    /// The name that stands for every alert not named elsewhere.
    pub const ANY: &'static str = "*";

    /// Says whether an alert with these labels is meant.
    pub fn matches(&self, labels: &Labels) -> bool {
        (self.is_any() || labels.get("alertname") == Some(&self.alertname))
            && labels.contains(&self.exp_labels)
    }

    /// Says whether every alert is meant.
    pub fn is_any(&self) -> bool {
        self.alertname == Self::ANY
    }
}

impl std::fmt::Display for AlertPattern {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.alertname)?;
        if self.exp_labels.is_empty() {
            return Ok(());
        }
        write!(f, "{}", self.exp_labels)
    }
}

impl Playbook {
    /// Reads a playbook from text. `vars` override the variables of the file.
    pub fn parse(
        name: &str,
        text: &str,
        vars: &BTreeMap<String, String>,
    ) -> Result<Self, Vec<Problem>> {
        let file = |problem| Problem::in_file(name, text, problem);
        let tree = yaml::parse(text).map_err(|error| {
            vec![file(yaml::decode::Problem {
                place: error.place,
                path: String::new(),
                message: error.message,
                help: None,
            })]
        })?;
        let mut unresolved = Problems::new();
        let (tree, used) = substitute::apply(&tree, vars, &mut unresolved);
        let mut problems = Problems::new();
        let decoded = decode::playbook(name, &tree, used, text, &mut problems);
        let problems: Vec<Problem> = merged(unresolved, problems).into_iter().map(file).collect();
        match decoded {
            Some(playbook) if problems.is_empty() => Ok(playbook),
            _ => Err(problems),
        }
    }

    /// Reads a playbook from bytes, as they come from a file.
    pub fn parse_bytes(
        name: &str,
        bytes: &[u8],
        vars: &BTreeMap<String, String>,
    ) -> Result<Self, Vec<Problem>> {
        let text = std::str::from_utf8(bytes).map_err(|error| {
            vec![Problem::of_file(
                name,
                format!(
                    "the file is not UTF-8 text (byte {})",
                    error.valid_up_to() + 1
                ),
            )]
        })?;
        Self::parse(name, text, vars)
    }

    /// Returns all expressions of the playbook.
    pub fn expressions(&self) -> impl Iterator<Item = &Expr> {
        let probes = self.steady_state.probes.iter().map(|probe| &probe.query);
        let waits = self.method.iter().filter_map(|step| match &step.action {
            Action::WaitFor(WaitFor {
                condition: Condition::Query { query, .. },
                ..
            }) => Some(query),
            _ => None,
        });
        let guards = self.abort_conditions.iter().map(|guard| &guard.query);
        probes.chain(waits).chain(guards)
    }

    /// Returns the fault steps with their indices.
    pub fn faults(&self) -> impl Iterator<Item = (usize, &Step, &FaultStep)> {
        self.method
            .iter()
            .enumerate()
            .filter_map(|(index, step)| match &step.action {
                Action::Fault(fault) => Some((index, step, fault)),
                _ => None,
            })
    }

    /// Returns the text it was read from.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Returns the shortest possible duration of the method in milliseconds: its pauses and the
    /// `for` of its faults, waits counted as nothing.
    pub fn least_body_ms(&self) -> i64 {
        let mut at = 0;
        let mut end = 0;
        for step in &self.method {
            match &step.action {
                Action::Fault(fault) => end = end.max(at + fault.for_ms),
                Action::Pause { for_ms } => at += for_ms,
                Action::WaitFor(_) => {}
            }
        }
        end.max(at)
    }
}

/// Puts both lists in the order of the file. What is wrong with a value whose variable could not be
/// resolved is that, and nothing else.
fn merged(unresolved: Problems, decoded: Problems) -> Vec<yaml::decode::Problem> {
    let mut all = unresolved.into_sorted();
    let places: Vec<Place> = all.iter().map(|problem| problem.place).collect();
    let others = decoded.into_sorted();
    all.extend(
        others
            .into_iter()
            .filter(|problem| !places.contains(&problem.place) || problem.path.is_empty()),
    );
    all.sort_by_key(|problem| problem.place);
    let more = all.len().saturating_sub(MAX_PROBLEMS);
    all.truncate(MAX_PROBLEMS);
    if let (Some(last), 1..) = (all.last_mut(), more) {
        last.help = Some(format!("{more} more problems are not shown"));
    }
    all
}
