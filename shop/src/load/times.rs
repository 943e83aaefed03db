//! How long journeys took and how they ended, kept as histograms.
//!
//! Two times of each journey: from when its customer was due (or would have been), and what the shop
//! took. Pauses of the customer belong to neither.

use std::time::Duration;

use hdrhistogram::Histogram as Hdr;

use super::{
    kind::Journey,
    summary::{Percentiles, Tally},
};

/// Longest time that is told apart: an hour.
const LONGEST_US: u64 = 3_600_000_000;

/// How a journey ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// The customer got what it came for.
    Completed,
    /// The shop said no: declined, sold out, not allowed, no such thing.
    Refused,
    /// The shop failed, or did not answer.
    Failed,
}

impl End {
    pub(super) const ALL: [Self; 3] = [Self::Completed, Self::Refused, Self::Failed];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Completed => "completed",
            Self::Refused => "refused",
            Self::Failed => "failed",
        }
    }
}

/// The two times of a journey.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Took {
    /// From when the customer was due.
    pub(super) since_due: Duration,
    /// From when it was sent.
    pub(super) service: Duration,
    /// How long the customer thought on the way.
    pub(super) thought: Duration,
}

/// How the times since a customer was due are found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Correction {
    /// Each customer was due at a moment of its own, and its time runs from there.
    Measured,
    /// Customers come back a pause after their last visit ended, so whoever was held up did not come
    /// and was not measured: the visits it missed are added.
    Missed {
        /// The mean pause between two visits.
        pause: Duration,
    },
}

/// Adds to a histogram the visits that were missed during its long ones, one for each time that a
/// customer takes from one visit to the next: the pause between them, what it thinks on the way, and
/// what the shop usually takes.
fn with_missed(journey: &JourneyTimes, pause: Duration) -> Hdr<u32> {
    let usual = journey.service.value_at_quantile(0.5);
    let ended = u32::try_from(journey.service.len()).unwrap_or(u32::MAX);
    let thinks = journey.thought.checked_div(ended).unwrap_or_default();
    let cycle = microseconds(pause.saturating_add(thinks)) + usual;
    journey.service.clone_correct(cycle.max(1))
}

fn microseconds(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).map_or(LONGEST_US, |us| us.min(LONGEST_US))
}

/// A histogram that grows with what it sees.
fn recorder() -> Hdr<u32> {
    Hdr::new(3).expect("three digits are within the limits")
}

/// The times and ends of one journey.
#[derive(Debug)]
pub(super) struct JourneyTimes {
    since_due: Hdr<u32>,
    service: Hdr<u32>,
    /// How long all customers thought on the way together.
    thought: Duration,
    pub(super) tally: Tally,
}

impl JourneyTimes {
    pub(super) fn new() -> Self {
        Self {
            since_due: recorder(),
            service: recorder(),
            thought: Duration::ZERO,
            tally: Tally::default(),
        }
    }

    pub(super) fn record(&mut self, end: End, took: Took) {
        self.tally.count(end);
        record(&mut self.since_due, took.since_due);
        record(&mut self.service, took.service);
        self.thought = self.thought.saturating_add(took.thought);
    }
}

/// A histogram that is allowed to grow fails only without memory.
fn record(times: &mut Hdr<u32>, time: Duration) {
    let _ = times.record(microseconds(time));
}

/// What several journeys came to together.
pub(super) fn together<'a>(
    journeys: impl Iterator<Item = &'a JourneyTimes>,
    correction: Correction,
) -> Tally {
    let (mut since_due, mut service) = (recorder(), recorder());
    let mut tally = Tally::default();
    for journey in journeys {
        tally.add(&journey.tally);
        let _ = service.add(&journey.service);
        let _ = match correction {
            Correction::Measured => since_due.add(&journey.since_due),
            Correction::Missed { pause } => since_due.add(with_missed(journey, pause)),
        };
    }
    tally.corrected = percentiles(&since_due);
    tally.service = percentiles(&service);
    tally
}

fn percentiles(times: &Hdr<u32>) -> Percentiles {
    let at = |quantile| Duration::from_micros(times.value_at_quantile(quantile));
    Percentiles {
        p50: at(0.5),
        p90: at(0.9),
        p95: at(0.95),
        p99: at(0.99),
        p999: at(0.999),
        max: at(1.0),
    }
}

/// What happened since somebody looked last.
#[derive(Debug)]
pub(super) struct Window {
    times: Hdr<u32>,
    sent: u64,
}

