//! The coupons in the database: what a new one starts with, finding one, and taking a use of it.

use std::sync::Arc;

use super::discount::{Coupon, Cut, Refusal};
use crate::{
    db::{Db, DbError, Row, Statement},
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
        match self.try_take(coupon, order_id, user).await {
            // Somebody else took it in between; now it is known who.
            Err(error) if error.is_duplicate() => self.try_take(coupon, order_id, user).await,
            outcome => outcome,
        }
    }

    async fn try_take(
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
        let mut tx = self.db.begin().await?;
        let earlier = tx
            .fetch_optional(&self.used_by, &[code.into(), taker.into()])
            .await?;
        if let Some(row) = earlier {
            return Ok(if row.int(0)? == order_id {
                Taken::Before
            } else {
                Taken::Refused(Refusal::AlreadyUsed)
            });
        }
        let params = [code.into(), taker.into(), order_id.into(), now_ms().into()];
        tx.execute(&self.record, &params).await?;
        if tx.execute(&self.take, &[code.into()]).await? == 0 {
            return Ok(Taken::Refused(Refusal::UsedUp));
        }
        tx.commit().await?;
        Ok(Taken::Now)
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
