//! Every attempt to pay, and how it ended.

use std::{sync::Arc, time::Duration};

use serde_json::{Value, json};
use tokio::time::MissedTickBehavior;

use super::Payments;
use crate::{
    config::Role,
    db::{Db, DbError, Param, Row, Schema, Statement},
    ids::{Ids, now_ms},
    market::{CURRENCY, Country, Method},
};

pub(super) const SCHEMA: Schema = Schema(&[
    (
        "payments",
        "CREATE TABLE payments (
        id BIGINT PRIMARY KEY,
        order_id BIGINT NOT NULL,
        amount_minor BIGINT NOT NULL CHECK (amount_minor > 0),
        currency TEXT NOT NULL,
        country TEXT NOT NULL,
        method TEXT NOT NULL,
        status TEXT NOT NULL,
        reason TEXT NOT NULL,
        created_ms BIGINT NOT NULL
    )",
    ),
    (
        "payment attempts",
        "ALTER TABLE payments ADD COLUMN attempt BIGINT NOT NULL DEFAULT 0",
    ),
    // Payments of before have none, and nothings are not alike.
    (
        "payment keys",
        "ALTER TABLE payments ADD COLUMN attempt_key VARCHAR(60)",
    ),
    (
        "payment leases",
        "ALTER TABLE payments ADD COLUMN lease_until_ms BIGINT NOT NULL DEFAULT 0",
    ),
    (
        "payments by key",
        "CREATE UNIQUE INDEX payments_key ON payments (attempt_key)",
    ),
    (
        "payments by order",
        "CREATE INDEX payments_order ON payments (order_id)",
    ),
    (
        "payments by age",
        "CREATE INDEX payments_created ON payments (created_ms)",
    ),
]);

const PROCESSING: &str = "processing";
const SUCCEEDED: &str = "succeeded";
const DECLINED: &str = "declined";
const FORGET_EVERY: Duration = Duration::from_secs(20);
/// Payments forgotten in one go.
const FORGOTTEN_AT_ONCE: i64 = 1_000;

/// What is to be paid.
#[derive(Debug, Clone, Copy)]
pub(super) struct Payment {
    pub(super) order_id: i64,
    /// Which try for the order; `None` for one that cannot be repeated.
    pub(super) attempt: Option<i64>,
    pub(super) amount_minor: i64,
    pub(super) country: Country,
    pub(super) method: Method,
}

/// One attempt in the ledger.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) id: i64,
    pub(super) order_id: i64,
    pub(super) attempt: i64,
    /// What the provider knows the attempt by.
    pub(super) key: String,
    amount_minor: i64,
    pub(super) status: String,
    pub(super) reason: String,
    lease_until_ms: i64,
    method: String,
}

/// What beginning an attempt came to.
#[derive(Debug)]
pub(super) enum Begun {
    /// It is this caller's.
    Now(Entry),
    /// It ended before.
    Before(Entry),
    /// Somebody else is at it.
    Running,
    /// Its number stands for another amount.
    Other,
}

#[derive(Debug)]
pub(super) struct Ledger {
    db: Arc<Db>,
    ids: Ids,
    lease_ms: i64,
    insert: Statement,
    void: Statement,
    by_key: Statement,
    by_order: Statement,
    take_over: Statement,
    end: Statement,
    refund: Statement,
    bound: Statement,
    forget: Statement,
}

