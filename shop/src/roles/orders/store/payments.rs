//! Payments of an order, as its row tells of them.

use super::{Order, Status, Store, Topic, UNKNOWN_END_MS};
use crate::{
    db::{Db, DbError, Statement, until_alone},
    ids::now_ms,
};

/// The statements of payments.
#[derive(Debug)]
pub(super) struct Statements {
    lease: Statement,
    paid: Statement,
    declined: Statement,
    unknown: Statement,
}

impl Statements {
    pub(super) fn new(db: &Db) -> Self {
        Self {
            lease: db.statement(
                "update",
                "orders",
                "UPDATE orders SET paying_until_ms = ?, due_ms = ? WHERE id = ? AND attempt = ? \
                 AND status IN ('reserved', 'payment_failed') AND paying_until_ms < ?",
            ),
            paid: db.statement(
                "update",
                "orders",
                "UPDATE orders SET status = 'paid', reason = '', paying_until_ms = 0, due_ms = 0, \
                 paid_ms = ?, updated_ms = ? WHERE id = ? AND status = ?",
            ),
            declined: db.statement(
                "update",
                "orders",
                "UPDATE orders SET status = 'payment_failed', reason = ?, attempt = attempt + 1, \
                 paying_until_ms = 0, due_ms = ?, updated_ms = ? \
                 WHERE id = ? AND attempt = ? AND status = ?",
            ),
            unknown: db.statement(
                "update",
                "orders",
                "UPDATE orders SET paying_until_ms = ?, due_ms = ? WHERE id = ? AND attempt = ? \
                 AND status IN ('reserved', 'payment_failed')",
            ),
        }
    }
}

impl Store {
    /// Takes the lease of a payment; returns whether nobody else holds it.
    pub(in crate::roles::orders) async fn lease(
        &self,
        order: &Order,
        until_ms: i64,
    ) -> Result<bool, DbError> {
        let params = [
            until_ms.into(),
            until_ms.into(),
            order.id.into(),
            order.attempt.into(),
            now_ms().into(),
        ];
        Ok(self.db.execute(&self.pays.lease, &params).await? == 1)
    }

    /// Notes that the money was taken, and has the order fulfilled; returns whether that was news.
    pub(in crate::roles::orders) async fn paid(&self, order: &Order) -> Result<bool, DbError> {
        until_alone(|| self.try_paid(order)).await
    }

    async fn try_paid(&self, order: &Order) -> Result<bool, DbError> {
        let (now, from) = (now_ms(), order.status);
        let params = [now.into(), now.into(), order.id.into(), from.name().into()];
        let mut tx = self.db.begin().await?;
        if !from.may_become(Status::Paid) || tx.execute(&self.pays.paid, &params).await? != 1 {
            return Ok(false);
        }
        self.note(&mut tx, order.id, from, Status::Paid, "").await?;
        self.tell(&mut tx, order.id, Topic::Paid).await?;
        tx.commit().await?;
        self.news.notify_one();
        Ok(true)
    }

    /// Notes that a payment was declined; the next one has another number.
    pub(in crate::roles::orders) async fn declined(
        &self,
        order: &Order,
        reason: &str,
        due_ms: i64,
    ) -> Result<bool, DbError> {
        until_alone(|| self.try_declined(order, reason, due_ms)).await
    }

    async fn try_declined(
        &self,
        order: &Order,
        reason: &str,
        due_ms: i64,
    ) -> Result<bool, DbError> {
        let params = [
            reason.into(),
            due_ms.into(),
            now_ms().into(),
            order.id.into(),
            order.attempt.into(),
            order.status.name().into(),
        ];
        let mut tx = self.db.begin().await?;
        if tx.execute(&self.pays.declined, &params).await? != 1 {
            return Ok(false);
        }
        // Declined again it stays where it is.
        if order.status.may_become(Status::PaymentFailed) {
            self.note(
                &mut tx,
                order.id,
                order.status,
                Status::PaymentFailed,
                reason,
            )
            .await?;
        }
        tx.commit().await?;
        Ok(true)
    }

    /// Notes that nobody knows how a payment ended: it can be repeated, under the same number.
    pub(in crate::roles::orders) async fn unknown(
        &self,
        order: &Order,
        due_ms: i64,
    ) -> Result<(), DbError> {
        let params = [
            UNKNOWN_END_MS.into(),
            due_ms.into(),
            order.id.into(),
            order.attempt.into(),
        ];
        self.db.execute(&self.pays.unknown, &params).await?;
        Ok(())
    }
}
