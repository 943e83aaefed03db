//! The coupons in the database: what a new one starts with, finding one, taking a use of it and
//! giving it back.

use std::sync::Arc;

use super::discount::{Coupon, Cut, Refusal};
use crate::{
    db::{Db, DbError, Row, Statement, Tx, until_alone},
    ids::now_ms,
};

/// 2025-01-01 and 2100-01-01, in milliseconds since the epoch.
const FROM_MS: i64 = 1_735_689_600_000;
const UNTIL_MS: i64 = 4_102_444_800_000;

/// Code, cut, smallest subtotal, most uses, and whether it is one use an account.
const COUPONS: [(&str, Cut, i64, i64, bool); 5] = [
    ("WELCOME10", Cut::Percent(10), 0, 1_000_000_000, false),
    ("SAVE20", Cut::Percent(20), 10_000, 1_000_000, false),
    ("FLAT50", Cut::Flat(5_000), 20_000, 1_000, false),
    ("BIGORDER", Cut::Percent(15), 50_000, 1_000_000, false),
    ("NEWUSER", Cut::Percent(15), 0, 1_000_000_000, true),
];

/// The coupons of a shop.
#[derive(Debug)]
pub(super) struct Coupons {
    db: Arc<Db>,
    find: Statement,
    used_by: Statement,
    record: Statement,
    take: Statement,
    note_order: Statement,
    of_order: Statement,
    release: Statement,
    unrecord: Statement,
    give_back: Statement,
    forget: [Statement; 2],
}

/// What became of taking a use of a coupon.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Taken {
    Now,
    /// This order had taken it before.
    Before,
    Refused(Refusal),
}

impl Coupons {
    pub(super) fn new(db: Arc<Db>) -> Self {
        Self {
            find: db.statement(
                "select",
                "coupons",
                "SELECT code, kind, amount, least_minor, from_ms, until_ms, most_uses, uses, \
                 once_an_account FROM coupons WHERE code = ?",
            ),
            used_by: db.statement(
                "select",
                "redemptions",
                "SELECT order_id FROM redemptions WHERE code = ? AND taker = ?",
            ),
            record: db.statement(
                "insert",
                "redemptions",
                "INSERT INTO redemptions (code, taker, order_id, created_ms) VALUES (?, ?, ?, ?)",
            ),
            take: db.statement(
                "update",
                "coupons",
                "UPDATE coupons SET uses = uses + 1 WHERE code = ? AND uses < most_uses",
            ),
            note_order: db.statement(
                "insert",
                "order_coupons",
                "INSERT INTO order_coupons (order_id, code, taker, released, created_ms) \
                 VALUES (?, ?, ?, ?, ?)",
            ),
            of_order: db.statement(
                "select",
                "order_coupons",
                "SELECT code, taker, released FROM order_coupons WHERE order_id = ?",
            ),
            release: db.statement(
                "update",
                "order_coupons",
                "UPDATE order_coupons SET released = 1 WHERE order_id = ? AND released = 0",
            ),
            unrecord: db.statement(
                "delete",
                "redemptions",
                "DELETE FROM redemptions WHERE code = ? AND taker = ?",
            ),
            give_back: db.statement(
                "update",
                "coupons",
                "UPDATE coupons SET uses = uses - 1 WHERE code = ? AND uses > 0",
            ),
            forget: [
                db.statement(
                    "delete",
                    "order_coupons",
                    "DELETE FROM order_coupons WHERE created_ms < ?",
                ),
                db.statement(
                    "delete",
                    "redemptions",
                    "DELETE FROM redemptions WHERE taker < 0 AND created_ms < ?",
                ),
            ],
            db,
        }
    }

    /// Adds the coupons that are missing; those that are there keep their uses.
    pub(super) async fn seed(&self) -> Result<(), DbError> {
        let insert = self.db.statement(
            "insert",
            "coupons",
            "INSERT INTO coupons (code, kind, amount, least_minor, from_ms, until_ms, most_uses, \
             uses, once_an_account) VALUES (?, ?, ?, ?, ?, ?, ?, 0, ?)",
        );
        for (code, cut, least_minor, most_uses, once) in COUPONS {
            if self.find(code).await?.is_some() {
                continue;
            }
            let (kind, amount) = cut.parts();
            let params = [
                code.into(),
                kind.into(),
                amount.into(),
                least_minor.into(),
                FROM_MS.into(),
                UNTIL_MS.into(),
                most_uses.into(),
                i64::from(once).into(),
            ];
            self.db.execute(&insert, &params).await?;
        }
        Ok(())
    }

    /// Finds a coupon by its code, in capital letters.
    pub(super) async fn find(&self, code: &str) -> Result<Option<Coupon>, DbError> {
        let row = self.db.fetch_optional(&self.find, &[code.into()]).await?;
        Ok(row.as_ref().map(read).transpose()?.flatten())
    }

