//! Calls to what may fail on its own: a time limit for each attempt, retries out of a budget, and a
//! circuit breaker that stops asking what does not answer.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use super::{Answer, Ask, CallError, Peer};
use crate::{
    http::{
        breaker::{Breaker, BreakerPolicy, Change, Ended, Leave},
        retry::{self, Budget},
    },
    market::DependencyName,
    telemetry::external::{Counts, Outcome},
};

const BREAKER: BreakerPolicy = BreakerPolicy {
    window: Duration::from_secs(10),
    least_calls: 10,
    failure_ratio: 0.5,
    open_for: Duration::from_secs(3),
    probes: 3,
};

/// Longest wait for one attempt of a call.
fn attempt_limit(name: DependencyName) -> Duration {
    Duration::from_millis(match name {
        // Nobody waits long for a discount: the full price is at hand.
        DependencyName::Promotions => 500,
        DependencyName::Provider(_) | DependencyName::Crm | DependencyName::Warehouse => 1_000,
    })
}

/// Something the shop depends on, as one role sees it. It is made once and shared, since its
/// breaker and its budget remember what became of earlier calls.
#[derive(Debug)]
pub(crate) struct Dependency {
    name: DependencyName,
    peer: Peer,
    breaker: Mutex<Breaker>,
    budget: Mutex<Budget>,
    counts: Counts,
}

impl Dependency {
    pub(crate) fn new(name: DependencyName, peer: Peer, counts: Counts) -> Self {
        let timeout = peer.timeout.min(attempt_limit(name));
        let now = Instant::now();
        Self {
            name,
            peer: Peer { timeout, ..peer },
            breaker: Mutex::new(Breaker::new(BREAKER, now)),
            budget: Mutex::new(Budget::new(now)),
            counts,
        }
    }

    /// Makes the call, again when it failed and is repeatable; answers of 5xx are errors.
    pub(crate) async fn ask(&self, ask: Ask) -> Result<Answer, CallError> {
        let Some(mut permit) = self.permit() else {
            self.counts.ended(Outcome::Rejected, None);
            return Err(CallError::Rejected);
        };
        lock(&self.budget).call(Instant::now());
        let mut delays = retry::delays();
        let mut attempt = 1;
        loop {
            let error = match self.attempt(ask.clone(), attempt, permit).await {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            let next = if ask.is_repeatable() && is_passing(error) {
                delays.next()
            } else {
                None
            };
            let Some(delay) = next.filter(|_| lock(&self.budget).take(Instant::now())) else {
                return Err(error);
            };
            tokio::time::sleep(delay).await;
            // It may have been given up meanwhile; then what it said last is the answer.
            permit = self.permit().ok_or(error)?;
            self.counts.retried();
            attempt += 1;
        }
    }

    async fn attempt(
        &self,
        ask: Ask,
        attempt: u32,
        mut permit: Permit<'_>,
    ) -> Result<Answer, CallError> {
        let asked = Instant::now();
        let outcome = self
            .peer
            .attempt(ask, self.name.name(), Some(attempt))
            .await;
        let counted = match &outcome {
            Ok(_) => Outcome::Ok,
            Err(CallError::Timeout) => Outcome::Timeout,
            Err(_) => Outcome::Error,
        };
        self.counts.ended(counted, Some(asked.elapsed()));
        permit.ended = if outcome.is_ok() {
            Ended::Succeeded
        } else {
            Ended::Failed
        };
        outcome
    }

    fn permit(&self) -> Option<Permit<'_>> {
        let (leave, change) = lock(&self.breaker).ask(Instant::now());
        self.tell(change);
        leave.map(|leave| Permit {
            dependency: self,
            leave,
            ended: Ended::Abandoned,
        })
    }

    /// Shows what state the breaker entered.
    fn tell(&self, change: Option<Change>) {
        let Some(change) = change else {
            return;
        };
        self.counts.open(change != Change::Closed);
        let (dependency, state) = (self.name.name(), change.state());
        if change == Change::Opened {
            tracing::warn!(
                dependency,
                state,
                reason = "too_many_failures",
                "circuit breaker changed"
            );
        } else {
            tracing::info!(dependency, state, "circuit breaker changed");
        }
    }
}

/// Leave to make one attempt; a caller that goes away gives it back by dropping it.
struct Permit<'d> {
    dependency: &'d Dependency,
    leave: Leave,
    ended: Ended,
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        let now = Instant::now();
        let change = lock(&self.dependency.breaker).tell(self.leave, self.ended, now);
        self.dependency.tell(change);
    }
}

/// Tells whether a failure may be gone at the next attempt.
fn is_passing(error: CallError) -> bool {
    match error {
        CallError::Timeout | CallError::Unreachable | CallError::Failed(_) => true,
        CallError::Unreadable | CallError::Rejected => false,
    }
}

/// Locks for a few instructions; what a panic left behind is still whole.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
