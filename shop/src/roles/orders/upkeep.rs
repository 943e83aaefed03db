//! What the orders role does by the clock: gauges, carts that are left, and forgetting.

use std::{sync::Arc, time::Duration};

use tokio::time::MissedTickBehavior;

use super::{Orders, idempotency::Keys, purge::Purge};
use crate::{config::Role, db::DbError};

const TICK: Duration = Duration::from_secs(1);
/// Ticks between two counts of carts that nobody changed here; another process may have.
const CARTS_EVERY: u64 = 15;
const EXPIRY_EVERY: u64 = 3;
const SEGMENTS_EVERY: u64 = 10;
const PURGE_EVERY: u64 = 5;
const KEYS_EVERY: u64 = 600;

#[derive(Debug)]
pub(super) struct Upkeep {
    pub(super) orders: Arc<Orders>,
    pub(super) keys: Arc<Keys>,
    /// `None` when orders are kept for ever.
    pub(super) purge: Option<Purge>,
}

impl Upkeep {
    /// Works until the role stops.
    pub(super) async fn run(self) {
        let mut ticks = tokio::time::interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        for tick in 0_u64.. {
            ticks.tick().await;
            if let Err(error) = self.tick(tick).await {
                tracing::warn!(service = Role::Orders.name(), reason = %error, "upkeep failed");
            }
        }
    }

    async fn tick(&self, tick: u64) -> Result<(), DbError> {
        let due = |every: u64| tick.is_multiple_of(every);
        let Orders {
            carts,
            customers,
            business,
            times,
            ..
        } = &*self.orders;
        if due(EXPIRY_EVERY) {
            let emptied = carts.expire(times.cart_ttl).await?;
            if emptied > 0 {
                tracing::info!(carts = emptied, "abandoned carts emptied");
            }
        }
        if carts.take_changed() || due(CARTS_EVERY) {
            let (active, units) = carts.totals().await?;
            business.carts(active, units);
        }
        if due(SEGMENTS_EVERY) {
            customers.show(business).await?;
        }
        if due(PURGE_EVERY)
            && let Some(purge) = &self.purge
        {
            while purge.batch().await? {}
        }
        if due(KEYS_EVERY) {
            self.keys.purge().await?;
            customers.purge().await?;
        }
        Ok(())
    }
}
