//! Carts: what is put into them, and what lies in them.

use prometheus_client::{
    metrics::{counter::Counter, gauge::Gauge},
    registry::Registry,
};

use crate::telemetry::catalogue;

#[derive(Debug, Clone, Default)]
pub(super) struct Carts {
    additions: Counter,
    active: Gauge,
    units: Gauge,
}

impl Carts {
    pub(super) fn register(&self, registry: &mut Registry) {
        catalogue::CART_ADDITIONS.register(registry, self.additions.clone());
        catalogue::ACTIVE_CARTS.register(registry, self.active.clone());
        catalogue::CART_ITEMS.register(registry, self.units.clone());
    }

    pub(super) fn added(&self) {
        self.additions.inc();
    }

    pub(super) fn show(&self, active: i64, units: i64) {
        self.active.set(active);
        self.units.set(units);
    }
}
