//! Selections that were made before.
//!
//! Rules ask for the same series again and again, while series come and go rarely: what was found
//! stays valid until then.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::{Arc, Mutex, PoisonError};

use super::SeriesId;
use crate::query::matcher::Matcher;

/// Most series that all remembered selections list together.
const MAX_LISTED: usize = 1_000_000;
/// Most selections that are remembered.
const MAX_SELECTIONS: usize = 4_096;

#[derive(Debug, Default)]
pub(super) struct Selections(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    by_matchers: HashMap<String, Arc<[SeriesId]>>,
    listed: usize,
}

impl Selections {
    /// Returns what `select` gave for the same matchers, or asks it.
    pub(super) fn get_or(
        &self,
        matchers: &[Matcher],
        select: impl FnOnce() -> Vec<SeriesId>,
    ) -> Arc<[SeriesId]> {
        let key = key(matchers);
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(ids) = known.by_matchers.get(&key) {
            return Arc::clone(ids);
        }
        let ids: Arc<[SeriesId]> = select().into();
        known.listed += ids.len();
        if known.listed > MAX_LISTED || known.by_matchers.len() >= MAX_SELECTIONS {
            known.by_matchers.clear();
            known.listed = ids.len();
        }
        known.by_matchers.insert(key, Arc::clone(&ids));
        ids
    }

    /// Forgets everything: a series came or went.
    pub(super) fn clear(&mut self) {
        let known = self.0.get_mut().unwrap_or_else(PoisonError::into_inner);
        known.by_matchers.clear();
        known.listed = 0;
    }
}

/// Lengths keep texts apart whatever is in them.
fn key(matchers: &[Matcher]) -> String {
    let mut key = String::new();
    for matcher in matchers {
        let (name, value) = (&matcher.name, &matcher.value);
        let operator = matcher.operator();
        let _ = write!(
            key,
            "{}:{name}{operator}{}:{value}",
            name.len(),
            value.len()
        );
    }
    key
}