impl Ledger {
    pub(super) fn new(db: Arc<Db>, lease: Duration) -> Self {
        Self {
            ids: Ids::default(),
            lease_ms: i64::try_from(lease.as_millis()).unwrap_or(i64::MAX),
            insert: db.statement(
                "insert",
                "payments",
                "INSERT INTO payments (id, order_id, amount_minor, currency, country, method, \
                 status, reason, created_ms, attempt, attempt_key, lease_until_ms) \
                 VALUES (?, ?, ?, ?, ?, ?, 'processing', '', ?, ?, ?, ?)",
            ),
            void: db.statement(
                "insert",
                "payments",
                "INSERT INTO payments (id, order_id, amount_minor, currency, country, method, \
                 status, reason, created_ms, attempt, attempt_key, lease_until_ms) \
                 VALUES (?, ?, ?, ?, ?, ?, 'declined', 'abandoned', ?, ?, ?, 0)",
            ),
            by_key: db.statement(
                "select",
                "payments",
                "SELECT id, order_id, attempt, attempt_key, amount_minor, status, reason, \
                 lease_until_ms, method FROM payments WHERE attempt_key = ?",
            ),
            by_order: db.statement(
                "select",
                "payments",
                "SELECT id, order_id, attempt, COALESCE(attempt_key, ''), amount_minor, status, \
                 reason, lease_until_ms, method FROM payments WHERE order_id = ? ORDER BY id",
            ),
            take_over: db.statement(
                "update",
                "payments",
                "UPDATE payments SET lease_until_ms = ? \
                 WHERE id = ? AND status = 'processing' AND lease_until_ms = ?",
            ),
            end: db.statement(
                "update",
                "payments",
                "UPDATE payments SET status = ?, reason = ?, lease_until_ms = 0 \
                 WHERE id = ? AND status = 'processing'",
            ),
            refund: db.statement(
                "update",
                "payments",
                "UPDATE payments SET status = 'refunded' \
                 WHERE order_id = ? AND status = 'succeeded'",
            ),
            bound: db.statement(
                "select",
                "payments",
                "SELECT created_ms FROM payments WHERE created_ms < ? \
                 ORDER BY created_ms LIMIT 1 OFFSET ?",
            ),
            forget: db.statement(
                "delete",
                "payments",
                "DELETE FROM payments WHERE created_ms < ?",
            ),
            db,
        }
    }

    /// Writes an attempt down before the provider is asked.
    pub(super) async fn begin(&self, payment: Payment) -> Result<Begun, DbError> {
        let (id, now) = (self.ids.next(), now_ms());
        let key = match payment.attempt {
            Some(attempt) => format!("{}-{attempt}", payment.order_id),
            None => format!("{}-p{id}", payment.order_id),
        };
        let lease_until_ms = now + self.lease_ms;
        let mut params = columns(id, now, &payment, &key).to_vec();
        params.push(lease_until_ms.into());
        let Err(error) = self.db.execute(&self.insert, &params).await else {
            return Ok(Begun::Now(Entry {
                id,
                order_id: payment.order_id,
                attempt: payment.attempt.unwrap_or(0),
                key,
                amount_minor: payment.amount_minor,
                status: PROCESSING.to_owned(),
                reason: String::new(),
                lease_until_ms,
                method: payment.method.name().to_owned(),
            }));
        };
        // Whoever came first has written it down; anything else that failed is told as it is.
        let row = self
            .db
            .fetch_optional(&self.by_key, &[key.as_str().into()])
            .await?;
        let entry = row.as_ref().map(Entry::read).transpose()?.ok_or(error)?;
        self.again(entry, payment, now).await
    }

    /// Makes sure that an attempt which was never made never will be: one that comes late finds
    /// itself declined. Returns how the attempt stands.
    pub(super) async fn void(&self, payment: Payment) -> Result<Entry, DbError> {
        let attempt = payment.attempt.unwrap_or(0);
        let key = format!("{}-{attempt}", payment.order_id);
        let params = columns(self.ids.next(), now_ms(), &payment, &key);
        let voided = self.db.execute(&self.void, &params).await;
        let row = self
            .db
            .fetch_optional(&self.by_key, &[key.as_str().into()])
            .await?;
        match (row, voided) {
            (Some(row), _) => Ok(Entry::read(&row)?),
            (None, Err(error)) => Err(error),
            (None, Ok(_)) => Err(sqlx::Error::RowNotFound.into()),
        }
    }

