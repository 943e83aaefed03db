//! The loops that wait for the grid, and the grid itself.
//!
//! Times lie at `k × interval + phase`, the phase being a hash, so that targets and groups do not all
//! come at once and every start has the same phases. A slot that was missed is not caught up.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use promql::rules::{Notification, Transition};
use tokio_util::sync::CancellationToken;

use super::core::TargetKey;
use super::scrape::TargetState;
use super::{Shared, TargetSpec};
use crate::clean;

/// A grid of times.
#[derive(Debug, Clone, Copy)]
struct Grid {
    interval_ms: i64,
    phase_ms: i64,
}

impl Grid {
    fn new(interval_ms: i64, seed: &impl Hash) -> Self {
        let mut hasher = DefaultHasher::new();
        seed.hash(&mut hasher);
        Self {
            interval_ms,
            phase_ms: (hasher.finish() % interval_ms as u64) as i64,
        }
    }

    /// Returns the newest slot at or before a time.
    fn floor(self, t_ms: i64) -> i64 {
        t_ms - (t_ms - self.phase_ms).rem_euclid(self.interval_ms)
    }

    /// Returns the slot that follows `last`, skipping those that are over by now but the newest.
    fn next(self, last_ms: i64, now_ms: i64) -> i64 {
        (last_ms + self.interval_ms).max(self.floor(now_ms))
    }

    /// Returns the slot when the time is hardly past it, else the time itself: a scrape says when it
    /// began, and its samples line up where that is true.
    fn snap(self, slot_ms: i64, now_ms: i64) -> i64 {
        let tolerance = 2.min((self.interval_ms / 100).max(1));
        if (now_ms - slot_ms).abs() <= tolerance {
            slot_ms
        } else {
            now_ms
        }
    }
}

/// Starts the loops of new and moved targets, ends those of targets that are gone.
pub(super) fn start_targets(shared: &Arc<Shared>, wanted: BTreeMap<TargetKey, TargetSpec>) {
    let (gone, fresh) = shared.write(|core| {
        let gone = core.take_unwanted(&wanted);
        (gone, core.set_targets(wanted))
    });
    for (key, target) in gone {
        let end = farewell(shared.clone(), key, target);
        let stop = shared.stop.clone();
        shared.tasks.spawn(async move {
            // Whoever stops the engine does not end its targets.
            stop.run_until_cancelled(end).await;
        });
    }
    let mut scrapes = shared
        .scrapes
        .lock()
        .unwrap_or_else(PoisonError::into_inner);
    let gone = |key: &TargetKey| shared.read(|core| !core.has_target(key));
    scrapes.retain(|key, stop| {
        let ends = gone(key);
        if ends {
            stop.cancel();
        }
        !ends
    });
    for (key, spec, generation) in fresh {
        let stop = shared.stop.child_token();
        if let Some(old) = scrapes.insert(key.clone(), stop.clone()) {
            old.cancel();
        }
        let task = scrape_loop(shared.clone(), key, spec.url, generation);
        shared.tasks.spawn(async move {
            stop.run_until_cancelled(task).await;
        });
    }
}

/// Ends the series of a target that is gone. It may come back under the same name, so the markers
/// bear the time of its next scrape but are written one interval and a tenth later; what was scraped
/// by then is newer and stays.
async fn farewell(shared: Arc<Shared>, key: TargetKey, target: TargetState) {
    let interval_ms = shared.settings.scrape_interval_ms;
    let grid = Grid::new(interval_ms, &key);
    let now_ms = shared.settings.clock.now_ms();
    let next_ms = grid.floor(now_ms) + interval_ms;
    let wait_ms = next_ms - now_ms + interval_ms + interval_ms / 10;
    tokio::time::sleep(Duration::from_millis(wait_ms.max(0) as u64)).await;
    let owner = shared.clone();
    let end = move || owner.write(|core| core.end(target, next_ms));
    if let Err(error) = shared.writer.run(end).await {
        tracing::error!(%error, "the series of a target were not ended");
    }
}

/// Starts a loop for each rule group.
pub(super) fn start_groups(shared: &Arc<Shared>) {
    for (index, group) in shared.read(super::Core::groups).into_iter().enumerate() {
        let grid = Grid::new(group.interval_ms.max(1), &(group.file, &group.name));
        let task = group_loop(shared.clone(), index, grid);
        let stop: CancellationToken = shared.stop.clone();
        shared.tasks.spawn(async move {
            stop.run_until_cancelled(task).await;
        });
    }
}

