//! The stock of the warehouses: what there is, taking from it, and filling it up.
//!
//! An update that takes something holds only while there is enough, so that no stock falls below
//! zero whoever else is at it.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use super::plan::{self, Level};
use crate::{
    db::{Db, DbError, Row, Statement, Tx},
    market::WAREHOUSES,
};

#[derive(Debug)]
pub(super) struct Inventory {
    db: Arc<Db>,
    deduct: Statement,
    lock: Statement,
    add: Statement,
    set: Statement,
    fill: Statement,
    insert: Statement,
    levels: Statement,
    total: Statement,
    totals: Statement,
    turns: AtomicU64,
}

impl Inventory {
    pub(super) fn new(db: Arc<Db>) -> Self {
        Self {
            deduct: db.statement(
                "update",
                "inventory",
                "UPDATE inventory SET stock = stock - ? \
                 WHERE product_id = ? AND warehouse_id = ? AND stock >= ?",
            ),
            // Changes nothing, but whoever did it reads numbers that nobody else changes.
            lock: db.statement(
                "update",
                "inventory",
                "UPDATE inventory SET stock = stock WHERE product_id = ?",
            ),
            add: db.statement(
                "update",
                "inventory",
                "UPDATE inventory SET stock = stock + ? WHERE product_id = ? AND warehouse_id = ?",
            ),
            set: db.statement(
                "update",
                "inventory",
                "UPDATE inventory SET stock = ? WHERE product_id = ? AND warehouse_id = ?",
            ),
            fill: db.statement(
                "update",
                "inventory",
                "UPDATE inventory SET stock = ? \
                 WHERE product_id = ? AND warehouse_id = ? AND stock < ?",
            ),
            insert: db.statement(
                "insert",
                "inventory",
                "INSERT INTO inventory (product_id, warehouse_id, stock) VALUES (?, ?, ?)",
            ),
            levels: db.statement(
                "select",
                "inventory",
                "SELECT warehouse_id, stock FROM inventory WHERE product_id = ? \
                 ORDER BY warehouse_id",
            ),
            total: db.statement(
                "select",
                "inventory",
                "SELECT COALESCE(SUM(stock), 0) FROM inventory WHERE product_id = ?",
            ),
            totals: db.statement(
                "select",
                "inventory",
                "SELECT p.id, COALESCE(SUM(i.stock), 0) FROM products p \
                 JOIN inventory i ON i.product_id = p.id WHERE p.deleted_ms = 0 \
                 GROUP BY p.id ORDER BY p.id",
            ),
            turns: AtomicU64::new(0),
            db,
        }
    }

    /// Takes the units from the warehouses in their order.
    pub(super) async fn take(
        &self,
        tx: &mut Tx<'_>,
        product_id: i64,
        quantity: i64,
    ) -> Result<Take, DbError> {
        // Mostly the first warehouse has enough.
        let [first, ..] = WAREHOUSES;
        if self.take_from(tx, product_id, first, quantity).await? {
            return Ok(Take::All(vec![Level::of(first, quantity)]));
        }
        tx.execute(&self.lock, &[product_id.into()]).await?;
        let rows = tx.fetch_all(&self.levels, &[product_id.into()]).await?;
        let levels = read_levels(&rows)?;
        let Some(plan) = plan::take(&levels, quantity) else {
            let left = levels.iter().map(|level| level.stock).sum();
            return Ok(Take::TooLittle(left));
        };
        let mut taken = Vec::new();
        for (warehouse, units) in plan {
            if !self.take_from(tx, product_id, warehouse, units).await? {
                return Ok(Take::Disturbed);
            }
            taken.push(Level::of(warehouse, units));
        }
        Ok(Take::All(taken))
    }

    async fn take_from(
        &self,
        tx: &mut Tx<'_>,
        product_id: i64,
        warehouse: &str,
        units: i64,
    ) -> Result<bool, DbError> {
        let params = [
            units.into(),
            product_id.into(),
            warehouse.into(),
            units.into(),
        ];
        Ok(tx.execute(&self.deduct, &params).await? == 1)
    }

