//! Compensated sums and means.
//!
//! Adding floats loses the low bits of the smaller operand. Neumaier's variant of Kahan's
//! summation carries what was lost in a second float and adds it at the end; Prometheus does the
//! same, so results agree to the last bit as long as the order of the operands does.

use crate::engine::Profile;

/// Adds `increment` to `sum`, collecting the error in `lost`.
pub(crate) fn add_compensated(increment: f64, sum: f64, lost: f64) -> (f64, f64) {
    let total = sum + increment;
    if total.is_infinite() {
        return (total, 0.0);
    }
    // What was lost is read off the larger operand, whose low bits survive.
    let error = if sum.abs() >= increment.abs() {
        (sum - total) + increment
    } else {
        (increment - total) + sum
    };
    (total, lost + error)
}

/// A running sum.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Sum {
    sum: f64,
    lost: f64,
}

impl Sum {
    pub(crate) fn of(first: f64) -> Self {
        Self {
            sum: first,
            lost: 0.0,
        }
    }

    pub(crate) fn add(&mut self, value: f64) {
        (self.sum, self.lost) = add_compensated(value, self.sum, self.lost);
    }

    pub(crate) fn total(self) -> f64 {
        if self.sum.is_infinite() {
            self.sum
        } else {
            self.sum + self.lost
        }
    }
}

/// A running mean.
///
/// Since 2.55 it is the sum divided by the count until the sum would overflow; from there on each
/// value is weighted in, which is less exact but cannot overflow. Before, every value was.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Mean {
    how: How,
    count: f64,
    sum: f64,
    lost: f64,
}

/// How a mean is brought up to date.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum How {
    /// `sum` is the sum.
    Sum,
    /// `sum` overflowed and is the mean now.
    Weighted,
    /// `sum` is the mean; each value moves it.
    Moved,
    /// As `Moved`, without compensation.
    MovedPlainly,
}

impl Mean {
    /// Returns the mean of one value of a group, as `avg` takes it.
    pub(crate) fn across_series(profile: Profile, first: f64) -> Self {
        let how = match profile {
            Profile::V2_42 | Profile::V2_53 => How::MovedPlainly,
            Profile::V3_5 => How::Sum,
        };
        Self::first(how, first)
    }

    /// Returns the mean of the first value of a window, as `avg_over_time` takes it.
    pub(crate) fn over_time(profile: Profile, first: f64) -> Self {
        let how = match profile {
            Profile::V2_42 | Profile::V2_53 => How::Moved,
            Profile::V3_5 => How::Sum,
        };
        Self::first(how, first)
    }

    fn first(how: How, value: f64) -> Self {
        let mut mean = Self {
            how,
            count: 1.0,
            sum: value,
            lost: 0.0,
        };
        if how == How::Moved {
            // The first value moves a mean of 0, which turns −0 into 0.
            (mean.sum, mean.lost) = add_compensated(value, 0.0, 0.0);
        }
        mean
    }

    pub(crate) fn add(&mut self, value: f64) {
        self.count += 1.0;
        match self.how {
            How::Sum => self.add_to_sum(value),
            How::Weighted => self.weigh_in(value),
            // An infinite mean stays: infinity minus infinity would make it NaN.
            How::Moved | How::MovedPlainly if self.is_beyond(value) => {}
            How::Moved => {
                let move_by = value / self.count - self.sum / self.count;
                (self.sum, self.lost) = add_compensated(move_by, self.sum, self.lost);
            }
            How::MovedPlainly => self.sum += value / self.count - self.sum / self.count,
        }
    }

    fn add_to_sum(&mut self, value: f64) {
        let (sum, lost) = add_compensated(value, self.sum, self.lost);
        if !sum.is_infinite() {
            (self.sum, self.lost) = (sum, lost);
            return;
        }
        self.how = How::Weighted;
        self.sum /= self.count - 1.0;
        self.lost /= self.count - 1.0;
        self.weigh_in(value);
    }

    fn weigh_in(&mut self, value: f64) {
        let weight = (self.count - 1.0) / self.count;
        (self.sum, self.lost) =
            add_compensated(value / self.count, weight * self.sum, weight * self.lost);
    }

    fn is_beyond(&self, value: f64) -> bool {
        self.sum.is_infinite()
            && (value.is_finite() || (value.is_infinite() && (value > 0.0) == (self.sum > 0.0)))
    }

    pub(crate) fn mean(self) -> f64 {
        match self.how {
            How::Sum => self.sum / self.count + self.lost / self.count,
            How::Weighted | How::Moved => self.sum + self.lost,
            How::MovedPlainly => self.sum,
        }
    }
}
