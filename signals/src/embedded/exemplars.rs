//! The newest exemplars of each series, bounded on both sides.

use std::collections::{BTreeMap, VecDeque};

use promql::labels::Labels;
use promql::query::Query;

use crate::clean;
use crate::exposition::RowExemplar;
use crate::source::{Exemplar, Range};

/// Exemplars kept for one series.
const PER_SERIES: usize = 16;
/// Series with exemplars.
const SERIES: usize = 8_192;

/// Exemplars by series.
#[derive(Default)]
pub(super) struct Exemplars {
    series: BTreeMap<Labels, VecDeque<Exemplar>>,
}

impl Exemplars {
    /// Keeps an exemplar unless the series showed the same one last time.
    pub(super) fn take(&mut self, series: &Labels, row: &RowExemplar<'_>, scrape_ms: i64) {
        if !self.series.contains_key(series) && self.series.len() == SERIES {
            return;
        }
        let ring = self.series.entry(series.clone()).or_default();
        let labels = row.label_set();
        let is_known = ring.back().is_some_and(|last| {
            let same = last.labels == labels && last.value.to_bits() == row.value.to_bits();
            let older = row.t_ms.is_some_and(|t_ms| t_ms < last.t_ms);
            older || (same && row.t_ms.is_none_or(|t_ms| t_ms == last.t_ms))
        });
        if is_known {
            return;
        }
        if ring.len() == PER_SERIES {
            ring.pop_front();
        }
        ring.push_back(Exemplar {
            series: series.clone(),
            labels,
            value: row.value,
            t_ms: row.t_ms.unwrap_or(scrape_ms),
        });
    }

    /// Returns the exemplars of the series that a selector of the query selects.
    pub(super) fn select(&self, query: &Query, range: Range) -> Vec<Exemplar> {
        self.series
            .iter()
            .filter(|(labels, _)| query.selects(labels))
            .flat_map(|(_, ring)| ring)
            .filter(|one| (range.start_ms..=range.end_ms).contains(&one.t_ms))
            .map(|one| Exemplar {
                series: clean::labels(&one.series),
                labels: clean::labels(&one.labels),
                ..one.clone()
            })
            .collect()
    }
}
