//! A PromQL expression, checked and ready to run.

pub(crate) mod ast;
pub(crate) mod literal;
pub(crate) mod located;
pub(crate) mod matcher;
mod parse;
pub(crate) mod print;
mod regex_syntax;
pub(crate) mod tokens;

use std::fmt;
use std::sync::Arc;

pub(crate) use ast::Expr;
pub(crate) use located::Located;
pub(crate) use regex_syntax::{
    anchored as anchored_regex, unanchored as unanchored_regex, unanchored_sized as sized_regex,
};

use crate::engine::Profile;
use crate::labels::Labels;
use matcher::Matcher;

/// Longest expression that is read, in bytes.
pub const MAX_QUERY_BYTES: usize = 64 * 1024;

/// Why a text is not a query.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ParseError(pub(crate) String);

/// Which PromQL a text is read as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Dialect {
    /// The version whose functions and notations are accepted.
    pub profile: Profile,
    /// Whether the experimental functions of that version are accepted too.
    pub experimental: bool,
}

/// A parsed expression. Cloning is cheap.
#[derive(Clone)]
pub struct Query(Arc<Inner>);

struct Inner {
    text: String,
    expr: Expr,
    selectors: usize,
}

impl Query {
    /// Parses and type-checks an expression as Prometheus does by default: experimental functions
    /// and modifiers are errors.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        Self::parse_as(text, Dialect::default())
    }

    /// Parses as [`Query::parse`] does and accepts experimental functions too.
    pub fn parse_experimental(text: &str) -> Result<Self, ParseError> {
        Self::parse_as(
            text,
            Dialect {
                experimental: true,
                ..Dialect::default()
            },
        )
    }

    /// Parses and type-checks an expression as one version of Prometheus does.
    pub fn parse_as(text: &str, dialect: Dialect) -> Result<Self, ParseError> {
        let parsed = parse::parse(text, dialect)?;
        Ok(Self(Arc::new(Inner {
            text: text.to_owned(),
            expr: parsed.expr,
            selectors: parsed.selectors,
        })))
    }

    /// Returns the expression as it was written.
    pub fn text(&self) -> &str {
        &self.0.text
    }

    /// Returns the names of the metrics that the expression selects by name, sorted, each once.
    pub fn metric_names(&self) -> Vec<String> {
        let mut names = Vec::new();
        self.0.expr.visit(&mut |expr| {
            if let Expr::Selector(selector) | Expr::Range { selector, .. } = expr
                && let Some(name) = selector.metric_name()
            {
                names.push(name.to_owned());
            }
        });
        names.sort();
        names.dedup();
        names
    }

    /// Says whether some selector of the expression selects a series with these labels.
    pub fn selects(&self, labels: &Labels) -> bool {
        let mut found = false;
        self.0.expr.visit(&mut |expr| {
            if let Expr::Selector(selector) | Expr::Range { selector, .. } = expr {
                let fits = |m: &Matcher| m.matches(labels.get(&m.name).unwrap_or_default());
                found |= selector.matchers.iter().all(fits);
            }
        });
        found
    }

    pub(crate) fn expr(&self) -> &Expr {
        &self.0.expr
    }

    /// Returns how many selectors there are; each has an id below this number.
    pub(crate) fn selectors(&self) -> usize {
        self.0.selectors
    }
}

/// Writes the expression in canonical form.
impl fmt::Display for Query {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.expr.fmt(f)
    }
}

impl fmt::Debug for Query {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Query({self})")
    }
}

/// Queries are equal when their canonical forms are.
impl PartialEq for Query {
    fn eq(&self, other: &Self) -> bool {
        self.to_string() == other.to_string()
    }
}
