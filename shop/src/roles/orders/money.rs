//! What an order costs: whole cents, and no sum that runs over. Pure.

/// Price and number of units of one line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Priced {
    pub(super) unit_price_minor: i64,
    pub(super) quantity: i64,
}

impl Priced {
    /// Returns what the line costs; `None` when that is no amount.
    pub(super) fn amount(self) -> Option<i64> {
        let whole = self.unit_price_minor >= 0 && self.quantity > 0;
        whole
            .then(|| self.unit_price_minor.checked_mul(self.quantity))
            .flatten()
    }
}

/// What an order costs.
///
/// The subtotal is the sum of the lines, and the total is the subtotal without the discount.
#[expect(clippy::struct_field_names, reason = "amounts carry their unit")]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Totals {
    pub(super) subtotal_minor: i64,
    pub(super) discount_minor: i64,
    pub(super) total_minor: i64,
}

impl Totals {
    /// Adds the lines up, at the full price; `None` when the sum is no amount.
    pub(super) fn of(lines: impl IntoIterator<Item = Priced>) -> Option<Self> {
        let subtotal = lines
            .into_iter()
            .try_fold(0_i64, |sum, line| sum.checked_add(line.amount()?))?;
        Some(Self {
            subtotal_minor: subtotal,
            discount_minor: 0,
            total_minor: subtotal,
        })
    }

    /// Takes a discount off; `None` when it is below nothing or above the subtotal.
    pub(super) fn less(self, discount_minor: i64) -> Option<Self> {
        (0..=self.subtotal_minor)
            .contains(&discount_minor)
            .then(|| Self {
                discount_minor,
                total_minor: self.subtotal_minor - discount_minor,
                ..self
            })
    }
}

#[cfg(test)]
mod tests {
    use proptest::{prelude::*, proptest};

    use super::{Priced, Totals};

    fn lines(raw: &[(i64, i64)]) -> impl Iterator<Item = Priced> {
        raw.iter().map(|(unit_price_minor, quantity)| Priced {
            unit_price_minor: *unit_price_minor,
            quantity: *quantity,
        })
    }

    proptest! {
        #[test]
        fn lines_less_the_discount_are_the_total(
            raw in prop::collection::vec((0..10_000_000_i64, 1..101_i64), 0..50),
            share in 0..=100_i64,
        ) {
            let full = Totals::of(lines(&raw)).unwrap();
            let sum: i64 = raw.iter().map(|(price, units)| price * units).sum();
            prop_assert_eq!((full.subtotal_minor, full.total_minor), (sum, sum));
            let cut = full.less(sum * share / 100).unwrap();
            prop_assert_eq!(sum - cut.discount_minor, cut.total_minor);
            prop_assert!(cut.total_minor >= 0);
            prop_assert_eq!(full.less(sum + 1), None);
            prop_assert_eq!(full.less(-1), None);
        }

        #[test]
        fn no_sum_runs_over(raw in prop::collection::vec((any::<i64>(), any::<i64>()), 0..5)) {
            let exact = raw.iter().try_fold(0_i128, |sum, (price, units)| {
                let line = (*price >= 0 && *units > 0)
                    .then(|| i128::from(*price) * i128::from(*units))?;
                i128::checked_add(sum, line)
            });
            let fits = exact.and_then(|sum| i64::try_from(sum).ok());
            prop_assert_eq!(Totals::of(lines(&raw)).map(|totals| totals.subtotal_minor), fits);
        }
    }
}
