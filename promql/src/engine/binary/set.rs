//! `and`, `or`, `unless`.

use crate::engine::QueryError;
use crate::engine::grid::{absent, is_absent};
use crate::engine::group::{self, Groups, Part};
use crate::engine::rows::Rows;
use crate::query::ast::{Grouping, Set};

pub(super) fn combine(
    set: Set,
    mut left: Rows,
    mut right: Rows,
    matching: &Grouping,
) -> Result<Rows, QueryError> {
    match set {
        Set::And => keep(&mut left, &right, matching, true),
        Set::Unless => keep(&mut left, &right, matching, false),
        Set::Or => {
            keep(&mut right, &left, matching, false);
            left.append(right);
            // The same element may come from the left at one step and from the right at another.
            if left.steps() > 1 {
                group::merge_equal(&mut left)?;
            }
        }
    }
    Ok(left)
}

/// Keeps the elements for which a partner is there at the same step, or is not.
fn keep(rows: &mut Rows, partners: &Rows, matching: &Grouping, with_partner: bool) {
    let steps = rows.steps();
    let mut groups = Groups::new(Part::from(matching));
    let mut presence: Vec<bool> = Vec::new();
    for (head, row) in partners.iter() {
        let (group, opened) = groups.enter(head);
        if opened {
            presence.resize(presence.len() + steps, false);
        }
        for (present, value) in presence[group * steps..].iter_mut().zip(row) {
            *present |= !is_absent(*value);
        }
    }
    let group_of: Vec<Option<usize>> = rows.heads().iter().map(|head| groups.find(head)).collect();
    rows.retain_mut(|index, row| match group_of[index] {
        None if with_partner => row.fill(absent()),
        None => {}
        Some(group) => {
            for (value, present) in row.iter_mut().zip(&presence[group * steps..]) {
                if *present != with_partner {
                    *value = absent();
                }
            }
        }
    });
}
