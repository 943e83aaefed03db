//! The text that a target answers a scrape with: Prometheus text 0.0.4 and OpenMetrics.
//!
//! [`Parser::Strict`] accepts what a Prometheus 3.x accepts and says line and column of what it
//! does not. [`Parser::Compat`] is the crate `prometheus-parse`: lenient, it never fails and drops
//! what it cannot read, such as label values that hold `}` or `=`. Neither keeps HELP or UNIT.
//!
//! Modules in reading order: `content_type`, `line`, `strict`, `float`, `compat`.

mod compat;
mod content_type;
mod float;
mod line;
mod strict;

use std::borrow::Cow;

use promql::labels::{Labels, METRIC_NAME};

pub use float::format_float;
pub use strict::Rows;

/// How a scraped text is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Parser {
    /// Any mistake fails the scrape, as in Prometheus.
    #[default]
    Strict,
    /// Mistakes are passed over silently.
    Compat,
}

/// Which of the two texts it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Prometheus text 0.0.4 and 1.0.0.
    Text,
    /// OpenMetrics 0.0.1 and 1.0.0.
    OpenMetrics,
}

impl Format {
    /// Returns the format that a Content-Type names; `None` when it names neither, or when its
    /// parameters are not what RFC 9110 allows.
    pub fn from_content_type(content_type: &str) -> Option<Self> {
        let media = content_type::media_type(content_type)?;
        if media.eq_ignore_ascii_case("text/plain") {
            Some(Self::Text)
        } else if media.eq_ignore_ascii_case("application/openmetrics-text") {
            Some(Self::OpenMetrics)
        } else {
            None
        }
    }
}

/// What one text may hold at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Samples in the text.
    pub rows: usize,
    /// Labels of one sample, the metric name included.
    pub labels: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            rows: 500_000,
            labels: 128,
        }
    }
}

/// Names and values of labels; borrowed where nothing had to be unescaped.
pub type Pairs<'a> = Vec<(Cow<'a, str>, Cow<'a, str>)>;

/// One sample of the text.
#[derive(Debug, Clone, PartialEq)]
pub struct Row<'a> {
    /// A text that stands for the series within one target: what was written before the value.
    pub key: Cow<'a, str>,
    /// All labels, the metric name as `__name__`; each name once, in no promised order.
    pub labels: Pairs<'a>,
    /// The value.
    pub value: f64,
    /// The time written beside the value, milliseconds since the epoch.
    pub t_ms: Option<i64>,
    /// The exemplar, OpenMetrics only.
    pub exemplar: Option<RowExemplar<'a>>,
}

impl Row<'_> {
    /// Returns the labels as a set.
    pub fn label_set(&self) -> Labels {
        label_set(&self.labels)
    }

    /// Returns the metric name.
    pub fn name(&self) -> &str {
        let found = self.labels.iter().find(|(name, _)| name == METRIC_NAME);
        found.map_or("", |(_, value)| value.as_ref())
    }
}

/// One exemplar of the text.
#[derive(Debug, Clone, PartialEq)]
pub struct RowExemplar<'a> {
    /// Its labels.
    pub labels: Pairs<'a>,
    /// The observed value.
    pub value: f64,
    /// When, milliseconds since the epoch.
    pub t_ms: Option<i64>,
}

impl RowExemplar<'_> {
    /// Returns the labels as a set.
    pub fn label_set(&self) -> Labels {
        label_set(&self.labels)
    }
}

fn label_set(pairs: &Pairs<'_>) -> Labels {
    Labels::from_pairs(
        pairs
            .iter()
            .map(|(name, value)| (name.as_ref(), value.as_ref())),
    )
}

/// Where and why a text is not an exposition.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, column {column}: {message}")]
pub struct ParseError {
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// What was expected or what is wrong.
    pub message: String,
}

/// Reads a whole text.
pub fn parse(
    parser: Parser,
    format: Format,
    text: &str,
    limits: Limits,
) -> Result<Vec<Row<'_>>, ParseError> {
    match parser {
        Parser::Strict => Rows::new(format, text, limits).collect(),
        Parser::Compat => compat::rows(text, limits),
    }
}