    /// Puts units into a warehouse.
    pub(super) async fn add(
        &self,
        tx: &mut Tx<'_>,
        product_id: i64,
        level: &Level,
    ) -> Result<(), DbError> {
        let params = [
            level.stock.into(),
            product_id.into(),
            level.warehouse.as_str().into(),
        ];
        tx.execute(&self.add, &params).await?;
        Ok(())
    }

    /// Draws a turn. Drawn while a product's rows are locked, or before they are read, a later turn
    /// never has an older stock.
    pub(super) fn turn(&self) -> u64 {
        self.turns.fetch_add(1, Ordering::Relaxed)
    }

    /// Returns the units of a product in all warehouses, as a transaction sees them.
    pub(super) async fn stock_in(&self, tx: &mut Tx<'_>, product_id: i64) -> Result<i64, DbError> {
        let row = tx.fetch_optional(&self.total, &[product_id.into()]).await?;
        Ok(int(row.as_ref(), 0)?)
    }

    /// Returns the units of a product in all warehouses.
    pub(super) async fn stock(&self, product_id: i64) -> Result<i64, DbError> {
        let row = self
            .db
            .fetch_optional(&self.total, &[product_id.into()])
            .await?;
        Ok(int(row.as_ref(), 0)?)
    }

    /// Returns what each warehouse holds of a product, in their order.
    pub(super) async fn levels(&self, product_id: i64) -> Result<Vec<Level>, DbError> {
        let rows = self
            .db
            .fetch_all(&self.levels, &[product_id.into()])
            .await?;
        Ok(read_levels(&rows)?)
    }

    /// Returns the units of every product that is for sale.
    pub(super) async fn totals(&self) -> Result<Vec<(i64, i64)>, DbError> {
        let rows = self.db.fetch_all(&self.totals, &[]).await?;
        let totals = rows.iter().map(|row| Ok((row.int(0)?, row.int(1)?)));
        Ok(totals.collect::<Result<_, sqlx::Error>>()?)
    }

    /// Says what a warehouse holds of a product.
    pub(super) async fn set(
        &self,
        product_id: i64,
        warehouse: &str,
        stock: i64,
    ) -> Result<(), DbError> {
        let params = [stock.into(), product_id.into(), warehouse.into()];
        self.db.execute(&self.set, &params).await?;
        Ok(())
    }

    /// Fills every warehouse up to its share of a stock.
    pub(super) async fn fill(&self, product_id: i64, stock: i64) -> Result<(), DbError> {
        for (warehouse, share) in plan::spread(stock) {
            let params = [
                share.into(),
                product_id.into(),
                warehouse.into(),
                share.into(),
            ];
            self.db.execute(&self.fill, &params).await?;
        }
        Ok(())
    }

    /// Gives a new product its rows, one a warehouse.
    pub(super) async fn open(
        &self,
        tx: &mut Tx<'_>,
        product_id: i64,
        stock: i64,
    ) -> Result<(), DbError> {
        for (warehouse, share) in plan::spread(stock) {
            let params = [product_id.into(), warehouse.into(), share.into()];
            tx.execute(&self.insert, &params).await?;
        }
        Ok(())
    }
}

/// What taking units came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Take {
    /// All of them, by the warehouse they came from.
    All(Vec<Level>),
    /// Units there are.
    TooLittle(i64),
    /// Somebody else changed the stock in between.
    Disturbed,
}

/// Reads rows of a warehouse and units.
pub(super) fn read_levels(rows: &[Row]) -> Result<Vec<Level>, sqlx::Error> {
    let level = |row: &Row| {
        Ok(Level {
            warehouse: row.text(0)?,
            stock: row.int(1)?,
        })
    };
    rows.iter().map(level).collect()
}

/// Reads a number of a row that is there.
pub(super) fn int(row: Option<&Row>, column: usize) -> Result<i64, sqlx::Error> {
    row.ok_or(sqlx::Error::RowNotFound)?.int(column)
}
