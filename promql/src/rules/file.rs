//! Rule files as they are written, checked.

mod decode;
mod names;

use crate::query::{Dialect, Query};
use crate::yaml::decode::{Problem, Problems, Spot};
use crate::yaml::{self, Place};

/// A rule file without faults.
#[derive(Debug, Clone, PartialEq)]
pub struct RuleFile {
    /// The groups in the order of the file.
    pub groups: Vec<Group>,
}

/// Rules that are evaluated together, in order.
#[derive(Debug, Clone, PartialEq)]
pub struct Group {
    /// Name, unique in the file.
    pub name: String,
    /// Time between evaluations; the global one where absent.
    pub interval_ms: Option<i64>,
    /// Most series or alerts that a rule may produce; 0 is no limit.
    pub limit: usize,
    /// How far rules look into the past; the global one where absent.
    pub query_offset_ms: Option<i64>,
    /// Labels added to every rule of the group, unless the rule sets them itself.
    pub labels: Vec<(String, String)>,
    /// The rules in the order of evaluation.
    pub rules: Vec<Rule>,
    /// Where the group and its fields are written.
    pub spots: GroupSpots,
}

/// Where the fields of a group are written.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct GroupSpots {
    /// Where the group starts.
    pub group: Place,
    /// The name.
    pub name: Spot,
    /// `interval`, if it is set.
    pub interval: Option<Spot>,
    /// `query_offset`, if it is set.
    pub query_offset: Option<Spot>,
    /// The values of `labels`, by name.
    pub labels: Vec<(String, Spot)>,
}

/// One rule.
#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    /// Name of the recorded series or of the alert.
    pub name: String,
    /// What is evaluated.
    pub expr: Query,
    /// Labels set on results, those of the group included. Templates in alerting rules.
    pub labels: Vec<(String, String)>,
    /// What is done with the result.
    pub kind: RuleType,
    /// Where the rule stands in its file.
    pub place: Place,
    /// Where its fields are written.
    pub spots: RuleSpots,
}

/// Where the fields of a rule are written; a spot whose span is known can be spliced.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct RuleSpots {
    /// `record` or `alert`.
    pub name: Spot,
    /// `expr`.
    pub expr: Spot,
    /// `for`, if it is set.
    pub hold: Option<Spot>,
    /// `keep_firing_for`, if it is set.
    pub keep_firing_for: Option<Spot>,
    /// The values of the rule's own `labels`, by name, in the order of the file.
    pub labels: Vec<(String, Spot)>,
    /// The values of `annotations`, by name, in the order of the file.
    pub annotations: Vec<(String, Spot)>,
}

/// What is done with the result of a rule.
#[derive(Debug, Clone, PartialEq)]
pub enum RuleType {
    /// It is written under the rule's name.
    Recording,
    /// Its elements are alerts.
    Alerting(Alerting),
}

/// What an alerting rule says beyond its expression.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Alerting {
    /// How long an element must persist before the alert fires.
    pub for_ms: i64,
    /// How long an alert goes on firing after its element is gone.
    pub keep_firing_for_ms: i64,
    /// Texts for people; templates.
    pub annotations: Vec<(String, String)>,
}

impl RuleFile {
    /// Parses and checks a rule file as Prometheus 3.5 does; returns every problem at once, in the
    /// order of the file.
    pub fn parse(text: &str) -> Result<Self, Vec<Problem>> {
        Self::parse_as(text, Dialect::default())
    }

    /// Parses and checks a rule file as [`RuleFile::parse`] does, for another Prometheus: fields,
    /// names and functions came with versions.
    ///
    /// Stricter than Prometheus in one thing: it reads the first document of a file and says
    /// nothing of others, here they are an error.
    pub fn parse_as(text: &str, dialect: Dialect) -> Result<Self, Vec<Problem>> {
        let mut problems = Problems::new();
        let groups = match yaml::parse(text) {
            Ok(node) => decode::groups(&node, dialect, &mut problems),
            Err(error) => {
                problems.push(Problem {
                    place: error.place,
                    path: String::new(),
                    message: error.message,
                    help: None,
                });
                Vec::new()
            }
        };
        if problems.is_empty() {
            Ok(Self { groups })
        } else {
            Err(problems.into_sorted())
        }
    }
}
