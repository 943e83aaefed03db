//! Deciding what happens to a request. Nothing here delays or fails anything.
//!
//! A decision is a hash of (seed, fault id, n-th matching request or sticky key): no clock, no
//! random number generator, so that two runs with one seed decide the same under any interleaving.

mod draw;

use std::time::Duration;

pub use draw::Draw;

use crate::kinds::{Error, Fault};
use crate::model::{FaultBody, FaultId};

/// What is known about a request when its fate is decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Request<'r> {
    /// The service that is asked.
    pub service: &'r str,
    /// The route template; empty when no route matched.
    pub route: &'r str,
    /// The method, in capitals.
    pub method: &'r str,
    /// When given, requests with the same key share one fate (a user, for example).
    pub sticky: Option<&'r str>,
}

/// A fault that is armed, as far as decisions need it.
#[derive(Debug, Clone, PartialEq)]
pub struct Armed {
    /// Its name.
    pub id: FaultId,
    /// What goes wrong.
    pub body: FaultBody,
    /// When it was armed, on the clock of `now`.
    pub since: Duration,
    stream: u64,
}

impl Armed {
    /// Returns a fault armed at `since`.
    pub fn new(id: FaultId, body: FaultBody, seed: u64, since: Duration) -> Self {
        let stream = draw::stream(seed, id.as_str());
        Self {
            id,
            body,
            since,
            stream,
        }
    }

    /// Returns the draw for the n-th request, or for its sticky key.
    pub fn draw(&self, nth: u64, sticky: Option<&str>) -> Draw {
        match sticky {
            Some(key) => Draw::sticky(self.stream, key),
            None => Draw::nth(self.stream, nth),
        }
    }

    /// Says whether a draw falls into the share in force at `now`.
    pub fn hits(&self, draw: &Draw, now: Duration) -> bool {
        let level = self.body.level(now.saturating_sub(self.since));
        draw.unit(0) < level.part()
    }
}

/// What is to happen to a request. Positions are those of the faults given to [`decide`].
#[derive(Debug, Clone, PartialEq)]
pub enum Verdict<'f> {
    /// It is handled as if nothing were armed.
    Pass,
    /// It waits, then it is handled.
    Delay(Vec<Delay>),
    /// It waits, then it is answered with an error.
    Fail {
        /// The waits before; may be empty.
        after: Vec<Delay>,
        /// The position of the fault that fails it.
        by: usize,
        /// The answer.
        with: &'f Error,
    },
}

/// One wait. Several add up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Delay {
    /// The position of the fault that delays.
    pub by: usize,
    /// How long.
    pub time: Duration,
}

/// Decides what happens to a request.
///
/// `nth` is asked once for every fault whose scope covers the request, by position, and counts them:
/// 0 for the first, 1 for the second, and so on. Waits of several faults add up; of several
/// failures the first in order wins.
pub fn decide<'f>(
    faults: impl IntoIterator<Item = &'f Armed>,
    request: &Request<'_>,
    now: Duration,
    mut nth: impl FnMut(usize) -> u64,
) -> Verdict<'f> {
    let mut delays = Vec::new();
    let mut failure = None;
    for (by, armed) in faults.into_iter().enumerate() {
        let carried_out_here = matches!(armed.body.fault, Fault::Latency(_) | Fault::Error(_));
        if !carried_out_here || !armed.body.scope.matches(request) {
            continue;
        }
        let draw = armed.draw(nth(by), request.sticky);
        if !armed.hits(&draw, now) {
            continue;
        }
        match &armed.body.fault {
            Fault::Latency(latency) => delays.push(Delay {
                by,
                time: latency.sample(&draw),
            }),
            Fault::Error(error) if failure.is_none() => failure = Some((by, error)),
            // A second failure has nothing left to fail; the others act elsewhere.
            Fault::Error(_) | Fault::DbStall(_) | Fault::Surge(_) | Fault::Drop(_) => {}
        }
    }
    match failure {
        Some((by, with)) => Verdict::Fail {
            after: delays,
            by,
            with,
        },
        None if delays.is_empty() => Verdict::Pass,
        None => Verdict::Delay(delays),
    }
}
