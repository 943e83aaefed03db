//! What becomes of a request to a partner: drawn by lot, and the same in every run.
//!
//! Pure. The shares are those of the countries the shop sells into; a provider's share is mostly
//! cards that are declined, which is an answer, and partly failures of its own, which a second
//! attempt usually heals.

use std::time::Duration;

use axum::http::StatusCode;

use crate::{draw::Draw, market::Country};

/// Part of a provider's share that is its own failure; the rest are declines.
const FAILING_PART: f64 = 0.25;
/// Share of answers that take ten times as long.
const SLOW_SHARE: f64 = 0.01;
const SLOW_FACTOR: f64 = 10.0;
/// How long one that hangs takes: longer than anybody waits.
const HANG: Duration = Duration::from_secs(3);

/// Why a card is declined: status, reason, and how often out of 20.
const DECLINES: [(StatusCode, &str, u64); 7] = [
    (StatusCode::PAYMENT_REQUIRED, "insufficient_funds", 8),
    (StatusCode::PAYMENT_REQUIRED, "card_expired", 4),
    (StatusCode::PAYMENT_REQUIRED, "limit_exceeded", 3),
    (StatusCode::PAYMENT_REQUIRED, "suspected_fraud", 2),
    (StatusCode::BAD_REQUEST, "card_invalid", 1),
    (StatusCode::NOT_FOUND, "account_unknown", 1),
    (StatusCode::TOO_MANY_REQUESTS, "too_many_attempts", 1),
];

/// What becomes of one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    /// Done and answered.
    Done,
    /// Refused, with the status and the reason.
    Declined(StatusCode, &'static str),
    /// Failed with a 5xx; nothing was done.
    Failed(StatusCode),
    /// Done, but answered after everybody stopped waiting.
    Hung,
}

/// How a partner behaves.
#[derive(Debug, Clone, Copy)]
pub(super) struct Habits {
    /// Share of requests that are declined.
    pub(super) declines: f64,
    /// Share of requests that fail or hang.
    pub(super) failures: f64,
    /// Shortest and longest usual time, in milliseconds.
    pub(super) usual_ms: (f64, f64),
}

impl Habits {
    /// Returns how the payment provider of a country behaves. A share from the command line takes
    /// the place of the country's own, and then nothing fails.
    pub(super) fn provider(country: Country, decline_share: Option<f64>) -> Self {
        let own = match country {
            Country::Us => 0.05,
            Country::De => 0.06,
            Country::Uk => 0.07,
            Country::Fr => 0.08,
            Country::Jp => 0.10,
            Country::In => 0.12,
            Country::Br => 0.15,
        };
        Self {
            declines: decline_share.unwrap_or(own * (1.0 - FAILING_PART)),
            failures: decline_share.map_or(own * FAILING_PART, |_| 0.0),
            usual_ms: (5.0, 25.0),
        }
    }

    /// Returns how the CRM behaves.
    pub(super) fn crm(decline_share: Option<f64>) -> Self {
        Self {
            declines: 0.0,
            failures: decline_share.map_or(0.08, |_| 0.0),
            usual_ms: (5.0, 20.0),
        }
    }

    /// Returns how a warehouse behaves.
    pub(super) fn warehouse(decline_share: Option<f64>) -> Self {
        Self {
            declines: 0.0,
            failures: decline_share.map_or(0.05, |_| 0.0),
            usual_ms: (2.0, 10.0),
        }
    }

    /// Draws what becomes of one request, and how long that takes.
    pub(super) fn draw(&self, mut draw: Draw) -> (Fate, Duration) {
        let lot = draw.unit();
        let fate = if lot < self.declines {
            declined(&mut draw)
        } else if lot < self.declines + self.failures {
            match draw.below(5) {
                0 | 1 => Fate::Failed(StatusCode::INTERNAL_SERVER_ERROR),
                2 | 3 => Fate::Failed(StatusCode::SERVICE_UNAVAILABLE),
                _ => Fate::Hung,
            }
        } else {
            Fate::Done
        };
        (fate, self.time(fate, &mut draw))
    }

    fn time(&self, fate: Fate, draw: &mut Draw) -> Duration {
        if fate == Fate::Hung {
            return HANG;
        }
        let (shortest, longest) = self.usual_ms;
        let usual = shortest + (longest - shortest) * draw.unit();
        let slow = if draw.unit() < SLOW_SHARE {
            SLOW_FACTOR
        } else {
            1.0
        };
        Duration::from_secs_f64(usual * slow / 1_000.0)
    }
}

fn declined(draw: &mut Draw) -> Fate {
    let of_all: u64 = DECLINES.iter().map(|(_, _, weight)| weight).sum();
    let mut lot = draw.below(of_all);
    for (status, reason, weight) in DECLINES {
        if lot < weight {
            return Fate::Declined(status, reason);
        }
        lot -= weight;
    }
    let (status, reason, _) = DECLINES[0];
    Fate::Declined(status, reason)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Fate, HANG, Habits};
    use crate::{draw::Draw, market::Country};

    fn shares(habits: Habits) -> (f64, f64) {
        const DRAWS: u64 = 20_000;
        let (mut declined, mut failed) = (0, 0);
        for n in 0..DRAWS {
            let (fate, time) = habits.draw(Draw::new(1, n));
            match fate {
                Fate::Done => {}
                Fate::Declined(status, reason) => {
                    assert!(status.is_client_error() && !reason.is_empty());
                    declined += 1;
                }
                Fate::Failed(status) => {
                    assert!(status.is_server_error());
                    failed += 1;
                }
                Fate::Hung => {
                    assert_eq!(time, HANG);
                    failed += 1;
                }
            }
            assert!(time >= Duration::from_millis(2) && time <= HANG);
        }
        let share = |count: i32| f64::from(count) / DRAWS as f64;
        (share(declined), share(failed))
    }

    #[test]
    fn each_country_has_its_share() {
        for (country, share) in [
            (Country::Us, 0.05),
            (Country::Br, 0.15),
            (Country::In, 0.12),
        ] {
            let (declined, failed) = shares(Habits::provider(country, None));
            assert!(
                (declined - share * 0.75).abs() < 0.01,
                "{country:?} {declined}"
            );
            assert!(
                (failed - share * 0.25).abs() < 0.006,
                "{country:?} {failed}"
            );
        }
    }

    #[test]
    fn a_given_share_replaces_declines_and_failures() {
        for country in Country::ALL {
            assert_eq!(shares(Habits::provider(country, Some(0.0))), (0.0, 0.0));
            assert_eq!(shares(Habits::provider(country, Some(1.0))), (1.0, 0.0));
        }
        assert_eq!(shares(Habits::crm(Some(1.0))), (0.0, 0.0));
        assert_eq!(shares(Habits::warehouse(Some(0.5))), (0.0, 0.0));
    }
}
