//! `POST /payment/pay`: one payment at a time an order, counted per attempt.
//!
//! A payment holds its order by a lease. One whose end is not known, since payments did not answer or
//! this process died, can be repeated under the same number: payments knows it by that and takes
//! the money once. The reconciler asks what became of it when nobody repeats it.

use std::sync::Arc;

use axum::{
    Extension, Json,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};

use super::{Orders, UNKNOWN_PAUSE_MS, idempotency::Ticket, order::Order, status::Status};
use crate::{
    config::Role,
    http::{
        call::{Answer, Ask, CallError},
        identity::Identity,
        input::Fields,
        problem::Problem,
    },
    ids::now_ms,
    market::{METHODS, Method},
    roles::{edge::to_the_end, payments::MOST_MINOR},
    telemetry::business::Stage,
};

/// How an attempt to pay ended.
#[derive(Debug)]
pub(super) enum Attempt {
    /// The order is paid; the id of the payment, if one was needed.
    Paid(Value),
    /// Declined; the answer and the reason.
    Declined(Answer, String),
    /// Nobody knows yet.
    Unknown,
}

/// A payment as it was asked for.
#[derive(Debug)]
struct Wanted {
    order_id: i64,
    amount: Option<i64>,
    method: Method,
    identity: Identity,
    ticket: Option<Ticket>,
}

pub(super) async fn pay(
    State(orders): State<Arc<Orders>>,
    identity: Identity,
    ticket: Option<Extension<Ticket>>,
    mut fields: Fields,
) -> Result<Response, Problem> {
    let order_id = fields.id("order_id");
    let amount = fields.optional_whole("amount", MOST_MINOR);
    let method = fields.optional_word("method", Method::parse, METHODS);
    fields.finish()?;
    let wanted = Wanted {
        order_id,
        amount,
        method: method.unwrap_or(Method::Card),
        identity,
        ticket: ticket.map(|Extension(ticket)| ticket),
    };
    let db = Arc::clone(&orders.store.db);
    let work = async move { orders.pay(wanted).await };
    to_the_end(&db, work).await
}

impl Orders {
    async fn pay(&self, wanted: Wanted) -> Result<Response, Problem> {
        let mut order = self
            .visible(wanted.order_id, "order_id", &wanted.identity)
            .await?;
        let amount = wanted.amount;
        if amount.is_some_and(|amount| amount != order.total_minor) {
            let message = format!("the order costs {}", order.total_minor);
            return Err(Problem::field(
                StatusCode::UNPROCESSABLE_ENTITY,
                "amount",
                message,
            ));
        }
        let before = wanted.ticket.as_ref().and_then(|ticket| ticket.order_id);
        if before == Some(order.id) && order.status.is_paid() {
            // An earlier request with this key began it, and somebody ended it.
            let payment_id = self.payment_of(order.id).await;
            return Ok(Json(paid(&order, &payment_id)).into_response());
        }
        let until_ms = now_ms() + self.lease_ms();
        if !order.status.is_payable() || !self.store.lease(&order, until_ms).await? {
            return Err(not_payable(&order));
        }
        if let Some(ticket) = &wanted.ticket {
            self.store.link_key(&ticket.hash, order.id).await?;
        }
        order.segment = self.customers.segment_of(order.customer_id).await;
        match self.take_money(&order, wanted.method).await? {
            Attempt::Paid(payment_id) => Ok(Json(paid(&order, &payment_id)).into_response()),
            Attempt::Declined(answer, _) => Ok(answer.into_response()),
            Attempt::Unknown => Err(still_under_way(order.id)),
        }
    }

    /// Asks which payment an order was paid by; null when that cannot be told now.
    async fn payment_of(&self, order_id: i64) -> Value {
        let path = format!("/payments/by-order/{order_id}");
        let ask = Ask::get("/payments/by-order/:id", path);
        let Ok(answer) = self.payments.ask(ask).await else {
            return Value::Null;
        };
        let body: Value = answer.json().unwrap_or_default();
        let mut payments = body["payments"].as_array().into_iter().flatten();
        let succeeded = payments.find(|payment| payment["status"] == "succeeded");
        succeeded.map_or(Value::Null, |payment| payment["payment_id"].clone())
    }

