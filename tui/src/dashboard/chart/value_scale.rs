//! Values to rows.

use crate::dashboard::format::Unit;
use crate::dashboard::theme::Marker;

/// The mapping of values to the rows of a plot: round ends, round ticks.
#[derive(Debug, Clone, PartialEq)]
pub struct ValueScale {
    low: f64,
    high: f64,
    step: f64,
    unit: Unit,
}

impl ValueScale {
    /// Builds a scale that holds the finite ones of `values` and has about `ticks` ticks. It
    /// starts at zero unless there are negative values.
    pub fn new(values: impl IntoIterator<Item = f64>, unit: Unit, ticks: usize) -> Self {
        let (low, high) = extremes(values).unwrap_or((0.0, 0.0));
        Self::spanning(low.min(0.0), high.max(0.0), unit, ticks)
    }

    /// Builds a scale like [`ValueScale::new`], but without zero where zero would cost the values
    /// more than half of the rows.
    pub fn fitted(values: impl IntoIterator<Item = f64>, unit: Unit, ticks: usize) -> Self {
        let (low, high) = extremes(values).unwrap_or((0.0, 0.0));
        let farthest = low.abs().max(high.abs());
        let share = (high - low) / farthest;
        let same_sign = (low > 0.0) == (high > 0.0) && low != 0.0 && high != 0.0;
        // Less than the lower bound is noise of the arithmetic.
        if same_sign && (1e-9..0.5).contains(&share) {
            Self::spanning(low, high, unit, ticks)
        } else {
            Self::spanning(low.min(0.0), high.max(0.0), unit, ticks)
        }
    }

    fn spanning(low: f64, high: f64, unit: Unit, ticks: usize) -> Self {
        let span = match high - low {
            span if span > 1e-300 => span,
            _ => unit.smallest_span(),
        };
        let high = low + span;
        let step = nice_step(span / ticks.max(1) as f64, unit);
        Self {
            // Half steps: a plot of few rows has none to give away.
            low: (low / step * 2.0 + 1e-9).floor() * step / 2.0,
            high: (high / step * 2.0 - 1e-9).ceil() * step / 2.0,
            step,
            unit,
        }
    }

    /// Returns the greatest value of the scale.
    pub fn high(&self) -> f64 {
        self.high
    }

    /// Returns the least value of the scale.
    pub fn low(&self) -> f64 {
        self.low
    }

    /// Returns the dot row of a value, 0 at the top, within `0..dots`.
    pub fn dot(&self, value: f64, dots: usize) -> usize {
        let last = dots.saturating_sub(1);
        let share = ((value - self.low) / (self.high - self.low)).clamp(0.0, 1.0);
        // A NaN becomes 0 in the cast, and never gets here.
        last - ((share * last as f64).round() as usize).min(last)
    }

    /// Returns the row of a value on a plot that is `height` cells high, 0 at the top.
    pub fn row(&self, value: f64, height: u16, marker: Marker) -> usize {
        let down = marker.dots().1;
        self.dot(value, usize::from(height) * down) / down
    }

    /// Returns the ticks with their labels, the lowest first.
    pub fn ticks(&self) -> Vec<(f64, String)> {
        let mut ticks = self.round_ticks();
        // Far from zero, three digits do not tell neighbours apart.
        if ticks.windows(2).any(|pair| pair[0].1 == pair[1].1) {
            let farthest = self.high.abs().max(self.low.abs());
            for (value, label) in &mut ticks {
                *label = self.unit.precise(*value, self.step, farthest);
            }
        }
        ticks
    }

    fn round_ticks(&self) -> Vec<(f64, String)> {
        let first = (self.low / self.step - 1e-9).ceil();
        let count = (self.high / self.step - first + 1e-9).floor().min(64.0) as usize;
        (0..=count)
            .map(|index| {
                let value = (first + index as f64) * self.step;
                // Sums of steps miss zero by a hair.
                let value = if value.abs() < self.step * 1e-6 {
                    0.0
                } else {
                    value
                };
                (value, self.unit.tick(value, self.high.max(-self.low)))
            })
            .collect()
    }
}

/// Returns the least and the greatest of the finite values.
fn extremes(values: impl IntoIterator<Item = f64>) -> Option<(f64, f64)> {
    values
        .into_iter()
        .filter(|value| value.is_finite())
        // Beyond this the arithmetic of a scale would overflow.
        .map(|value| value.clamp(-1e300, 1e300))
        .fold(None, |found, value| match found {
            None => Some((value, value)),
            Some((low, high)) => Some((value.min(low), value.max(high))),
        })
}

