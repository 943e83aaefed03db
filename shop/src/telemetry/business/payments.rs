//! Payment attempts, counted by the role that asks for them.

use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family},
    registry::Registry,
};

use crate::{
    market::{Country, Method},
    telemetry::catalogue,
};

#[derive(Debug, Clone, Hash, PartialEq, Eq, EncodeLabelSet)]
struct PaymentLabels {
    country: &'static str,
    method: &'static str,
    status: &'static str,
}

#[derive(Debug, Clone, Default)]
pub(super) struct Payments(Family<PaymentLabels, Counter>);

impl Payments {
    pub(super) fn register(&self, registry: &mut Registry) {
        catalogue::PAYMENTS_PROCESSED.register(registry, self.0.clone());
        for country in Country::ALL {
            for method in Method::ALL {
                self.counter(country, method, true);
                self.counter(country, method, false);
            }
        }
    }

    pub(super) fn attempt(&self, country: Country, method: Method, succeeded: bool) {
        self.counter(country, method, succeeded).inc();
    }

    fn counter(&self, country: Country, method: Method, succeeded: bool) -> Counter {
        let status = if succeeded { "succeeded" } else { "failed" };
        let labels = PaymentLabels {
            country: country.code(),
            method: method.name(),
            status,
        };
        self.0.get_or_create_owned(&labels)
    }
}
