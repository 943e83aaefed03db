//! Settling what requests left unfinished: a process that died, a catalog or a payments role that
//! did not answer, a database that failed in between.
//!
//! An order that somebody is at work on has a time at which it is due; whoever gets further with
//! it sets another one. What is still due here was left behind, or waited too long for its money.

use std::sync::Arc;

use axum::http::StatusCode;
use futures_util::{StreamExt, stream};
use serde_json::{Value, json};
use tokio::time::MissedTickBehavior;

use super::{Orders, RELEASE_PAUSE_MS, order::Order, status::Status, store::Change};
use crate::{
    config::Role,
    http::{call::Ask, problem::Problem},
    ids::now_ms,
    market::Method,
};

/// Orders settled in one go.
const BATCH: i64 = 50;
/// Orders settled at once.
const AT_ONCE: usize = 4;

/// Looks for unfinished orders until the role stops.
pub(super) async fn run(orders: Arc<Orders>) {
    let mut ticks = tokio::time::interval(orders.times.reconcile_every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        // A full batch that went well has more behind it.
        while orders.settle_batch().await {}
    }
}

impl Orders {
    /// Settles a batch; returns whether there are likely more that can be settled now.
    async fn settle_batch(&self) -> bool {
        let due = match self.store.due(BATCH).await {
            Ok(due) => due,
            Err(error) => {
                tracing::warn!(service = Role::Orders.name(), reason = %error, "nothing reconciled");
                return false;
            }
        };
        let full = due.len() as i64 == BATCH;
        let settled = due.into_iter();
        let settled = settled.map(|order| async move { self.settle(&order).await });
        let settled = stream::iter(settled).buffer_unordered(AT_ONCE);
        let outcomes: Vec<bool> = settled.collect().await;
        full && outcomes.into_iter().all(|settled| settled)
    }

    /// Settles one order; returns whether it is off the list for now.
    async fn settle(&self, order: &Order) -> bool {
        let outcome = match order.status {
            Status::Pending => self.settle_cancelled(order, "abandoned").await,
            Status::Reserved | Status::PaymentFailed if order.paying_until_ms > 0 => {
                self.settle_payment(order).await
            }
            Status::Reserved | Status::PaymentFailed => {
                self.settle_cancelled(order, "not_paid").await
            }
            Status::Cancelled => self.give_back(order.id).await,
            Status::Paid | Status::Shipped | Status::Delivered => {
                let done = self.store.defer(order.id, order.status, 0).await;
                done.map_err(Problem::from)
            }
        };
        match outcome {
            Ok(()) => true,
            Err(problem) => {
                let status = i64::from(problem.status.as_u16());
                tracing::warn!(order_id = order.id, status, "order not reconciled yet");
                let later = now_ms() + RELEASE_PAUSE_MS;
                self.store
                    .defer(order.id, order.status, later)
                    .await
                    .is_ok()
            }
        }
    }

    async fn settle_cancelled(&self, order: &Order, reason: &str) -> Result<(), Problem> {
        let change = Change {
            id: order.id,
            from: order.status,
            to: Status::Cancelled,
            reason,
            due_ms: now_ms(),
        };
        if !self.store.change(change).await? {
            // Somebody got further with it.
            return Ok(());
        }
        tracing::info!(order_id = order.id, reason, "order cancelled");
        self.give_back(order.id).await
    }

    async fn give_back(&self, id: i64) -> Result<(), Problem> {
        let lines = self.store.lines(id).await?;
        self.release(id, &lines).await;
        Ok(())
    }

    /// Asks payments how the last payment ended, under the lease of that payment.
    async fn settle_payment(&self, order: &Order) -> Result<(), Problem> {
        let until_ms = now_ms() + self.lease_ms();
        if !self.store.lease(order, until_ms).await? {
            return Ok(());
        }
        let path = format!("/payments/by-order/{}", order.id);
        let answer = match self
            .payments
            .ask(Ask::get("/payments/by-order/:id", path))
            .await
        {
            Ok(answer) if answer.status == StatusCode::OK => answer,
            Ok(_) => return self.ask_later(order).await,
            Err(error) => {
                tracing::warn!(
                    order_id = order.id,
                    reason = error.reason(),
                    "payment unsettled"
                );
                return self.ask_later(order).await;
            }
        };
        let body: Value = answer.json().unwrap_or_default();
        let mut attempts = body["payments"].as_array().into_iter().flatten();
        let last = attempts.find(|payment| payment["attempt"].as_i64() == Some(order.attempt));
        match last {
            Some(payment) => self.settle_by(order, payment).await,
            None => self.settle_void(order).await,
        }
    }

    /// Rules a payment that payments does not know out, however late it may come.
    async fn settle_void(&self, order: &Order) -> Result<(), Problem> {
        let body = json!({
            "order_id": order.id,
            "attempt": order.attempt,
            "amount": order.total_minor,
        });
        match self.payments.ask(Ask::post("/payments/void", &body)).await {
            Ok(answer) if answer.status == StatusCode::OK => {
                let payment: Value = answer.json().unwrap_or_default();
                self.settle_by(order, &payment).await
            }
            _ => self.ask_later(order).await,
        }
    }

    /// Settles an order by what payments knows of its last payment.
    async fn settle_by(&self, order: &Order, payment: &Value) -> Result<(), Problem> {
        match payment["status"].as_str() {
            Some("succeeded") => {
                tracing::info!(order_id = order.id, "payment settled");
                let method = payment["method"].as_str().and_then(Method::parse);
                let method = method.unwrap_or(Method::Card);
                self.business.payment(order.country, method, true);
                self.settle_paid(order).await
            }
            Some("declined") => {
                let reason = payment["reason"].as_str().unwrap_or("declined");
                let due_ms = now_ms() + self.payment_window_ms();
                self.store.declined(order, reason, due_ms).await?;
                Ok(())
            }
            Some("processing") => {
                // Payments may have died over it; asked again it finds out, and takes money once.
                let method = payment["method"].as_str().and_then(Method::parse);
                self.take_money(order, method.unwrap_or(Method::Card))
                    .await?;
                Ok(())
            }
            _ => self.ask_later(order).await,
        }
    }

    /// Leaves the end of a payment unknown for a while.
    async fn ask_later(&self, order: &Order) -> Result<(), Problem> {
        let later = now_ms() + RELEASE_PAUSE_MS;
        Ok(self.store.unknown(order, later).await?)
    }
}
