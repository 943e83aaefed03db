//! Counting what the shop sells.
//!
//! Every label set is known beforehand and starts at zero, so that "none yet" is not "missing". Only
//! the instruments of the roles that run in a process are exposed.

use prometheus_client::{metrics::counter::Counter, registry::Registry};

use self::{carts::Carts, funnel::Funnel, payments::Payments, queue::Queue, segments::Segments};
use super::{catalogue, stock::StockLevels};
use crate::{
    config::Role,
    market::{Country, Method},
};

mod carts;
mod funnel;
mod orders;
mod payments;
mod queue;
mod segments;

pub(crate) use self::{funnel::Stage, orders::OrderOutcome, segments::Segment};

/// The business instruments of a process.
#[derive(Debug, Clone, Default)]
pub(crate) struct Business {
    orders: orders::Orders,
    payments: Payments,
    carts: Carts,
    funnel: Funnel,
    segments: Segments,
    pub(crate) queue: Queue,
    viewed: Counter,
    stock: StockLevels,
    reservation_failures: Counter,
}

impl Business {
    /// Registers what `roles` count and puts it at zero.
    pub(crate) fn register(registry: &mut Registry, roles: &[Role]) -> Self {
        let business = Self::default();
        if roles.contains(&Role::Orders) {
            business.orders.register(registry);
            business.payments.register(registry);
            business.carts.register(registry);
            business.segments.register(registry);
            business.queue.register(registry);
        }
        if roles.contains(&Role::Catalog) {
            business.register_catalog(registry);
        }
        // Its stages are counted where each is reached.
        let of_funnel = [Role::Storefront, Role::Catalog, Role::Orders];
        if roles.iter().any(|role| of_funnel.contains(role)) {
            business.funnel.register(registry);
        }
        business
    }

    fn register_catalog(&self, registry: &mut Registry) {
        catalogue::PRODUCTS_VIEWED.register(registry, self.viewed.clone());
        self.stock.register(registry);
        catalogue::RESERVATION_FAILURES.register(registry, self.reservation_failures.clone());
    }

    pub(crate) fn order(&self, outcome: OrderOutcome, country: Country) {
        self.orders.ended(outcome, country);
    }

    /// Counts one payment attempt.
    pub(crate) fn payment(&self, country: Country, method: Method, succeeded: bool) {
        self.payments.attempt(country, method, succeeded);
    }

    /// Counts the money of an order that is paid.
    pub(crate) fn revenue(&self, country: Country, minor: i64) {
        self.orders.paid(country, minor);
    }

    /// Counts a paid order that partners did not take over at the first try.
    pub(crate) fn order_delayed(&self) {
        self.orders.delayed();
    }

    pub(crate) fn cart_added(&self) {
        self.carts.added();
    }

    /// Shows the carts that hold something, and the units in them.
    pub(crate) fn carts(&self, active: i64, units: i64) {
        self.carts.show(active, units);
    }

    /// Counts a customer that reached a stage of the funnel.
    pub(crate) fn funnel(&self, stage: Stage, country: Country) {
        self.funnel.reached(stage, country);
    }

    /// Shows how many customers a segment has.
    pub(crate) fn segment(&self, segment: Segment, customers: i64) {
        self.segments.show(segment, customers);
    }

    pub(crate) fn viewed(&self) {
        self.viewed.inc();
    }

    pub(crate) fn reservation_failed(&self) {
        self.reservation_failures.inc();
    }

    /// Shows a stock as it was in a turn; returns false when a later turn is shown already.
    pub(crate) fn stock(&self, product_id: i64, units: i64, turn: u64) -> bool {
        self.stock.set(product_id, units, turn)
    }

    pub(crate) fn stock_gone(&self, product_id: i64) {
        self.stock.remove(product_id);
    }
}
