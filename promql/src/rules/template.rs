//! Templates in labels and annotations, in the words of Go's `text/template`.
//!
//! Built: text, `{{ $labels.x }}`, `{{ $value }}`, `$externalLabels`, `$externalURL` and the same
//! as fields of the dot, pipelines, parentheses, literals, `if`/`else`, comments, trimming, and
//! the functions in [`functions`]. Whatever else the language has is refused when the rule file
//! is read, by name.

mod format;
mod functions;
mod parse;
mod run;

use crate::engine::Profile;
use crate::labels::Labels;

/// A parsed template.
#[derive(Debug, Clone, PartialEq)]
pub struct Template(Vec<Node>);

/// Why a text is not a template.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("template: {0}")]
pub struct TemplateError(String);

/// What a template can refer to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Data<'d> {
    /// Labels of the element, the metric name included.
    pub(crate) labels: &'d Labels,
    pub(crate) value: f64,
    pub(crate) external_labels: &'d Labels,
    pub(crate) external_url: &'d str,
}

#[derive(Debug, Clone, PartialEq)]
enum Node {
    Text(String),
    Action(Expr),
    If {
        arms: Vec<(Expr, Vec<Node>)>,
        otherwise: Vec<Node>,
    },
}

#[derive(Debug, Clone, PartialEq)]
enum Expr {
    Dot,
    Variable(Variable),
    Text(String),
    Int(i64),
    Float(f64),
    Bool(bool),
    Field(Box<Expr>, String),
    Call(functions::Name, Vec<Expr>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Variable {
    Labels,
    Value,
    ExternalLabels,
    ExternalUrl,
}

impl Template {
    /// Parses a template; unknown functions and constructs are errors.
    pub fn parse(text: &str) -> Result<Self, TemplateError> {
        parse::parse(text).map(Self).map_err(TemplateError)
    }

    /// Parses a template for another Prometheus, which may lack functions.
    pub(crate) fn parse_for(text: &str, _profile: Profile) -> Result<Self, TemplateError> {
        Self::parse(text)
    }

    /// Returns a template that is its own text.
    pub(crate) fn literal(text: &str) -> Self {
        Self(vec![Node::Text(text.to_owned())])
    }

    /// Expands the template. A failure becomes the text, as in Prometheus: the alert matters more.
    pub(crate) fn expand(&self, data: &Data<'_>) -> String {
        run::expand(&self.0, data)
            .unwrap_or_else(|error| format!("<error expanding template: {error}>"))
    }
}
