//! Which rows belong together: label sets compared on a part of their labels.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use super::QueryError;
use super::grid::is_absent;
use super::rows::{Head, Name, Rows};
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

    /// Returns the labels of a row that count.
    pub(crate) fn of(self, head: &Head) -> Labels {
        head.labels
            .retain(|name| self.counts(name) && !(head.name == Name::Gone && name == METRIC_NAME))
    }

    fn labels<'e>(self, head: &'e Head) -> impl Iterator<Item = (&'e str, &'e str)>
    where
        Self: 'e,
    {
        let gone = head.name == Name::Gone;
        head.labels
            .iter()
            .filter(move |(name, _)| self.counts(name) && !(gone && *name == METRIC_NAME))
    }

    fn same(self, left: &Head, right: &Head) -> bool {
        self.labels(left).eq(self.labels(right))
    }

    /// FNV-1a over names and values with separators; equality is checked afterwards.
    fn hash(self, head: &Head) -> u64 {
        let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
        let mut feed = |bytes: &[u8]| {
            for byte in bytes {
                hash = (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
            }
            hash = (hash ^ 0xff).wrapping_mul(0x0000_0100_0000_01b3);
        };
        for (name, value) in self.labels(head) {
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

/// Numbers groups in the order in which their first row appears.
pub(crate) struct Groups<'g, 'e> {
    part: Part<'g>,
    by_hash: HashMap<u64, Vec<usize>, BuildHasherDefault<Ready>>,
    first: Vec<&'e Head>,
}

impl<'g, 'e> Groups<'g, 'e> {
    pub(crate) fn new(part: Part<'g>) -> Self {
        Self {
            part,
            by_hash: HashMap::default(),
            first: Vec::new(),
        }
    }

    pub(crate) fn find(&self, head: &Head) -> Option<usize> {
        self.by_hash
            .get(&self.part.hash(head))?
            .iter()
            .copied()
            .find(|group| self.part.same(self.first[*group], head))
    }

    /// Returns the group of a row and whether it opened it.
    pub(crate) fn enter(&mut self, head: &'e Head) -> (usize, bool) {
        let candidates = self.by_hash.entry(self.part.hash(head)).or_default();
        let known = candidates
            .iter()
            .copied()
            .find(|group| self.part.same(self.first[*group], head));
        if let Some(group) = known {
            return (group, false);
        }
        candidates.push(self.first.len());
        self.first.push(head);
        (self.first.len() - 1, true)
    }
}

/// Says whether dropping the metric name could make two distinct rows equal: not while they all
/// have the same name.
pub(crate) fn names_differ(heads: &[Head]) -> bool {
    let mut names = heads.iter().map(|head| head.labels.metric_name());
    let first = names.next();
    names.any(|name| Some(name) != first)
}

pub(crate) fn same_labelset() -> QueryError {
    QueryError::Execution("vector cannot contain metrics with the same labelset".to_owned())
}

/// Fails when two rows have the same labels, even at different steps.
pub(crate) fn ensure_distinct(rows: &Rows) -> Result<(), QueryError> {
    let mut groups = Groups::new(Part::All);
    if rows.len() < 2 || rows.heads().iter().all(|head| groups.enter(head).1) {
        return Ok(());
    }
    Err(same_labelset())
}

/// Makes one row of rows with the same labels; fails when two are there at the same step.
pub(crate) fn merge_equal(rows: &mut Rows) -> Result<(), QueryError> {
    if rows.len() < 2 {
        return Ok(());
    }
    let mut groups = Groups::new(Part::All);
    if rows.heads().iter().all(|head| groups.enter(head).1) {
        return Ok(());
    }
    merge_found(rows)
}

fn merge_found(rows: &mut Rows) -> Result<(), QueryError> {
    let mut groups = Groups::new(Part::All);
    let mut merged = Rows::with_capacity(rows.steps(), rows.len());
    for (head, row) in rows.iter() {
        let (group, opened) = groups.enter(head);
        if opened {
            merged.push(head.clone(), row);
            continue;
        }
        for (into, value) in merged.row_mut(group).iter_mut().zip(row) {
            if is_absent(*value) {
                continue;
            }
            if !is_absent(*into) {
                return Err(same_labelset());
            }
            *into = *value;
        }
    }
    *rows = merged;
    Ok(())
}
