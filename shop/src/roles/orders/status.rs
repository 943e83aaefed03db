//! Where an order stands, and where it may go from there. Pure.

/// The state of an order; the names are those of the API and of the column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Status {
    /// Written down; whether the stock is there is not known yet.
    Pending,
    /// The stock is held; the money is not taken yet.
    Reserved,
    /// The money is taken.
    Paid,
    /// Handed to the carrier.
    Shipped,
    /// With the customer. Final.
    Delivered,
    /// Given up; its stock goes back. Final.
    Cancelled,
    /// The last payment was declined; it can be paid again.
    PaymentFailed,
}

impl Status {
    pub(super) const ALL: [Self; 7] = [
        Self::Pending,
        Self::Reserved,
        Self::Paid,
        Self::Shipped,
        Self::Delivered,
        Self::Cancelled,
        Self::PaymentFailed,
    ];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Reserved => "reserved",
            Self::Paid => "paid",
            Self::Shipped => "shipped",
            Self::Delivered => "delivered",
            Self::Cancelled => "cancelled",
            Self::PaymentFailed => "payment_failed",
        }
    }

    pub(super) fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.name() == name)
    }

    /// Returns where an order may go from here.
    pub(super) const fn next(self) -> &'static [Self] {
        match self {
            Self::Pending => &[Self::Reserved, Self::Cancelled],
            Self::Reserved => &[Self::Paid, Self::PaymentFailed, Self::Cancelled],
            Self::PaymentFailed => &[Self::Paid, Self::Cancelled],
            Self::Paid => &[Self::Shipped, Self::Cancelled],
            Self::Shipped => &[Self::Delivered],
            Self::Delivered | Self::Cancelled => &[],
        }
    }

    /// Tells whether an order may go from here to `to`.
    pub(super) fn may_become(self, to: Self) -> bool {
        self.next().contains(&to)
    }

    /// Tells whether a payment may be tried.
    pub(super) const fn is_payable(self) -> bool {
        matches!(self, Self::Reserved | Self::PaymentFailed)
    }

    /// Tells whether the money was taken and not given back.
    pub(super) const fn is_paid(self) -> bool {
        matches!(self, Self::Paid | Self::Shipped | Self::Delivered)
    }

    /// Tells whether nothing will happen to the order any more.
    pub(super) const fn is_final(self) -> bool {
        self.next().is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::Status::{
        self, Cancelled, Delivered, Paid, PaymentFailed, Pending, Reserved, Shipped,
    };

    /// Every pair that is allowed; all others are not.
    const ALLOWED: [(Status, Status); 10] = [
        (Pending, Reserved),
        (Pending, Cancelled),
        (Reserved, Paid),
        (Reserved, PaymentFailed),
        (Reserved, Cancelled),
        (PaymentFailed, Paid),
        (PaymentFailed, Cancelled),
        (Paid, Shipped),
        (Paid, Cancelled),
        (Shipped, Delivered),
    ];

    #[test]
    fn exactly_the_moves_of_the_table_are_allowed() {
        for from in Status::ALL {
            for to in Status::ALL {
                let allowed = ALLOWED.contains(&(from, to));
                assert_eq!(from.may_become(to), allowed, "{from:?} to {to:?}");
            }
        }
    }

    #[test]
    fn names_are_read_back_and_every_order_can_end() {
        for status in Status::ALL {
            assert_eq!(Status::parse(status.name()), Some(status));
            let mut reached = vec![status];
            for at in 0..Status::ALL.len() {
                let Some(from) = reached.get(at).copied() else {
                    break;
                };
                let new = from.next().iter().filter(|to| !reached.contains(to));
                reached.extend(new.copied().collect::<Vec<_>>());
            }
            assert!(reached.into_iter().any(Status::is_final), "{status:?}");
        }
        assert_eq!(Status::parse("paying"), None);
    }
}
