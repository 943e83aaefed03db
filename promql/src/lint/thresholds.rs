//! Numbers that a value cannot reach, or that are meant in another unit.

use super::value::{Measure, measure, source};
use super::world::{Subject, visit};
use super::{At, Found, Lint};
use crate::query::Located;
use crate::query::ast::{Arithmetic, Binary, Comparison, Expr, Operator};
use crate::scale::constant::fold;

pub(super) const LINTS: &[Lint] = &[
    Lint {
        id: "burn-factor",
        finds: "a burn rate above 1/(1-SLO), which no error ratio can reach",
        check: burn_factor,
    },
    Lint {
        id: "share-threshold",
        finds: "a part of a whole compared with a percentage, or a percentage with a part",
        check: share_threshold,
    },
    Lint {
        id: "unit-mismatch",
        finds: "seconds compared with what looks like milliseconds, bytes with megabytes, and the reverse",
        check: unit_mismatch,
    },
];

/// A comparison with a number: the number stands on the right.
struct Threshold<'n, 'e> {
    value: &'e Expr,
    comparison: Comparison,
    number: f64,
    at: &'n Located<'e>,
}

fn each<'e>(subject: &Subject<'e>, see: &mut dyn FnMut(&Threshold<'_, 'e>)) {
    subject.visit(&mut |node| {
        let (Expr::Binary(binary), [left, right]) = (node.expr, node.children.as_slice()) else {
            return;
        };
        let Operator::Comparison(comparison) = binary.operator else {
            return;
        };
        let threshold = match (fold(left.expr), fold(right.expr)) {
            (None, Some(number)) => Threshold {
                value: left.expr,
                comparison,
                number,
                at: right,
            },
            (Some(number), None) => Threshold {
                value: right.expr,
                comparison: comparison.mirrored(),
                number,
                at: left,
            },
            _ => return,
        };
        see(&threshold);
    });
}

/// Returns burn factor and error budget of `14.4 * 0.001` and `14.4 * (1 - 0.999)`.
fn burn(expr: &Expr) -> Option<(f64, f64)> {
    let Expr::Binary(binary) = expr.unwrapped() else {
        return None;
    };
    let Binary { left, right, .. } = &**binary;
    if binary.operator != Operator::Arithmetic(Arithmetic::Mul) {
        return None;
    }
    let (a, b) = (fold(left)?, fold(right)?);
    let (factor, budget) = if a >= b { (a, b) } else { (b, a) };
    (factor >= 1.0 && budget > 0.0 && budget < 1.0).then_some((factor, budget))
}

fn is_above(comparison: Comparison) -> bool {
    matches!(comparison, Comparison::Greater | Comparison::GreaterOrEqual)
}

/// Says whether no value up to 1 fulfils the comparison.
fn is_beyond_one(threshold: &Threshold<'_, '_>) -> bool {
    match threshold.comparison {
        Comparison::Greater => threshold.number >= 1.0,
        Comparison::GreaterOrEqual | Comparison::Equal => threshold.number > 1.0,
        _ => false,
    }
}

fn burn_factor(subject: &Subject<'_>, found: &mut Found<'_>) {
    each(subject, &mut |threshold| {
        let Some((factor, budget)) = burn(threshold.at.expr) else {
            return;
        };
        if is_above(threshold.comparison) && is_beyond_one(threshold) {
            let slo = (1.0 - budget) * 100.0;
            found.at(
                At::Expr(&threshold.at.span),
                format!(
                    "{factor} times a budget of {} is {}: with an SLO of {}% no error ratio burns faster than {} times, so it can never fire",
                    short(budget),
                    short(threshold.number),
                    short(slo),
                    short(1.0 / budget)
                ),
                "take a smaller factor, or leave this window out for this SLO".to_owned(),
            );
        }
    });
}

/// Four significant digits.
fn short(value: f64) -> f64 {
    format!("{value:.3e}").parse().unwrap_or(value)
}

