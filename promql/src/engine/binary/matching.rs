//! One-to-one, many-to-one and one-to-many matching of two vectors.

use super::outcome;
use crate::engine::QueryError;
use crate::engine::context::{Context, Element, Name};
use crate::engine::eval::ensure_distinct;
use crate::engine::group::{Groups, Part};
use crate::labels::{Labels, METRIC_NAME};
use crate::query::ast::{Binary, Cardinality, Grouping, Operator};

pub(super) fn combine(
    context: &Context<'_>,
    binary: &Binary,
    left: Vec<Element>,
    right: Vec<Element>,
) -> Result<Vec<Element>, QueryError> {
    // Nothing can match, so an ambiguous side is not an error either.
    if left.is_empty() || right.is_empty() {
        return Ok(Vec::new());
    }
    let swapped = matches!(binary.cardinality, Cardinality::OneToMany(_));
    let (many, one) = if swapped {
        (right, left)
    } else {
        (left, right)
    };
    let partners = index_one_side(binary, &one)?;
    let mut used = vec![false; one.len()];
    let mut result = Vec::with_capacity(many.len());
    for element in &many {
        let Some(group) = partners.find(element) else {
            continue;
        };
        let partner = partners.first(group);
        let (left, right) = if swapped {
            (partner.value, element.value)
        } else {
            (element.value, partner.value)
        };
        let Some(value) = outcome(binary, left, right, left) else {
            continue;
        };
        if binary.cardinality == Cardinality::OneToOne && std::mem::replace(&mut used[group], true)
        {
            return Err(QueryError::Execution(
                "multiple matches for labels: many-to-one matching must be explicit \
                 (group_left/group_right)"
                    .to_owned(),
            ));
        }
        result.push(joined(context, binary, element, partner, value));
    }
    check_distinct(context, binary, &result)?;
    Ok(result)
}

/// Groups the side that must be unambiguous.
fn index_one_side<'g, 'e>(
    binary: &'g Binary,
    one: &'e [Element],
) -> Result<Groups<'g, 'e>, QueryError> {
    let part = Part::from(&binary.matching);
    let mut partners = Groups::new(part);
    for element in one {
        let (group, opened) = partners.enter(element);
        if !opened {
            let side = match binary.cardinality {
                Cardinality::OneToMany(_) => "left",
                Cardinality::OneToOne | Cardinality::ManyToOne(_) => "right",
            };
            return Err(QueryError::Execution(format!(
                "found duplicate series for the match group {} on the {side} hand-side of the \
                 operation: [{}, {}];many-to-many matching not allowed: matching labels must be \
                 unique on one side",
                part.of(element),
                element.settled(),
                partners.first(group).settled(),
            )));
        }
    }
    Ok(partners)
}

/// Builds the result of a pair; `many` is the side that may have several elements per group.
fn joined(
    context: &Context<'_>,
    binary: &Binary,
    many: &Element,
    one: &Element,
    value: f64,
) -> Element {
    let mut name = if matches!(binary.operator, Operator::Arithmetic(_)) {
        // Between vectors the name goes at once, even when names are removed late.
        Name::Gone
    } else if binary.return_bool {
        context.dropped_name()
    } else if many.name == Name::Doomed {
        // A comparison forgets that the name was to go, as Prometheus does.
        Name::Kept
    } else {
        many.name
    };
    let labels = match (&binary.cardinality, &binary.matching) {
        (Cardinality::OneToOne, Grouping::Only(names)) => {
            // `on (__name__)` keeps the name of a comparison; arithmetic drops it all the same.
            many.labels
                .retain(|name| names.iter().any(|other| other == name))
        }
        (Cardinality::OneToOne, Grouping::Except(names)) if names.is_empty() => many.labels.clone(),
        (Cardinality::OneToOne, Grouping::Except(names)) => many
            .labels
            .retain(|name| names.iter().all(|other| other != name)),
        (Cardinality::ManyToOne(include) | Cardinality::OneToMany(include), _) => {
            if include.iter().any(|name| name == METRIC_NAME) {
                // The name comes from the other side and is not the one that was dropped.
                name = Name::Kept;
            }
            included(&many.labels, one, include)
        }
    };
    Element {
        labels,
        value,
        name,
    }
}

/// Copies the labels of `group_left (…)` from the other side; a label that is absent there
/// disappears here.
fn included(many: &Labels, one: &Element, include: &[String]) -> Labels {
    let mut labels = many.clone();
    for name in include {
        let value = if name == METRIC_NAME && one.name == Name::Gone {
            ""
        } else {
            one.labels.get(name).unwrap_or("")
        };
        if labels.get(name).unwrap_or("") != value {
            labels = labels.with(name, value);
        }
    }
    labels
}

fn check_distinct(
    context: &Context<'_>,
    binary: &Binary,
    result: &[Element],
) -> Result<(), QueryError> {
    // One-to-one results carry their match group, which is unique.
    if binary.cardinality == Cardinality::OneToOne || context.options.delayed_name_removal {
        return Ok(());
    }
    ensure_distinct(result).map_err(|_| {
        QueryError::Execution(
            "multiple matches for labels: grouping labels must ensure unique matches".to_owned(),
        )
    })
}
