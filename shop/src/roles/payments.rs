//! Takes money: asks the payment provider of the customer's country, and records each attempt.
//!
//! An attempt is known by its order and its number; asked for again it answers what it answered
//! before, so that money is taken once. A decline is a 402 and no failure; so is, for the customer,
//! a provider that does not answer after retries.

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::State,
    http::{Method as HttpMethod, StatusCode},
    routing::{get, post},
};
use serde_json::{Value, json};
use tracing::{Instrument, Span, field::Empty, info_span};

use self::ledger::{Begun, Entry, Ledger, Payment};
use super::{Parts, Started, counted, edge::to_the_end};
use crate::{
    config::Role,
    db::Db,
    error::ShopError,
    http::{
        call::{Answer, Ask, CallError, Dependency},
        input::{Fields, Id},
        problem::Problem,
    },
    market::{COUNTRIES, Country, DependencyName, METHODS, Method},
};

mod ledger;

/// Largest amount of one payment, in cents.
pub(super) const MOST_MINOR: i64 = 1_000_000_000;
/// Largest number of an attempt.
const MOST_ATTEMPTS: i64 = 1_000_000;

/// Why money was not taken, in words that programs know.
const REASONS: [&str; 11] = [
    "insufficient_funds",
    "card_expired",
    "limit_exceeded",
    "suspected_fraud",
    "card_invalid",
    "account_unknown",
    "too_many_attempts",
    "provider_unavailable",
    "provider_timeout",
    "abandoned",
    DECLINED,
];
const DECLINED: &str = "declined";

#[derive(Debug)]
struct Payments {
    db: Arc<Db>,
    ledger: Ledger,
    providers: Vec<(Country, Dependency)>,
}

pub(super) async fn start(parts: Parts<'_>) -> Result<Started, ShopError> {
    let db = parts.database(Role::Payments, ledger::SCHEMA).await?;
    let provider = |country| {
        let name = DependencyName::Provider(country);
        Ok((country, parts.dependency(Role::Payments, name)?))
    };
    let providers = Country::ALL.into_iter().map(provider);
    let orders = parts.config.orders;
    let payments = Arc::new(Payments {
        ledger: Ledger::new(Arc::clone(&db), orders.lease),
        providers: providers.collect::<Result<_, ShopError>>()?,
        db: Arc::clone(&db),
    });
    let router = Router::new()
        .route("/payment/pay", post(pay))
        .route("/payments/by-order/{id}", get(by_order))
        .route("/payments/void", post(void))
        .route("/payments/refund", post(refund))
        .with_state(Arc::clone(&payments));
    let known = vec![
        counted(
            HttpMethod::POST,
            "/payment/pay",
            &[200, 400, 402, 409, 422, 500, 503],
        ),
        counted(
            HttpMethod::GET,
            "/payments/by-order/{id}",
            &[200, 400, 500, 503],
        ),
        counted(
            HttpMethod::POST,
            "/payments/void",
            &[200, 400, 422, 500, 503],
        ),
        counted(
            HttpMethod::POST,
            "/payments/refund",
            &[200, 400, 422, 500, 503],
        ),
    ];
    let forget = orders
        .retention
        .map(|retention| -> super::Background { Box::pin(ledger::forget(payments, retention)) });
    Ok(Started {
        role: Role::Payments,
        router,
        routes: known,
        db: Some(db),
        background: forget.into_iter().collect(),
    })
}

async fn pay(
    State(payments): State<Arc<Payments>>,
    mut fields: Fields,
) -> Result<Json<Value>, Problem> {
    let order_id = fields.id("order_id");
    let amount_minor = fields.whole("amount", MOST_MINOR);
    let attempt = fields.optional_whole("attempt", MOST_ATTEMPTS);
    let country = fields.optional_word("country", Country::parse, COUNTRIES);
    let method = fields.optional_word("method", Method::parse, METHODS);
    fields.finish()?;
    let payment = Payment {
        order_id,
        attempt,
        amount_minor,
        country: country.unwrap_or(Country::Us),
        method: method.unwrap_or(Method::Card),
    };
    let span = info_span!(
        "PayOrder",
        service = Role::Payments.name(),
        order_id,
        amount_minor,
        attempt,
        method = payment.method.name(),
        declined = Empty,
    );
    let db = Arc::clone(&payments.db);
    let work = async move { payments.take(payment).await };
    to_the_end(&db, work).instrument(span).await.map(Json)
}

