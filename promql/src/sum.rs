//! Compensated sums and means.
//!
//! Adding floats loses the low bits of the smaller operand. Neumaier's variant of Kahan's
//! summation carries what was lost in a second float and adds it at the end; Prometheus does the
//! same, so results agree to the last bit as long as the order of the operands does.

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

/// A running mean: sum divided by count, until the sum would overflow; from there on each value
/// is weighted in, which is less exact but cannot overflow.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Mean {
    count: f64,
    sum: f64,
    lost: f64,
    incremental: bool,
}

impl Mean {
    pub(crate) fn add(&mut self, value: f64) {
        self.count += 1.0;
        if self.count == 1.0 {
            self.sum = value;
            return;
        }
        if !self.incremental {
            let (sum, lost) = add_compensated(value, self.sum, self.lost);
            if !sum.is_infinite() {
                (self.sum, self.lost) = (sum, lost);
                return;
            }
            self.incremental = true;
            self.sum /= self.count - 1.0;
            self.lost /= self.count - 1.0;
        }
        // Infinity minus infinity would make the mean NaN; an infinite mean stays as it is unless
        // an infinity of the other sign or a NaN arrives.
        if self.sum.is_infinite() {
            let same_infinity = value.is_infinite() && (value > 0.0) == (self.sum > 0.0);
            if same_infinity || value.is_finite() {
                return;
            }
        }
        let weight = (self.count - 1.0) / self.count;
        (self.sum, self.lost) =
            add_compensated(value / self.count, weight * self.sum, weight * self.lost);
    }

    pub(crate) fn mean(self) -> f64 {
        if self.incremental {
            self.sum + self.lost
        } else {
            self.sum / self.count + self.lost / self.count
        }
    }
}
