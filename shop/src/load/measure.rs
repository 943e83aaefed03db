//! What the generator counts.
//!
//! A journey's time runs from when its customer was due, so a generator or shop that falls behind
//! shows in the figures instead of hiding (no coordinated omission).

use std::{
    fmt::{self, Write as _},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use fault::Registry as Faults;
use prometheus_client::{
    encoding::{EncodeLabelSet, EncodeLabelValue, LabelValueEncoder},
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
    registry::Registry,
};

use super::{
    kind::{Journey, Kind},
    summary::{Requests, Summary},
    times::{Correction, End, Times, Took},
};
use crate::telemetry::{
    catalogue, faults::FaultCollector, http_metrics::REQUEST_SECONDS, metrics::Buckets,
    process::ProcessCollector,
};

#[derive(Debug, Clone, Hash, PartialEq, Eq, EncodeLabelSet)]
struct ArrivalLabels {
    journey: &'static str,
    outcome: &'static str,
}

#[derive(Debug, Clone, Hash, PartialEq, Eq, EncodeLabelSet)]
struct RequestLabels {
    method: &'static str,
    path: &'static str,
    status: Status,
}

#[derive(Debug, Clone, Hash, PartialEq, Eq, EncodeLabelSet)]
struct PathLabel {
    path: &'static str,
}

#[derive(Debug, Clone, Hash, PartialEq, Eq, EncodeLabelSet)]
struct JourneyLabel {
    journey: &'static str,
}

/// What came back for a request.
#[derive(Debug, Clone, Copy, Hash, PartialEq, Eq)]
pub(super) enum Status {
    /// An answer.
    Code(u16),
    /// Nothing in time.
    Timeout,
    /// Nothing.
    Unreachable,
}

impl EncodeLabelValue for Status {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> fmt::Result {
        match self {
            Self::Code(code) => write!(encoder, "{code}"),
            Self::Timeout => encoder.write_str("timeout"),
            Self::Unreachable => encoder.write_str("unreachable"),
        }
    }
}

/// What became of one arrival.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Came {
    /// Sent on its way.
    Sent,
    /// There was no place.
    Shed,
    /// A fault dropped it.
    Dropped,
}

impl Came {
    const ALL: [Self; 3] = [Self::Sent, Self::Shed, Self::Dropped];

    const fn name(self) -> &'static str {
        match self {
            Self::Sent => "sent",
            Self::Shed => "shed",
            Self::Dropped => "dropped",
        }
    }
}

/// The handles of one journey, found once.
#[derive(Debug)]
struct Handles {
    came: [Counter; Came::ALL.len()],
    ended: [Counter; End::ALL.len()],
    seconds: Histogram,
}

/// Requests by what came back, for the summary.
#[derive(Debug, Default)]
struct Answers {
    ok: AtomicU64,
    client_errors: AtomicU64,
    server_errors: AtomicU64,
    unanswered: AtomicU64,
}

/// The instruments of the generator.
#[derive(Debug)]
pub(super) struct Measures {
    journeys: [Handles; Journey::ALL.len()],
    requests: Family<RequestLabels, Counter>,
    request_seconds: Family<PathLabel, Histogram, Buckets>,
    under_way: Gauge,
    rate: Gauge<f64, AtomicU64>,
    users: Gauge,
    answers: Answers,
    times: Mutex<Times>,
}

/// What a second of the run looks like.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Glance {
    /// Customers sent since the last glance.
    pub(super) sent: u64,
    /// Journeys under way.
    pub(super) under_way: i64,
    /// Customers of a closed loop.
    pub(super) users: i64,
    /// Since the start: completed, refused, failed, shed, dropped.
    pub(super) so_far: [u64; 5],
    /// Median and 95th percentile since the last glance, when a journey ended.
    pub(super) times: Option<[Duration; 2]>,
}

impl Measures {
    /// Makes the instruments and the registry that exposes them, with those of process and faults.
    pub(super) fn register(faults: &Faults) -> (Self, Arc<Registry>) {
        let mut registry = Registry::default();
        let add = &mut registry;
        let arrivals = Family::<ArrivalLabels, Counter>::default();
        let journeys = Family::<ArrivalLabels, Counter>::default();
        let seconds =
            Family::<JourneyLabel, Histogram, _>::new_with_constructor(Buckets(&REQUEST_SECONDS));
        let measures = Self {
            journeys: Journey::ALL
                .map(|journey| handles(journey.name(), &arrivals, &journeys, &seconds)),
            requests: Family::default(),
            request_seconds: Family::new_with_constructor(Buckets(&REQUEST_SECONDS)),
            under_way: Gauge::default(),
            rate: Gauge::default(),
            users: Gauge::default(),
            answers: Answers::default(),
            times: Mutex::new(Times::new()),
        };
        catalogue::LOAD_ARRIVALS.register(add, arrivals);
        catalogue::LOAD_JOURNEYS.register(add, journeys);
        catalogue::LOAD_JOURNEY_DURATION.register(add, seconds);
        catalogue::LOAD_REQUESTS.register(add, measures.requests.clone());
        catalogue::LOAD_REQUEST_DURATION.register(add, measures.request_seconds.clone());
        catalogue::LOAD_IN_FLIGHT.register(add, measures.under_way.clone());
        catalogue::LOAD_RATE.register(add, measures.rate.clone());
        catalogue::LOAD_USERS.register(add, measures.users.clone());
        add.register_collector(Box::new(ProcessCollector::new()));
        add.register_collector(Box::new(FaultCollector(faults.clone())));
        (measures, Arc::new(registry))
    }

