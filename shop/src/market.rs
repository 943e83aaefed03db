//! The world the shop sells into: countries, ways to pay, the currency.
//!
//! Closed sets, since each is a label value.

use crate::draw::Draw;

/// The one currency of the price list, in which amounts are whole cents.
pub(crate) const CURRENCY: &str = "USD";

/// Where a customer lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Country {
    Us,
    Uk,
    De,
    Fr,
    Jp,
    Br,
    In,
}

impl Country {
    pub(crate) const ALL: [Self; 7] = [
        Self::Us,
        Self::Uk,
        Self::De,
        Self::Fr,
        Self::Jp,
        Self::Br,
        Self::In,
    ];

    pub(crate) const fn code(self) -> &'static str {
        match self {
            Self::Us => "US",
            Self::Uk => "UK",
            Self::De => "DE",
            Self::Fr => "FR",
            Self::Jp => "JP",
            Self::Br => "BR",
            Self::In => "IN",
        }
    }

    pub(crate) fn parse(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|country| country.code() == code)
    }

    /// Returns where a customer lives: the same country each time, for want of an address book.
    pub(crate) fn of_customer(customer_id: i64) -> Self {
        const SALT: u64 = 0x5E_11E2;
        let place = Draw::new(SALT, customer_id as u64).below(Self::ALL.len() as u64);
        Self::ALL[place as usize]
    }
}

/// A way to pay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Method {
    Card,
    Wallet,
    Transfer,
}

impl Method {
    pub(crate) const ALL: [Self; 3] = [Self::Card, Self::Wallet, Self::Transfer];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Card => "card",
            Self::Wallet => "wallet",
            Self::Transfer => "transfer",
        }
    }

    pub(crate) fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|method| method.name() == name)
    }
}
