//! Sums of long windows from running totals.
//!
//! The sum of a window is the total at its end less the total at its start. In one float that
//! would lose what the window is small against; totals here are pairs of floats, about 106 bits,
//! so the difference is as good as the compensated sum over the window: equal where sums are
//! exact, as with whole numbers, else within a few units of the last place. Where that cannot be
//! promised (values that are not finite or huge, sums that all but cancel) the window is added up
//! by itself.

use super::sweep::{each, is_long};
use crate::engine::eval::present;
use crate::engine::grid::absent;
use crate::engine::window::{Span, Track, Window};

/// Values above this might overflow a total.
const HUGE: f64 = 1e280;
/// A sum smaller than this share of the largest total has lost too many of its bits: 2^-56.
const SMALLEST_SHARE: f64 = 1.0 / (1_u64 << 56) as f64;

/// A float and what it lacks to the exact number.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
struct Double {
    head: f64,
    tail: f64,
}

/// Returns a sum and exactly what rounding lost of it.
fn two_sum(a: f64, b: f64) -> (f64, f64) {
    let sum = a + b;
    let added = sum - a;
    (sum, (a - (sum - added)) + (b - added))
}

impl Double {
    fn plus(self, value: f64) -> Self {
        let (sum, lost) = two_sum(self.head, value);
        let lost = lost + self.tail;
        let head = sum + lost;
        Self {
            head,
            tail: lost - (head - sum),
        }
    }

    fn minus(self, other: Self) -> f64 {
        let (difference, lost) = two_sum(self.head, -other.head);
        difference + (lost + (self.tail - other.tail))
    }
}

/// Writes `of` the sum and the number of samples of each window, or `slow` of the window.
pub(super) fn sums(
    track: &Track<'_>,
    row: &mut [f64],
    of: impl Fn(f64, f64) -> f64,
    slow: impl Fn(&Window<'_>) -> Option<f64>,
) {
    let totals = is_long(track).then(|| Totals::of(track.values)).flatten();
    let Some(totals) = totals else {
        each(track, row, slow);
        return;
    };
    for (step, value) in row.iter_mut().enumerate() {
        let Span { from, to } = track.spans[step];
        if from >= to {
            continue;
        }
        let result = match totals.between(from, to) {
            Some(sum) => Some(of(sum, (to - from) as f64)),
            None => track.window(step).and_then(|window| slow(&window)),
        };
        *value = result.map_or_else(absent, present);
    }
}

struct Totals {
    /// The sum of the samples before each index.
    before: Vec<Double>,
    largest: f64,
    /// Whether no addition was rounded at all.
    exact: bool,
}

impl Totals {
    fn of(values: &[f64]) -> Option<Self> {
        let mut before = Vec::with_capacity(values.len() + 1);
        let mut total = Double::default();
        let (mut largest, mut exact) = (0.0_f64, true);
        before.push(total);
        for value in values {
            if value.is_nan() || value.abs() > HUGE {
                return None;
            }
            total = total.plus(*value);
            largest = largest.max(total.head.abs());
            exact &= total.tail == 0.0;
            before.push(total);
        }
        Some(Self {
            before,
            largest,
            exact,
        })
    }

    fn between(&self, from: usize, to: usize) -> Option<f64> {
        let (start, end) = (self.before[from], self.before[to]);
        let sum = end.minus(start);
        let is_good = self.exact || start == end || sum.abs() > self.largest * SMALLEST_SHARE;
        is_good.then_some(sum)
    }
}

#[cfg(test)]
mod tests {
    use super::Totals;
    use crate::sum::Sum;

    fn check(values: &[f64]) {
        let totals =
            Totals::of(values).map(|totals| move |from: usize, to: usize| totals.between(from, to));
        for from in 0..values.len() {
            for to in from + 1..=values.len() {
                let mut sum = Sum::default();
                values[from..to].iter().for_each(|value| sum.add(*value));
                let expected = sum.total();
                if let Some(found) = totals.as_ref().and_then(|between| between(from, to)) {
                    let error = (found - expected).abs();
                    assert!(
                        error <= 1e-12 * expected.abs(),
                        "{from}..{to}: {found} is not {expected}"
                    );
                }
            }
        }
    }

    #[test]
    fn windows_agree_with_the_compensated_sum() {
        let noise = |step: u32| f64::from(step.wrapping_mul(2_654_435_761) >> 8).sin();
        check(&(0..60).map(noise).collect::<Vec<_>>());
        check(&(0..60).map(|n| noise(n) * 1e15).collect::<Vec<_>>());
        check(
            &(0..60)
                .map(|n| noise(n).exp() * 10_f64.powi(n as i32))
                .collect::<Vec<_>>(),
        );
        check(
            &(0..60)
                .map(|n| if n == 7 { 1e200 } else { noise(n) })
                .collect::<Vec<_>>(),
        );
        check(&(0..60).map(|n| f64::from(n % 2) - 0.5).collect::<Vec<_>>());
    }

    #[test]
    fn what_cannot_be_promised_is_left_to_the_slow_sum() {
        assert!(Totals::of(&[1.0, f64::NAN]).is_none());
        assert!(Totals::of(&[1.0, f64::INFINITY]).is_none());
        assert!(Totals::of(&[1e300]).is_none());
        let swamped = Totals::of(&[0.1, 1e200, 0.1, 0.3]);
        assert_eq!(swamped.and_then(|totals| totals.between(2, 4)), None);
    }
}
