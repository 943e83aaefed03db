//! What an edit of a cart comes to. Pure.

use axum::http::StatusCode;

use crate::{http::problem::Problem, roles::catalog::MOST_UNITS};

/// Most different products in a cart.
const MOST_LINES: usize = 50;

/// A product in a cart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::roles::orders) struct Item {
    pub(in crate::roles::orders) product_id: i64,
    pub(in crate::roles::orders) quantity: i64,
}

/// What a customer does to a cart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::roles::orders) enum Edit {
    Add(Item),
    Set(Item),
    Remove(i64),
    Clear,
}

/// What an edit comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Plan {
    Insert(Item),
    Update(Item),
    Delete(i64),
    DeleteAll,
}

/// Decides what an edit comes to.
pub(super) fn plan(items: &[Item], edit: Edit) -> Result<Plan, Problem> {
    let held = |product_id| items.iter().find(|item| item.product_id == product_id);
    match edit {
        Edit::Add(add) => match held(add.product_id) {
            Some(item) if item.quantity + add.quantity > MOST_UNITS => Err(too_much(
                "quantity",
                format!(
                    "there are {} in the cart; at most {MOST_UNITS} fit",
                    item.quantity
                ),
            )),
            Some(item) => Ok(Plan::Update(Item {
                quantity: item.quantity + add.quantity,
                ..add
            })),
            None if items.len() >= MOST_LINES => Err(too_much(
                "product_id",
                format!("at most {MOST_LINES} different products fit into a cart"),
            )),
            None => Ok(Plan::Insert(add)),
        },
        Edit::Set(set) => match held(set.product_id) {
            Some(_) => Ok(Plan::Update(set)),
            None => Err(not_there()),
        },
        Edit::Remove(product_id) => match held(product_id) {
            Some(_) => Ok(Plan::Delete(product_id)),
            None => Err(not_there()),
        },
        Edit::Clear => Ok(Plan::DeleteAll),
    }
}

pub(super) fn apply(items: &mut Vec<Item>, plan: Plan) {
    match plan {
        Plan::Insert(new) => {
            items.push(new);
            items.sort_unstable_by_key(|item| item.product_id);
        }
        Plan::Update(new) => {
            for item in items {
                if item.product_id == new.product_id {
                    *item = new;
                }
            }
        }
        Plan::Delete(product_id) => items.retain(|item| item.product_id != product_id),
        Plan::DeleteAll => items.clear(),
    }
}

fn too_much(field: &str, message: String) -> Problem {
    Problem::field(StatusCode::UNPROCESSABLE_ENTITY, field, message)
}

fn not_there() -> Problem {
    let message = "is not in the cart";
    Problem::field(StatusCode::NOT_FOUND, "product_id", message)
}

#[cfg(test)]
mod tests {
    use super::{Edit, Item, MOST_LINES, MOST_UNITS, Plan, apply, plan};

    fn item(product_id: i64, quantity: i64) -> Item {
        Item {
            product_id,
            quantity,
        }
    }

    #[test]
    fn edits_add_up_within_bounds() {
        let held = [item(1, 2), item(3, MOST_UNITS)];
        assert_eq!(
            plan(&held, Edit::Add(item(1, 3))),
            Ok(Plan::Update(item(1, 5)))
        );
        assert_eq!(
            plan(&held, Edit::Add(item(2, 1))),
            Ok(Plan::Insert(item(2, 1)))
        );
        assert_eq!(
            plan(&held, Edit::Set(item(3, 1))),
            Ok(Plan::Update(item(3, 1)))
        );
        assert_eq!(plan(&held, Edit::Remove(1)), Ok(Plan::Delete(1)));
        for (edit, status) in [
            (Edit::Add(item(3, 1)), 422),
            (Edit::Set(item(9, 1)), 404),
            (Edit::Remove(9), 404),
        ] {
            assert_eq!(plan(&held, edit).unwrap_err().status, status, "{edit:?}");
        }
        let full: Vec<Item> = (0..MOST_LINES as i64).map(|id| item(id, 1)).collect();
        assert_eq!(
            plan(&full, Edit::Add(item(900, 1))).unwrap_err().status,
            422
        );
        assert!(plan(&full, Edit::Add(item(7, 1))).is_ok());
    }

    #[test]
    fn what_is_shown_is_what_was_done() {
        let mut items = vec![item(1, 2), item(3, 4)];
        apply(&mut items, Plan::Insert(item(2, 1)));
        apply(&mut items, Plan::Update(item(3, 9)));
        apply(&mut items, Plan::Delete(1));
        assert_eq!(items, [item(2, 1), item(3, 9)]);
        apply(&mut items, Plan::DeleteAll);
        assert!(items.is_empty());
    }
}