impl Window {
    fn new() -> Self {
        Self {
            times: recorder(),
            sent: 0,
        }
    }

    pub(super) fn sent(&mut self) {
        self.sent += 1;
    }

    /// Returns journeys sent, the median and the 95th percentile, and begins anew.
    pub(super) fn take(&mut self) -> (u64, Option<[Duration; 2]>) {
        let at = |quantile| Duration::from_micros(self.times.value_at_quantile(quantile));
        let quantiles = (!self.times.is_empty()).then(|| [at(0.5), at(0.95)]);
        let sent = self.sent;
        self.times.reset();
        self.sent = 0;
        (sent, quantiles)
    }
}

/// Everything that is kept of a run.
#[derive(Debug)]
pub(super) struct Times {
    journeys: [JourneyTimes; Journey::ALL.len()],
    pub(super) window: Window,
}

impl Times {
    pub(super) fn new() -> Self {
        Self {
            journeys: Journey::ALL.map(|_| JourneyTimes::new()),
            window: Window::new(),
        }
    }

    pub(super) fn of(&mut self, journey: Journey) -> &mut JourneyTimes {
        &mut self.journeys[journey as usize]
    }

    pub(super) fn record(&mut self, journey: Journey, end: End, took: Took) {
        self.of(journey).record(end, took);
        record(&mut self.window.times, took.since_due);
    }

    /// Returns what the journeys came to of which `which` is true.
    pub(super) fn tally(&self, correction: Correction, which: impl Fn(Journey) -> bool) -> Tally {
        let of = |journey: &Journey| which(*journey);
        let chosen = Journey::ALL.into_iter().filter(of);
        together(
            chosen.map(|journey| &self.journeys[journey as usize]),
            correction,
        )
    }

    /// Returns how many journeys were sent, and how many ended each way.
    pub(super) fn counts(&self) -> Tally {
        let mut counts = Tally::default();
        for journey in &self.journeys {
            counts.add(&journey.tally);
        }
        counts
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Correction, End, Journey, Times, Took};

    const MS: Duration = Duration::from_millis(1);

    fn even(time: Duration) -> Took {
        Took {
            since_due: time,
            service: time,
            thought: Duration::ZERO,
        }
    }

    #[test]
    fn a_customer_that_was_held_up_counts_for_the_visits_it_missed() {
        let mut times = Times::new();
        for _ in 0..99 {
            times.record(Journey::View, End::Completed, even(10 * MS));
        }
        times.record(Journey::View, End::Completed, even(10_000 * MS));
        let plain = times.tally(Correction::Measured, |_| true);
        assert!(plain.corrected.p90 < 11 * MS, "{plain:?}");
        // A visit every 110 ms: about ninety were missed in ten seconds.
        let pause = 100 * MS;
        let tally = times.tally(Correction::Missed { pause }, |_| true);
        assert!(tally.corrected.p90 > 7_000 * MS, "{tally:?}");
        assert!(tally.service.p90 < 11 * MS, "{tally:?}");
        assert_eq!(tally.completed, 100);
    }

    #[test]
    fn a_customer_that_thinks_on_the_way_misses_fewer_visits() {
        let mut times = Times::new();
        for time in [10 * MS; 99].into_iter().chain([10_000 * MS]) {
            let took = Took {
                thought: 9_890 * MS,
                ..even(time)
            };
            times.record(Journey::View, End::Completed, took);
        }
        // A visit every ten seconds: the one that was held up kept nobody from more than one.
        let pause = 100 * MS;
        let tally = times.tally(Correction::Missed { pause }, |_| true);
        assert!(tally.corrected.p95 < 11 * MS, "{tally:?}");
    }

    #[test]
    fn journeys_are_told_apart_and_added_up() {
        let mut times = Times::new();
        times.record(Journey::View, End::Completed, even(5 * MS));
        times.record(Journey::Buy, End::Refused, even(20 * MS));
        times.record(Journey::Buy, End::Failed, even(30 * MS));
        let of = |which: fn(Journey) -> bool| times.tally(Correction::Measured, which);
        let buy = of(|journey| journey == Journey::Buy);
        assert_eq!((buy.completed, buy.refused, buy.failed), (0, 1, 1));
        let all = of(|_| true);
        assert_eq!((all.completed, all.refused, all.failed), (1, 1, 1));
        assert!(
            all.corrected.max >= 30 * MS && all.corrected.p50 < 21 * MS,
            "{all:?}"
        );
        let none = of(|_| false);
        assert_eq!(none.corrected.max, Duration::ZERO);
    }
}
