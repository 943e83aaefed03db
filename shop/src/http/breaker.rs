//! A circuit breaker: calls to what keeps failing are refused for a while, then tried carefully.
//!
//! Closed lets every call through and counts. Once enough of enough calls failed it opens, and
//! refuses all of them. After a pause it is half open: a few calls go through as probes, and if all
//! of them succeed it closes; one that fails opens it again. Pure: the time comes as an argument.

use std::time::{Duration, Instant};

use super::window::Window;

/// When a breaker opens and closes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct BreakerPolicy {
    /// How far back calls count.
    pub(crate) window: Duration,
    /// Fewer calls than this in the window never open it.
    pub(crate) least_calls: u64,
    /// The share of failed calls that opens it, 0 to 1.
    pub(crate) failure_ratio: f64,
    /// How long it refuses before it probes.
    pub(crate) open_for: Duration,
    /// Probes that have to succeed before it closes.
    pub(crate) probes: u32,
}

#[derive(Debug)]
enum State {
    Closed(Box<Window>),
    Open { until: Instant },
    HalfOpen { under_way: u32, succeeded: u32 },
}

/// What became of a call that was let through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ended {
    Succeeded,
    Failed,
    /// Nobody waited for its end, so it says nothing.
    Abandoned,
}

/// A change of state that is worth a line in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Change {
    Opened,
    HalfOpened,
    Closed,
}

impl Change {
    /// Returns the state that was entered.
    pub(crate) const fn state(self) -> &'static str {
        match self {
            Self::Opened => "open",
            Self::HalfOpened => "half_open",
            Self::Closed => "closed",
        }
    }
}

/// Leave to make one call; given back with what became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Leave {
    /// Which stretch of one state it was given in; the end of an earlier one changes nothing.
    epoch: u64,
}

/// The breaker of one dependency.
#[derive(Debug)]
pub(crate) struct Breaker {
    policy: BreakerPolicy,
    state: State,
    epoch: u64,
}

impl Breaker {
    /// Makes a closed breaker.
    pub(crate) fn new(policy: BreakerPolicy, now: Instant) -> Self {
        Self {
            policy,
            state: State::Closed(Box::new(Window::new(policy.window, now))),
            epoch: 0,
        }
    }

    /// Tells whether some or all calls are refused.
    #[cfg(test)]
    pub(crate) fn is_open(&self) -> bool {
        !matches!(self.state, State::Closed(_))
    }

    /// Asks for leave to make a call; `None` refuses it.
    pub(crate) fn ask(&mut self, now: Instant) -> (Option<Leave>, Option<Change>) {
        let mut change = None;
        if matches!(self.state, State::Open { until } if now >= until) {
            change = Some(self.enter(Change::HalfOpened, now));
        }
        let allowed = match &mut self.state {
            State::Closed(_) => true,
            State::Open { .. } => false,
            State::HalfOpen {
                under_way,
                succeeded,
            } => {
                let probe = *under_way + *succeeded < self.policy.probes;
                *under_way += u32::from(probe);
                probe
            }
        };
        (allowed.then_some(Leave { epoch: self.epoch }), change)
    }

    /// Takes note of how a call ended.
    pub(crate) fn tell(&mut self, leave: Leave, ended: Ended, now: Instant) -> Option<Change> {
        if leave.epoch != self.epoch {
            return None;
        }
        let next = match &mut self.state {
            State::Closed(window) => {
                if ended != Ended::Abandoned {
                    window.add([1, u64::from(ended == Ended::Failed)], now);
                }
                let [calls, failed] = window.sums(now);
                let enough = calls >= self.policy.least_calls;
                let bad = failed as f64 >= self.policy.failure_ratio * calls as f64;
                (ended == Ended::Failed && enough && bad).then_some(Change::Opened)
            }
            State::Open { .. } => None,
            State::HalfOpen {
                under_way,
                succeeded,
            } => {
                *under_way -= 1;
                *succeeded += u32::from(ended == Ended::Succeeded);
                match ended {
                    Ended::Failed => Some(Change::Opened),
                    _ => (*succeeded >= self.policy.probes).then_some(Change::Closed),
                }
            }
        };
        next.map(|change| self.enter(change, now))
    }

    fn enter(&mut self, change: Change, now: Instant) -> Change {
        self.epoch += 1;
        self.state = match change {
            Change::Opened => State::Open {
                until: now + self.policy.open_for,
            },
            Change::HalfOpened => State::HalfOpen {
                under_way: 0,
                succeeded: 0,
            },
            Change::Closed => State::Closed(Box::new(Window::new(self.policy.window, now))),
        };
        change
    }
}

#[cfg(test)]
mod tests;
