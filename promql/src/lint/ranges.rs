//! Ranges and times: long enough for what happens in them.

use super::world::{Subject, is_absent};
use super::{At, Found, Lint};
use crate::duration::format_ms;
use crate::query::ast::{Expr, Operator, Set};

pub(super) const LINTS: &[Lint] = &[
    Lint {
        id: "short-range",
        finds: "a range shorter than four scrape intervals",
        check: short_range,
    },
    Lint {
        id: "for-below-interval",
        finds: "a `for` shorter than the interval of its group",
        check: for_below_interval,
    },
    Lint {
        id: "missing-for",
        finds: "an alert without `for` on an expression that one bad scrape can trip",
        check: missing_for,
    },
];

/// A range with fewer scrapes holds one sample or none as soon as one scrape is late or lost.
const LEAST_SCRAPES: i64 = 4;

/// Rates over at least this long are not tripped by one scrape.
const STEADY_RANGE_MS: i64 = 15 * 60 * 1000;

fn short_range(subject: &Subject<'_>, found: &mut Found<'_>) {
    let scrape_ms = subject.world.settings.scrape_interval_ms;
    let least_ms = scrape_ms.saturating_mul(LEAST_SCRAPES);
    subject.visit(&mut |node| {
        let Expr::Call(call) = node.expr else {
            return;
        };
        // These ask whether there is anything at all.
        if matches!(call.function.name, "absent_over_time" | "present_over_time" | "last_over_time") {
            return;
        }
        for range in &node.children {
            if let (Expr::Range { selector, range_ms }, Some(span)) = (range.expr, &range.range)
                && *range_ms < least_ms
                && subject.world.recording(selector.metric_name()).is_empty()
            {
                found.at(
                    At::Expr(span),
                    format!(
                        "{} covers fewer than four scrapes of {}: {} gives nothing, or jumps, when one is late",
                        format_ms(*range_ms),
                        format_ms(scrape_ms),
                        call.function.name
                    ),
                    format!("take at least {}, or say --scrape-interval", format_ms(least_ms)),
                );
            }
        }
    });
}

fn for_below_interval(subject: &Subject<'_>, found: &mut Found<'_>) {
    let (Some(alerting), Some(interval_ms)) = (subject.alerting(), subject.group.interval_ms)
    else {
        return;
    };
    if let Some(spot) = subject.rule.spots.hold
        && alerting.for_ms > 0
        && alerting.for_ms < interval_ms
    {
        found.at(
            At::Field(spot),
            format!(
                "the group is evaluated every {}, so the alert cannot fire before that; `for: {}` promises less",
                format_ms(interval_ms),
                format_ms(alerting.for_ms)
            ),
            format!("write `for: {}` or shorten the interval", format_ms(interval_ms)),
        );
    }
}

fn missing_for(subject: &Subject<'_>, found: &mut Found<'_>) {
    let is_immediate = subject
        .alerting()
        .is_some_and(|alerting| alerting.for_ms == 0);
    if is_immediate && is_noisy(subject.expr(), subject, 8) {
        found.at(
            At::Name,
            "it fires at the first evaluation that is true: one late scrape or one bad sample pages somebody",
            "add `for`, at least two evaluations long; or take the value over a longer window",
        );
    }
}

/// Says whether one sample decides whether an expression has a result.
fn is_noisy<'a>(expr: &'a Expr, subject: &Subject<'a>, chain: usize) -> bool {
    let noisy = |expr: &'a Expr| is_noisy(expr, subject, chain);
    match expr {
        // A count of what happened is there for the whole window.
        Expr::Number(_) | Expr::Text(_) | Expr::Range { .. } | Expr::Subquery(_) => false,
        Expr::Selector(selector) => {
            let recording = subject.world.recording(selector.metric_name());
            match chain.checked_sub(1) {
                Some(chain) if !recording.is_empty() => recording
                    .iter()
                    .any(|rule| is_noisy(rule.expr.expr(), subject, chain)),
                _ => true,
            }
        }
        Expr::Negate(inner) | Expr::Paren(inner) => noisy(inner),
        Expr::Aggregate(aggregate) => noisy(&aggregate.expr),
        Expr::Binary(binary) => match binary.operator {
            // All sides must hold, so one that is steady keeps the noise away.
            Operator::Set(Set::And) => noisy(&binary.left) && noisy(&binary.right),
            Operator::Set(Set::Unless) => noisy(&binary.left),
            _ => noisy(&binary.left) || noisy(&binary.right),
        },
        Expr::Call(call) => match (call.function.name, call.args.first()) {
            ("rate" | "deriv" | "predict_linear", Some(Expr::Range { range_ms, .. })) => {
                *range_ms < STEADY_RANGE_MS
            }
            ("irate" | "idelta" | "last_over_time", _) => true,
            (name, Some(Expr::Range { .. } | Expr::Subquery(_))) => name == "delta",
            (name, _) if is_absent(name) => true,
            _ => call.args.iter().any(noisy),
        },
    }
}
