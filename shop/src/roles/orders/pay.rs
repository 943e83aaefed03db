//! `POST /payment/pay`: one payment at a time an order, counted per attempt.

use std::sync::Arc;

use axum::{
    Json,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};

use super::{Order, Orders};
use crate::{
    config::Role,
    http::{
        call::{Answer, Ask, CallError},
        input::Fields,
        problem::Problem,
    },
    market::Method,
    roles::{edge::to_the_end, payments::MOST_MINOR},
};

const CREATED: &str = "created";
const PAYING: &str = "paying";
const PAID: &str = "paid";

pub(super) async fn pay(
    State(orders): State<Arc<Orders>>,
    mut fields: Fields,
) -> Result<Response, Problem> {
    let order_id = fields.id("order_id");
    let amount = fields.optional_whole("amount", MOST_MINOR);
    let method = fields.optional_word("method", Method::parse, "card, wallet, transfer");
    fields.finish()?;
    let method = method.unwrap_or(Method::Card);
    let db = Arc::clone(&orders.db);
    let work = async move { orders.pay(order_id, amount, method).await };
    to_the_end(&db, work).await
}

impl Orders {
    async fn pay(
        &self,
        order_id: i64,
        amount: Option<i64>,
        method: Method,
    ) -> Result<Response, Problem> {
        let order = self.find(order_id, "order_id").await?;
        if amount.is_some_and(|amount| amount != order.amount_minor) {
            let message = format!("the order costs {}", order.amount_minor);
            return Err(Problem::field(
                StatusCode::UNPROCESSABLE_ENTITY,
                "amount",
                message,
            ));
        }
        if !self.move_on(order_id, CREATED, PAYING).await? {
            return Err(not_payable(&order));
        }
        let outcome = self.ask_for_money(&order, method).await;
        let paid = matches!(&outcome, Ok(answer) if answer.status.is_success());
        self.business
            .payment(order.country, method, paid.then_some(order.amount_minor));
        self.move_on(order_id, PAYING, if paid { PAID } else { CREATED })
            .await?;
        if paid {
            tracing::info!(
                order_id,
                amount_minor = order.amount_minor,
                "payment succeeded"
            );
        } else {
            log_failure(&order, method, &outcome);
        }
        answer_for(&order, outcome)
    }

    async fn ask_for_money(&self, order: &Order, method: Method) -> Result<Answer, CallError> {
        let body = json!({
            "order_id": order.id,
            "amount": order.amount_minor,
            "country": order.country.code(),
            "method": method.name(),
        });
        self.payments.ask(Ask::post("/payment/pay", &body)).await
    }
}

fn answer_for(order: &Order, outcome: Result<Answer, CallError>) -> Result<Response, Problem> {
    let answer = outcome.map_err(|error| error.problem(Role::Payments))?;
    if !answer.status.is_success() {
        return Ok(answer.into_response());
    }
    let payment = answer
        .json()
        .map_err(|error| error.problem(Role::Payments))?;
    let paid = json!({
        "order_id": order.id,
        "payment_id": payment["payment_id"],
        "amount": order.amount_minor,
        "currency": order.currency,
        "status": PAID,
    });
    Ok(Json(paid).into_response())
}

/// Logs an attempt without success; people search for "payment failed" and read the reason.
fn log_failure(order: &Order, method: Method, outcome: &Result<Answer, CallError>) {
    let said = |answer: &Answer| {
        let body: Option<Value> = answer.json().ok();
        body.and_then(|body| body["reason"].as_str().map(str::to_owned))
    };
    let (status, reason) = match outcome {
        Ok(answer) => (
            Some(answer.status),
            said(answer).unwrap_or_else(|| "refused".to_owned()),
        ),
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
    let message = match order.status.as_str() {
        PAID => "is already paid".to_owned(),
        PAYING => "is being paid".to_owned(),
        status => format!("is {status} and cannot be paid"),
    };
    Problem::field(StatusCode::CONFLICT, "order_id", message)
}
