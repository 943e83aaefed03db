//! Alerts as a whole: silent when they should speak, always on, or said twice.

use super::value::source;
use super::world::{Subject, is_absent};
use super::{At, Found, Lint};
use crate::labels::METRIC_NAME;
use crate::query::ast::{Expr, Operator, Set};
use crate::yaml::decode::closest;

pub(super) const LINTS: &[Lint] = &[
    Lint {
        id: "missing-absent",
        finds: "an alert on a metric whose disappearance silences it, and no rule that would tell",
        check: missing_absent,
    },
    Lint {
        id: "always-firing",
        finds: "an alert without a condition",
        check: always_firing,
    },
    Lint {
        id: "unknown-severity",
        finds: "a severity that is probably a slip, or that only this alert lacks",
        check: unknown_severity,
    },
    Lint {
        id: "duplicate-rule",
        finds: "a rule whose name and labels another rule has too",
        check: duplicate_rule,
    },
];

fn missing_absent(subject: &Subject<'_>, found: &mut Found<'_>) {
    if subject.alerting().is_none() || tells_absence(subject.expr()) {
        return;
    }
    let mut job = None;
    subject.world.each_expr(subject.expr(), &mut |expr| {
        if let Expr::Selector(selector) | Expr::Range { selector, .. } = expr {
            let of_job = |m: &&crate::query::matcher::Matcher| m.name == "job" && m.is_equal();
            job = job.or(selector
                .matchers
                .iter()
                .find(of_job)
                .map(|m| m.value.as_str()));
        }
    });
    let unguarded: Vec<String> = subject
        .world
        .raw_metrics(subject.expr())
        .into_iter()
        .filter(|name| !is_own(name) && !subject.world.is_guarded(name, job))
        .collect();
    if !unguarded.is_empty() {
        let first = unguarded.first().map_or("", String::as_str);
        found.at(
            At::Name,
            format!(
                "when {} is gone the alert is silent, and no rule checks absent() or `up` of it",
                unguarded.join(", ")
            ),
            format!("add an alert on absent({first}), or on up == 0 of what exposes it"),
        );
    }
}

/// Series that Prometheus makes itself are there as long as it runs.
fn is_own(name: &str) -> bool {
    name == "up" || name.starts_with("scrape_") || name.starts_with("ALERTS")
}

/// Says whether an expression gives something where there are no series.
fn tells_absence(expr: &Expr) -> bool {
    let mut tells = false;
    expr.visit(&mut |expr| match expr {
        Expr::Call(call) => tells |= is_absent(call.function.name),
        Expr::Binary(binary) if binary.operator == Operator::Set(Set::Or) => {
            tells |= matches!(binary.right.unwrapped(), Expr::Call(call) if call.function.name == "vector");
        }
        _ => {}
    });
    tells
}

fn always_firing(subject: &Subject<'_>, found: &mut Found<'_>) {
    if subject.alerting().is_none() || is_constant(subject.expr()) {
        return;
    }
    if has_condition(subject.expr(), subject, 8) {
        return;
    }
    let is_bool = matches!(source(subject.expr()), Expr::Binary(binary) if binary.return_bool);
    if is_bool {
        found.at(
            At::Name,
            "`bool` makes the comparison give 0 or 1, and 0 fires too",
            "drop `bool`",
        );
    } else {
        found.at(
            At::Name,
            "nothing is compared: it fires for every series there is",
            "compare the value with a number",
        );
    }
}

/// No series at all: Watchdog.
fn is_constant(expr: &Expr) -> bool {
    let mut constant = true;
    expr.visit(&mut |expr| constant &= !matches!(expr, Expr::Selector(_) | Expr::Range { .. }));
    constant
}

