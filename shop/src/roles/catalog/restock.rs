//! What goes on beside the requests: restocking what runs low.

use std::{sync::Arc, time::Duration};

use tokio::time::{MissedTickBehavior, interval};

use super::Catalog;
use crate::{config::Role, db::DbError};

/// Fills up what runs low, so that nothing is ever sold out for long.
pub(super) async fn run(catalog: Arc<Catalog>, every: Duration, full: i64) {
    let mut ticks = interval(every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        if let Err(error) = catalog.restock(full).await {
            tracing::warn!(service = Role::Catalog.name(), reason = %error, "restocking failed");
        }
    }
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
