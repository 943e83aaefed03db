//! What is taken off a price. Pure: money is whole cents, the time comes as an argument.
//!
//! Every percentage is of the subtotal and is rounded down to a whole cent, which is at most one
//! cent a discount in the shop's favour. First comes what a large subtotal earns by itself, then the
//! coupon; together they never take off more than there is to pay.

use serde::Serialize;

/// From which subtotal, in cents, how many percent are taken off, and under which code.
const TIERS: [(i64, i64, &str); 3] = [
    (50_000, 10, "TIER10"),
    (20_000, 5, "TIER5"),
    (10_000, 3, "TIER3"),
];

/// What a coupon takes off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cut {
    /// Whole percent of the subtotal.
    Percent(i64),
    /// Cents.
    Flat(i64),
}

impl Cut {
    /// Returns the word for it in the database and in answers, and its number.
    pub(super) fn parts(self) -> (&'static str, i64) {
        match self {
            Self::Percent(percent) => ("percent", percent),
            Self::Flat(minor) => ("flat", minor),
        }
    }

    pub(super) fn from_parts(kind: &str, amount: i64) -> Option<Self> {
        match kind {
            "percent" => Some(Self::Percent(amount)),
            "flat" => Some(Self::Flat(amount)),
            _ => None,
        }
    }

    fn of(self, subtotal_minor: i64) -> i64 {
        match self {
            Self::Percent(percent) => subtotal_minor * percent / 100,
            Self::Flat(minor) => minor,
        }
    }
}

/// A coupon and how often it was used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Coupon {
    pub(super) code: String,
    pub(super) cut: Cut,
    /// Smallest subtotal it is for.
    pub(super) least_minor: i64,
    pub(super) from_ms: i64,
    pub(super) until_ms: i64,
    /// Most uses by all customers together.
    pub(super) most_uses: i64,
    pub(super) uses: i64,
    /// One use an account, and none without one.
    pub(super) once_an_account: bool,
}

/// Why a coupon takes nothing off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refusal {
    Unknown,
    NotYet,
    Expired,
    UsedUp,
    BelowMinimum,
    NoAccount,
    AlreadyUsed,
    /// Its order was cancelled.
    Cancelled,
}

impl Refusal {
    pub(super) const fn reason(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::NotYet => "not_yet",
            Self::Expired => "expired",
            Self::UsedUp => "used_up",
            Self::BelowMinimum => "below_minimum",
            Self::NoAccount => "account_required",
            Self::AlreadyUsed => "already_used",
            Self::Cancelled => "order_cancelled",
        }
    }
}

impl Coupon {
    /// Tells why the coupon does not apply, as far as the coupon itself knows.
    pub(super) fn refusal(&self, subtotal_minor: i64, now_ms: i64) -> Option<Refusal> {
        if now_ms < self.from_ms {
            Some(Refusal::NotYet)
        } else if now_ms >= self.until_ms {
            Some(Refusal::Expired)
        } else if self.uses >= self.most_uses {
            Some(Refusal::UsedUp)
        } else if subtotal_minor < self.least_minor {
            Some(Refusal::BelowMinimum)
        } else {
            None
        }
    }
}

/// A discount that was taken off.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Applied {
    pub(super) code: String,
    pub(super) discount_minor: i64,
}

/// Returns what is taken off a subtotal, with a coupon that applies or without one.
pub(super) fn applied(subtotal_minor: i64, coupon: Option<&Coupon>) -> Vec<Applied> {
    let tier = TIERS.iter().find(|(from, ..)| subtotal_minor >= *from);
    let tier = tier.map(|(_, percent, code)| (*code, Cut::Percent(*percent)));
    let coupon = coupon.map(|coupon| (coupon.code.as_str(), coupon.cut));
    let mut left = subtotal_minor;
    let mut applied = Vec::new();
    for (code, cut) in tier.into_iter().chain(coupon) {
        let discount_minor = cut.of(subtotal_minor).clamp(0, left);
        if discount_minor > 0 {
            left -= discount_minor;
            applied.push(Applied {
                code: code.to_owned(),
                discount_minor,
            });
        }
    }
    applied
}

#[cfg(test)]
mod tests {
    use proptest::{prelude::*, proptest};

    use super::{Coupon, Cut, Refusal, applied};
    use crate::roles::payments::MOST_MINOR;

    fn coupon(cut: Cut) -> Coupon {
        Coupon {
            code: "X".to_owned(),
            cut,
            least_minor: 1_000,
            from_ms: 10,
            until_ms: 20,
            most_uses: 5,
            uses: 0,
            once_an_account: false,
        }
    }

    fn off(subtotal_minor: i64, cut: Option<Cut>) -> Vec<i64> {
        let applied = applied(subtotal_minor, cut.map(coupon).as_ref());
        applied.iter().map(|one| one.discount_minor).collect()
    }

    #[test]
    fn large_subtotals_earn_a_discount_by_themselves() {
        for (subtotal, expected) in [
            (1, vec![]),
            (9_999, vec![]),
            (10_000, vec![300]),
            (10_033, vec![300]),
            (10_034, vec![301]),
            (20_000, vec![1_000]),
            (50_001, vec![5_000]),
        ] {
            assert_eq!(off(subtotal, None), expected, "{subtotal}");
        }
    }

    #[test]
    fn a_coupon_comes_on_top_and_never_below_zero() {
        assert_eq!(off(10_000, Some(Cut::Percent(20))), [300, 2_000]);
        assert_eq!(off(10_000, Some(Cut::Flat(5_000))), [300, 5_000]);
        assert_eq!(off(3_000, Some(Cut::Flat(5_000))), [3_000]);
        assert_eq!(off(10_000, Some(Cut::Percent(100))), [300, 9_700]);
        assert_eq!(off(4, Some(Cut::Percent(10))), [0_i64; 0]);
    }

    #[test]
    fn a_coupon_is_refused_for_one_reason() {
        let coupon = coupon(Cut::Flat(1));
        assert_eq!(coupon.refusal(1_000, 10), None);
        assert_eq!(coupon.refusal(1_000, 9), Some(Refusal::NotYet));
        assert_eq!(coupon.refusal(1_000, 20), Some(Refusal::Expired));
        assert_eq!(coupon.refusal(999, 10), Some(Refusal::BelowMinimum));
        let used_up = Coupon { uses: 5, ..coupon };
        assert_eq!(used_up.refusal(1_000, 10), Some(Refusal::UsedUp));
    }

    proptest! {
        #[test]
        fn discounts_are_never_negative_and_never_more_than_the_subtotal(
            subtotal in 1..=MOST_MINOR,
            percent in 0..=100_i64,
            flat in 0..=MOST_MINOR,
            is_flat in any::<bool>(),
        ) {
            let cut = if is_flat { Cut::Flat(flat) } else { Cut::Percent(percent) };
            let off = off(subtotal, Some(cut));
            prop_assert!(off.iter().all(|discount| *discount > 0));
            prop_assert!(off.iter().sum::<i64>() <= subtotal);
        }

        #[test]
        fn paying_more_never_costs_less_within_a_tier(subtotal in 1..49_999_i64) {
            let pays = |subtotal: i64| subtotal - off(subtotal, None).iter().sum::<i64>();
            let same_tier = ![10_000, 20_000].contains(&(subtotal + 1));
            prop_assert!(!same_tier || pays(subtotal) <= pays(subtotal + 1));
        }
    }
}
