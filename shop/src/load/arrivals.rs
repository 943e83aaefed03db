//! When customers come: a Poisson process or even distances, at a rate that may change at any time.
//!
//! Pure. Each gap is drawn in units of "expected arrivals" and used up at the rate of the moment,
//! so a change of rate acts on the gap under way, and the n-th gap is the same whatever the rate.

use crate::draw::Draw;

/// How arrivals are spaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Spacing {
    /// As independent customers come.
    Poisson,
    /// At even distances.
    Even,
}

/// The arrivals of one seed.
#[derive(Debug, Clone)]
pub struct Arrivals {
    seed: u64,
    spacing: Spacing,
    drawn: u64,
    /// What is left of the gap under way, in expected arrivals.
    left: f64,
}

impl Arrivals {
    /// Starts before the first arrival.
    pub fn new(seed: u64, spacing: Spacing) -> Self {
        let mut arrivals = Self {
            seed,
            spacing,
            drawn: 0,
            left: 0.0,
        };
        arrivals.draw();
        arrivals
    }

    /// Lets time pass from `from` to at most `to` (seconds) at `rate` arrivals a second; returns the
    /// moment of the next arrival when it lies within, and then time has passed only that far.
    pub fn until(&mut self, from: f64, to: f64, rate: f64) -> Option<f64> {
        let gap = self.gap(rate);
        if from + gap <= to {
            self.draw();
            Some(from + gap)
        } else {
            self.left -= (to - from).max(0.0) * rate;
            None
        }
    }

    /// Returns the seconds to the next arrival if the rate stays; infinite at rate 0.
    pub fn gap(&self, rate: f64) -> f64 {
        if rate > 0.0 {
            self.left.max(0.0) / rate
        } else {
            f64::INFINITY
        }
    }

    fn draw(&mut self) {
        // 1 - u lies in (0, 1], so the logarithm is finite.
        self.left = match self.spacing {
            Spacing::Poisson => -(1.0 - Draw::new(self.seed, self.drawn).unit()).ln(),
            Spacing::Even => 1.0,
        };
        self.drawn += 1;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Arrivals, Spacing};

    fn moments(arrivals: &mut Arrivals, steps: &[f64], rate: f64) -> Vec<f64> {
        let (mut at, mut found) = (0.0, Vec::new());
        for to in steps {
            while let Some(due) = arrivals.until(at, *to, rate) {
                found.push(due);
                at = due;
            }
            at = *to;
        }
        found
    }

    #[test]
    fn even_arrivals_keep_their_distance_and_rate_zero_stops_them() {
        let mut even = Arrivals::new(1, Spacing::Even);
        let found = moments(&mut even, &[1.0], 4.0);
        assert_eq!(found, [0.25, 0.5, 0.75, 1.0]);
        assert_eq!(even.until(1.0, 100.0, 0.0), None);
        assert_eq!(even.until(100.0, 101.0, 2.0), Some(100.5));
    }

    #[test]
    fn poisson_arrivals_come_at_their_rate() {
        let found = moments(&mut Arrivals::new(3, Spacing::Poisson), &[1_000.0], 60.0);
        assert!((59_000..61_000).contains(&found.len()), "{}", found.len());
    }

    proptest! {
        #[test]
        fn when_one_looks_does_not_change_when_they_come(seed: u64, cuts in prop::collection::vec(0.0..10.0_f64, 0..50)) {
            let mut steps = cuts;
            steps.push(10.0);
            steps.sort_by(f64::total_cmp);
            let seen = moments(&mut Arrivals::new(seed, Spacing::Poisson), &steps, 20.0);
            let at_once = moments(&mut Arrivals::new(seed, Spacing::Poisson), &[10.0], 20.0);
            // One at the very edge may fall either way by rounding.
            prop_assert!(seen.len().abs_diff(at_once.len()) <= 1);
            for (one, other) in seen.iter().zip(&at_once) {
                prop_assert!((one - other).abs() < 1e-6);
            }
        }
    }
}
