//! Which labels the elements of a result can have, must have, and are meant to have.

use std::collections::{BTreeMap, BTreeSet};

use super::world::World;
use crate::labels::METRIC_NAME;
use crate::query::ast::{
    Aggregate, Aggregator, Binary, Call, Cardinality, Expr, Grouping, Operator, Selector, Set, Type,
};

/// How many recorded series are looked through, one behind the other.
const MAX_CHAIN: usize = 8;

/// A set of label names, or all but a set.
#[derive(Debug, Clone, PartialEq)]
enum Names {
    Only(BTreeSet<String>),
    Except(BTreeSet<String>),
}

/// What is known of the labels of a result. `__name__` is left out.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Shape {
    possible: Names,
    /// Labels that every element has, with their value.
    certain: BTreeMap<String, String>,
    /// Labels that every element is meant to have: those grouped by, and the certain ones.
    meant: BTreeSet<String>,
}

impl Shape {
    fn anything() -> Self {
        Self {
            possible: Names::Except(BTreeSet::new()),
            certain: BTreeMap::new(),
            meant: BTreeSet::new(),
        }
    }

    /// Elements without labels.
    fn bare() -> Self {
        Self {
            possible: Names::Only(BTreeSet::new()),
            ..Self::anything()
        }
    }

    /// Says whether an element can have a label.
    pub(super) fn can_have(&self, name: &str) -> bool {
        match &self.possible {
            Names::Only(names) => names.contains(name),
            Names::Except(names) => !names.contains(name),
        }
    }

    /// Returns the labels that every element is meant to have.
    pub(super) fn meant(&self) -> &BTreeSet<String> {
        &self.meant
    }

    /// Returns the value that a label has on every element.
    pub(super) fn value(&self, name: &str) -> Option<&str> {
        self.certain.get(name).map(String::as_str)
    }

    /// Returns all labels if they are known.
    pub(super) fn known(&self) -> Option<&BTreeSet<String>> {
        match &self.possible {
            Names::Only(names) => Some(names),
            Names::Except(_) => None,
        }
    }

    fn keep(mut self, names: &[String]) -> Self {
        let kept = names.iter().filter(|name| self.can_have(name)).cloned();
        self.possible = Names::Only(kept.collect());
        self.certain.retain(|name, _| names.contains(name));
        self.meant = names
            .iter()
            .filter(|name| self.can_have(name))
            .cloned()
            .collect();
        self
    }

    fn drop(mut self, names: &[String]) -> Self {
        for name in names {
            match &mut self.possible {
                Names::Only(possible) => possible.remove(name),
                Names::Except(impossible) => impossible.insert(name.clone()),
            };
            self.certain.remove(name);
            self.meant.remove(name);
        }
        self
    }

    fn grouped(self, grouping: &Grouping) -> Self {
        match grouping {
            Grouping::Only(names) => self.keep(names),
            Grouping::Except(names) => self.drop(names),
        }
    }

    /// A label that may or may not be there, with any value.
    fn add(mut self, name: &str) -> Self {
        match &mut self.possible {
            Names::Only(possible) => possible.insert(name.to_owned()),
            Names::Except(impossible) => impossible.remove(name),
        };
        self.certain.remove(name);
        self
    }

    fn set(self, name: &str, value: &str) -> Self {
        let mut set = self.add(name);
        set.certain.insert(name.to_owned(), value.to_owned());
        set.meant.insert(name.to_owned());
        set
    }

    /// Elements of either.
    fn or(mut self, other: &Self) -> Self {
        self.possible = match (self.possible, &other.possible) {
            (Names::Only(mut a), Names::Only(b)) => {
                a.extend(b.iter().cloned());
                Names::Only(a)
            }
            (Names::Except(a), Names::Except(b)) => {
                Names::Except(a.intersection(b).cloned().collect())
            }
            (Names::Except(a), Names::Only(b)) => Names::Except(a.difference(b).cloned().collect()),
            (Names::Only(a), Names::Except(b)) => {
                Names::Except(b.difference(&a).cloned().collect())
            }
        };
        self.certain
            .retain(|name, value| other.certain.get(name) == Some(value));
        self.meant.retain(|name| other.meant.contains(name));
        self
    }
}

/// Returns what is known of the labels of a result.
pub(super) fn shape(expr: &Expr, world: &World<'_>) -> Shape {
    of(expr, world, MAX_CHAIN)
}

fn of(expr: &Expr, world: &World<'_>, chain: usize) -> Shape {
    match expr {
        Expr::Number(_) | Expr::Text(_) => Shape::bare(),
        Expr::Selector(selector) | Expr::Range { selector, .. } => {
            of_selector(selector, world, chain)
        }
        Expr::Subquery(subquery) => of(&subquery.expr, world, chain),
        Expr::Negate(inner) | Expr::Paren(inner) => of(inner, world, chain),
        Expr::Aggregate(aggregate) => of_aggregate(aggregate, world, chain),
        Expr::Call(call) => of_call(call, world, chain),
        Expr::Binary(binary) => of_binary(binary, world, chain),
    }
}

