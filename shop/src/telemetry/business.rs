//! Counting what the shop sells.
//!
//! Every label set is known beforehand and starts at zero, so that "none yet" is not "missing".

use std::sync::atomic::AtomicU64;

use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family},
    registry::Registry,
};

use super::{catalogue, stock::StockLevels};
use crate::{
    config::Role,
    market::{CURRENCY, Country, Method},
};

#[derive(Debug, Clone, Hash, PartialEq, Eq, EncodeLabelSet)]
struct OrderLabels {
    status: &'static str,
    country: &'static str,
}

#[derive(Debug, Clone, Hash, PartialEq, Eq, EncodeLabelSet)]
struct RevenueLabels {
    currency: &'static str,
    country: &'static str,
}

#[derive(Debug, Clone, Hash, PartialEq, Eq, EncodeLabelSet)]
struct PaymentLabels {
    country: &'static str,
    method: &'static str,
    status: &'static str,
}

/// How an order ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OrderOutcome {
    /// The stock was there.
    Created,
    /// Not enough stock, or no such product.
    Rejected,
    /// Something of ours failed.
    Failed,
}

impl OrderOutcome {
    const ALL: [Self; 3] = [Self::Created, Self::Rejected, Self::Failed];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Rejected => "rejected",
            Self::Failed => "failed",
        }
    }
}

type Money = Counter<f64, AtomicU64>;

/// The business instruments of a process; only those of the roles that run in it are exposed.
#[derive(Debug, Clone, Default)]
pub(crate) struct Business {
    orders: Family<OrderLabels, Counter>,
    revenue: Family<RevenueLabels, Money>,
    payments: Family<PaymentLabels, Counter>,
    viewed: Counter,
    stock: StockLevels,
    reservation_failures: Counter,
}

impl Business {
    /// Registers what `roles` count and puts it at zero.
    pub(crate) fn register(registry: &mut Registry, roles: &[Role]) -> Self {
        let business = Self::default();
        if roles.contains(&Role::Orders) {
            business.register_orders(registry);
        }
        if roles.contains(&Role::Catalog) {
            business.register_catalog(registry);
        }
        business
    }

    fn register_orders(&self, registry: &mut Registry) {
        catalogue::ORDERS_CREATED.register(registry, self.orders.clone());
        catalogue::REVENUE.register(registry, self.revenue.clone());
        catalogue::PAYMENTS_PROCESSED.register(registry, self.payments.clone());
        for country in Country::ALL {
            for outcome in OrderOutcome::ALL {
                self.order_counter(outcome, country);
            }
            for method in Method::ALL {
                self.payment_counter(country, method, true);
                self.payment_counter(country, method, false);
            }
            self.revenue_counter(country);
        }
    }

    fn register_catalog(&self, registry: &mut Registry) {
        catalogue::PRODUCTS_VIEWED.register(registry, self.viewed.clone());
        self.stock.register(registry);
        catalogue::RESERVATION_FAILURES.register(registry, self.reservation_failures.clone());
    }

    pub(crate) fn order(&self, outcome: OrderOutcome, country: Country) {
        self.order_counter(outcome, country).inc();
    }

    /// Counts one payment attempt, and its money when it succeeded.
    pub(crate) fn payment(&self, country: Country, method: Method, taken_minor: Option<i64>) {
        self.payment_counter(country, method, taken_minor.is_some())
            .inc();
        if let Some(minor) = taken_minor {
            self.revenue_counter(country).inc_by(minor as f64 / 100.0);
        }
    }

    pub(crate) fn viewed(&self) {
        self.viewed.inc();
    }

    pub(crate) fn reservation_failed(&self) {
        self.reservation_failures.inc();
    }

    pub(crate) fn stock(&self, product_id: i64, units: i64) {
        self.stock.set(product_id, units);
    }

    pub(crate) fn stock_gone(&self, product_id: i64) {
        self.stock.remove(product_id);
    }

    fn order_counter(&self, outcome: OrderOutcome, country: Country) -> Counter {
        let labels = OrderLabels {
            status: outcome.name(),
            country: country.code(),
        };
        self.orders.get_or_create_owned(&labels)
    }

    fn payment_counter(&self, country: Country, method: Method, succeeded: bool) -> Counter {
        let status = if succeeded { "succeeded" } else { "failed" };
        let labels = PaymentLabels {
            country: country.code(),
            method: method.name(),
            status,
        };
        self.payments.get_or_create_owned(&labels)
    }

    fn revenue_counter(&self, country: Country) -> Money {
        let labels = RevenueLabels {
            currency: CURRENCY,
            country: country.code(),
        };
        self.revenue.get_or_create_owned(&labels)
    }
}
