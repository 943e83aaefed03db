//! Deductions, once each, and giving them back.
//!
//! A deduction is one transaction: the reservation is written down, then the units are taken. Asked
//! for again with the same reservation it answers what it answered before. Everything goes in one
//! order, the reservation before the warehouses by their names, so that two transactions never wait
//! for each other.

use std::sync::Arc;

use super::{
    inventory::{Inventory, Take, int, read_levels},
    plan::Level,
};
use crate::{
    db::{Db, DbError, Statement, Tx, until_alone},
    ids::now_ms,
};

/// Tries of a deduction that others keep getting in the way of.
const MOST_TRIES: usize = 3;

/// What is to be taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wish {
    pub(super) product_id: i64,
    pub(super) quantity: i64,
    /// What the units are taken for; the same one takes them once.
    pub(super) reservation: Option<String>,
}

/// What was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Taken {
    pub(super) unit_price_minor: i64,
    /// Units left in all warehouses.
    pub(super) remaining: i64,
    /// When that was.
    pub(super) turn: u64,
    /// It had been taken before.
    pub(super) again: bool,
}

/// Why nothing was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refusal {
    OutOfStock {
        left: i64,
    },
    /// The reservation stands for something else.
    OtherReservation,
    /// The reservation was given back.
    Released,
    /// There is enough, and others kept taking from it at the same time.
    Contended,
}

/// What giving a reservation back came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Released {
    /// 0 when nothing had been taken for it.
    pub(super) product_id: i64,
    /// Units that went back now.
    pub(super) units: i64,
}

#[derive(Debug)]
pub(super) struct Reservations {
    db: Arc<Db>,
    inventory: Arc<Inventory>,
    reserve: Statement,
    reserve_line: Statement,
    reserved: Statement,
    lines: Statement,
    release: Statement,
    purge: Statement,
    purge_lines: Statement,
}

impl Reservations {
    pub(super) fn new(db: Arc<Db>, inventory: Arc<Inventory>) -> Self {
        Self {
            reserve: db.statement(
                "insert",
                "reservations",
                "INSERT INTO reservations (reservation, product_id, quantity, unit_price_minor, \
                 released_ms, created_ms) VALUES (?, ?, ?, ?, ?, ?)",
            ),
            reserve_line: db.statement(
                "insert",
                "reservation_lines",
                "INSERT INTO reservation_lines (reservation, warehouse_id, units, created_ms) \
                 VALUES (?, ?, ?, ?)",
            ),
            reserved: db.statement(
                "select",
                "reservations",
                "SELECT product_id, quantity, unit_price_minor, released_ms FROM reservations \
                 WHERE reservation = ?",
            ),
            lines: db.statement(
                "select",
                "reservation_lines",
                "SELECT warehouse_id, units FROM reservation_lines WHERE reservation = ? \
                 ORDER BY warehouse_id",
            ),
            release: db.statement(
                "update",
                "reservations",
                "UPDATE reservations SET released_ms = ? WHERE reservation = ? AND released_ms = 0",
            ),
            purge: db.statement(
                "delete",
                "reservations",
                "DELETE FROM reservations WHERE created_ms < ?",
            ),
            purge_lines: db.statement(
                "delete",
                "reservation_lines",
                "DELETE FROM reservation_lines WHERE created_ms < ?",
            ),
            db,
            inventory,
        }
    }

    /// Takes units of a product that costs `unit_price_minor`.
    pub(super) async fn deduct(
        &self,
        wish: &Wish,
        unit_price_minor: i64,
    ) -> Result<Result<Taken, Refusal>, DbError> {
        let mut left = 0;
        for _ in 0..MOST_TRIES {
            match until_alone(|| self.try_deduct(wish, unit_price_minor)).await? {
                Attempt::Ended(outcome) => return Ok(outcome),
                Attempt::Disturbed => {}
            }
            left = self.inventory.stock(wish.product_id).await?;
        }
        Ok(Err(if left >= wish.quantity {
            Refusal::Contended
        } else {
            Refusal::OutOfStock { left }
        }))
    }

