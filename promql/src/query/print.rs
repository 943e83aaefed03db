//! Expressions as canonical text, which parses to the same expression again.

use std::fmt;

use super::ast::{Aggregate, At, Binary, Cardinality, Expr, Grouping, Selector, Shift};
use super::literal::quoted;
use super::matcher::Matcher;
use crate::duration::format_ms;
use crate::labels::METRIC_NAME;

impl fmt::Display for Expr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(value) => f.write_str(&number(*value)),
            Self::Text(text) => f.write_str(&quoted(text)),
            Self::Selector(selector) => write!(f, "{}{}", Head(selector), Tail(&selector.shift)),
            Self::Range { selector, range_ms } => write!(
                f,
                "{}[{}]{}",
                Head(selector),
                format_ms(*range_ms),
                Tail(&selector.shift)
            ),
            Self::Subquery(subquery) => write!(
                f,
                "{}[{}:{}]{}",
                subquery.expr,
                format_ms(subquery.range_ms),
                subquery.step_ms.map(format_ms).unwrap_or_default(),
                Tail(&subquery.shift)
            ),
            Self::Negate(inner) => write!(f, "-{inner}"),
            Self::Paren(inner) => write!(f, "({inner})"),
            Self::Binary(binary) => write_binary(f, binary),
            Self::Aggregate(aggregate) => write_aggregate(f, aggregate),
            Self::Call(call) => {
                write!(f, "{}(", call.function.name)?;
                for (index, arg) in call.args.iter().enumerate() {
                    let comma = if index == 0 { "" } else { ", " };
                    write!(f, "{comma}{arg}")?;
                }
                f.write_str(")")
            }
        }
    }
}

struct Head<'a>(&'a Selector);

impl fmt::Display for Head<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let of_name = |matcher: &&Matcher| matcher.name == METRIC_NAME;
        // Beside a bare name no other condition on the name is read.
        let plain_name = self
            .0
            .metric_name()
            .filter(|name| is_metric_name(name) && !is_keyword(name))
            .filter(|_| self.0.matchers.iter().filter(of_name).count() == 1);
        f.write_str(plain_name.unwrap_or_default())?;
        let rest: Vec<String> = self
            .0
            .matchers
            .iter()
            .filter(|matcher| {
                !(matcher.name == METRIC_NAME
                    && matcher.is_equal()
                    && plain_name == Some(matcher.value.as_str()))
            })
            .map(|matcher| {
                format!(
                    "{}{}{}",
                    label_name(&matcher.name),
                    matcher.operator(),
                    quoted(&matcher.value)
                )
            })
            .collect();
        if rest.is_empty() && plain_name.is_some() {
            return Ok(());
        }
        write!(f, "{{{}}}", rest.join(","))
    }
}

struct Tail<'a>(&'a Shift);

impl fmt::Display for Tail<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.at {
            None => {}
            Some(At::Start) => f.write_str(" @ start()")?,
            Some(At::End) => f.write_str(" @ end()")?,
            Some(At::Ms(t_ms)) => {
                let sign = if t_ms < 0 { "-" } else { "" };
                let t_ms = t_ms.unsigned_abs();
                write!(f, " @ {sign}{}.{:03}", t_ms / 1000, t_ms % 1000)?;
            }
        }
        match self.0.offset_ms {
            0 => Ok(()),
            offset_ms => write!(f, " offset {}", format_ms(offset_ms)),
        }
    }
}

fn write_binary(f: &mut fmt::Formatter<'_>, binary: &Binary) -> fmt::Result {
    write!(f, "{} {}", binary.left, binary.operator.text())?;
    if binary.return_bool {
        f.write_str(" bool")?;
    }
    let grouped = binary.cardinality != Cardinality::OneToOne;
    match &binary.matching {
        Grouping::Only(labels) => write!(f, " on ({})", label_list(labels))?,
        Grouping::Except(labels) if labels.is_empty() && !grouped => {}
        Grouping::Except(labels) => write!(f, " ignoring ({})", label_list(labels))?,
    }
    match &binary.cardinality {
        Cardinality::OneToOne => {}
        Cardinality::ManyToOne(labels) => write!(f, " group_left ({})", label_list(labels))?,
        Cardinality::OneToMany(labels) => write!(f, " group_right ({})", label_list(labels))?,
    }
    write!(f, " {}", binary.right)
}

fn write_aggregate(f: &mut fmt::Formatter<'_>, aggregate: &Aggregate) -> fmt::Result {
    f.write_str(aggregate.operator.text())?;
    match &aggregate.grouping {
        Grouping::Only(labels) if labels.is_empty() => {}
        Grouping::Only(labels) => write!(f, " by ({}) ", label_list(labels))?,
        Grouping::Except(labels) => write!(f, " without ({}) ", label_list(labels))?,
    }
    f.write_str("(")?;
    if let Some(parameter) = &aggregate.parameter {
        write!(f, "{parameter}, ")?;
    }
    write!(f, "{})", aggregate.expr)
}

/// Writes a number so that reading it gives the same bits.
pub(crate) fn number(value: f64) -> String {
    if value.is_nan() {
        "NaN".to_owned()
    } else if value.is_infinite() {
        if value > 0.0 { "+Inf" } else { "-Inf" }.to_owned()
    } else {
        format!("{value}")
    }
}

fn label_list(labels: &[String]) -> String {
    let names: Vec<String> = labels.iter().map(|name| label_name(name)).collect();
    names.join(", ")
}

fn label_name(name: &str) -> String {
    if is_label_name(name) {
        name.to_owned()
    } else {
        quoted(name)
    }
}

/// Says whether a name needs no quotes as a label.
pub(crate) fn is_label_name(name: &str) -> bool {
    let mut bytes = name.bytes();
    bytes
        .next()
        .is_some_and(|b| b.is_ascii_alphabetic() || b == b'_')
        && bytes.all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

/// Says whether a name needs no quotes as a metric.
pub(crate) fn is_metric_name(name: &str) -> bool {
    let mut bytes = name.bytes();
    bytes
        .next()
        .is_some_and(|b| b.is_ascii_alphabetic() || b == b'_' || b == b':')
        && bytes.all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b':')
}

/// Words that a bare metric name would be confused with.
fn is_keyword(name: &str) -> bool {
    const WORDS: [&str; 12] = [
        "inf",
        "nan",
        "on",
        "ignoring",
        "group_left",
        "group_right",
        "bool",
        "offset",
        "atan2",
        "smoothed",
        "anchored",
        "by",
    ];
    WORDS.contains(&name.to_ascii_lowercase().as_str())
        || promql_words().contains(&name.to_ascii_lowercase().as_str())
}

fn promql_words() -> &'static [&'static str] {
    &[
        "and",
        "or",
        "unless",
        "without",
        "sum",
        "avg",
        "count",
        "min",
        "max",
        "group",
        "stddev",
        "stdvar",
        "topk",
        "bottomk",
        "count_values",
        "quantile",
        "limitk",
        "limit_ratio",
        "start",
        "end",
        "fill",
        "fill_left",
        "fill_right",
    ]
}
