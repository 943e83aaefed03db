//! Templates in labels and annotations: Go's `text/template` with the functions of Prometheus.
//!
//! The whole language is built, but for complex numbers, methods of times beyond the usual ones,
//! and ranging over functions. Files in reading order: `lex` cuts the text into tokens, `parse`
//! makes a `tree` of them, `run` expands it over `value`s, `functions` is the one table of
//! functions; what they compute stands in `builtins`, `humanize`, `patterns`, `texts`, `time`,
//! `number` and `printf`.
//!
//! Invariant: expanding is bounded in steps, depth, text and queries, so no template hangs.

mod builtins;
mod functions;
mod humanize;
mod lex;
mod number;
mod parse;
mod patterns;
mod printf;
mod run;
mod texts;
mod time;
mod tree;
mod value;

pub(super) use patterns::Patterns;
pub(super) use texts::graph_link;

use std::sync::Arc;

use crate::engine::Profile;
use crate::labels::Labels;
use crate::value::Point;
use tree::Tree;

/// What Prometheus puts before every template: names that are easier to remember than the dot.
const PREFIX: &str = "{{$labels := .Labels}}{{$externalLabels := .ExternalLabels}}\
                      {{$externalURL := .ExternalURL}}{{$value := .Value}}";

/// A parsed template. Cloning is cheap.
#[derive(Debug, Clone, PartialEq)]
pub struct Template {
    tree: Arc<Tree>,
    profile: Profile,
}

/// Why a text is not a template.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("template: {message}")]
pub struct TemplateError {
    /// What is wrong.
    pub message: String,
    /// The line of the template where it is wrong, starting at 1.
    pub line: usize,
}

/// What a template can refer to.
#[derive(Clone, Copy)]
pub(crate) struct Data<'d> {
    /// Name of the alert, for messages.
    pub(crate) alert: &'d str,
    /// Labels of the element, the metric name included.
    pub(crate) labels: &'d Labels,
    /// Value of the element.
    pub(crate) value: f64,
    /// Labels of this Prometheus.
    pub(crate) external_labels: &'d Labels,
    /// Address of this Prometheus.
    pub(crate) external_url: &'d str,
    /// What was compiled for other expansions.
    pub(crate) patterns: &'d Patterns,
    /// Answers the function `query` at the time of the evaluation.
    pub(crate) query: &'d dyn Fn(&str) -> Result<Vec<Point>, String>,
}

impl Template {
    /// Parses a template as Prometheus 3.5 does; unknown functions and variables are errors.
    pub fn parse(text: &str) -> Result<Self, TemplateError> {
        Self::parse_for(text, Profile::default())
    }

    /// Parses a template for another Prometheus.
    pub fn parse_for(text: &str, profile: Profile) -> Result<Self, TemplateError> {
        let tree = parse::parse(&format!("{PREFIX}{text}"), profile)?;
        Ok(Self {
            tree: Arc::new(tree),
            profile,
        })
    }

    /// Returns a template that is its own text.
    pub(crate) fn literal(text: &str) -> Self {
        Self {
            tree: Arc::new(Tree::literal(text)),
            profile: Profile::default(),
        }
    }

    /// Expands the template. A failure becomes the text, as in Prometheus: the alert matters more.
    pub(crate) fn expand(&self, data: &Data<'_>) -> String {
        let name = format!("__alert_{}", data.alert);
        run::expand(&self.tree, &name, data, self.profile).unwrap_or_else(|error| {
            format!("<error expanding template: error executing template {name}: {error}>")
        })
    }
}
