//! The world the shop sells into: countries, ways to pay, the currency, and whom it depends on.
//!
//! Closed sets, since each is a label value.

use crate::{config::Role, draw::Draw};

/// The one currency of the price list, in which amounts are whole cents.
pub(crate) const CURRENCY: &str = "USD";

/// Where the goods are, in the order they are taken from.
pub(crate) const WAREHOUSES: [&str; 3] = ["WH-001", "WH-002", "WH-003"];
/// The countries, for messages.
pub(crate) const COUNTRIES: &str = "US, UK, DE, FR, JP, BR, IN";
/// The ways to pay, for messages.
pub(crate) const METHODS: &str = "card, wallet, transfer";

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

/// What the shop calls that may fail on its own, by the value of the `dependency` label.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DependencyName {
    /// The payment provider of a country.
    Provider(Country),
    Crm,
    Warehouse,
    Promotions,
}

impl DependencyName {
    /// Returns what a role depends on.
    pub(crate) fn of(role: Role) -> Vec<Self> {
        match role {
            Role::Orders => vec![Self::Crm, Self::Warehouse, Self::Promotions],
            Role::Payments => Country::ALL.map(Self::Provider).to_vec(),
            Role::Storefront | Role::Catalog | Role::Users | Role::Promotions | Role::Partners => {
                Vec::new()
            }
        }
    }

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Provider(Country::Us) => "payments-us",
            Self::Provider(Country::Uk) => "payments-uk",
            Self::Provider(Country::De) => "payments-de",
            Self::Provider(Country::Fr) => "payments-fr",
            Self::Provider(Country::Jp) => "payments-jp",
            Self::Provider(Country::Br) => "payments-br",
            Self::Provider(Country::In) => "payments-in",
            Self::Crm => "crm",
            Self::Warehouse => "warehouse",
            Self::Promotions => "promotions",
        }
    }

    /// Returns the role that answers under this name.
    pub(crate) const fn callee(self) -> Role {
        match self {
            Self::Promotions => Role::Promotions,
            Self::Provider(_) | Self::Crm | Self::Warehouse => Role::Partners,
        }
    }
}