/// `GET /payments/by-order/{id}`: every attempt, oldest first.
async fn by_order(
    State(payments): State<Arc<Payments>>,
    Id(id): Id,
) -> Result<Json<Value>, Problem> {
    let entries = payments.ledger.of_order(id).await?;
    let entries: Vec<Value> = entries.iter().map(Entry::to_json).collect();
    Ok(Json(json!({ "order_id": id, "payments": entries })))
}

/// `POST /payments/void`: has an attempt declined unless it was made; answers how it stands.
async fn void(
    State(payments): State<Arc<Payments>>,
    mut fields: Fields,
) -> Result<Json<Value>, Problem> {
    let payment = Payment {
        order_id: fields.id("order_id"),
        attempt: Some(fields.whole("attempt", MOST_ATTEMPTS)),
        amount_minor: fields.whole("amount", MOST_MINOR),
        country: Country::Us,
        method: Method::Card,
    };
    fields.finish()?;
    let db = Arc::clone(&payments.db);
    let work = async move { Ok(payments.ledger.void(payment).await?) };
    let entry = to_the_end(&db, work).await?;
    Ok(Json(entry.to_json()))
}

/// `POST /payments/refund`: gives back what was taken for an order, once.
async fn refund(
    State(payments): State<Arc<Payments>>,
    mut fields: Fields,
) -> Result<Json<Value>, Problem> {
    let order_id = fields.id("order_id");
    fields.finish()?;
    let db = Arc::clone(&payments.db);
    let work = async move { Ok(payments.ledger.refund(order_id).await?) };
    let refunded = to_the_end(&db, work).await?;
    if refunded > 0 {
        tracing::info!(order_id, "payment refunded");
    }
    Ok(Json(json!({ "order_id": order_id, "refunded": refunded })))
}

impl Payments {
    async fn take(&self, payment: Payment) -> Result<Value, Problem> {
        let entry = match self.ledger.begin(payment).await? {
            Begun::Now(entry) => entry,
            Begun::Before(entry) => return answer(&entry),
            Begun::Running => {
                let message = "is being paid";
                return Err(
                    Problem::field(StatusCode::CONFLICT, "order_id", message).retry_after(1)
                );
            }
            Begun::Other => {
                let message = "was tried before with another amount";
                return Err(Problem::field(
                    StatusCode::UNPROCESSABLE_ENTITY,
                    "attempt",
                    message,
                ));
            }
        };
        let reason = self.charge(&entry, payment).await;
        let ended = self.ledger.end(entry, reason).await?;
        answer(&ended)
    }

    /// Asks the provider for the money; returns why it was not taken, `None` when it was.
    async fn charge(&self, entry: &Entry, payment: Payment) -> Option<&'static str> {
        let found = self
            .providers
            .iter()
            .find(|(country, _)| *country == payment.country);
        let Some((country, provider)) = found else {
            return Some("provider_unavailable");
        };
        let body = json!({
            "order_id": payment.order_id,
            "amount": payment.amount_minor,
            "method": payment.method.name(),
        });
        let path = format!("/providers/{}/charge", country.code().to_ascii_lowercase());
        let ask = Ask::post("/providers/:country/charge", &body)
            .at(path)
            .with_key(&entry.key);
        why_not(provider.ask(ask).await)
    }
}

/// Reads a provider's answer: why the money was not taken.
fn why_not(outcome: Result<Answer, CallError>) -> Option<&'static str> {
    match outcome {
        Ok(answer) if answer.status.is_success() => None,
        Ok(answer) => {
            let body: Value = answer.json().unwrap_or_default();
            Some(reason_word(body["reason"].as_str().unwrap_or(DECLINED)))
        }
        Err(CallError::Timeout) => Some("provider_timeout"),
        Err(_) => Some("provider_unavailable"),
    }
}

/// Returns the word of the closed set that a reason is told by.
pub(super) fn reason_word(reason: &str) -> &'static str {
    let known = REASONS.into_iter().find(|word| *word == reason);
    known.unwrap_or(DECLINED)
}

fn answer(entry: &Entry) -> Result<Value, Problem> {
    if entry.succeeded() {
        return Ok(json!({
            "payment_id": entry.id,
            "order_id": entry.order_id,
            "status": entry.status,
        }));
    }
    let reason = reason_word(&entry.reason);
    Span::current().record("declined", reason);
    let detail = "the payment was declined; try another way to pay";
    Err(Problem::new(StatusCode::PAYMENT_REQUIRED, detail).because(reason))
}
