//! A fault that is armed, with its counters and its ends.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::{RegistryError, nanos};
use crate::decide::Armed;
use crate::model::{ArmRequest, Ended, FaultId, FaultStatus, Share, same_route};

/// What requests read: replaced as a whole, never changed in place.
#[derive(Clone, Default)]
pub(crate) struct Table {
    pub(crate) faults: Vec<Arc<Live>>,
    pub(super) protected: Vec<String>,
}

impl Table {
    /// Returns when the next fault ends, in nanoseconds.
    pub(super) fn next_end(&self) -> u64 {
        let ends = self
            .faults
            .iter()
            .map(|live| live.end().min(live.lease_end()));
        ends.min().map_or(u64::MAX, nanos)
    }

    /// Says whether faults leave this route alone.
    pub(crate) fn spares(&self, route: &str) -> bool {
        self.protected.iter().any(|own| same_route(own, route))
    }
}

/// A fault that is armed.
pub(crate) struct Live {
    pub(crate) armed: Armed,
    pub(crate) owner: String,
    pub(super) reason: String,
    pub(super) duration: Duration,
    pub(super) lease: Duration,
    seed: u64,
    renewed: AtomicU64,
    evaluated: AtomicU64,
    injected: AtomicU64,
    over: AtomicBool,
    /// Cancelled when the fault is over, to wake the requests it delays.
    pub(crate) wake: CancellationToken,
}

impl Live {
    pub(super) fn new(id: FaultId, request: ArmRequest, now: Duration) -> Self {
        Self {
            armed: Armed::new(id, request.fault, request.seed, now),
            owner: request.owner,
            reason: request.reason,
            duration: request.duration,
            lease: request.lease,
            seed: request.seed,
            renewed: AtomicU64::new(nanos(now)),
            evaluated: AtomicU64::new(0),
            injected: AtomicU64::new(0),
            over: AtomicBool::new(false),
            wake: CancellationToken::new(),
        }
    }

    /// Counts one that fell under the scope, and returns how many there were before it.
    pub(crate) fn evaluate(&self) -> u64 {
        self.evaluated.fetch_add(1, Ordering::Relaxed)
    }

    /// Counts one that was hit.
    pub(crate) fn inject(&self) {
        self.injected.fetch_add(1, Ordering::Relaxed);
    }

    /// Says whether the fault has ended, so that it must not act any more.
    pub(crate) fn has_ended(&self) -> bool {
        self.over.load(Ordering::Acquire)
    }

    pub(super) fn mark_ended(&self) {
        self.over.store(true, Ordering::Release);
    }

    pub(super) fn renew(&self, now: Duration) {
        self.renewed.store(nanos(now), Ordering::Release);
    }

    pub(super) fn end(&self) -> Duration {
        self.armed.since + self.duration
    }

    pub(super) fn lease_end(&self) -> Duration {
        Duration::from_nanos(self.renewed.load(Ordering::Acquire)) + self.lease
    }

    pub(super) fn is_over(&self, now: Duration) -> Option<Ended> {
        let (end, lease_end) = (self.end(), self.lease_end());
        match () {
            () if now >= end && end <= lease_end => Some(Ended::Expired),
            () if now >= lease_end => Some(Ended::LeaseLost),
            () => None,
        }
    }

    pub(super) fn check_owner(&self, owner: Option<&str>) -> Result<(), RegistryError> {
        match owner {
            Some(owner) if owner != self.owner => Err(RegistryError::NotYours {
                owner: self.owner.clone(),
            }),
            _ => Ok(()),
        }
    }

    pub(super) fn status(&self, now: Duration) -> FaultStatus {
        let until = |end: Duration| millis(end.saturating_sub(now));
        let age = now.saturating_sub(self.armed.since);
        // Read in this order, a snapshot never shows more injected than evaluated.
        let injected = self.injected.load(Ordering::Acquire);
        FaultStatus {
            id: self.armed.id.clone(),
            fault: self.armed.body.clone(),
            owner: self.owner.clone(),
            reason: self.reason.clone(),
            seed: self.seed,
            evaluated: self.evaluated.load(Ordering::Acquire),
            injected,
            level: self.armed.body.level(age),
            age_ms: millis(age),
            remaining_ms: until(self.end()),
            lease_remaining_ms: until(self.lease_end()),
            ended: None,
            ended_ago_ms: None,
        }
    }
}

impl FaultStatus {
    pub(super) fn end(&mut self, why: Ended) {
        self.ended = Some(why);
        self.level = Share::NONE;
        self.remaining_ms = 0;
        self.lease_remaining_ms = 0;
        self.ended_ago_ms = Some(0);
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