    /// Tells why a coupon does not apply to a subtotal of this customer.
    pub(super) async fn refusal(
        &self,
        coupon: &Coupon,
        subtotal_minor: i64,
        user: Option<i64>,
    ) -> Result<Option<Refusal>, DbError> {
        if let Some(refusal) = coupon.refusal(subtotal_minor, now_ms()) {
            return Ok(Some(refusal));
        }
        match user {
            _ if !coupon.once_an_account => Ok(None),
            None => Ok(Some(Refusal::NoAccount)),
            Some(user) => {
                let params = [coupon.code.as_str().into(), user.into()];
                let row = self.db.fetch_optional(&self.used_by, &params).await?;
                Ok(row.map(|_| Refusal::AlreadyUsed))
            }
        }
    }

    /// Takes one use of a coupon for an order; taking it again for the same order changes nothing.
    pub(super) async fn take(
        &self,
        coupon: &Coupon,
        order_id: i64,
        user: Option<i64>,
    ) -> Result<Taken, DbError> {
        // Orders stand below zero, so that no account is taken for one.
        let taker = match user {
            Some(user) if coupon.once_an_account => user,
            None if coupon.once_an_account => return Ok(Taken::Refused(Refusal::NoAccount)),
            _ => -order_id,
        };
        let code = coupon.code.as_str();
        match until_alone(|| self.try_take(code, order_id, taker)).await {
            Err(error) if error.is_duplicate() => self.taken_before(code, order_id).await,
            outcome => outcome,
        }
    }

    async fn try_take(&self, code: &str, order_id: i64, taker: i64) -> Result<Taken, DbError> {
        let now = now_ms();
        let mut tx = self.db.begin().await?;
        self.note(&mut tx, order_id, code, taker, false).await?;
        let params = [code.into(), taker.into(), order_id.into(), now.into()];
        tx.execute(&self.record, &params).await?;
        if tx.execute(&self.take, &[code.into()]).await? == 0 {
            return Ok(Taken::Refused(Refusal::UsedUp));
        }
        tx.commit().await?;
        Ok(Taken::Now)
    }

    /// Tells why an order or an account cannot take what it, or another order of it, took before.
    async fn taken_before(&self, code: &str, order_id: i64) -> Result<Taken, DbError> {
        let params = [order_id.into()];
        let row = self.db.fetch_optional(&self.of_order, &params).await?;
        Ok(match row {
            Some(row) if row.int(2)? != 0 => Taken::Refused(Refusal::Cancelled),
            Some(row) if row.text(0)? == code => Taken::Before,
            _ => Taken::Refused(Refusal::AlreadyUsed),
        })
    }

    /// Gives back what an order took; returns whether that was something. An order that took nothing
    /// is noted, so that a request of its that comes late takes nothing either.
    pub(super) async fn release(&self, order_id: i64) -> Result<bool, DbError> {
        // An order takes once and gives back once, so this ends.
        loop {
            if until_alone(|| self.try_release(order_id)).await? {
                return Ok(true);
            }
            let row = self
                .db
                .fetch_optional(&self.of_order, &[order_id.into()])
                .await?;
            match row {
                Some(row) if row.int(2)? != 0 => return Ok(false),
                // Taken a moment ago.
                Some(_) => continue,
                None => {}
            }
            let mut tx = self.db.begin().await?;
            match self.note(&mut tx, order_id, "", 0, true).await {
                Ok(()) => return tx.commit().await.map(|()| false),
                Err(error) if error.is_duplicate() => {}
                Err(error) => return Err(error),
            }
        }
    }

    async fn try_release(&self, order_id: i64) -> Result<bool, DbError> {
        let mut tx = self.db.begin().await?;
        if tx.execute(&self.release, &[order_id.into()]).await? == 0 {
            return Ok(false);
        }
        let row = tx
            .fetch_optional(&self.of_order, &[order_id.into()])
            .await?;
        let row = row.ok_or(sqlx::Error::RowNotFound)?;
        let (code, taker) = (row.text(0)?, row.int(1)?);
        let code = code.as_str();
        tx.execute(&self.unrecord, &[code.into(), taker.into()])
            .await?;
        tx.execute(&self.give_back, &[code.into()]).await?;
        tx.commit().await?;
        Ok(true)
    }

    async fn note(
        &self,
        tx: &mut Tx<'_>,
        order_id: i64,
        code: &str,
        taker: i64,
        is_released: bool,
    ) -> Result<(), DbError> {
        let params = [
            order_id.into(),
            code.into(),
            taker.into(),
            i64::from(is_released).into(),
            now_ms().into(),
        ];
        tx.execute(&self.note_order, &params).await?;
        Ok(())
    }

    /// Forgets which orders took what before a time; what an account used stays used.
    pub(super) async fn forget(&self, before_ms: i64) -> Result<(), DbError> {
        for statement in &self.forget {
            self.db.execute(statement, &[before_ms.into()]).await?;
        }
        Ok(())
    }
}

/// Reads a coupon; one of a kind that is not known is none.
fn read(row: &Row) -> Result<Option<Coupon>, sqlx::Error> {
    let Some(cut) = Cut::from_parts(&row.text(1)?, row.int(2)?) else {
        return Ok(None);
    };
    Ok(Some(Coupon {
        code: row.text(0)?,
        cut,
        least_minor: row.int(3)?,
        from_ms: row.int(4)?,
        until_ms: row.int(5)?,
        most_uses: row.int(6)?,
        uses: row.int(7)?,
        once_an_account: row.int(8)? != 0,
    }))
}
