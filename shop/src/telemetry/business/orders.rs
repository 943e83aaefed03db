//! Orders by how they ended, and the money they brought.

use std::sync::atomic::AtomicU64;

use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, histogram::Histogram},
    registry::Registry,
};

use crate::{
    market::{CURRENCY, Country},
    telemetry::{catalogue, metrics::Buckets},
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
struct CountryLabel {
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

/// Bounds of what orders cost, in dollars.
const VALUE_USD: [f64; 6] = [10.0, 50.0, 100.0, 500.0, 1_000.0, 5_000.0];

#[derive(Debug, Clone)]
pub(super) struct Orders {
    ended: Family<OrderLabels, Counter>,
    revenue: Family<RevenueLabels, Money>,
    value: Family<CountryLabel, Histogram, Buckets>,
    delayed: Counter,
}

impl Default for Orders {
    fn default() -> Self {
        Self {
            ended: Family::default(),
            revenue: Family::default(),
            value: Family::new_with_constructor(Buckets(&VALUE_USD)),
            delayed: Counter::default(),
        }
    }
}

impl Orders {
    pub(super) fn register(&self, registry: &mut Registry) {
        catalogue::ORDERS_CREATED.register(registry, self.ended.clone());
        catalogue::REVENUE.register(registry, self.revenue.clone());
        catalogue::ORDER_VALUE.register(registry, self.value.clone());
        catalogue::ORDERS_DELAYED.register(registry, self.delayed.clone());
        for country in Country::ALL {
            for outcome in OrderOutcome::ALL {
                self.counter(outcome, country);
            }
            self.money(country);
            self.value(country);
        }
    }

    pub(super) fn ended(&self, outcome: OrderOutcome, country: Country) {
        self.counter(outcome, country).inc();
    }

    /// Counts the money of an order that is paid.
    pub(super) fn paid(&self, country: Country, minor: i64) {
        let amount = minor as f64 / 100.0;
        self.money(country).inc_by(amount);
        self.value(country).observe(amount);
    }

    pub(super) fn delayed(&self) {
        self.delayed.inc();
    }

    fn value(&self, country: Country) -> Histogram {
        let country = country.code();
        self.value.get_or_create_owned(&CountryLabel { country })
    }

    fn counter(&self, outcome: OrderOutcome, country: Country) -> Counter {
        let labels = OrderLabels {
            status: outcome.name(),
            country: country.code(),
        };
        self.ended.get_or_create_owned(&labels)
    }

    fn money(&self, country: Country) -> Money {
        let labels = RevenueLabels {
            currency: CURRENCY,
            country: country.code(),
        };
        self.revenue.get_or_create_owned(&labels)
    }
}
