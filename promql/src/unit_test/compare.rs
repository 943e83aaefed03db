//! What is expected against what came out.
//!
//! First every expectation takes an element that fits it; then what is left on both sides is put
//! side by side by likeness, so that a person sees the one label that is wrong.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::report::{Difference, Field, FieldPair, Side};
use crate::yaml::Place;

/// Largest number of pairs that are searched for likeness.
const MAX_LIKENESS_PAIRS: usize = 250_000;

/// Names and values, sorted by name.
pub(super) type Pairs<'a> = BTreeMap<&'a str, &'a str>;

/// An alert or an element of a result.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Element<'a> {
    /// Where it is written, if it is an expectation.
    pub(super) place: Option<Place>,
    pub(super) labels: Pairs<'a>,
    pub(super) annotations: Pairs<'a>,
    /// The value of an element of a result.
    pub(super) value: Option<f64>,
}

/// How elements are compared.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rule {
    /// Fields that are not expected may have any value.
    pub(super) subset: bool,
    /// Values may be one step of a float apart.
    pub(super) fuzzy: bool,
}

impl Rule {
    fn fits(self, expected: &Element<'_>, got: &Element<'_>) -> bool {
        let pairs = |expected: &Pairs<'_>, got: &Pairs<'_>| {
            if self.subset {
                expected
                    .iter()
                    .all(|(name, value)| got.get(name) == Some(value))
            } else {
                expected == got
            }
        };
        pairs(&expected.labels, &got.labels)
            && pairs(&expected.annotations, &got.annotations)
            && self.same_value(expected.value, got.value)
    }

    /// Compares as Go's `==` does: a NaN equals nothing.
    fn same_value(self, expected: Option<f64>, got: Option<f64>) -> bool {
        let (Some(x), Some(y)) = (expected, got) else {
            return expected.is_none() && got.is_none();
        };
        x == y || (self.fuzzy && (x.next_down() == y || x.next_up() == y))
    }
}

