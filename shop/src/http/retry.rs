//! When a call may be made again, and how long to wait before.
//!
//! Retries heal what fails now and then. When everything fails they would only add load, so they
//! come out of a budget: a share of the calls of the last seconds.

use std::time::{Duration, Instant};

use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};

use super::window::Window;

/// Retries of one call at most.
const MOST_RETRIES: usize = 2;
const FIRST_DELAY: Duration = Duration::from_millis(25);
const LONGEST_DELAY: Duration = Duration::from_millis(400);
/// How far back calls and retries count.
const BUDGET_WINDOW: Duration = Duration::from_secs(10);
/// Retries a call, over the window.
pub(crate) const BUDGET_SHARE: f64 = 0.2;
/// Retries in a window that are always allowed, so that few calls can be healed as well.
pub(crate) const BUDGET_RESERVE: u64 = 3;

/// Returns the waits before each retry of one call: doubling, and up to twice as long by lot, so
/// that callers who failed together do not come back together.
pub(crate) fn delays() -> ExponentialBackoff {
    ExponentialBuilder::new()
        .with_min_delay(FIRST_DELAY)
        .with_max_delay(LONGEST_DELAY)
        .with_max_times(MOST_RETRIES)
        .with_jitter()
        .build()
}

/// The retries one dependency may cost. Pure: the time comes as an argument.
#[derive(Debug)]
pub(crate) struct Budget {
    /// Calls and retries.
    window: Window,
}

impl Budget {
    pub(crate) fn new(now: Instant) -> Self {
        Self {
            window: Window::new(BUDGET_WINDOW, now),
        }
    }

    /// Counts a call, which earns a share of a retry.
    pub(crate) fn call(&mut self, now: Instant) {
        self.window.add([1, 0], now);
    }

    /// Takes a retry out of the budget; returns whether there was one.
    pub(crate) fn take(&mut self, now: Instant) -> bool {
        let [calls, retries] = self.window.sums(now);
        let allowed = retries < BUDGET_RESERVE + (BUDGET_SHARE * calls as f64) as u64;
        if allowed {
            self.window.add([0, 1], now);
        }
        allowed
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use proptest::{prelude::*, proptest};

    use super::{BUDGET_RESERVE, BUDGET_SHARE, Budget, FIRST_DELAY, LONGEST_DELAY, delays};

    #[test]
    fn delays_rise_and_end() {
        let waits: Vec<Duration> = delays().collect();
        assert_eq!(waits.len(), 2);
        assert!(waits.iter().all(|wait| *wait >= FIRST_DELAY));
        assert!(waits.iter().all(|wait| *wait <= LONGEST_DELAY * 2));
    }

    #[test]
    fn those_who_failed_together_come_back_apart() {
        let firsts: Vec<Duration> = (0..50).filter_map(|_| delays().next()).collect();
        let same = firsts.iter().filter(|wait| **wait == firsts[0]).count();
        assert!(same < 10, "{firsts:?}");
    }

    proptest! {
        #[test]
        fn retries_stay_a_share_of_calls(steps in prop::collection::vec((0..400_u64, 0..4_u8), 1..400)) {
            let began = Instant::now();
            let mut now_ms = 0;
            let mut budget = Budget::new(began);
            let (mut calls, mut taken) = (0_u32, 0_u32);
            for (wait_ms, tries) in steps {
                now_ms += wait_ms;
                let now = began + Duration::from_millis(now_ms);
                budget.call(now);
                calls += 1;
                for _ in 0..tries {
                    taken += u32::from(budget.take(now));
                }
            }
            // Each window that passed had a reserve of its own.
            let windows = (now_ms / 9_000 + 1) as f64;
            let most = BUDGET_SHARE * f64::from(calls) + BUDGET_RESERVE as f64 * windows;
            prop_assert!(f64::from(taken) <= 2.0 * most);
        }
    }

    #[test]
    fn when_everything_fails_a_fifth_is_tried_again() {
        let now = Instant::now();
        let mut budget = Budget::new(now);
        let mut taken = 0;
        for _ in 0..1_000 {
            budget.call(now);
            taken += u64::from(budget.take(now)) + u64::from(budget.take(now));
        }
        assert_eq!(taken, 200 + BUDGET_RESERVE);
    }
}
