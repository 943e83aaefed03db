//! Carts in the database: one an account, or one a visit without an account.
//!
//! A cart is bounded in lines and units, and emptied when nobody touches it. While one is checked
//! out it is leased, so that a second click buys nothing twice.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use self::plan::{Plan, apply, plan};
use super::order::Line;
use crate::{
    db::{Db, DbError, Row, Statement, Tx, until_alone},
    http::problem::Problem,
    ids::now_ms,
};

mod plan;

pub(super) use self::plan::{Edit, Item};

/// Carts emptied in one go.
const EXPIRED_AT_ONCE: i64 = 200;

#[derive(Debug)]
pub(super) struct Carts {
    db: Arc<Db>,
    /// Something changed since the gauges were set.
    changed: AtomicBool,
    touch: Statement,
    open: Statement,
    close: Statement,
    items: Statement,
    insert: Statement,
    update: Statement,
    delete: Statement,
    delete_all: Statement,
    take_all: Statement,
    take_some: Statement,
    lease: Statement,
    unlock: Statement,
    expired: Statement,
    expire: Statement,
    totals: Statement,
}

impl Carts {
    pub(super) fn new(db: Arc<Db>) -> Self {
        Self {
            changed: AtomicBool::new(true),
            touch: db.statement(
                "update",
                "carts",
                "UPDATE carts SET updated_ms = ? WHERE owner_key = ?",
            ),
            open: db.statement(
                "insert",
                "carts",
                "INSERT INTO carts (owner_key, updated_ms, checkout_until_ms) VALUES (?, ?, 0)",
            ),
            close: db.statement(
                "delete",
                "carts",
                "DELETE FROM carts WHERE owner_key = ? AND NOT EXISTS \
                 (SELECT 1 FROM cart_items i WHERE i.owner_key = ?)",
            ),
            items: db.statement(
                "select",
                "cart_items",
                "SELECT product_id, quantity FROM cart_items WHERE owner_key = ? \
                 ORDER BY product_id",
            ),
            insert: db.statement(
                "insert",
                "cart_items",
                "INSERT INTO cart_items (owner_key, product_id, quantity, added_ms) \
                 VALUES (?, ?, ?, ?)",
            ),
            update: db.statement(
                "update",
                "cart_items",
                "UPDATE cart_items SET quantity = ? WHERE owner_key = ? AND product_id = ?",
            ),
            delete: db.statement(
                "delete",
                "cart_items",
                "DELETE FROM cart_items WHERE owner_key = ? AND product_id = ?",
            ),
            delete_all: db.statement(
                "delete",
                "cart_items",
                "DELETE FROM cart_items WHERE owner_key = ?",
            ),
            take_all: db.statement(
                "delete",
                "cart_items",
                "DELETE FROM cart_items WHERE owner_key = ? AND product_id = ? AND quantity <= ?",
            ),
            take_some: db.statement(
                "update",
                "cart_items",
                "UPDATE cart_items SET quantity = quantity - ? \
                 WHERE owner_key = ? AND product_id = ? AND quantity > ?",
            ),
            lease: db.statement(
                "update",
                "carts",
                "UPDATE carts SET checkout_until_ms = ? \
                 WHERE owner_key = ? AND checkout_until_ms < ?",
            ),
            unlock: db.statement(
                "update",
                "carts",
                "UPDATE carts SET checkout_until_ms = 0 \
                 WHERE owner_key = ? AND checkout_until_ms = ?",
            ),
            expired: db.statement(
                "select",
                "carts",
                "SELECT owner_key FROM carts WHERE updated_ms < ? AND checkout_until_ms < ? \
                 ORDER BY updated_ms LIMIT ?",
            ),
            expire: db.statement(
                "delete",
                "carts",
                "DELETE FROM carts WHERE owner_key = ? AND updated_ms < ? AND checkout_until_ms < ?",
            ),
            totals: db.statement(
                "select",
                "cart_items",
                "SELECT COUNT(DISTINCT owner_key), COALESCE(SUM(quantity), 0) FROM cart_items",
            ),
            db,
        }
    }

    pub(super) async fn items(&self, owner: &str) -> Result<Vec<Item>, DbError> {
        let rows = self.db.fetch_all(&self.items, &[owner.into()]).await?;
        Ok(rows.iter().map(Item::read).collect::<Result<_, _>>()?)
    }

    /// Edits a cart; returns what is in it then.
    pub(super) async fn edit(&self, owner: &str, edit: Edit) -> Result<Vec<Item>, Problem> {
        let edited = match self.try_edit(owner, edit).await {
            // Two requests opened the cart at once; the other one was first. After any other error
            // nobody knows whether it was edited.
            Err(error) if error.is_duplicate() || error.is_deadlock() => {
                self.try_edit(owner, edit).await?
            }
            edited => edited?,
        };
        self.changed.store(true, Ordering::Relaxed);
        edited
    }

