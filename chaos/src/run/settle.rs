//! Settling: after recovery the steady state must come back, and expected alerts must show and go
//! within their times.

use promql::value::Value;

use super::io::Out;
use super::probes::{EVERY_MS, Rounds};
use super::watch::Watch;
use crate::event::When;
use crate::playbook::{Expectation, Playbook};
use crate::verdict::CheckKind;

/// A live look and the recorded series may differ by a scrape and an evaluation. So late an alert
/// is still awaited, and so long the end is waited for to show in the series.
const GRACE_MS: i64 = 2000;

/// What is awaited.
#[derive(Debug)]
pub(super) struct Settle {
    probes: Rounds,
    probes_until_ms: i64,
    probes_done: bool,
    /// Since when nothing is left to wait for.
    quiet_since_ms: Option<i64>,
}

/// The moments expectations are counted from.
#[derive(Debug, Clone)]
pub(super) struct Moments {
    /// By expectation; absent when its step was never reached.
    pub(super) origins_ms: Vec<Option<i64>>,
    /// The end of the last fault; of recovery when there was none; absent when it is not known.
    pub(super) withdrawn_ms: Option<i64>,
}

impl Settle {
    /// The probes get the time the alerts get: an error rate needs its window to be well again.
    pub(super) fn begin(playbook: &Playbook, now_ms: i64) -> Self {
        let resolve = playbook.expect_alerts.iter();
        let resolve_ms = resolve.filter_map(|e| e.resolve_within_ms).max();
        let patience_ms = playbook
            .steady_state
            .warm_up_ms
            .max(resolve_ms.unwrap_or_default());
        let probes = Rounds::new(When::After, EVERY_MS, 0..playbook.steady_state.probes.len());
        Self {
            probes_done: probes.is_empty(),
            probes,
            probes_until_ms: now_ms + patience_ms,
            quiet_since_ms: None,
        }
    }

    pub(super) fn answer(
        &mut self,
        playbook: &Playbook,
        probe: (usize, u32),
        result: &Result<Value, String>,
        out: &mut Out,
    ) {
        if self.probes_done {
            return;
        }
        let probes = &playbook.steady_state.probes;
        let complete = self.probes.answer(probes, probe, result, out);
        if complete && (self.probes.all_hold() || out.now_ms >= self.probes_until_ms) {
            self.probes_done = true;
            self.probes.conclude(probes, CheckKind::SteadyAfter, out);
        }
    }

    /// Asks what is due, and says whether nothing is left to wait for.
    pub(super) fn tick(
        &mut self,
        playbook: &Playbook,
        watch: &mut Watch,
        moments: &Moments,
        out: &mut Out,
    ) -> bool {
        watch.tick_alerts(out);
        if !self.probes_done {
            self.probes.tick(&playbook.steady_state.probes, out);
        }
        let mut expectations = playbook.expect_alerts.iter().enumerate();
        let quiet = self.probes_done
            && expectations
                .all(|(index, expected)| settled(expected, index, watch, moments, out.now_ms));
        if !quiet {
            self.quiet_since_ms = None;
            return false;
        }
        out.now_ms >= *self.quiet_since_ms.get_or_insert(out.now_ms) + GRACE_MS
    }
}

fn settled(
    expected: &Expectation,
    index: usize,
    watch: &Watch,
    moments: &Moments,
    now_ms: i64,
) -> bool {
    let Some(origin_ms) = moments.origins_ms[index] else {
        return true;
    };
    if watch.seen_ms[index].is_none() {
        return now_ms > origin_ms + expected.within_ms + GRACE_MS;
    }
    match expected.resolve_within_ms {
        None => true,
        Some(within_ms) => {
            !watch.is_active(&expected.pattern)
                || moments
                    .withdrawn_ms
                    .is_none_or(|end_ms| now_ms > end_ms + within_ms + GRACE_MS)
        }
    }
}
