//! What is known of customers: how often and how much they bought, and when last.

use std::{sync::Arc, time::Duration};

use super::order::Order;
use crate::{
    db::{Db, DbError, Statement},
    ids::now_ms,
    telemetry::business::{Business, Segment},
};

const DAY_MS: i64 = 24 * 60 * 60 * 1_000;
/// Beyond these a customer is a very important one.
const VIP_MINOR: i64 = 50_000;
const VIP_ORDERS: i64 = 5;
const AT_RISK_AFTER_MS: i64 = 30 * DAY_MS;
const CHURNED_AFTER_MS: i64 = 90 * DAY_MS;
/// Customers who bought nothing for this long are forgotten.
const FORGOTTEN_AFTER: Duration = Duration::from_hours(2 * 365 * 24);
/// Most customers that are kept; beyond, those who bought longest ago go first.
const MOST: i64 = 200_000;
const FORGOTTEN_AT_ONCE: i64 = 5_000;

#[derive(Debug)]
pub(super) struct Customers {
    db: Arc<Db>,
    again: Statement,
    first: Statement,
    segments: Statement,
    one: Statement,
    count: Statement,
    oldest: Statement,
    forget: Statement,
}

impl Customers {
    pub(super) fn new(db: Arc<Db>) -> Self {
        Self {
            again: db.statement(
                "update",
                "customers",
                "UPDATE customers SET orders_count = orders_count + 1, \
                 spent_minor = spent_minor + ?, last_order_ms = ? WHERE customer_id = ?",
            ),
            first: db.statement(
                "insert",
                "customers",
                "INSERT INTO customers (customer_id, orders_count, spent_minor, last_order_ms) \
                 VALUES (?, 1, ?, ?)",
            ),
            // The first that holds counts: vip, churned, at risk, returning, new.
            segments: db.statement(
                "select",
                "customers",
                "SELECT COALESCE(SUM(v), 0), COALESCE(SUM((1 - v) * c), 0), \
                 COALESCE(SUM((1 - v) * (1 - c) * a), 0), \
                 COALESCE(SUM((1 - v) * (1 - c) * (1 - a) * r), 0), \
                 COALESCE(SUM((1 - v) * (1 - c) * (1 - a) * (1 - r)), 0) FROM (SELECT \
                 CASE WHEN spent_minor > ? OR orders_count > ? THEN 1 ELSE 0 END AS v, \
                 CASE WHEN last_order_ms < ? THEN 1 ELSE 0 END AS c, \
                 CASE WHEN last_order_ms < ? THEN 1 ELSE 0 END AS a, \
                 CASE WHEN orders_count > 1 THEN 1 ELSE 0 END AS r FROM customers) known",
            ),
            one: db.statement(
                "select",
                "customers",
                "SELECT orders_count, spent_minor, last_order_ms FROM customers \
                 WHERE customer_id = ?",
            ),
            count: db.statement("select", "customers", "SELECT COUNT(*) FROM customers"),
            oldest: db.statement(
                "select",
                "customers",
                "SELECT last_order_ms FROM customers ORDER BY last_order_ms LIMIT 1 OFFSET ?",
            ),
            forget: db.statement(
                "delete",
                "customers",
                "DELETE FROM customers WHERE last_order_ms < ?",
            ),
            db,
        }
    }

    /// Notes a purchase of someone who can come back: a visit without an account cannot be told from
    /// another one.
    pub(super) async fn bought(&self, order: &Order) {
        let anonymous = order.from_cart && order.buyer.user.is_none();
        if anonymous {
            return;
        }
        if let Err(error) = self.try_bought(order).await {
            tracing::warn!(order_id = order.id, reason = %error, "customer not noted");
        }
    }

    async fn try_bought(&self, order: &Order) -> Result<(), DbError> {
        let (id, now) = (order.customer_id, now_ms());
        let again = [order.total_minor.into(), now.into(), id.into()];
        if self.db.execute(&self.again, &again).await? == 1 {
            return Ok(());
        }
        let first = [id.into(), order.total_minor.into(), now.into()];
        if self.db.execute(&self.first, &first).await.is_err() {
            // Two first purchases at once; the other one was first.
            self.db.execute(&self.again, &again).await?;
        }
        Ok(())
    }

    /// Returns which segment a customer belongs to, for the trace of what it does; `None` when that
    /// cannot be told now.
    pub(super) async fn segment_of(&self, customer_id: i64) -> Option<Segment> {
        let params = [customer_id.into()];
        let row = self.db.fetch_optional(&self.one, &params).await.ok()?;
        let Some(row) = row else {
            return Some(Segment::New);
        };
        let known = (row.int(0).ok()?, row.int(1).ok()?, row.int(2).ok()?);
        let (orders, spent_minor, last_order_ms) = known;
        Some(segment(orders, spent_minor, now_ms() - last_order_ms))
    }

    /// Counts the segments and shows them.
    pub(super) async fn show(&self, business: &Business) -> Result<(), DbError> {
        let now = now_ms();
        let params = [
            VIP_MINOR.into(),
            VIP_ORDERS.into(),
            (now - CHURNED_AFTER_MS).into(),
            (now - AT_RISK_AFTER_MS).into(),
        ];
        let Some(row) = self.db.fetch_optional(&self.segments, &params).await? else {
            return Ok(());
        };
        let segments = [
            Segment::Vip,
            Segment::Churned,
            Segment::AtRisk,
            Segment::Returning,
            Segment::New,
        ];
        for (column, segment) in segments.into_iter().enumerate() {
            business.segment(segment, row.int(column)?);
        }
        Ok(())
    }

    /// Forgets who bought nothing for long, and who are too many.
    pub(super) async fn purge(&self) -> Result<(), DbError> {
        let old = now_ms() - FORGOTTEN_AFTER.as_millis() as i64;
        self.db.execute(&self.forget, &[old.into()]).await?;
        let row = self.db.fetch_optional(&self.count, &[]).await?;
        let count = row.map(|row| row.int(0)).transpose()?.unwrap_or(0);
        let over = (count - MOST).min(FORGOTTEN_AT_ONCE);
        if over <= 0 {
            return Ok(());
        }
        let row = self.db.fetch_optional(&self.oldest, &[over.into()]).await?;
        if let Some(row) = row {
            let before = row.int(0)?;
            self.db.execute(&self.forget, &[before.into()]).await?;
        }
        Ok(())
    }
}

/// Says where a customer belongs; the first that holds counts, as in the statement that counts all.
fn segment(orders: i64, spent_minor: i64, since_last_ms: i64) -> Segment {
    if spent_minor > VIP_MINOR || orders > VIP_ORDERS {
        Segment::Vip
    } else if since_last_ms > CHURNED_AFTER_MS {
        Segment::Churned
    } else if since_last_ms > AT_RISK_AFTER_MS {
        Segment::AtRisk
    } else if orders > 1 {
        Segment::Returning
    } else {
        Segment::New
    }
}

#[cfg(test)]
mod tests {
    use super::{DAY_MS, Segment, segment};

    #[test]
    fn a_customer_belongs_to_one_segment() {
        for (orders, spent_minor, days, wanted) in [
            (1, 100, 0, Segment::New),
            (2, 100, 29, Segment::Returning),
            (2, 100, 31, Segment::AtRisk),
            (2, 100, 91, Segment::Churned),
            (6, 100, 91, Segment::Vip),
            (1, 50_001, 0, Segment::Vip),
            (1, 50_000, 0, Segment::New),
        ] {
            assert_eq!(segment(orders, spent_minor, days * DAY_MS), wanted);
        }
    }
}
