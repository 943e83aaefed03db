//! Orders by how they ended, and the money they brought.

use std::sync::atomic::AtomicU64;

use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family},
    registry::Registry,
};

use crate::{
    market::{CURRENCY, Country},
    telemetry::catalogue,
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

    const fn name(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Rejected => "rejected",
            Self::Failed => "failed",
        }
    }
}

type Money = Counter<f64, AtomicU64>;

#[derive(Debug, Clone, Default)]
pub(super) struct Orders {
    orders: Family<OrderLabels, Counter>,
    revenue: Family<RevenueLabels, Money>,
}

impl Orders {
    pub(super) fn register(&self, registry: &mut Registry) {
        catalogue::ORDERS_CREATED.register(registry, self.orders.clone());
        catalogue::REVENUE.register(registry, self.revenue.clone());
        for country in Country::ALL {
            for outcome in OrderOutcome::ALL {
                self.counter(outcome, country);
            }
            self.money(country);
        }
    }

    pub(super) fn ended(&self, outcome: OrderOutcome, country: Country) {
        self.counter(outcome, country).inc();
    }

    pub(super) fn revenue(&self, country: Country, minor: i64) {
        self.money(country).inc_by(minor as f64 / 100.0);
    }

    fn counter(&self, outcome: OrderOutcome, country: Country) -> Counter {
        let labels = OrderLabels {
            status: outcome.name(),
            country: country.code(),
        };
        self.orders.get_or_create_owned(&labels)
    }

    fn money(&self, country: Country) -> Money {
        let labels = RevenueLabels {
            currency: CURRENCY,
            country: country.code(),
        };
        self.revenue.get_or_create_owned(&labels)
    }
}
