//! What goes on beside the requests: restocking what runs low, and forgetting old reservations.

use std::{sync::Arc, time::Duration};

use tokio::time::{Interval, MissedTickBehavior, interval};

use super::Catalog;
use crate::{config::Role, db::DbError, ids::now_ms};

/// How long a reservation is remembered, and can be given back: longer than any order waits for its
/// payment or for its warehouse.
const RESERVATIONS_KEPT_MS: i64 = 7 * 24 * 60 * 60 * 1_000;
/// Often enough that little is purged at once, since nobody writes meanwhile.
const PURGE_EVERY: Duration = Duration::from_mins(5);

/// Fills up what runs low, so that nothing is ever sold out for long.
pub(super) async fn restock(catalog: Arc<Catalog>, every: Duration, full: i64) {
    let mut ticks = ticks(every);
    loop {
        ticks.tick().await;
        if let Err(error) = catalog.restock(full).await {
            tracing::warn!(service = Role::Catalog.name(), reason = %error, "restocking failed");
        }
    }
}

/// Forgets reservations that nobody gives back any more.
pub(super) async fn purge(catalog: Arc<Catalog>) {
    let mut ticks = ticks(PURGE_EVERY);
    // The first tick comes at once, and there is nothing to purge at the start.
    ticks.tick().await;
    loop {
        ticks.tick().await;
        let purged = catalog.reservations.purge(now_ms() - RESERVATIONS_KEPT_MS);
        if let Err(error) = purged.await {
            tracing::warn!(service = Role::Catalog.name(), reason = %error, "purge failed");
        }
    }
}

fn ticks(every: Duration) -> Interval {
    let mut ticks = interval(every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks
}

impl Catalog {
    /// Fills up every product of which less than half is left, and shows the stock of all.
    async fn restock(&self, full: i64) -> Result<(), DbError> {
        let low = (full / 2).max(1);
        let turn = self.inventory.turn();
        for (product_id, stock) in self.inventory.totals().await? {
            if stock >= low {
                self.business.stock(product_id, stock, turn);
                continue;
            }
            self.inventory.fill(product_id, full).await?;
            self.refresh(product_id).await?;
        }
        Ok(())
    }
}
