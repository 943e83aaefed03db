//! Label sets: the identity of a series.

use std::fmt;
use std::sync::Arc;

use crate::engine::Profile;

/// The label that holds the metric name.
pub const METRIC_NAME: &str = "__name__";

/// A sorted set of labels. Cloning is cheap; an empty value is the same as no label.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Labels(Arc<[(Arc<str>, Arc<str>)]>);

impl Labels {
    /// Builds a set from pairs in any order. The last pair of a name wins; empty values drop out.
    pub fn from_pairs<N, V>(pairs: impl IntoIterator<Item = (N, V)>) -> Self
    where
        N: Into<Arc<str>>,
        V: Into<Arc<str>>,
    {
        let mut list: Vec<(Arc<str>, Arc<str>)> = pairs
            .into_iter()
            .map(|(name, value)| (name.into(), value.into()))
            .collect();
        list.reverse();
        list.sort_by(|a, b| a.0.cmp(&b.0));
        list.dedup_by(|later, kept| later.0 == kept.0);
        list.retain(|(_, value)| !value.is_empty());
        Self(list.into())
    }

    /// Returns the value of a label.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0
            .binary_search_by(|(candidate, _)| candidate.as_ref().cmp(name))
            .ok()
            .map(|index| self.0[index].1.as_ref())
    }

    /// Returns the metric name, if there is one.
    pub fn metric_name(&self) -> Option<&str> {
        self.get(METRIC_NAME)
    }

    /// Returns the labels in the order of their names.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &str)> {
        self.0
            .iter()
            .map(|(name, value)| (name.as_ref(), value.as_ref()))
    }

    /// Returns how many labels there are, the metric name included.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Says whether there are no labels.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the set with the labels for which `keep` holds.
    #[must_use]
    pub fn retain(&self, keep: impl Fn(&str) -> bool) -> Self {
        Self(
            self.0
                .iter()
                .filter(|(name, _)| keep(name))
                .cloned()
                .collect(),
        )
    }

    /// Returns the set with one label set; an empty value removes it.
    #[must_use]
    pub fn with(&self, name: &str, value: &str) -> Self {
        let rest = self
            .0
            .iter()
            .filter(|(other, _)| other.as_ref() != name)
            .cloned();
        Self::from_pairs(rest.chain([(Arc::from(name), Arc::from(value))]))
    }

    /// Says whether every label of `subset` is here with the same value.
    pub fn contains(&self, subset: &Labels) -> bool {
        subset
            .iter()
            .all(|(name, value)| self.get(name) == Some(value))
    }
}

/// Says whether a version takes a text as the name of a label. Since 3.0 it is any text that is
/// not empty.
pub(crate) fn is_label_name(name: &str, profile: Profile) -> bool {
    let is_word = || name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    match profile {
        Profile::V3_5 => !name.is_empty(),
        Profile::V2_42 | Profile::V2_53 => {
            !name.is_empty() && !name.starts_with(|c: char| c.is_ascii_digit()) && is_word()
        }
    }
}

impl fmt::Display for Labels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.metric_name().unwrap_or_default())?;
        let mut rest = self
            .iter()
            .filter(|(name, _)| *name != METRIC_NAME)
            .peekable();
        if rest.peek().is_none() && self.metric_name().is_some() {
            return Ok(());
        }
        f.write_str("{")?;
        for (index, (name, value)) in rest.enumerate() {
            let comma = if index == 0 { "" } else { ", " };
            write!(f, "{comma}{name}={value:?}")?;
        }
        f.write_str("}")
    }
}

impl fmt::Debug for Labels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
