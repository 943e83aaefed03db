//! Forgetting finished orders, so that a database that runs for long does not grow for ever.

use std::{sync::Arc, time::Duration};

use crate::{
    db::{Db, DbError, Statement},
    ids::now_ms,
};

/// Orders forgotten in one go.
const BATCH: i64 = 500;

/// Which orders may go: none that partners still have to be told of.
macro_rules! told {
    () => {
        " AND due_ms = 0 AND NOT EXISTS (SELECT 1 FROM outbox WHERE outbox.order_id = orders.id)"
    };
}

/// Makes a statement that deletes what belongs to the orders that go.
macro_rules! of_finished {
    ($db:expr, $table:literal) => {
        $db.statement(
            "delete",
            $table,
            concat!(
                "DELETE FROM ",
                $table,
                " WHERE order_id IN (SELECT id FROM orders \
                 WHERE finished_ms > 0 AND finished_ms <= ?",
                told!(),
                ")"
            ),
        )
    };
}

#[derive(Debug)]
pub(super) struct Purge {
    db: Arc<Db>,
    retention: Duration,
    bound: Statement,
    belongings: [Statement; 2],
    orders: Statement,
}

impl Purge {
    pub(super) fn new(db: Arc<Db>, retention: Duration) -> Self {
        Self {
            retention,
            bound: db.statement(
                "select",
                "orders",
                concat!(
                    "SELECT finished_ms FROM orders WHERE finished_ms > 0 AND finished_ms < ?",
                    told!(),
                    " ORDER BY finished_ms LIMIT ?"
                ),
            ),
            belongings: [
                of_finished!(db, "order_items"),
                of_finished!(db, "order_events"),
            ],
            orders: db.statement(
                "delete",
                "orders",
                concat!(
                    "DELETE FROM orders WHERE finished_ms > 0 AND finished_ms <= ?",
                    told!()
                ),
            ),
            db,
        }
    }

    /// Forgets one batch; returns whether there are likely more.
    pub(super) async fn batch(&self) -> Result<bool, DbError> {
        let retention = i64::try_from(self.retention.as_millis()).unwrap_or(i64::MAX);
        let before = now_ms().saturating_sub(retention);
        let params = [before.into(), BATCH.into()];
        let rows = self.db.fetch_all(&self.bound, &params).await?;
        let Some(last) = rows.last() else {
            return Ok(false);
        };
        let bound = last.int(0)?;
        let mut tx = self.db.begin().await?;
        for statement in &self.belongings {
            tx.execute(statement, &[bound.into()]).await?;
        }
        tx.execute(&self.orders, &[bound.into()]).await?;
        tx.commit().await?;
        Ok(rows.len() as i64 == BATCH)
    }
}
