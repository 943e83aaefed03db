//! One-to-one, many-to-one and one-to-many matching of two vectors.
//!
//! Which rows may meet is decided once from their labels; whether they meet, step by step. Rows of
//! the side that must be unambiguous may share a group as long as no two are there at one step.

use std::collections::HashMap;

use super::changes_meaning;
use super::operate::{self, Operand};
use crate::engine::QueryError;
use crate::engine::context::Context;
use crate::engine::grid::is_absent;
use crate::engine::group::{self, Groups, Part};
use crate::engine::rows::{Head, Name, Rows};
use crate::labels::{Labels, METRIC_NAME};
use crate::query::ast::{Binary, Cardinality, Grouping};

pub(super) fn combine(
    context: &Context<'_>,
    binary: &Binary,
    left: &Rows,
    right: &Rows,
) -> Result<Rows, QueryError> {
    let steps = left.steps();
    // Nothing can match, so an ambiguous side is not an error either.
    if left.is_empty() || right.is_empty() {
        return Ok(Rows::new(steps));
    }
    let swapped = matches!(binary.cardinality, Cardinality::OneToMany(_));
    let (many, one) = if swapped {
        (right, left)
    } else {
        (left, right)
    };
    let partners = Partners::of(binary, many, one)?;
    let mut result = Rows::new(steps);
    let mut used = Used::new(partners.members.len());
    for (head, row) in many.iter() {
        let Some(group) = partners.groups.find(head) else {
            continue;
        };
        for partner in &partners.members[group] {
            let (partner_head, partner_row) = (&one.heads()[*partner], one.row(*partner));
            let before = result.len();
            result.add(
                || joined(context, binary, head, partner_head),
                |into| {
                    let (left, right) = if swapped {
                        (partner_row, row)
                    } else {
                        (row, partner_row)
                    };
                    let rule = operate::Rule::of(binary, false);
                    operate::apply(rule, Operand::Each(left), Operand::Each(right), into);
                },
            );
            if result.len() > before && binary.cardinality == Cardinality::OneToOne {
                used.mark(group, &result)?;
            }
        }
        context.check(result.cells())?;
    }
    settle(binary, &mut result, partners.shared || used.has_several())?;
    Ok(result)
}

/// The rows of the side that must be unambiguous, by group.
struct Partners<'g, 'e> {
    groups: Groups<'g, 'e>,
    members: Vec<Vec<usize>>,
    /// Whether some group has several rows.
    shared: bool,
}

impl<'g, 'e> Partners<'g, 'e> {
    fn of(binary: &'g Binary, many: &Rows, one: &'e Rows) -> Result<Self, QueryError> {
        let mut partners = Self {
            groups: Groups::new(Part::from(&binary.matching)),
            members: Vec::with_capacity(one.len()),
            shared: false,
        };
        for (index, head) in one.heads().iter().enumerate() {
            let (group, opened) = partners.groups.enter(head);
            if opened {
                partners.members.push(vec![index]);
            } else {
                partners.members[group].push(index);
                partners.shared = true;
            }
        }
        if partners.shared {
            partners.check(binary, many, one)?;
        }
        Ok(partners)
    }

    /// Fails when two rows of a group are there at one step. Where the other side has nothing at
    /// all, nothing can match, so that is no error.
    fn check(&self, binary: &Binary, many: &Rows, one: &Rows) -> Result<(), QueryError> {
        let present = |rows: &Rows, row: usize, step: usize| !is_absent(rows.row(row)[step]);
        for step in 0..one.steps() {
            if !(0..many.len()).any(|row| present(many, row, step)) {
                continue;
            }
            for members in &self.members {
                let mut there = members.iter().filter(|row| present(one, **row, step));
                if let (Some(first), Some(second)) = (there.next(), there.next()) {
                    return Err(ambiguous(
                        binary,
                        &one.heads()[*first],
                        &one.heads()[*second],
                    ));
                }
            }
        }
        Ok(())
    }
}

fn ambiguous(binary: &Binary, first: &Head, second: &Head) -> QueryError {
    let side = match binary.cardinality {
        Cardinality::OneToMany(_) => "left",
        Cardinality::OneToOne | Cardinality::ManyToOne(_) => "right",
    };
    QueryError::Execution(format!(
        "found duplicate series for the match group {} on the {side} hand-side of the \
         operation: [{}, {}];many-to-many matching not allowed: matching labels must be \
         unique on one side",
        braced(&Part::from(&binary.matching).of(second)),
        braced(&second.settled()),
        braced(&first.settled()),
    ))
}

/// Writes labels as Prometheus does in its messages: the name among the others.
fn braced(labels: &Labels) -> String {
    let pairs: Vec<String> = labels
        .iter()
        .map(|(name, value)| format!("{name}={value:?}"))
        .collect();
    format!("{{{}}}", pairs.join(", "))
}

/// Which groups already have a result at which steps, for one-to-one matches.
struct Used {
    /// Per group: the first result.
    first: Vec<Option<usize>>,
    /// Per group with several results: the steps that are taken.
    taken: HashMap<usize, Vec<bool>>,
}

impl Used {
    fn new(groups: usize) -> Self {
        Self {
            first: vec![None; groups],
            taken: HashMap::new(),
        }
    }

    fn has_several(&self) -> bool {
        !self.taken.is_empty()
    }

    /// Takes the steps of the last result for its group.
    fn mark(&mut self, group: usize, result: &Rows) -> Result<(), QueryError> {
        let last = result.len() - 1;
        let Some(first) = self.first[group] else {
            self.first[group] = Some(last);
            return Ok(());
        };
        let there = |row: usize| result.row(row).iter().map(|value| !is_absent(*value));
        let taken = self
            .taken
            .entry(group)
            .or_insert_with(|| there(first).collect());
        for (taken, there) in taken.iter_mut().zip(there(last)) {
            if *taken && there {
                return Err(QueryError::Execution(
                    "multiple matches for labels: many-to-one matching must be explicit \
                     (group_left/group_right)"
                        .to_owned(),
                ));
            }
            *taken |= there;
        }
        Ok(())
    }
}

/// Builds the labels of a pair; `many` is the side that may have several elements per group.
fn joined(context: &Context<'_>, binary: &Binary, many: &Head, one: &Head) -> Head {
    let mut name = if changes_meaning(binary.operator, context.options.profile) {
        // Between vectors the name goes at once, even when names are removed late.
        Name::Gone
    } else if many.name == Name::Gone {
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
            if !binary.return_bool && include.iter().any(|name| name == METRIC_NAME) {
                // The name comes from the other side and is not the one that was dropped.
                name = Name::Kept;
            }
            included(&many.labels, one, include)
        }
    };
    Head { labels, name }
}

/// Copies the labels of `group_left (…)` from the other side; a label that is absent there
/// disappears here.
fn included(many: &Labels, one: &Head, include: &[String]) -> Labels {
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

/// Merges results with the same labels at different steps; at one step they are an error.
fn settle(binary: &Binary, result: &mut Rows, may_repeat: bool) -> Result<(), QueryError> {
    if binary.cardinality == Cardinality::OneToOne {
        // One-to-one results carry their match group, which is unique at each step.
        return if may_repeat {
            group::merge_equal(result)
        } else {
            Ok(())
        };
    }
    group::merge_equal(result).map_err(|_| {
        QueryError::Execution(
            "multiple matches for labels: grouping labels must ensure unique matches".to_owned(),
        )
    })
}