    async fn try_deduct(&self, wish: &Wish, price: i64) -> Result<Attempt, DbError> {
        let mut tx = self.db.begin().await?;
        if let Some(reservation) = &wish.reservation {
            let params = [
                reservation.as_str().into(),
                wish.product_id.into(),
                wish.quantity.into(),
                price.into(),
                0.into(),
                now_ms().into(),
            ];
            match tx.execute(&self.reserve, &params).await {
                Ok(_) => {}
                Err(error) if error.is_duplicate() => {
                    drop(tx);
                    return self.repeat(wish, reservation).await.map(Attempt::Ended);
                }
                Err(error) => return Err(error),
            }
        }
        let levels = match self
            .inventory
            .take(&mut tx, wish.product_id, wish.quantity)
            .await?
        {
            Take::All(levels) => levels,
            Take::TooLittle(left) => return Ok(Attempt::Ended(Err(Refusal::OutOfStock { left }))),
            Take::Disturbed => return Ok(Attempt::Disturbed),
        };
        if let Some(reservation) = &wish.reservation {
            self.note_lines(&mut tx, reservation, &levels).await?;
        }
        let remaining = self.inventory.stock_in(&mut tx, wish.product_id).await?;
        let turn = self.inventory.turn();
        tx.commit().await?;
        Ok(Attempt::Ended(Ok(Taken {
            unit_price_minor: price,
            remaining,
            turn,
            again: false,
        })))
    }

    /// Notes where the units came from, so that they can go back there.
    async fn note_lines(
        &self,
        tx: &mut Tx<'_>,
        reservation: &str,
        taken: &[Level],
    ) -> Result<(), DbError> {
        for level in taken {
            let params = [
                reservation.into(),
                level.warehouse.as_str().into(),
                level.stock.into(),
                now_ms().into(),
            ];
            tx.execute(&self.reserve_line, &params).await?;
        }
        Ok(())
    }

    /// Answers for a reservation that is there already.
    async fn repeat(
        &self,
        wish: &Wish,
        reservation: &str,
    ) -> Result<Result<Taken, Refusal>, DbError> {
        let row = self
            .db
            .fetch_optional(&self.reserved, &[reservation.into()])
            .await?;
        let (product_id, quantity) = (int(row.as_ref(), 0)?, int(row.as_ref(), 1)?);
        if int(row.as_ref(), 3)? != 0 {
            return Ok(Err(Refusal::Released));
        }
        if (product_id, quantity) != (wish.product_id, wish.quantity) {
            return Ok(Err(Refusal::OtherReservation));
        }
        Ok(Ok(Taken {
            unit_price_minor: int(row.as_ref(), 2)?,
            turn: self.inventory.turn(),
            remaining: self.inventory.stock(product_id).await?,
            again: true,
        }))
    }

    /// Gives back what was taken for a reservation, once. One that is not known is noted as given
    /// back, so that a deduction that comes late takes nothing.
    pub(super) async fn release(&self, reservation: &str) -> Result<Released, DbError> {
        // A reservation is made once and given back once, so this ends.
        loop {
            if let Some(released) = until_alone(|| self.try_release(reservation)).await? {
                return Ok(released);
            }
            let row = self
                .db
                .fetch_optional(&self.reserved, &[reservation.into()])
                .await?;
            let nothing = |product_id| Released {
                product_id,
                units: 0,
            };
            match row {
                Some(row) if row.int(3)? != 0 => return Ok(nothing(row.int(0)?)),
                // Made a moment ago.
                Some(_) => continue,
                None => {}
            }
            match self.rule_out(reservation).await {
                Ok(()) => return Ok(nothing(0)),
                Err(error) if error.is_duplicate() => {}
                Err(error) => return Err(error),
            }
        }
    }

    async fn try_release(&self, reservation: &str) -> Result<Option<Released>, DbError> {
        let mut tx = self.db.begin().await?;
        let params = [now_ms().into(), reservation.into()];
        if tx.execute(&self.release, &params).await? == 0 {
            return Ok(None);
        }
        let row = tx
            .fetch_optional(&self.reserved, &[reservation.into()])
            .await?;
        let product_id = int(row.as_ref(), 0)?;
        let lines = tx.fetch_all(&self.lines, &[reservation.into()]).await?;
        let lines = read_levels(&lines)?;
        for line in &lines {
            self.inventory.add(&mut tx, product_id, line).await?;
        }
        tx.commit().await?;
        let units = lines.iter().map(|line| line.stock).sum();
        Ok(Some(Released { product_id, units }))
    }

    /// Notes a reservation that is not known as given back.
    async fn rule_out(&self, reservation: &str) -> Result<(), DbError> {
        let now = now_ms();
        let params = [
            reservation.into(),
            0.into(),
            0.into(),
            0.into(),
            now.into(),
            now.into(),
        ];
        self.db.execute(&self.reserve, &params).await?;
        Ok(())
    }

    /// Forgets reservations that were made before a time.
    pub(super) async fn purge(&self, before_ms: i64) -> Result<(), DbError> {
        self.db
            .execute(&self.purge_lines, &[before_ms.into()])
            .await?;
        self.db.execute(&self.purge, &[before_ms.into()]).await?;
        Ok(())
    }
}

/// What came of one transaction.
enum Attempt {
    Ended(Result<Taken, Refusal>),
    /// Somebody else changed the stock in between.
    Disturbed,
}