async fn scrape_loop(shared: Arc<Shared>, key: TargetKey, url: String, generation: u64) {
    let grid = Grid::new(shared.settings.scrape_interval_ms, &key);
    let mut slot_ms = grid.floor(shared.settings.clock.now_ms());
    loop {
        slot_ms = wait(&shared, grid, slot_ms).await;
        let start_ms = grid.snap(slot_ms, shared.settings.clock.now_ms());
        let scraped = shared.fetcher.fetch(&url).await;
        let (owner, key) = (shared.clone(), key.clone());
        let commit = move || {
            let reading = scraped.read();
            let progress = owner.write(|core| core.commit(&key, generation, start_ms, &reading));
            owner.progress.send_replace(progress);
        };
        if let Err(error) = shared.writer.run(commit).await {
            tracing::error!(%error, url, "a scrape was not taken in");
        }
    }
}

async fn group_loop(shared: Arc<Shared>, group: usize, grid: Grid) {
    let mut slot_ms = grid.floor(shared.settings.clock.now_ms());
    loop {
        slot_ms = wait(&shared, grid, slot_ms).await;
        let t_ms = slot_ms;
        let owner = shared.clone();
        let delay = shared
            .alertmanager
            .as_ref()
            .map(|_| shared.settings.resend_delay_ms);
        let evaluate = move || owner.write(|core| core.evaluate(group, t_ms, delay));
        match shared.writer.run(evaluate).await {
            Ok((outcome, due, progress)) => {
                for transition in outcome.transitions {
                    // No subscriber is no error.
                    let _ = shared.transitions.send(cleaned(transition));
                }
                shared.progress.send_replace(progress);
                notify(&shared, due);
            }
            Err(error) => tracing::error!(%error, group, "a rule group was not evaluated"),
        }
    }
}

/// Waits for the slot after `last_ms` and returns it.
async fn wait(shared: &Shared, grid: Grid, last_ms: i64) -> i64 {
    let clock = &shared.settings.clock;
    let mut slot_ms = grid.next(last_ms, clock.now_ms());
    loop {
        let now_ms = clock.now_ms();
        let left_ms = slot_ms - now_ms;
        if left_ms <= 0 {
            return slot_ms;
        }
        if left_ms > grid.interval_ms {
            // The clock was set back.
            slot_ms = grid.floor(now_ms) + grid.interval_ms;
        }
        // In pieces, so that a clock that is set takes effect.
        tokio::time::sleep(Duration::from_millis(left_ms.min(1_000) as u64)).await;
    }
}

/// Posts alerts beside the evaluation, which does not wait for it.
fn notify(shared: &Arc<Shared>, due: Vec<Notification>) {
    if due.is_empty() {
        return;
    }
    let shared = shared.clone();
    let stop = shared.stop.clone();
    shared.clone().tasks.spawn(async move {
        let Some(alertmanager) = &shared.alertmanager else {
            return;
        };
        let post = alertmanager.post(&due, &shared.settings.external_labels);
        if let Some(Err(error)) = stop.run_until_cancelled(post).await {
            tracing::warn!(%error, "alerts were not posted");
        }
    });
}

fn cleaned(raw: Transition) -> Transition {
    Transition {
        labels: clean::labels(&raw.labels),
        annotations: clean::pairs(raw.annotations),
        alert: clean::message(&raw.alert),
        ..raw
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_are_absolute_and_missed_ones_are_skipped() {
        let grid = Grid {
            interval_ms: 1_000,
            phase_ms: 300,
        };
        assert_eq!(grid.floor(5_299), 4_300);
        assert_eq!(grid.floor(5_300), 5_300);
        assert_eq!(grid.next(4_300, 4_900), 5_300);
        assert_eq!(grid.next(4_300, 5_301), 5_300);
        assert_eq!(grid.next(4_300, 9_000), 8_300);
    }

    #[test]
    fn a_scrape_that_begins_late_says_so() {
        let grid = Grid {
            interval_ms: 1_000,
            phase_ms: 0,
        };
        assert_eq!(grid.snap(5_000, 5_002), 5_000);
        assert_eq!(grid.snap(5_000, 5_003), 5_003);
    }
}
