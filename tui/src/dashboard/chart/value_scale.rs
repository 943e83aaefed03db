//! Values to rows.

use crate::dashboard::format::Unit;

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
        let (mut low, mut high) = (0.0_f64, 0.0_f64);
        for value in values.into_iter().filter(|value| value.is_finite()) {
            low = low.min(value);
            high = high.max(value);
        }
        // Beyond this the arithmetic below would overflow.
        let (low, high) = (low.max(-1e300), high.min(1e300));
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

    /// Returns the ticks with their labels, the lowest first.
    pub fn ticks(&self) -> Vec<(f64, String)> {
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
                let scale = ValueScale::new([value, 0.0], unit, 4);
                assert!(scale.dot(value, 16) < 16);
                assert!(scale.ticks().len() <= 65);
                assert!(scale.low() < scale.high(), "{value} {unit:?}");
            }
        }
    }
}
