//! Which elements belong together: label sets compared on a part of their labels.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use super::context::{Element, Name};
use crate::labels::{Labels, METRIC_NAME};
use crate::query::ast::Grouping;

/// The part of the labels that counts.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Part<'g> {
    Only(&'g [String]),
    /// Neither the listed labels nor the metric name.
    Except(&'g [String]),
    /// All labels but one; the metric name counts.
    But(&'g str),
    All,
}

impl<'g> From<&'g Grouping> for Part<'g> {
    fn from(grouping: &'g Grouping) -> Self {
        match grouping {
            Grouping::Only(names) => Self::Only(names),
            Grouping::Except(names) => Self::Except(names),
        }
    }
}

impl Part<'_> {
    fn counts(self, name: &str) -> bool {
        match self {
            Self::Only(names) => names.iter().any(|other| other == name),
            Self::Except(names) => name != METRIC_NAME && names.iter().all(|other| other != name),
            Self::But(other) => name != other,
            Self::All => true,
        }
    }

    /// Returns the labels of an element that count.
    pub(crate) fn of(self, element: &Element) -> Labels {
        element.labels.retain(|name| {
            self.counts(name) && !(element.name == Name::Gone && name == METRIC_NAME)
        })
    }

    fn labels<'e>(self, element: &'e Element) -> impl Iterator<Item = (&'e str, &'e str)>
    where
        Self: 'e,
    {
        let gone = element.name == Name::Gone;
        element
            .labels
            .iter()
            .filter(move |(name, _)| self.counts(name) && !(gone && *name == METRIC_NAME))
    }

    fn same(self, left: &Element, right: &Element) -> bool {
        self.labels(left).eq(self.labels(right))
    }

    /// FNV-1a over names and values with separators; equality is checked afterwards.
    fn hash(self, element: &Element) -> u64 {
        let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
        let mut feed = |bytes: &[u8]| {
            for byte in bytes {
                hash = (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
            }
            hash = (hash ^ 0xff).wrapping_mul(0x0000_0100_0000_01b3);
        };
        for (name, value) in self.labels(element) {
            feed(name.as_bytes());
            feed(value.as_bytes());
        }
        hash
    }
}

/// The hash is one already.
#[derive(Debug, Default)]
struct Ready(u64);

impl Hasher for Ready {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 << 8) | u64::from(*byte);
        }
    }

    fn write_u64(&mut self, value: u64) {
        // The map takes its control bits from the top, where FNV mixes worst.
        self.0 = value ^ value.rotate_left(32);
    }
}

/// Numbers groups in the order in which their first element appears.
pub(crate) struct Groups<'g, 'e> {
    part: Part<'g>,
    by_hash: HashMap<u64, Vec<usize>, BuildHasherDefault<Ready>>,
    first: Vec<&'e Element>,
}

impl<'g, 'e> Groups<'g, 'e> {
    pub(crate) fn new(part: Part<'g>) -> Self {
        Self {
            part,
            by_hash: HashMap::default(),
            first: Vec::new(),
        }
    }

    pub(crate) fn find(&self, element: &Element) -> Option<usize> {
        self.by_hash
            .get(&self.part.hash(element))?
            .iter()
            .copied()
            .find(|group| self.part.same(self.first[*group], element))
    }

    /// Returns the group of an element and whether the element opened it.
    pub(crate) fn enter(&mut self, element: &'e Element) -> (usize, bool) {
        let candidates = self.by_hash.entry(self.part.hash(element)).or_default();
        let known = candidates
            .iter()
            .copied()
            .find(|group| self.part.same(self.first[*group], element));
        if let Some(group) = known {
            return (group, false);
        }
        candidates.push(self.first.len());
        self.first.push(element);
        (self.first.len() - 1, true)
    }

    /// Returns the element that opened a group.
    pub(crate) fn first(&self, group: usize) -> &'e Element {
        self.first[group]
    }
}

/// Returns a label set that occurs twice.
pub(crate) fn duplicate(elements: &[Element]) -> Option<Labels> {
    let mut groups = Groups::new(Part::All);
    elements
        .iter()
        .find(|element| !groups.enter(element).1)
        .map(Element::settled)
}

/// Says whether dropping the metric name could make two distinct elements equal: not while they
/// all have the same name.
pub(crate) fn names_differ(elements: &[Element]) -> bool {
    let mut names = elements.iter().map(|element| element.labels.metric_name());
    let first = names.next();
    names.any(|name| Some(name) != first)
}
