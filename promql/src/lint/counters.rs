//! Counters, gauges and histograms taken for one another.

use super::labels::shape;
use super::world::Subject;
use super::{At, Found, Lint};
use crate::query::Located;
use crate::query::ast::{Aggregator, Arithmetic, Expr, Operator, Selector};
use crate::scale::constant::fold;

pub(super) const LINTS: &[Lint] = &[
    Lint {
        id: "rate-of-gauge",
        finds: "rate() or increase() on a metric whose name is not a counter's",
        check: rate_of_gauge,
    },
    Lint {
        id: "rate-of-sum",
        finds: "rate() over a sum of counters, where resets of one are lost",
        check: rate_of_sum,
    },
    Lint {
        id: "counter-without-rate",
        finds: "the raw value of a counter compared with a number",
        check: counter_without_rate,
    },
    Lint {
        id: "quantile-without-le",
        finds: "histogram_quantile() over buckets whose `le` is aggregated away",
        check: quantile_without_le,
    },
    Lint {
        id: "quantile-range",
        finds: "a quantile that is not between 0 and 1",
        check: quantile_range,
    },
];

const COUNTER_ENDS: [&str; 4] = ["_total", "_count", "_sum", "_bucket"];

fn is_counter_name(name: &str) -> bool {
    COUNTER_ENDS.iter().any(|end| name.ends_with(end))
}

fn is_rate(function: &str) -> bool {
    matches!(function, "rate" | "irate" | "increase")
}

/// Calls `see` for every call of a function over a range or subquery.
fn each_rate(subject: &Subject<'_>, see: &mut dyn FnMut(&str, &Located<'_>)) {
    subject.visit(&mut |node| {
        if let (Expr::Call(call), Some(arg)) = (node.expr, node.children.first())
            && is_rate(call.function.name)
        {
            see(call.function.name, arg);
        }
    });
}

fn rate_of_gauge(subject: &Subject<'_>, found: &mut Found<'_>) {
    each_rate(subject, &mut |function, arg| {
        if let Expr::Range { selector, .. } = arg.expr
            && let Some(name) = selector.metric_name()
            && !is_counter_name(name)
            && subject.world.recording(Some(name)).is_empty()
        {
            found.at(
                At::Expr(&arg.head),
                format!(
                    "{name} is not named like a counter; {function}() takes every fall of a gauge for a restart from 0"
                ),
                "use deriv() or delta() on a gauge; a counter's name should end in _total",
            );
        }
    });
}

fn rate_of_sum(subject: &Subject<'_>, found: &mut Found<'_>) {
    each_rate(subject, &mut |function, arg| {
        let is_sum = match arg.expr {
            Expr::Subquery(subquery) => is_sum_of_counters(&subquery.expr),
            Expr::Range { selector, .. } => subject
                .world
                .recording(selector.metric_name())
                .iter()
                .any(|rule| is_sum_of_counters(rule.expr.expr())),
            _ => false,
        };
        if is_sum {
            found.at(
                At::Expr(&arg.span),
                format!(
                    "the counters are added before {function}(): a restart of one looks like a fall of the sum, and the result is wrong"
                ),
                format!("take {function}() of each series and sum the results"),
            );
        }
    });
}

/// Says whether an expression adds raw counters up.
fn is_sum_of_counters(expr: &Expr) -> bool {
    let Expr::Aggregate(aggregate) = expr.unwrapped() else {
        return false;
    };
    matches!(aggregate.operator, Aggregator::Sum | Aggregator::Avg)
        && matches!(aggregate.expr.unwrapped(), Expr::Selector(selector) if is_counter(selector))
}

fn is_counter(selector: &Selector) -> bool {
    selector
        .metric_name()
        .is_some_and(|name| name.ends_with("_total") || name.ends_with("_bucket"))
}

fn counter_without_rate(subject: &Subject<'_>, found: &mut Found<'_>) {
    subject.visit(&mut |node| match node.expr {
        Expr::Binary(binary) if matches!(binary.operator, Operator::Comparison(_)) => {
            let [left, right] = node.children.as_slice() else {
                return;
            };
            let value = match (fold(left.expr), fold(right.expr)) {
                // Never counted anything is a question of its own.
                (None, Some(number)) if number != 0.0 => left,
                (Some(number), None) if number != 0.0 => right,
                _ => return,
            };
            raw_counters(value, &mut |counter| {
                found.at(
                    At::Expr(&counter.span),
                    "a counter only grows until its process restarts: once true, it stays true",
                    "compare rate() or increase() of it over a window",
                );
            });
        }
        Expr::Call(call) if call.function.name == "histogram_quantile" => {
            if let Some(buckets) = node.children.get(1) {
                raw_counters(buckets, &mut |counter| {
                    found.at(
                        At::Expr(&counter.span),
                        "without rate() the quantile covers all time since the process started",
                        "take rate() of the buckets over a window",
                    );
                });
            }
        }
        _ => {}
    });
}

/// Finds counters whose value itself is used.
fn raw_counters(node: &Located<'_>, see: &mut dyn FnMut(&Located<'_>)) {
    match node.expr {
        Expr::Selector(selector) if is_counter(selector) && selector.shift.offset_ms == 0 => {
            see(node);
        }
        Expr::Paren(_) | Expr::Negate(_) => {
            node.children
                .iter()
                .for_each(|child| raw_counters(child, see));
        }
        Expr::Aggregate(aggregate) => {
            if !matches!(
                aggregate.operator,
                Aggregator::Count | Aggregator::Group | Aggregator::CountValues
            ) && let Some(inner) = node.children.last()
            {
                raw_counters(inner, see);
            }
        }
        Expr::Binary(binary) => {
            let [left, right] = node.children.as_slice() else {
                return;
            };
            match binary.operator {
                Operator::Arithmetic(Arithmetic::Mul | Arithmetic::Add) => {
                    raw_counters(left, see);
                    raw_counters(right, see);
                }
                // Differences and quotients of counters rise and fall.
                Operator::Arithmetic(Arithmetic::Sub | Arithmetic::Div)
                    if fold(right.expr).is_some() =>
                {
                    raw_counters(left, see);
                }
                _ => {}
            }
        }
        _ => {}
    }
}

fn quantile_without_le(subject: &Subject<'_>, found: &mut Found<'_>) {
    subject.visit(&mut |node| {
        if let (Expr::Call(call), Some(buckets)) = (node.expr, node.children.get(1))
            && call.function.name == "histogram_quantile"
            && !shape(buckets.expr, subject.world).can_have("le")
        {
            found.at(
                At::Expr(&buckets.head),
                "the buckets have no `le` any more, so there is no quantile",
                "keep it: by (le, …)",
            );
        }
    });
}

fn quantile_range(subject: &Subject<'_>, found: &mut Found<'_>) {
    subject.visit(&mut |node| {
        let takes_quantile = match node.expr {
            Expr::Call(call) => {
                matches!(
                    call.function.name,
                    "histogram_quantile" | "quantile_over_time"
                )
            }
            Expr::Aggregate(aggregate) => aggregate.operator == Aggregator::Quantile,
            _ => false,
        };
        if takes_quantile
            && let Some(quantile) = node.children.first()
            && let Some(number) = fold(quantile.expr)
            && !(0.0..=1.0).contains(&number)
        {
            found.at(
                At::Expr(&quantile.span),
                format!("quantiles are between 0 and 1; {number} gives an infinity"),
                if number > 1.0 {
                    format!("write {} if percent are meant", number / 100.0)
                } else {
                    "write a number between 0 and 1".to_owned()
                },
            );
        }
    });
}
