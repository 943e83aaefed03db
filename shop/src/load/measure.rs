//! What the generator counts, and its summary at the end.
//!
//! A journey's time runs from when its customer was due, so a generator or shop that falls behind
//! shows in the figures instead of hiding (no coordinated omission).

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use fault::Registry as Faults;
use hdrhistogram::Histogram as Hdr;
use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
    registry::Registry,
};

use super::Journey;
use crate::telemetry::{
    catalogue, faults::FaultCollector, http_metrics::REQUEST_SECONDS, metrics::Buckets,
    process::ProcessCollector,
};

/// Longest time the summary tells apart: an hour.
const LONGEST_US: u64 = 3_600_000_000;

#[derive(Debug, Clone, Hash, PartialEq, Eq, EncodeLabelSet)]
struct ArrivalLabels {
    journey: &'static str,
    outcome: &'static str,
}

#[derive(Debug, Clone, Hash, PartialEq, Eq, EncodeLabelSet)]
struct RequestLabels {
    method: String,
    path: &'static str,
    status: String,
}

#[derive(Debug, Clone, Hash, PartialEq, Eq, EncodeLabelSet)]
struct PathLabel {
    path: &'static str,
}

#[derive(Debug, Clone, Hash, PartialEq, Eq, EncodeLabelSet)]
struct JourneyLabel {
    journey: &'static str,
}

/// How a journey ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// The customer got what it came for.
    Completed,
    /// The shop said no: declined, sold out.
    Refused,
    /// The shop failed, or did not answer.
    Failed,
}

impl End {
    const ALL: [Self; 3] = [Self::Completed, Self::Refused, Self::Failed];

    const fn name(self) -> &'static str {
        match self {
            Self::Completed => "completed",
            Self::Refused => "refused",
            Self::Failed => "failed",
        }
    }
}

const SENT: &str = "sent";
const SHED: &str = "shed";
const DROPPED: &str = "dropped";

/// The instruments of the generator.
#[derive(Debug)]
pub(super) struct Measures {
    arrivals: Family<ArrivalLabels, Counter>,
    journeys: Family<ArrivalLabels, Counter>,
    journey_seconds: Family<JourneyLabel, Histogram, Buckets>,
    requests: Family<RequestLabels, Counter>,
    request_seconds: Family<PathLabel, Histogram, Buckets>,
    under_way: Gauge,
    rate: Gauge<f64, std::sync::atomic::AtomicU64>,
    times: Mutex<Times>,
}

#[derive(Debug)]
struct Times {
    microseconds: Hdr<u64>,
    summary: Summary,
}

impl Measures {
    /// Makes the instruments and the registry that exposes them, with those of process and faults.
    pub(super) fn register(faults: &Faults) -> (Self, Arc<Registry>) {
        let mut registry = Registry::default();
        let measures = Self::new();
        let add = &mut registry;
        catalogue::LOAD_ARRIVALS.register(add, measures.arrivals.clone());
        catalogue::LOAD_JOURNEYS.register(add, measures.journeys.clone());
        catalogue::LOAD_JOURNEY_DURATION.register(add, measures.journey_seconds.clone());
        catalogue::LOAD_REQUESTS.register(add, measures.requests.clone());
        catalogue::LOAD_REQUEST_DURATION.register(add, measures.request_seconds.clone());
        catalogue::LOAD_IN_FLIGHT.register(add, measures.under_way.clone());
        catalogue::LOAD_RATE.register(add, measures.rate.clone());
        add.register_collector(Box::new(ProcessCollector::new()));
        add.register_collector(Box::new(FaultCollector(faults.clone())));
        (measures, Arc::new(registry))
    }

    fn new() -> Self {
        let measures = Self {
            arrivals: Family::default(),
            journeys: Family::default(),
            journey_seconds: Family::new_with_constructor(Buckets(&REQUEST_SECONDS)),
            requests: Family::default(),
            request_seconds: Family::new_with_constructor(Buckets(&REQUEST_SECONDS)),
            under_way: Gauge::default(),
            rate: Gauge::default(),
            times: Mutex::new(Times {
                microseconds: recorder(),
                summary: Summary::default(),
            }),
        };
        for journey in Journey::ALL.map(Journey::name) {
            for outcome in [SENT, SHED, DROPPED] {
                measures
                    .arrivals
                    .get_or_create_owned(&ArrivalLabels { journey, outcome });
            }
            for outcome in End::ALL.map(End::name) {
                measures
                    .journeys
                    .get_or_create_owned(&ArrivalLabels { journey, outcome });
            }
            measures
                .journey_seconds
                .get_or_create_owned(&JourneyLabel { journey });
        }
        measures
    }