/// Returns what is known of the labels of a recorded series, whatever a selector asks for.
pub(super) fn of_recorded(selector: &Selector, world: &World<'_>) -> Shape {
    recorded(selector, world, MAX_CHAIN)
}

fn recorded(selector: &Selector, world: &World<'_>, chain: usize) -> Shape {
    let recording = world.recording(selector.metric_name());
    let made = recording.iter().filter(|_| chain > 0).map(|rule| {
        let made = of(rule.expr.expr(), world, chain - 1);
        rule.labels
            .iter()
            .fold(made, |shape, (name, value)| shape.set(name, value))
    });
    made.reduce(|all, one| all.or(&one))
        .unwrap_or_else(Shape::anything)
}

fn of_selector(selector: &Selector, world: &World<'_>, chain: usize) -> Shape {
    let shape = recorded(selector, world, chain);
    selector
        .matchers
        .iter()
        .filter(|matcher| matcher.is_equal() && matcher.name != METRIC_NAME)
        .fold(shape, |shape, matcher| {
            if matcher.value.is_empty() {
                shape.drop(std::slice::from_ref(&matcher.name))
            } else if shape.can_have(&matcher.name) {
                shape.set(&matcher.name, &matcher.value)
            } else {
                shape
            }
        })
}

fn of_aggregate(aggregate: &Aggregate, world: &World<'_>, chain: usize) -> Shape {
    let inner = of(&aggregate.expr, world, chain);
    match (aggregate.operator, &aggregate.parameter) {
        (Aggregator::Topk | Aggregator::Bottomk, _) => inner,
        (Aggregator::CountValues, Some(Expr::Text(label))) => {
            inner.grouped(&aggregate.grouping).add(label)
        }
        _ => inner.grouped(&aggregate.grouping),
    }
}

fn of_call(call: &Call, world: &World<'_>, chain: usize) -> Shape {
    let vector = call
        .args
        .iter()
        .find(|arg| matches!(arg.type_of(), Type::Vector | Type::Matrix));
    let inner = || vector.map_or_else(Shape::bare, |arg| of(arg, world, chain));
    match call.function.name {
        "absent" | "absent_over_time" => match vector.map(Expr::unwrapped) {
            Some(Expr::Selector(selector) | Expr::Range { selector, .. }) => {
                let equal = selector.matchers.iter().filter(|matcher| {
                    matcher.is_equal() && matcher.name != METRIC_NAME && !matcher.value.is_empty()
                });
                equal.fold(Shape::bare(), |shape, m| shape.set(&m.name, &m.value))
            }
            _ => Shape::bare(),
        },
        "vector" | "scalar" => Shape::bare(),
        "histogram_quantile" | "histogram_fraction" => inner().drop(&["le".to_owned()]),
        "label_replace" | "label_join" => match call.args.get(1) {
            Some(Expr::Text(label)) => inner().add(label),
            _ => inner(),
        },
        _ => inner(),
    }
}

fn of_binary(binary: &Binary, world: &World<'_>, chain: usize) -> Shape {
    let (left, right) = (
        of(&binary.left, world, chain),
        of(&binary.right, world, chain),
    );
    if binary.right.type_of() == Type::Scalar {
        return left;
    }
    if binary.left.type_of() == Type::Scalar {
        return right;
    }
    match (binary.operator, &binary.cardinality) {
        (Operator::Set(Set::Or), _) => left.or(&right),
        (Operator::Set(_), _) => left,
        (_, Cardinality::ManyToOne(copied)) => with_copied(left, &right, copied),
        (_, Cardinality::OneToMany(copied)) => with_copied(right, &left, copied),
        (_, Cardinality::OneToOne) => matched(left, right, &binary.matching),
    }
}

/// The many side with labels of the one side.
fn with_copied(many: Shape, one: &Shape, copied: &[String]) -> Shape {
    copied
        .iter()
        .fold(many, |shape, name| match one.value(name) {
            Some(value) => shape.set(name, value),
            None if one.can_have(name) => shape.add(name),
            None => shape.drop(std::slice::from_ref(name)),
        })
}

/// One-to-one: only the labels that both sides agree on are left.
fn matched(left: Shape, right: Shape, matching: &Grouping) -> Shape {
    let left = left.grouped(matching);
    let right = right.grouped(matching);
    let possible = match (&left.possible, &right.possible) {
        (Names::Only(a), _) => {
            Names::Only(a.iter().filter(|n| right.can_have(n)).cloned().collect())
        }
        (_, Names::Only(b)) => {
            Names::Only(b.iter().filter(|n| left.can_have(n)).cloned().collect())
        }
        (Names::Except(a), Names::Except(b)) => Names::Except(a.union(b).cloned().collect()),
    };
    let mut shape = Shape {
        possible,
        certain: left.certain,
        meant: left.meant,
    };
    shape.certain.extend(right.certain);
    shape.meant.extend(right.meant);
    let possible = shape.clone();
    shape.certain.retain(|name, _| possible.can_have(name));
    shape.meant.retain(|name| possible.can_have(name));
    shape
}
