//! Vector matching that finds no partner, or the wrong one.

use std::collections::BTreeSet;

use super::labels::{Shape, shape};
use super::value::is_part;
use super::world::Subject;
use super::{At, Found, Lint};
use crate::labels::METRIC_NAME;
use crate::query::ast::{Arithmetic, Binary, Expr, Grouping, Operator, Set, Type};

pub(super) const LINTS: &[Lint] = &[
    Lint {
        id: "no-match",
        finds: "a binary operation whose sides have different labels, so that nothing matches",
        check: no_match,
    },
    Lint {
        id: "unaggregated-division",
        finds: "a part divided by its whole without `by` on both sides: every series by itself",
        check: unaggregated_division,
    },
    Lint {
        id: "dropped-label",
        finds: "a label that an aggregation dropped and that is asked for later",
        check: dropped_label,
    },
];

fn no_match(subject: &Subject<'_>, found: &mut Found<'_>) {
    subject.visit(&mut |node| {
        let Expr::Binary(binary) = node.expr else {
            return;
        };
        if binary.operator == Operator::Set(Set::Or) || !is_vectors(binary) {
            return;
        }
        let left = shape(&binary.left, subject.world);
        let right = shape(&binary.right, subject.world);
        if let Some(why) = never(&left, &right, &binary.matching) {
            let outcome = match binary.operator {
                Operator::Set(Set::Unless) => "`unless` takes nothing away",
                _ => "there is never a result",
            };
            found.at(
                At::Expr(&node.head),
                format!("{why}, so {outcome}"),
                "give both sides the same `by (…)`, or name the labels that shall match: on (…)",
            );
        }
    });
}

fn is_vectors(binary: &Binary) -> bool {
    binary.left.type_of() == Type::Vector && binary.right.type_of() == Type::Vector
}

/// Returns why elements of the two sides never match.
fn never(left: &Shape, right: &Shape, matching: &Grouping) -> Option<String> {
    let counts = |name: &&String| match matching {
        Grouping::Only(names) => names.contains(name),
        Grouping::Except(names) => !names.contains(name),
    };
    let meant: BTreeSet<&String> = left
        .meant()
        .iter()
        .chain(right.meant())
        .filter(counts)
        .collect();
    for name in meant {
        if let (Some(a), Some(b)) = (left.value(name), right.value(name))
            && a != b
        {
            return Some(format!(
                "`{name}` is {a:?} on the left and {b:?} on the right"
            ));
        }
        let sides = [
            (left, right, "left", "right"),
            (right, left, "right", "left"),
        ];
        for (one, other, with, without) in sides {
            if one.meant().contains(name) && !other.can_have(name) {
                return Some(format!(
                    "the {with} side has the label `{name}` and the {without} side cannot have it"
                ));
            }
        }
    }
    None
}

fn unaggregated_division(subject: &Subject<'_>, found: &mut Found<'_>) {
    subject.visit(&mut |node| {
        let Expr::Binary(binary) = node.expr else {
            return;
        };
        let all_labels = matches!(&binary.matching, Grouping::Except(names) if names.is_empty());
        if binary.operator == Operator::Arithmetic(Arithmetic::Div)
            && all_labels
            && is_single(&binary.left)
            && is_single(&binary.right)
            && is_same_metric(binary)
            && is_part(&binary.left, binary, subject.world)
        {
            found.at(
                At::Expr(&node.head),
                "each series is divided by itself, which is 1: series match when all labels are equal",
                "aggregate both sides alike: sum by (…) (…) / sum by (…) (…)",
            );
        }
    });
}

/// Says whether the series stand in an operand as they were scraped.
fn is_single(expr: &Expr) -> bool {
    match expr.unwrapped() {
        Expr::Selector(_) => true,
        Expr::Call(call) => matches!(call.args.first(), Some(Expr::Range { .. })),
        Expr::Binary(binary) => is_single(&binary.left),
        _ => false,
    }
}

fn is_same_metric(binary: &Binary) -> bool {
    let name = |expr: &Expr| {
        let mut names = Vec::new();
        expr.visit(&mut |expr| {
            if let Expr::Selector(selector) | Expr::Range { selector, .. } = expr {
                names.extend(selector.metric_name().map(str::to_owned));
            }
        });
        names.into_iter().next()
    };
    name(&binary.left) == name(&binary.right)
}

fn dropped_label(subject: &Subject<'_>, found: &mut Found<'_>) {
    subject.visit(&mut |node| match node.expr {
        Expr::Aggregate(aggregate) => {
            let Grouping::Only(names) = &aggregate.grouping else {
                return;
            };
            let inner = shape(&aggregate.expr, subject.world);
            for name in names.iter().filter(|name| !inner.can_have(name)) {
                found.at(
                    At::Expr(&node.head),
                    format!("it groups by `{name}`, which the expression inside cannot have"),
                    had(&inner),
                );
            }
        }
        Expr::Selector(selector) | Expr::Range { selector, .. } => {
            if subject.world.recording(selector.metric_name()).is_empty() {
                return;
            }
            for matcher in selector.matchers.iter().filter(|m| m.name != METRIC_NAME) {
                let without = super::labels::of_recorded(selector, subject.world);
                if !without.can_have(&matcher.name) && !matcher.matches("") {
                    found.at(
                        At::Expr(&node.matcher(&matcher.name)),
                        format!(
                            "the rule that records {} does not keep the label `{}`",
                            selector.metric_name().unwrap_or_default(),
                            matcher.name
                        ),
                        had(&without),
                    );
                }
            }
        }
        Expr::Call(call) if call.function.name == "label_replace" => {
            if let (Some(value), Some(Expr::Text(name))) = (call.args.first(), call.args.get(3)) {
                let inner = shape(value, subject.world);
                if !inner.can_have(name) && !name.is_empty() {
                    found.at(
                        At::Expr(&node.head),
                        format!(
                            "it reads the label `{name}`, which the expression inside cannot have"
                        ),
                        had(&inner),
                    );
                }
            }
        }
        _ => {}
    });
}

/// Says which labels there are.
pub(super) fn had(shape: &Shape) -> String {
    match shape.known() {
        Some(names) if names.is_empty() => {
            "add it to the aggregation's `by (…)`; now no label is left".to_owned()
        }
        Some(names) => {
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            format!(
                "add it to the aggregation's `by (…)`; now there is {}",
                names.join(", ")
            )
        }
        None => "keep it where the expression drops it".to_owned(),
    }
}