/// Says whether an expression leaves elements out.
fn has_condition<'a>(expr: &'a Expr, subject: &Subject<'a>, chain: usize) -> bool {
    let has = |expr: &'a Expr| has_condition(expr, subject, chain);
    match expr {
        Expr::Number(_) | Expr::Text(_) => false,
        // Alerts of alerts, and a state that is its own condition.
        Expr::Selector(selector) | Expr::Range { selector, .. } => {
            let name = selector.metric_name();
            let by_name = selector.matchers.iter().any(|m| m.name == METRIC_NAME);
            let recording = subject.world.recording(name);
            name == Some("ALERTS")
                || !by_name
                || (chain > 0
                    && recording
                        .iter()
                        .any(|rule| has_condition(rule.expr.expr(), subject, chain - 1)))
        }
        Expr::Subquery(subquery) => has(&subquery.expr),
        Expr::Negate(inner) | Expr::Paren(inner) => has(inner),
        Expr::Aggregate(aggregate) => has(&aggregate.expr),
        Expr::Binary(binary) => match binary.operator {
            Operator::Comparison(_) => !binary.return_bool,
            Operator::Set(Set::Unless) => true,
            Operator::Set(Set::And) if !is_constant(&binary.right) => true,
            _ => has(&binary.left) || has(&binary.right),
        },
        Expr::Call(call) => is_absent(call.function.name) || call.args.iter().any(has),
    }
}

/// Words that rule files use.
const SEVERITIES: [&str; 20] = [
    "critical",
    "warning",
    "info",
    "none",
    "page",
    "ticket",
    "error",
    "emergency",
    "alert",
    "notice",
    "debug",
    "high",
    "medium",
    "low",
    "major",
    "minor",
    "fatal",
    "email",
    "warn",
    "sev1",
];

fn unknown_severity(subject: &Subject<'_>, found: &mut Found<'_>) {
    if subject.alerting().is_none() {
        return;
    }
    let severity = |rule: &crate::rules::Rule| {
        let of = rule.labels.iter().find(|(name, _)| name == "severity");
        of.map(|(_, value)| value.clone())
    };
    match severity(subject.rule) {
        Some(value) if SEVERITIES.contains(&value.as_str()) || value.contains("{{") => {}
        Some(value) => {
            let is_used = subject.world.numbered().any(|(file, number, rule)| {
                (file, number) != (subject.file, subject.number)
                    && severity(rule).as_deref() == Some(&value)
            });
            let spots = &subject.rule.spots.labels;
            let spot = spots.iter().find(|(name, _)| name == "severity");
            if let (false, Some(close), Some((_, spot))) =
                (is_used, closest(&value, &SEVERITIES), spot)
            {
                found.at(
                    At::Field(*spot),
                    format!("no other alert has the severity `{value}`; routes may not know it"),
                    format!("did you mean `{close}`?"),
                );
            }
        }
        None => {
            let others = || {
                let rules = subject.world.numbered().map(|(_, _, rule)| rule);
                rules.filter(|rule| matches!(rule.kind, crate::rules::RuleType::Alerting(_)))
            };
            if others().any(|rule| severity(rule).is_some()) {
                found.at(
                    At::Name,
                    "it has no severity and others have; routes by severity pass it by",
                    "add the label `severity`",
                );
            }
        }
    }
}

fn duplicate_rule(subject: &Subject<'_>, found: &mut Found<'_>) {
    let sorted = |rule: &crate::rules::Rule| {
        let mut labels = rule.labels.clone();
        labels.sort();
        labels
    };
    let is_same = |rule: &crate::rules::Rule| {
        rule.name == subject.rule.name
            && std::mem::discriminant(&rule.kind) == std::mem::discriminant(&subject.rule.kind)
            && sorted(rule) == sorted(subject.rule)
    };
    let earlier = subject.world.numbered().find(|(file, number, rule)| {
        (*file, *number) < (subject.file, subject.number) && is_same(rule)
    });
    if let Some((file, _, rule)) = earlier {
        let place = if file == subject.file {
            format!("line {}", rule.place.line)
        } else {
            "another of the files".to_owned()
        };
        found.at(
            At::Name,
            format!("a rule with this name and these labels stands in {place}"),
            "drop one, or tell them apart by a label",
        );
    }
}