    pub(super) fn rate(&self, rate: f64) {
        self.rate.set(rate);
    }

    pub(super) fn sent(&self, journey: Journey) {
        self.arrival(journey, SENT);
        self.note(|summary| summary.sent += 1);
    }

    pub(super) fn shed(&self, journey: Journey) {
        self.arrival(journey, SHED);
        self.note(|summary| summary.shed += 1);
    }

    pub(super) fn dropped(&self, journey: Journey) {
        self.arrival(journey, DROPPED);
        self.note(|summary| summary.dropped += 1);
    }

    /// Counts a journey as under way until the guard is dropped.
    pub(super) fn under_way(&self) -> UnderWay {
        self.under_way.inc();
        UnderWay(self.under_way.clone())
    }

    pub(super) fn journey(&self, journey: Journey, end: End, since_due: Duration) {
        let labels = ArrivalLabels {
            journey: journey.name(),
            outcome: end.name(),
        };
        self.journeys.get_or_create(&labels).inc();
        let label = JourneyLabel {
            journey: journey.name(),
        };
        self.journey_seconds
            .get_or_create(&label)
            .observe(since_due.as_secs_f64());
        let mut times = self.times();
        times
            .microseconds
            .saturating_record(since_due.as_micros().try_into().unwrap_or(u64::MAX));
        match end {
            End::Completed => times.summary.completed += 1,
            End::Refused => times.summary.refused += 1,
            End::Failed => times.summary.failed += 1,
        }
    }

    pub(super) fn request(
        &self,
        method: &str,
        path: &'static str,
        status: String,
        elapsed: Duration,
    ) {
        let labels = RequestLabels {
            method: method.to_owned(),
            path,
            status,
        };
        self.requests.get_or_create(&labels).inc();
        self.request_seconds
            .get_or_create(&PathLabel { path })
            .observe(elapsed.as_secs_f64());
    }

    pub(super) fn summary(&self, lasted: Duration) -> Summary {
        let times = self.times();
        let at = |quantile| Duration::from_micros(times.microseconds.value_at_quantile(quantile));
        Summary {
            lasted,
            p50: at(0.5),
            p90: at(0.9),
            p99: at(0.99),
            max: at(1.0),
            ..times.summary
        }
    }

    fn arrival(&self, journey: Journey, outcome: &'static str) {
        let labels = ArrivalLabels {
            journey: journey.name(),
            outcome,
        };
        self.arrivals.get_or_create(&labels).inc();
    }

    fn note(&self, change: impl FnOnce(&mut Summary)) {
        change(&mut self.times().summary);
    }

    fn times(&self) -> std::sync::MutexGuard<'_, Times> {
        self.times.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn recorder() -> Hdr<u64> {
    Hdr::new_with_max(LONGEST_US, 3).expect("one hour at three digits is within the limits")
}

/// A journey under way.
#[derive(Debug)]
pub(super) struct UnderWay(Gauge);

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.dec();
    }
}

/// What a run of the generator came to; times run from when each customer was due.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Summary {
    /// How long it ran, with what was under way at the end.
    pub lasted: Duration,
    /// Customers sent on their way.
    pub sent: u64,
    /// Customers for whom there was no place.
    pub shed: u64,
    /// Customers a fault dropped.
    pub dropped: u64,
    /// Journeys that got what they came for.
    pub completed: u64,
    /// Journeys the shop refused.
    pub refused: u64,
    /// Journeys that failed.
    pub failed: u64,
    /// Median time of a journey.
    pub p50: Duration,
    /// Nine of ten journeys took at most this.
    pub p90: Duration,
    /// 99 of 100 journeys took at most this.
    pub p99: Duration,
    /// The longest journey.
    pub max: Duration,
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            sent,
            shed,
            dropped,
            completed,
            refused,
            failed,
            ..
        } = self;
        let (lasted, [p50, p90, p99, max]) = (
            self.lasted.as_secs_f64(),
            [self.p50, self.p90, self.p99, self.max].map(|time| time.as_secs_f64() * 1e3),
        );
        write!(
            f,
            "{sent} journeys in {lasted:.1} s: {completed} completed, {refused} refused, \
             {failed} failed; {shed} shed, {dropped} dropped; p50 {p50:.1} ms, p90 {p90:.1} ms, \
             p99 {p99:.1} ms, max {max:.1} ms"
        )
    }
}