    /// Asks for the money of an order whose lease is held, and notes what came of it.
    pub(super) async fn take_money(
        &self,
        order: &Order,
        method: Method,
    ) -> Result<Attempt, Problem> {
        if order.total_minor == 0 {
            self.settle_paid(order).await?;
            return Ok(Attempt::Paid(Value::Null));
        }
        let outcome = self.ask_for_money(order, method).await;
        let succeeded = matches!(&outcome, Ok(answer) if answer.status.is_success());
        // Any other answer tells of a payment that is still under way, not of its end.
        let ended = outcome.as_ref().map_or(true, |answer| {
            succeeded || answer.status == StatusCode::PAYMENT_REQUIRED
        });
        if ended {
            self.business.payment(order.country, method, succeeded);
        }
        if ended && !succeeded {
            log_failure(order, method, &outcome);
        }
        match outcome {
            Ok(answer) if succeeded => {
                let body: Value = answer.json().unwrap_or_default();
                self.settle_paid(order).await?;
                Ok(Attempt::Paid(body["payment_id"].clone()))
            }
            Ok(answer) if answer.status == StatusCode::PAYMENT_REQUIRED => {
                let reason = said(&answer);
                let due_ms = now_ms() + self.payment_window_ms();
                self.store.declined(order, &reason, due_ms).await?;
                Ok(Attempt::Declined(answer, reason))
            }
            other => {
                self.store
                    .unknown(order, now_ms() + UNKNOWN_PAUSE_MS)
                    .await?;
                other
                    .map(|_| Attempt::Unknown)
                    .map_err(|error| error.problem(Role::Payments))
            }
        }
    }

    /// Notes that an order is paid; counts it when that is news.
    pub(super) async fn settle_paid(&self, order: &Order) -> Result<(), Problem> {
        if !self.store.paid(order).await? {
            let now = self.find(order.id, "order_id").await?;
            if now.status == Status::Cancelled {
                tracing::error!(
                    order_id = order.id,
                    reason = "cancelled_meanwhile",
                    "payment goes back"
                );
                self.store.tell_cancelled(order.id).await?;
            }
            return Ok(());
        }
        let (order_id, amount_minor) = (order.id, order.total_minor);
        tracing::info!(order_id, amount_minor, "payment succeeded");
        self.business.revenue(order.country, amount_minor);
        if order.from_cart {
            self.business.funnel(Stage::CheckoutComplete, order.country);
            self.empty_cart(order).await;
        }
        self.customers.bought(order).await;
        Ok(())
    }

    async fn ask_for_money(&self, order: &Order, method: Method) -> Result<Answer, CallError> {
        let body = json!({
            "order_id": order.id,
            "attempt": order.attempt,
            "amount": order.total_minor,
            "country": order.country.code(),
            "method": method.name(),
        });
        let ask = Ask::post("/payment/pay", &body).with_segment(order.segment);
        self.payments.ask(ask).await
    }
}

/// Returns what is said of a payment that another request is still at.
pub(super) fn still_under_way(order_id: i64) -> Problem {
    let problem = Problem::new(StatusCode::CONFLICT, "the payment is still under way");
    problem.retry_after(1).for_order(order_id)
}

fn paid(order: &Order, payment_id: &Value) -> Value {
    json!({
        "order_id": order.id,
        "payment_id": payment_id,
        "amount": order.total_minor,
        "currency": order.currency,
        "status": Status::Paid.name(),
    })
}

fn said(answer: &Answer) -> String {
    let body: Value = answer.json().unwrap_or_default();
    let reason = body["reason"].as_str().unwrap_or("refused");
    reason.chars().take(80).collect()
}

/// Logs an attempt without success; people search for "payment failed" and read the reason.
fn log_failure(order: &Order, method: Method, outcome: &Result<Answer, CallError>) {
    let (status, reason) = match outcome {
        Ok(answer) => (Some(answer.status), said(answer)),
        Err(CallError::Failed(status)) => (Some(*status), "upstream_error".to_owned()),
        Err(error) => (None, error.reason().to_owned()),
    };
    let status = status.map(|status| i64::from(status.as_u16()));
    let (order_id, country, method) = (order.id, order.country.code(), method.name());
    if matches!(outcome, Ok(answer) if answer.status == StatusCode::PAYMENT_REQUIRED) {
        tracing::warn!(order_id, country, method, status, reason, "payment failed");
    } else {
        tracing::error!(order_id, country, method, status, reason, "payment failed");
    }
}

fn not_payable(order: &Order) -> Problem {
    let refused = |message| Problem::field(StatusCode::CONFLICT, "order_id", message);
    match order.status {
        Status::Paid => refused("is already paid".to_owned()),
        status if status.is_payable() => refused("is being paid".to_owned()).retry_after(1),
        status => refused(format!("is {} and cannot be paid", status.name())),
    }
}
