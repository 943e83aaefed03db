//! Unit tests of rules, in the format of `promtool test rules`.
//!
//! A file loads series, evaluates rules from the epoch on, and says which alerts fire and what
//! expressions yield. Files of promtool get promtool's verdicts; what goes beyond it
//! (`exp_pending`, `match: subset`) is a field that promtool refuses. Nothing is read here: the
//! caller brings the texts of the test file and of the rule files.
//!
//! Files in reading order: `decode` checks a test file, `series` loads samples as time goes on,
//! `run` evaluates one test, `compare` finds what differs, `coverage` finds series that end before
//! an assertion needs them.

mod compare;
mod coverage;
mod decode;
mod report;
mod run;
mod series;

use std::collections::BTreeMap;

use crate::engine::Profile;
use crate::labels::Labels;
use crate::query::{Dialect, Query};
use crate::yaml::Place;
use crate::yaml::decode::Problem;

pub use report::{Asked, Difference, EndedSeries, Failure, Field, FieldPair, Report, Side};
pub use run::run;
pub use series::InputSeries;

/// A test file without faults.
#[derive(Debug, Clone, PartialEq)]
pub struct TestFile {
    /// Patterns of the rule files, relative to the test file, and where each is written.
    pub rule_files: Vec<(Place, String)>,
    /// Time between two evaluations of every group.
    pub evaluation_interval_ms: i64,
    /// Names of groups that are evaluated in this order.
    pub group_eval_order: Vec<String>,
    /// Accepts values that are one step of a float apart.
    pub fuzzy_compare: bool,
    /// The tests in the order of the file.
    pub tests: Vec<Test>,
}

/// Series, and what must come of them.
#[derive(Debug, Clone, PartialEq)]
pub struct Test {
    /// Where the test is written.
    pub place: Place,
    /// Its name; empty if it has none.
    pub name: String,
    /// Time between two samples of the input series.
    pub interval_ms: i64,
    /// Time of the first sample and of the first evaluation.
    pub start_ms: i64,
    /// The input series.
    pub series: Vec<InputSeries>,
    /// Labels for templates.
    pub external_labels: Labels,
    /// Address for templates.
    pub external_url: String,
    /// What is asserted on alerts.
    pub alerts: Vec<AlertAssertion>,
    /// What is asserted on expressions.
    pub exprs: Vec<ExprAssertion>,
}

/// Which alerts of one name are active at one time.
#[derive(Debug, Clone, PartialEq)]
pub struct AlertAssertion {
    /// Where it is written.
    pub place: Place,
    /// When, counted from the start of the test.
    pub eval_time_ms: i64,
    /// Name of the alerts.
    pub alertname: String,
    /// Those that fire.
    pub firing: Vec<ExpectedAlert>,
    /// Those that are pending, if that is asserted.
    pub pending: Option<Vec<ExpectedAlert>>,
    /// Labels and annotations that are not named may have any value.
    pub subset: bool,
}

/// One alert that is expected.
#[derive(Debug, Clone, PartialEq)]
pub struct ExpectedAlert {
    /// Where it is written.
    pub place: Place,
    /// Its labels, `alertname` included.
    pub labels: BTreeMap<String, String>,
    /// Its annotations.
    pub annotations: BTreeMap<String, String>,
}

/// What an expression yields at one time.
#[derive(Debug, Clone, PartialEq)]
pub struct ExprAssertion {
    /// Where it is written.
    pub place: Place,
    /// The expression.
    pub expr: Query,
    /// When, counted from the start of the test.
    pub eval_time_ms: i64,
    /// The elements of the result.
    pub samples: Vec<ExpectedSample>,
    /// Labels that are not named may have any value.
    pub subset: bool,
}

/// One element that is expected.
#[derive(Debug, Clone, PartialEq)]
pub struct ExpectedSample {
    /// Where it is written.
    pub place: Place,
    /// Its labels, the metric name included.
    pub labels: Labels,
    /// Its value.
    pub value: f64,
}

/// How tests are run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Settings {
    /// Which Prometheus is reproduced.
    pub profile: Profile,
    /// Holds queries to promtool's limit of 10,000 samples.
    pub promtool_limits: bool,
    /// Fails assertions that look at series which have ended.
    pub strict_data: bool,
    /// Evaluates step by step even where many steps at once come to the same.
    pub step_by_step: bool,
}

impl TestFile {
    /// Parses and checks a test file for Prometheus 3.5; returns every problem at once, in the order
    /// of the file.
    pub fn parse(text: &str) -> Result<Self, Vec<Problem>> {
        Self::parse_as(text, Dialect::default())
    }

    /// Parses and checks a test file whose expressions are those of another Prometheus.
    pub fn parse_as(text: &str, dialect: Dialect) -> Result<Self, Vec<Problem>> {
        decode::file(text, dialect)
    }
}

impl Test {
    /// Returns the name for people: that of the file, or the position as promtool counts it.
    pub fn title(&self, index: usize) -> String {
        if self.name.is_empty() {
            format!("unnamed#{index}")
        } else {
            self.name.clone()
        }
    }

    /// Returns how many assertions the test makes.
    pub fn assertions(&self) -> usize {
        self.alerts.len() + self.exprs.len()
    }

    /// Returns the time of the last assertion, counted from the start.
    fn end_ms(&self) -> i64 {
        let alerts = self.alerts.iter().map(|alert| alert.eval_time_ms);
        let exprs = self.exprs.iter().map(|expr| expr.eval_time_ms);
        alerts.chain(exprs).max().unwrap_or(0)
    }
}
