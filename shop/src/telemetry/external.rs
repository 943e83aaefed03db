//! Counting calls to what the shop depends on, and showing which circuit breakers are open.
//!
//! Every attempt counts, so that a failure healed by a retry still shows; a call that the breaker
//! refused counts once as `rejected` and takes no time.

use std::time::Duration;

use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
    registry::Registry,
};

use super::{catalogue, http_metrics::REQUEST_SECONDS, metrics::Buckets};
use crate::{config::Role, market::DependencyName};

#[derive(Debug, Clone, Hash, PartialEq, Eq, EncodeLabelSet)]
struct DependencyLabel {
    dependency: &'static str,
}

#[derive(Debug, Clone, Hash, PartialEq, Eq, EncodeLabelSet)]
struct OutcomeLabels {
    dependency: &'static str,
    outcome: &'static str,
}

/// How an attempt ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Answered, be it with a no.
    Ok,
    /// A 5xx, no connection, or nothing that can be read.
    Error,
    /// No answer in time.
    Timeout,
    /// Not made: the breaker is open.
    Rejected,
}

impl Outcome {
    const ALL: [Self; 4] = [Self::Ok, Self::Error, Self::Timeout, Self::Rejected];

    const fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Error => "error",
            Self::Timeout => "timeout",
            Self::Rejected => "rejected",
        }
    }
}

/// The instruments of a process for outgoing calls; exposed when one of its roles makes them.
#[derive(Debug, Clone)]
pub(crate) struct External {
    requests: Family<OutcomeLabels, Counter>,
    durations: Family<DependencyLabel, Histogram, Buckets>,
    retries: Family<DependencyLabel, Counter>,
    open: Family<DependencyLabel, Gauge>,
}

impl External {
    /// Registers what `roles` call and puts it at zero.
    pub(crate) fn register(registry: &mut Registry, roles: &[Role]) -> Self {
        let external = Self {
            requests: Family::default(),
            durations: Family::new_with_constructor(Buckets(&REQUEST_SECONDS)),
            retries: Family::default(),
            open: Family::default(),
        };
        let called: Vec<_> = roles
            .iter()
            .flat_map(|role| DependencyName::of(*role))
            .collect();
        if !called.is_empty() {
            catalogue::EXTERNAL_REQUESTS.register(registry, external.requests.clone());
            catalogue::EXTERNAL_DURATION.register(registry, external.durations.clone());
            catalogue::EXTERNAL_RETRIES.register(registry, external.retries.clone());
            catalogue::BREAKER_OPEN.register(registry, external.open.clone());
        }
        for name in called {
            external.dependency(name);
        }
        external
    }

    /// Returns the handles of one dependency, all at zero at first.
    pub(crate) fn dependency(&self, name: DependencyName) -> Counts {
        let dependency = name.name();
        let label = DependencyLabel { dependency };
        Counts {
            requests: Outcome::ALL.map(|outcome| {
                let outcome = outcome.name();
                self.requests.get_or_create_owned(&OutcomeLabels {
                    dependency,
                    outcome,
                })
            }),
            duration: self.durations.get_or_create_owned(&label),
            retries: self.retries.get_or_create_owned(&label),
            open: self.open.get_or_create_owned(&label),
        }
    }
}

/// The handles of one dependency.
#[derive(Debug, Clone)]
pub(crate) struct Counts {
    requests: [Counter; Outcome::ALL.len()],
    duration: Histogram,
    retries: Counter,
    open: Gauge,
}

impl Counts {
    /// Counts an attempt, with its time if it was made.
    pub(crate) fn ended(&self, outcome: Outcome, elapsed: Option<Duration>) {
        self.requests[outcome as usize].inc();
        if let Some(elapsed) = elapsed {
            self.duration.observe(elapsed.as_secs_f64());
        }
    }

    /// Counts an attempt that is not the first of its call.
    pub(crate) fn retried(&self) {
        self.retries.inc();
    }

    /// Shows whether the breaker refuses calls.
    pub(crate) fn open(&self, open: bool) {
        self.open.set(i64::from(open));
    }
}