    pub(super) fn rate(&self, rate: f64) {
        self.rate.set(rate);
    }

    pub(super) fn users(&self, users: usize) {
        self.users.set(users as i64);
    }

    pub(super) fn came(&self, journey: Journey, came: Came) {
        self.journeys[journey as usize].came[came as usize].inc();
        let mut times = self.times();
        let tally = &mut times.of(journey).tally;
        match came {
            Came::Sent => tally.sent += 1,
            Came::Shed => tally.shed += 1,
            Came::Dropped => tally.dropped += 1,
        }
        if came == Came::Sent {
            times.window.sent();
        }
    }

    /// Counts a journey as under way until the guard is dropped.
    pub(super) fn under_way(&self) -> UnderWay {
        self.under_way.inc();
        UnderWay(self.under_way.clone())
    }

    pub(super) fn ended(&self, journey: Journey, end: End, took: Took) {
        let handles = &self.journeys[journey as usize];
        handles.ended[end as usize].inc();
        handles.seconds.observe(took.since_due.as_secs_f64());
        self.times().record(journey, end, took);
    }

    pub(super) fn request(
        &self,
        method: &'static str,
        path: &'static str,
        status: Status,
        elapsed: Duration,
    ) {
        let labels = RequestLabels {
            method,
            path,
            status,
        };
        self.requests.get_or_create(&labels).inc();
        self.request_seconds
            .get_or_create(&PathLabel { path })
            .observe(elapsed.as_secs_f64());
        let answers = &self.answers;
        let count = match status {
            Status::Code(..400) => &answers.ok,
            Status::Code(400..500) => &answers.client_errors,
            Status::Code(_) => &answers.server_errors,
            Status::Timeout | Status::Unreachable => &answers.unanswered,
        };
        count.fetch_add(1, Ordering::Relaxed);
    }

    /// Returns what happened since the last glance.
    pub(super) fn glance(&self) -> Glance {
        let mut times = self.times();
        let counts = times.counts();
        let (sent, quantiles) = times.window.take();
        Glance {
            sent,
            under_way: self.under_way.get(),
            users: self.users.get(),
            so_far: [
                counts.completed,
                counts.refused,
                counts.failed,
                counts.shed,
                counts.dropped,
            ],
            times: quantiles,
        }
    }

    pub(super) fn summary(
        &self,
        lasted: Duration,
        closed: bool,
        correction: Correction,
    ) -> Summary {
        let times = self.times();
        let came = |tally: &super::Tally| tally.sent + tally.shed + tally.dropped > 0;
        let kinds = Kind::ALL.map(|kind| (kind, times.tally(correction, |one| one.kind() == kind)));
        let journeys = Journey::ALL.map(|one| (one, times.tally(correction, |other| other == one)));
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        Summary {
            lasted,
            closed,
            total: times.tally(correction, |_| true),
            kinds: kinds.into_iter().filter(|(_, tally)| came(tally)).collect(),
            journeys: journeys
                .into_iter()
                .filter(|(_, tally)| came(tally))
                .collect(),
            requests: Requests {
                ok: read(&self.answers.ok),
                client_errors: read(&self.answers.client_errors),
                server_errors: read(&self.answers.server_errors),
                unanswered: read(&self.answers.unanswered),
            },
        }
    }

    fn times(&self) -> std::sync::MutexGuard<'_, Times> {
        self.times.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Finds the handles of a journey, so that its series are there before it is made.
fn handles(
    journey: &'static str,
    arrivals: &Family<ArrivalLabels, Counter>,
    journeys: &Family<ArrivalLabels, Counter>,
    seconds: &Family<JourneyLabel, Histogram, Buckets>,
) -> Handles {
    let counter = |family: &Family<ArrivalLabels, Counter>, outcome| {
        family.get_or_create_owned(&ArrivalLabels { journey, outcome })
    };
    Handles {
        came: Came::ALL.map(|came| counter(arrivals, came.name())),
        ended: End::ALL.map(|end| counter(journeys, end.name())),
        seconds: seconds.get_or_create_owned(&JourneyLabel { journey }),
    }
}

/// A journey under way.
#[derive(Debug)]
pub(super) struct UnderWay(Gauge);

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.dec();
    }
}