/// Returns what differs; nothing if every expectation has an element and none is left over.
pub(super) fn differences(
    expected: &[Element<'_>],
    got: &[Element<'_>],
    rule: Rule,
) -> Vec<Difference> {
    let taken = if rule.subset {
        assign(expected, got, rule)
    } else {
        take_equal(expected, got, rule)
    };
    let mut is_free = vec![true; got.len()];
    taken
        .iter()
        .flatten()
        .for_each(|index| is_free[*index] = false);
    let missing: Vec<&Element<'_>> = expected
        .iter()
        .zip(&taken)
        .filter(|(_, taken)| taken.is_none())
        .map(|(element, _)| element)
        .collect();
    let extra: Vec<&Element<'_>> = got
        .iter()
        .zip(&is_free)
        .filter(|(_, free)| **free)
        .map(|(element, _)| element)
        .collect();
    side_by_side(&missing, extra, rule)
}

/// Gives every expectation an equal element. Equality is exact, so the first one is as good as any.
fn take_equal(expected: &[Element<'_>], got: &[Element<'_>], rule: Rule) -> Vec<Option<usize>> {
    let mut by_labels: BTreeMap<_, VecDeque<usize>> = BTreeMap::new();
    for (index, element) in got.iter().enumerate() {
        let key = (&element.labels, &element.annotations);
        by_labels.entry(key).or_default().push_back(index);
    }
    expected
        .iter()
        .map(|element| {
            let same = by_labels.get_mut(&(&element.labels, &element.annotations))?;
            let at = same
                .iter()
                .position(|index| rule.fits(element, &got[*index]))?;
            same.remove(at)
        })
        .collect()
}

/// Gives as many expectations as possible an element of their own: an expectation of few labels
/// may have to leave its element to one of many, so paths of exchanges are searched.
fn assign(expected: &[Element<'_>], got: &[Element<'_>], rule: Rule) -> Vec<Option<usize>> {
    let mut taken: Vec<Option<usize>> = vec![None; expected.len()];
    let mut owner: Vec<Option<usize>> = vec![None; got.len()];
    for start in 0..expected.len() {
        // For every element, the expectation from which the search came to it.
        let mut came_from: Vec<Option<usize>> = vec![None; got.len()];
        let mut queue = VecDeque::from([start]);
        let mut end = None;
        'search: while let Some(wanting) = queue.pop_front() {
            for index in 0..got.len() {
                if came_from[index].is_some() || !rule.fits(&expected[wanting], &got[index]) {
                    continue;
                }
                came_from[index] = Some(wanting);
                let Some(other) = owner[index] else {
                    end = Some(index);
                    break 'search;
                };
                queue.push_back(other);
            }
        }
        while let Some(index) = end {
            let Some(wanting) = came_from[index] else {
                break;
            };
            owner[index] = Some(wanting);
            end = taken[wanting].replace(index);
        }
    }
    taken
}

fn side_by_side(
    missing: &[&Element<'_>],
    mut extra: Vec<&Element<'_>>,
    rule: Rule,
) -> Vec<Difference> {
    let search = missing.len().saturating_mul(extra.len()) <= MAX_LIKENESS_PAIRS;
    let mut differences = Vec::new();
    for expected in missing {
        let best = extra
            .iter()
            .enumerate()
            .filter(|_| search)
            .map(|(index, got)| (likeness(expected, got), index))
            .filter(|(likeness, _)| *likeness > 0 || (missing.len() == 1 && extra.len() == 1))
            .max_by_key(|(likeness, index)| (*likeness, usize::MAX - index));
        let got = best.map(|(_, index)| extra.remove(index));
        differences.push(difference(Some(expected), got, rule));
    }
    differences.extend(
        extra
            .into_iter()
            .map(|got| difference(None, Some(got), rule)),
    );
    differences
}

/// Counts what two elements have in common; labels say more about identity than texts do.
fn likeness(expected: &Element<'_>, got: &Element<'_>) -> usize {
    let common = |a: &Pairs<'_>, b: &Pairs<'_>| {
        a.iter()
            .filter(|(name, value)| **name != "alertname" && b.get(*name) == Some(value))
            .count()
    };
    4 * common(&expected.labels, &got.labels)
        + 2 * common(&expected.annotations, &got.annotations)
        + usize::from(expected.value.is_some() && expected.value == got.value)
}

fn difference(expected: Option<&Element<'_>>, got: Option<&Element<'_>>, rule: Rule) -> Difference {
    let side = match (expected, got) {
        (Some(_), None) => Side::Missing,
        (None, _) => Side::Unexpected,
        (Some(_), Some(_)) => Side::Changed,
    };
    let empty = Element {
        place: None,
        labels: Pairs::new(),
        annotations: Pairs::new(),
        value: None,
    };
    let (wanted, found) = (expected.unwrap_or(&empty), got.unwrap_or(&empty));
    let mut fields = merged(&wanted.labels, &found.labels, rule, Field::Label);
    fields.extend(merged(
        &wanted.annotations,
        &found.annotations,
        rule,
        Field::Annotation,
    ));
    if wanted.value.is_some() || found.value.is_some() {
        fields.push(FieldPair {
            field: Field::Value,
            expected: wanted.value.map(number),
            got: found.value.map(number),
            differs: !rule.same_value(wanted.value, found.value),
        });
    }
    Difference {
        side,
        place: expected.and_then(|element| element.place),
        fields,
        note: expected.and_then(never_equal),
    }
}

/// Writes a value with all its digits; very large and small ones with an exponent.
fn number(value: f64) -> String {
    let text = format!("{value:?}");
    match text.strip_suffix(".0") {
        Some(whole) => whole.to_owned(),
        None => text,
    }
}

/// Puts the fields of two elements side by side.
fn merged(
    wanted: &Pairs<'_>,
    found: &Pairs<'_>,
    rule: Rule,
    field: fn(String) -> Field,
) -> Vec<FieldPair> {
    let names: BTreeSet<&str> = wanted.keys().chain(found.keys()).copied().collect();
    names
        .into_iter()
        .map(|name| {
            let (wanted, found) = (wanted.get(name), found.get(name));
            let is_open = rule.subset && wanted.is_none();
            FieldPair {
                field: field(name.to_owned()),
                expected: wanted.map(|text| (*text).to_owned()),
                got: found.map(|text| (*text).to_owned()),
                differs: wanted != found && !is_open,
            }
        })
        .collect()
}

/// Says why an expectation cannot be met by anything.
fn never_equal(expected: &Element<'_>) -> Option<&'static str> {
    if expected.value.is_some_and(f64::is_nan) {
        Some("NaN equals nothing, not even NaN; assert on `expr != expr` instead")
    } else if expected.labels.values().any(|value| value.is_empty()) {
        Some("a label with an empty value is no label; leave it out")
    } else {
        None
    }
}
