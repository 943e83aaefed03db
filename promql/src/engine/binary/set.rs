//! `and`, `or`, `unless`.

use crate::engine::context::Element;
use crate::engine::group::{Groups, Part};
use crate::query::ast::{Grouping, Set};

pub(super) fn combine(
    set: Set,
    left: Vec<Element>,
    right: Vec<Element>,
    matching: &Grouping,
) -> Vec<Element> {
    match set {
        Set::And => keep_left(left, &right, matching, true),
        Set::Unless => keep_left(left, &right, matching, false),
        Set::Or => {
            let added = keep_left(right, &left, matching, false);
            let mut all = left;
            all.extend(added);
            all
        }
    }
}

/// Keeps the elements of `left` for which a partner in `right` exists, or does not.
fn keep_left(
    mut left: Vec<Element>,
    right: &[Element],
    matching: &Grouping,
    with_partner: bool,
) -> Vec<Element> {
    let mut partners = Groups::new(Part::from(matching));
    for element in right {
        partners.enter(element);
    }
    left.retain(|element| partners.find(element).is_some() == with_partner);
    left
}
