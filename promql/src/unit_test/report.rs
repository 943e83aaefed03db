//! How a test went.

use crate::labels::Labels;
use crate::yaml::Place;

/// How one test went.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Report {
    /// Assertions that hold.
    pub passed: usize,
    /// Assertions that were not reached since a rule failed.
    pub unreached: usize,
    /// What failed, in the order of time: rules and alerts, then expressions.
    pub failures: Vec<Failure>,
}

/// One thing that failed.
#[derive(Debug, Clone, PartialEq)]
pub struct Failure {
    /// Where the assertion is written; the test where a rule failed.
    pub place: Place,
    /// The time asked for, counted from the start of the test.
    pub eval_time_ms: i64,
    /// What was asked.
    pub asked: Asked,
}

/// What was asked, and what is wrong with the answer.
#[derive(Debug, Clone, PartialEq)]
pub enum Asked {
    /// The input series cannot be loaded.
    Load {
        /// Why not.
        message: String,
    },
    /// A rule was evaluated and failed; the test ends there.
    Rule {
        /// Name of its group.
        group: String,
        /// Name of the rule.
        rule: String,
        /// Why it failed.
        message: String,
    },
    /// Alerts differ.
    Alerts {
        /// Their name.
        alertname: String,
        /// The state that was asserted: `firing` or `pending`.
        state: &'static str,
        /// How many were expected and came out.
        counts: (usize, usize),
        /// What differs.
        differences: Vec<Difference>,
    },
    /// The result of an expression differs.
    Expr {
        /// The expression.
        expr: String,
        /// How many elements were expected and came out.
        counts: (usize, usize),
        /// What differs.
        differences: Vec<Difference>,
    },
    /// An expression cannot be evaluated.
    Query {
        /// The expression.
        expr: String,
        /// Why not.
        message: String,
    },
    /// Series end before an assertion needs them.
    Data {
        /// The alert or the expression.
        what: String,
        /// The series.
        ended: Vec<EndedSeries>,
    },
}

/// A series that ends too early.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndedSeries {
    /// Where it is written.
    pub place: Place,
    /// Its labels.
    pub labels: Labels,
    /// The time of its last sample, counted from the start of the test.
    pub ended_ms: i64,
    /// The time up to which it is looked at.
    pub needed_ms: i64,
}

/// Which side of a comparison an element is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// Expected, and nothing like it came out.
    Missing,
    /// It came out, and nothing like it was expected.
    Unexpected,
    /// It was expected otherwise.
    Changed,
}

/// One element that is not as expected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// Which side it is on.
    pub side: Side,
    /// Where the expectation is written.
    pub place: Option<Place>,
    /// All its fields, equal ones too.
    pub fields: Vec<FieldPair>,
    /// Why it can never be equal.
    pub note: Option<&'static str>,
}

/// A field on both sides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldPair {
    /// Which field.
    pub field: Field,
    /// What was expected; nothing if the field was not.
    pub expected: Option<String>,
    /// What came out; nothing if the field is not there.
    pub got: Option<String>,
    /// The two do not agree.
    pub differs: bool,
}

/// A part of an element.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Field {
    /// A label.
    Label(String),
    /// An annotation.
    Annotation(String),
    /// The value.
    Value,
}
