//! From labels to series: postings per label value, and shared strings.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use super::SeriesId;
use crate::labels::Labels;
use crate::query::matcher::Matcher;

/// Sorted ids of the series that have a label value.
type Postings = Vec<SeriesId>;

#[derive(Debug, Default)]
pub(super) struct Index {
    symbols: HashSet<Arc<str>>,
    names: HashMap<Arc<str>, BTreeMap<Arc<str>, Postings>>,
}

impl Index {
    /// Adds a series and returns its labels built from shared strings.
    pub(super) fn add(&mut self, labels: &Labels, id: SeriesId) -> Labels {
        let mut pairs = Vec::with_capacity(labels.len());
        for (name, value) in labels.iter() {
            let (name, value) = (self.symbol(name), self.symbol(value));
            let postings = self
                .names
                .entry(Arc::clone(&name))
                .or_default()
                .entry(Arc::clone(&value))
                .or_default();
            let at = postings.partition_point(|other| *other < id);
            postings.insert(at, id);
            pairs.push((name, value));
        }
        Labels::from_pairs(pairs)
    }

    /// Removes a series.
    pub(super) fn remove(&mut self, labels: &Labels, id: SeriesId) {
        for (name, value) in labels.iter() {
            let Some(values) = self.names.get_mut(name) else {
                continue;
            };
            if let Some(postings) = values.get_mut(value) {
                postings.retain(|other| *other != id);
                if postings.is_empty() {
                    values.remove(value);
                }
            }
            if values.is_empty() {
                self.names.remove(name);
            }
        }
    }

    /// Frees strings that no series uses any more.
    pub(super) fn forget_unused_symbols(&mut self) {
        self.symbols.retain(|symbol| Arc::strong_count(symbol) > 1);
    }

    /// Returns how many bytes are held, strings and the lists of label sets included.
    pub(super) fn bytes(&self) -> usize {
        const PAIR: usize = size_of::<(Arc<str>, Arc<str>)>();
        // Each string and each list is behind two counters.
        const COUNTERS: usize = 2 * size_of::<usize>();
        let texts: usize = self
            .symbols
            .iter()
            .map(|symbol| COUNTERS + symbol.len())
            .sum();
        let symbols = self.symbols.capacity() * (size_of::<Arc<str>>() + 1);
        let values = self.names.values().flat_map(BTreeMap::values);
        let postings: usize = values
            .map(|ids| PAIR + ids.capacity() * size_of::<SeriesId>() + ids.len() * PAIR)
            .sum();
        texts + symbols + postings
    }

    /// Returns the values of a label in order.
    pub(super) fn values(&self, name: &str) -> impl Iterator<Item = &str> {
        self.names
            .get(name)
            .into_iter()
            .flat_map(|values| values.keys().map(AsRef::as_ref))
    }

    /// Returns a set of series that contains every match, or nothing when no matcher narrows.
    /// Only matchers that refuse the empty value narrow: the others also accept series without
    /// the label, which no postings list.
    pub(super) fn candidates(&self, matchers: &[Matcher]) -> Option<Vec<SeriesId>> {
        let mut narrowed: Option<Vec<SeriesId>> = None;
        for matcher in matchers.iter().filter(|matcher| matcher.is_equal()) {
            if matcher.value.is_empty() {
                continue;
            }
            let postings = self
                .names
                .get(matcher.name.as_str())
                .and_then(|values| values.get(matcher.value.as_str()))
                .map_or(&[][..], Vec::as_slice);
            narrowed = Some(match narrowed {
                None => postings.to_vec(),
                Some(ids) => intersect(&ids, postings),
            });
        }
        if narrowed.is_some() {
            return narrowed;
        }
        let matcher = matchers.iter().find(|matcher| !matcher.matches(""))?;
        let mut ids: Vec<SeriesId> = self
            .names
            .get(matcher.name.as_str())
            .into_iter()
            .flatten()
            .filter(|(value, _)| matcher.matches(value))
            .flat_map(|(_, postings)| postings.iter().copied())
            .collect();
        ids.sort_unstable();
        Some(ids)
    }

    fn symbol(&mut self, text: &str) -> Arc<str> {
        if let Some(symbol) = self.symbols.get(text) {
            return Arc::clone(symbol);
        }
        let symbol: Arc<str> = Arc::from(text);
        self.symbols.insert(Arc::clone(&symbol));
        symbol
    }
}

/// Both lists are sorted; the shorter one leads.
fn intersect(left: &[SeriesId], right: &[SeriesId]) -> Vec<SeriesId> {
    let (short, long) = if left.len() <= right.len() {
        (left, right)
    } else {
        (right, left)
    };
    short
        .iter()
        .filter(|id| long.binary_search(id).is_ok())
        .copied()
        .collect()
}
