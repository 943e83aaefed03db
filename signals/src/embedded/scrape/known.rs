//! The series of a target by what the target writes for them, so that labels are built and looked
//! up once and not at every scrape.
//!
//! Targets list their series in the same order every time: the next one is expected where it was
//! last time, and only searched where it is not. Bounded: what scrapes no longer show is forgotten.

use std::collections::HashMap;
use std::sync::Arc;

use promql::labels::Labels;
use promql::store::SeriesRef;

use crate::exposition::Row;

/// Series that scrapes which failed may bring, beyond twice those of the last good one.
pub(super) const UNSEEN_LIMIT: usize = 1_000;

/// A series of the target as it was seen last.
pub(super) struct Cached {
    key: Arc<str>,
    pub(super) labels: Labels,
    /// Where it lies in the store, once it was appended to.
    pub(super) place: Option<SeriesRef>,
    scrape: u64,
    own_time: bool,
}

impl Cached {
    /// Takes the same labels from where their texts are shared.
    pub(super) fn share_labels(&mut self, shared: Option<&Labels>) {
        if let Some(labels) = shared.filter(|labels| **labels == self.labels) {
            self.labels = labels.clone();
        }
    }
}

/// What is known of a target's series.
#[derive(Default)]
pub(super) struct Known {
    series: Vec<Cached>,
    by_key: HashMap<Arc<str>, usize>,
    scrape: u64,
    /// Where the next series is expected.
    expected: usize,
    count_when_good: usize,
}

impl Known {
    pub(super) fn len(&self) -> usize {
        self.series.len()
    }

    /// Begins the next scrape.
    pub(super) fn begin(&mut self) {
        self.scrape += 1;
        self.expected = 0;
    }

    /// Notes that a series is part of this scrape; `labels` makes the labels of a new one.
    pub(super) fn see(&mut self, row: &Row<'_>, labels: impl FnOnce() -> Labels) -> &mut Cached {
        let key = row.key.as_ref();
        let expected = self.series.get(self.expected);
        let index = if expected.is_some_and(|cached| *cached.key == *key) {
            self.expected
        } else if let Some(index) = self.by_key.get(key) {
            *index
        } else {
            self.add(key, labels())
        };
        self.expected = index + 1;
        let cached = &mut self.series[index];
        cached.scrape = self.scrape;
        cached.own_time = row.t_ms.is_some();
        cached
    }

    /// Returns the labels of the series that were in the scrape before and are not in this one,
    /// sorted. Those with times of their own do not count.
    pub(super) fn vanished(&self) -> Vec<&Labels> {
        let mut vanished: Vec<&Labels> = self
            .series
            .iter()
            .filter(|cached| cached.scrape + 1 == self.scrape && !cached.own_time)
            .map(|cached| &cached.labels)
            .collect();
        vanished.sort_unstable();
        vanished
    }

    /// Forgets what was not part of this scrape if it was `good`, or if bad ones have brought too
    /// much.
    pub(super) fn forget_unseen(&mut self, good: bool) {
        let is_too_much = self.len() > 2 * self.count_when_good + UNSEEN_LIMIT;
        let current = self.scrape;
        if (good || is_too_much) && self.series.iter().any(|cached| cached.scrape != current) {
            self.series.retain(|cached| cached.scrape == current);
            let keys = self.series.iter().map(|cached| cached.key.clone());
            self.by_key = keys.zip(0..).collect();
        }
        if good {
            self.count_when_good = self.len();
        }
    }

    fn add(&mut self, key: &str, labels: Labels) -> usize {
        let (key, index) = (Arc::<str>::from(key), self.series.len());
        self.series.push(Cached {
            key: key.clone(),
            labels,
            place: None,
            scrape: 0,
            own_time: false,
        });
        self.by_key.insert(key, index);
        index
    }
}