    /// Tells what becomes of an attempt that is there already.
    async fn again(&self, entry: Entry, payment: Payment, now: i64) -> Result<Begun, DbError> {
        if entry.amount_minor != payment.amount_minor {
            return Ok(Begun::Other);
        }
        if entry.status != PROCESSING {
            return Ok(Begun::Before(entry));
        }
        let params = [
            (now + self.lease_ms).into(),
            entry.id.into(),
            entry.lease_until_ms.into(),
        ];
        // Whoever was at it is gone; the provider knows the attempt by its key.
        let lost = entry.lease_until_ms < now;
        if lost && self.db.execute(&self.take_over, &params).await? == 1 {
            Ok(Begun::Now(entry))
        } else {
            Ok(Begun::Running)
        }
    }

    /// Notes how an attempt ended; `reason` tells why the money was not taken.
    pub(super) async fn end(
        &self,
        mut entry: Entry,
        reason: Option<&'static str>,
    ) -> Result<Entry, DbError> {
        let status = if reason.is_some() {
            DECLINED
        } else {
            SUCCEEDED
        };
        let reason = reason.unwrap_or_default();
        let params = [status.into(), reason.into(), entry.id.into()];
        self.db.execute(&self.end, &params).await?;
        status.clone_into(&mut entry.status);
        reason.clone_into(&mut entry.reason);
        Ok(entry)
    }

    pub(super) async fn of_order(&self, order_id: i64) -> Result<Vec<Entry>, DbError> {
        let rows = self
            .db
            .fetch_all(&self.by_order, &[order_id.into()])
            .await?;
        Ok(rows.iter().map(Entry::read).collect::<Result<_, _>>()?)
    }

    /// Notes that what was taken for an order went back; returns how many payments did.
    pub(super) async fn refund(&self, order_id: i64) -> Result<u64, DbError> {
        self.db.execute(&self.refund, &[order_id.into()]).await
    }

    /// Forgets payments that are older than `kept`; returns whether there are likely more.
    async fn forget(&self, kept: Duration) -> Result<bool, DbError> {
        let kept = i64::try_from(kept.as_millis()).unwrap_or(i64::MAX);
        let before = now_ms().saturating_sub(kept);
        let params = [before.into(), FORGOTTEN_AT_ONCE.into()];
        let row = self.db.fetch_optional(&self.bound, &params).await?;
        let bound = row.as_ref().map(|row| row.int(0)).transpose()?;
        let params = [bound.unwrap_or(before).into()];
        self.db.execute(&self.forget, &params).await?;
        Ok(bound.is_some())
    }
}

/// Returns what an attempt is written down with, in the order of the statements.
fn columns<'p>(id: i64, now: i64, payment: &Payment, key: &'p str) -> [Param<'p>; 9] {
    [
        id.into(),
        payment.order_id.into(),
        payment.amount_minor.into(),
        CURRENCY.into(),
        payment.country.code().into(),
        payment.method.name().into(),
        now.into(),
        payment.attempt.unwrap_or(0).into(),
        key.into(),
    ]
}

impl Entry {
    fn read(row: &Row) -> Result<Self, sqlx::Error> {
        Ok(Self {
            id: row.int(0)?,
            order_id: row.int(1)?,
            attempt: row.int(2)?,
            key: row.text(3)?,
            amount_minor: row.int(4)?,
            status: row.text(5)?,
            reason: row.text(6)?,
            lease_until_ms: row.int(7)?,
            method: row.text(8)?,
        })
    }

    pub(super) fn succeeded(&self) -> bool {
        self.status == SUCCEEDED
    }

    pub(super) fn to_json(&self) -> Value {
        json!({
            "payment_id": self.id,
            "attempt": self.attempt,
            "amount": self.amount_minor,
            "method": self.method,
            "status": self.status,
            "reason": self.reason,
        })
    }
}

/// Forgets payments until the role stops. Orders may still ask after theirs, so they are kept twice
/// as long as those.
pub(super) async fn forget(payments: Arc<Payments>, retention: Duration) {
    let mut ticks = tokio::time::interval(FORGET_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let kept = retention.saturating_mul(2);
    loop {
        ticks.tick().await;
        loop {
            match payments.ledger.forget(kept).await {
                Ok(true) => {}
                Ok(false) => break,
                Err(error) => {
                    let service = Role::Payments.name();
                    tracing::warn!(service, reason = %error, "payments not forgotten");
                    break;
                }
            }
        }
    }
}