    async fn try_edit(
        &self,
        owner: &str,
        edit: Edit,
    ) -> Result<Result<Vec<Item>, Problem>, DbError> {
        let mut tx = self.db.begin().await?;
        let now = now_ms();
        // Touching comes first: whoever did it is alone with the cart until the end.
        let there = tx.execute(&self.touch, &[now.into(), owner.into()]).await? == 1;
        if !there && matches!(edit, Edit::Add(_)) {
            tx.execute(&self.open, &[owner.into(), now.into()]).await?;
        }
        let rows = tx.fetch_all(&self.items, &[owner.into()]).await?;
        let mut items: Vec<Item> = rows.iter().map(Item::read).collect::<Result<_, _>>()?;
        let plan = match plan(&items, edit) {
            Ok(plan) => plan,
            Err(problem) => return Ok(Err(problem)),
        };
        self.follow(&mut tx, owner, plan).await?;
        if !there || matches!(plan, Plan::Delete(_) | Plan::DeleteAll) {
            tx.execute(&self.close, &[owner.into(), owner.into()])
                .await?;
        }
        tx.commit().await?;
        apply(&mut items, plan);
        Ok(Ok(items))
    }

    async fn follow(&self, tx: &mut Tx<'_>, owner: &str, plan: Plan) -> Result<(), DbError> {
        match plan {
            Plan::Insert(Item {
                product_id,
                quantity,
            }) => {
                let params = [
                    owner.into(),
                    product_id.into(),
                    quantity.into(),
                    now_ms().into(),
                ];
                tx.execute(&self.insert, &params).await
            }
            Plan::Update(Item {
                product_id,
                quantity,
            }) => {
                let params = [quantity.into(), owner.into(), product_id.into()];
                tx.execute(&self.update, &params).await
            }
            Plan::Delete(product_id) => {
                tx.execute(&self.delete, &[owner.into(), product_id.into()])
                    .await
            }
            Plan::DeleteAll => tx.execute(&self.delete_all, &[owner.into()]).await,
        }?;
        Ok(())
    }

    /// Takes what was bought out of a cart; what was added meanwhile stays.
    pub(super) async fn bought(&self, owner: &str, lines: &[Line]) -> Result<(), DbError> {
        until_alone(|| self.try_bought(owner, lines)).await
    }

    async fn try_bought(&self, owner: &str, lines: &[Line]) -> Result<(), DbError> {
        let mut tx = self.db.begin().await?;
        let params = [now_ms().into(), owner.into()];
        tx.execute(&self.touch, &params).await?;
        for line in lines {
            let params = [owner.into(), line.product_id.into(), line.quantity.into()];
            if tx.execute(&self.take_all, &params).await? == 0 {
                let params = [
                    line.quantity.into(),
                    owner.into(),
                    line.product_id.into(),
                    line.quantity.into(),
                ];
                tx.execute(&self.take_some, &params).await?;
            }
        }
        tx.execute(&self.close, &[owner.into(), owner.into()])
            .await?;
        tx.commit().await?;
        self.changed.store(true, Ordering::Relaxed);
        Ok(())
    }

    /// Leases a cart for a checkout; returns whether it is there and nobody else has.
    pub(super) async fn lease(&self, owner: &str, until_ms: i64) -> Result<bool, DbError> {
        let params = [until_ms.into(), owner.into(), now_ms().into()];
        Ok(self.db.execute(&self.lease, &params).await? == 1)
    }

    /// Ends the lease of a checkout, unless it ended and somebody else has one now.
    pub(super) async fn unlock(&self, owner: &str, until_ms: i64) {
        let params = [owner.into(), until_ms.into()];
        if let Err(error) = self.db.execute(&self.unlock, &params).await {
            tracing::warn!(reason = %error, "a cart stays leased for a while");
        }
    }

    /// Empties carts that nobody touched for long; returns how many.
    pub(super) async fn expire(&self, ttl: Duration) -> Result<usize, DbError> {
        let now = now_ms();
        let before = now - i64::try_from(ttl.as_millis()).unwrap_or(i64::MAX);
        let params = [before.into(), now.into(), EXPIRED_AT_ONCE.into()];
        let rows = self.db.fetch_all(&self.expired, &params).await?;
        if rows.is_empty() {
            return Ok(0);
        }
        let mut tx = self.db.begin().await?;
        for row in &rows {
            let owner = row.text(0)?;
            let params = [owner.as_str().into(), before.into(), now.into()];
            if tx.execute(&self.expire, &params).await? == 1 {
                tx.execute(&self.delete_all, &[owner.as_str().into()])
                    .await?;
            }
        }
        tx.commit().await?;
        self.changed.store(true, Ordering::Relaxed);
        Ok(rows.len())
    }

    /// Tells whether a cart changed since this was asked last.
    pub(super) fn take_changed(&self) -> bool {
        self.changed.swap(false, Ordering::Relaxed)
    }

    /// Returns the carts that hold something, and the units in them.
    pub(super) async fn totals(&self) -> Result<(i64, i64), DbError> {
        let row = self.db.fetch_optional(&self.totals, &[]).await?;
        let row = row.ok_or(sqlx::Error::RowNotFound)?;
        Ok((row.int(0)?, row.int(1)?))
    }
}

impl Item {
    fn read(row: &Row) -> Result<Self, sqlx::Error> {
        Ok(Self {
            product_id: row.int(0)?,
            quantity: row.int(1)?,
        })
    }
}