fn share_threshold(subject: &Subject<'_>, found: &mut Found<'_>) {
    each(subject, &mut |threshold| {
        let span = &threshold.at.span;
        match measure(threshold.value, subject.world) {
            Some(Measure::Share)
                if is_beyond_one(threshold) && burn(threshold.at.expr).is_none() =>
            {
                found.at(
                    At::Expr(span),
                    format!(
                        "a part of a whole is at most 1, so it is never above {}",
                        threshold.number
                    ),
                    format!(
                        "write {} if percent are meant",
                        short(threshold.number / 100.0)
                    ),
                );
            }
            Some(Measure::Percent)
                if is_above(threshold.comparison)
                    && threshold.number > 0.0
                    && threshold.number < 0.5 =>
            {
                found.at(
                    At::Expr(span),
                    format!(
                        "the value is multiplied by 100, so {} means {} of a hundred",
                        threshold.number, threshold.number
                    ),
                    format!(
                        "write {}, or do not multiply",
                        short(threshold.number * 100.0)
                    ),
                );
            }
            _ => {}
        }
    });
}

/// Units by the end of a metric's name, with numbers that belong to another unit.
fn unit_mismatch(subject: &Subject<'_>, found: &mut Found<'_>) {
    each(subject, &mut |threshold| {
        let Some(name) = measured_name(threshold.value) else {
            return;
        };
        let number = threshold.number;
        let base = ["_bucket", "_sum", "_max"]
            .iter()
            .fold(name, |name, end| name.strip_suffix(end).unwrap_or(name));
        let has = |words: &[&str]| words.iter().any(|word| base.contains(word));
        let is_wait = has(&["duration", "latency", "response", "request", "query", "rtt"])
            && !has(&["start", "timestamp", "age", "uptime", "expir", "interval"]);
        let is_store = has(&[
            "memory",
            "heap",
            "resident",
            "filesystem",
            "disk",
            "volume",
            "storage",
        ]);
        let (message, remedy) = if base.ends_with("_seconds") && is_wait && number >= 100.0 {
            (
                format!("{name} is in seconds; {number} looks like milliseconds"),
                format!("write {}", short(number / 1000.0)),
            )
        } else if (base.ends_with("_milliseconds") || base.ends_with("_ms"))
            && number > 0.0
            && number < 1.0
        {
            (
                format!("{name} is in milliseconds; {number} looks like seconds"),
                format!("write {}", short(number * 1000.0)),
            )
        } else if base.ends_with("_bytes") && is_store && number > 1.0 && number < 100_000.0 {
            (
                format!("{name} is in bytes; {number} looks like megabytes"),
                format!("write {number} * 1024 * 1024"),
            )
        } else {
            return;
        };
        found.at(At::Expr(&threshold.at.span), message, remedy);
    });
}

/// Returns the metric whose unit a value has: through quantiles, means, extremes and sums, but
/// not through rates and quotients of different things.
fn measured_name(expr: &Expr) -> Option<&str> {
    match source(expr) {
        Expr::Selector(selector) => selector.metric_name(),
        Expr::Aggregate(aggregate) => match aggregate.operator.text() {
            "count" | "count_values" | "group" | "stdvar" => None,
            _ => measured_name(&aggregate.expr),
        },
        Expr::Call(call) => match (call.function.name, call.args.as_slice()) {
            ("histogram_quantile", [_, buckets]) => bucket_name(buckets),
            (
                "avg_over_time" | "max_over_time" | "min_over_time" | "last_over_time",
                [Expr::Range { selector, .. }],
            )
            | ("quantile_over_time", [_, Expr::Range { selector, .. }]) => selector.metric_name(),
            _ => None,
        },
        // The mean: growth of the sum by growth of the count.
        Expr::Binary(binary) if binary.operator == Operator::Arithmetic(Arithmetic::Div) => {
            let sum = growing(&binary.left)?;
            let count = growing(&binary.right)?;
            let base = sum.strip_suffix("_sum")?;
            (count.strip_suffix("_count")? == base).then_some(sum)
        }
        _ => None,
    }
}

fn bucket_name(expr: &Expr) -> Option<&str> {
    growing(expr).filter(|name| name.ends_with("_bucket"))
}

/// Returns the only metric whose rate stands in an expression.
fn growing(expr: &Expr) -> Option<&str> {
    let mut names = Vec::new();
    visit(expr, &mut |expr| {
        if let Expr::Selector(selector) | Expr::Range { selector, .. } = expr {
            names.extend(selector.metric_name());
        }
    });
    names.dedup();
    match names.as_slice() {
        [name] => Some(name),
        _ => None,
    }
}