fn nice_step(wanted: f64, unit: Unit) -> f64 {
    let base: f64 = if unit == Unit::Bytes { 1024.0 } else { 10.0 };
    let mut power = base.powf((wanted.ln() / base.ln()).floor());
    if !power.is_normal() {
        power = wanted;
    }
    let factors: &[f64] = if unit == Unit::Bytes {
        &[1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0]
    } else {
        &[1.0, 2.0, 2.5, 5.0]
    };
    factors
        .iter()
        .map(|factor| factor * power)
        .find(|step| *step >= wanted * (1.0 - 1e-9))
        .unwrap_or(power * base)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(values: &[f64], unit: Unit, ticks: usize) -> Vec<String> {
        let scale = ValueScale::new(values.iter().copied(), unit, ticks);
        scale.ticks().into_iter().map(|(_, label)| label).collect()
    }

    #[test]
    fn ticks_are_round() {
        let table: &[(&[f64], Unit, &[&str])] = &[
            (&[0.0, 412.0], Unit::PerSecond, &["0", "250", "500"]),
            (&[0.0], Unit::PerSecond, &["0", "0.5", "1"]),
            (&[0.083], Unit::Ratio, &["0", "5%", "10%"]),
            (&[0.0], Unit::Ratio, &["0", "0.5%", "1%"]),
            (&[0.92], Unit::Seconds, &["0", "500ms", "1000ms"]),
            (&[1.4], Unit::Seconds, &["0", "0.5s", "1s", "1.5s"]),
            (&[1e-10], Unit::Plain, &["0", "5.0e-11", "1.0e-10"]),
            (&[1e15], Unit::Plain, &["0", "500T", "1.0e15"]),
            (&[-4.0, 4.0], Unit::Plain, &["-5", "0", "5"]),
            (&[-4.0, -4.0], Unit::Plain, &["-4", "-2", "0"]),
            (&[f64::NAN, f64::INFINITY], Unit::Plain, &["0", "0.5", "1"]),
            (&[2_000_000.0], Unit::Bytes, &["0", "1MiB", "2MiB"]),
        ];
        for (values, unit, expect) in table {
            let ticks = if *unit == Unit::Seconds && values[0] > 1.0 {
                3
            } else {
                2
            };
            assert_eq!(labels(values, *unit, ticks), *expect, "{values:?} {unit:?}");
        }
    }

    #[test]
    fn a_scale_far_from_zero_does_without_it() {
        let table: &[(&[f64], Unit, &[&str])] = &[
            (
                &[1e9, 1e9 + 100.0],
                Unit::Plain,
                &["1000000000", "1000000050", "1000000100"],
            ),
            (&[-8.0, -7.0], Unit::Plain, &["-8", "-7.5", "-7"]),
            (
                &[0.9991, 0.9999],
                Unit::Ratio,
                &["99.90%", "99.95%", "100.00%"],
            ),
            (
                &[1_048_576.0 * 100.0, 1_048_576.0 * 100.5],
                Unit::Bytes,
                &["100.00MiB", "100.25MiB", "100.50MiB"],
            ),
            (&[1.0, 4.0], Unit::Plain, &["0", "2", "4"]),
            (&[7.0, 7.0], Unit::Plain, &["0", "5"]),
            (&[f64::NAN], Unit::Plain, &["0", "0.5", "1"]),
        ];
        for (values, unit, expect) in table {
            let scale = ValueScale::fitted(values.iter().copied(), *unit, 2);
            let labels: Vec<_> = scale.ticks().into_iter().map(|(_, label)| label).collect();
            assert_eq!(labels, *expect, "{values:?}");
        }
    }

    #[test]
    fn no_value_breaks_it() {
        for value in [
            f64::MIN,
            f64::MAX,
            f64::MIN_POSITIVE,
            5e-324,
            -5e-324,
            f64::NEG_INFINITY,
        ] {
            for unit in [
                Unit::Plain,
                Unit::Seconds,
                Unit::Ratio,
                Unit::Bytes,
                Unit::PerSecond,
            ] {
                for other in [0.0, value * 0.9, value * (1.0 - f64::EPSILON)] {
                    let scale = ValueScale::fitted([value, other], unit, 4);
                    assert!(scale.dot(value, 16) < 16);
                    assert!(scale.ticks().len() <= 65);
                    assert!(scale.low() < scale.high(), "{value} {other} {unit:?}");
                }
            }
        }
    }
}
