//! Input series: kept as they are written, loaded as time goes on.

use crate::labels::Labels;
use crate::script::series::Run;
use crate::store::{AppendError, Store};
use crate::value::is_stale;
use crate::yaml::Place;

/// A series of a test.
#[derive(Debug, Clone, PartialEq)]
pub struct InputSeries {
    /// Where it is written.
    pub place: Place,
    /// Its labels.
    pub labels: Labels,
    /// Its samples.
    pub runs: Vec<Run>,
}

impl InputSeries {
    /// Returns how many steps the notation covers.
    pub(super) fn steps(&self) -> usize {
        self.runs.iter().map(Run::steps).sum()
    }

    /// Returns the step of the last sample if the series just stops there. A stale marker or steps
    /// without a sample at the end say that its end is meant.
    pub(super) fn stops_at(&self) -> Option<usize> {
        match self.runs.iter().rfind(|run| run.steps() > 0)? {
            Run::Gap(_) => None,
            Run::Samples { first, .. } if is_stale(*first) => None,
            Run::Samples { .. } => Some(self.steps() - 1),
        }
    }

    fn entries(&self) -> impl Iterator<Item = Option<f64>> {
        self.runs.iter().copied().flat_map(Run::iter)
    }
}

struct Loading<'t> {
    labels: &'t Labels,
    steps: usize,
    entries: Box<dyn Iterator<Item = Option<f64>> + 't>,
}

/// Loads the samples of all series up to a time, again and again.
pub(super) struct Loader<'t> {
    start_ms: i64,
    interval_ms: i64,
    series: Vec<Loading<'t>>,
    /// Steps that are loaded.
    loaded: usize,
}

impl<'t> Loader<'t> {
    /// Returns a loader; of two series with the same labels the later one counts.
    pub(super) fn new(series: &'t [InputSeries], start_ms: i64, interval_ms: i64) -> Self {
        let mut distinct = std::collections::BTreeMap::new();
        for series in series {
            distinct.insert(&series.labels, series);
        }
        Self {
            start_ms,
            interval_ms,
            series: distinct
                .into_values()
                .map(|series| Loading {
                    labels: &series.labels,
                    steps: series.steps(),
                    entries: Box::new(series.entries()),
                })
                .collect(),
            loaded: 0,
        }
    }

    /// Appends the samples at or before `t_ms` that are not in the store yet.
    pub(super) fn load(&mut self, store: &mut Store, t_ms: i64) -> Result<(), AppendError> {
        let steps = match t_ms.checked_sub(self.start_ms) {
            Some(passed_ms) if passed_ms >= 0 => (passed_ms / self.interval_ms) as usize + 1,
            _ => 0,
        };
        for series in &mut self.series {
            for step in self.loaded..steps.min(series.steps) {
                if let Some(Some(value)) = series.entries.next() {
                    let at_ms = self.start_ms + step as i64 * self.interval_ms;
                    store.append(series.labels, at_ms, value)?;
                }
            }
        }
        self.loaded = self.loaded.max(steps);
        Ok(())
    }
}
