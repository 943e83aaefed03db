//! The simulated third parties: payment providers, CRM, warehouses.
//!
//! They fail by themselves and tell nothing of themselves: no metrics, no traces, no log lines. What
//! is known of them is what their callers see. With an `Idempotency-Key` a request is done once,
//! however often it is made.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use axum::{
    Router,
    extract::{Path, State},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
    routing::post,
};
use serde_json::{Value, json};

use self::{
    answers::{Answers, Said},
    fate::{Fate, Habits},
};
use super::{Parts, Started, payments::MOST_MINOR};
use crate::{
    config::Role,
    draw::Draw,
    http::{call::IDEMPOTENCY_KEY, input::Fields, problem::Problem},
    ids::Ids,
    market::{Country, METHODS, Method, WAREHOUSES},
};

mod answers;
mod fate;

/// What is asked of partners; each has draws of its own.
#[derive(Debug, Clone, Copy)]
enum Desk {
    Provider(Country),
    Crm,
    Warehouse,
}

impl Desk {
    const COUNT: usize = Country::ALL.len() + 2;

    fn number(self) -> usize {
        match self {
            Self::Provider(country) => country as usize,
            Self::Crm => Country::ALL.len(),
            Self::Warehouse => Country::ALL.len() + 1,
        }
    }
}

#[derive(Debug)]
struct Partners {
    seed: u64,
    decline_share: Option<f64>,
    /// What every delay is multiplied by.
    latency: f64,
    /// Requests so far, by desk.
    asked: [AtomicU64; Desk::COUNT],
    answers: Answers,
    ids: Ids,
}

pub(super) fn start(parts: Parts<'_>) -> Started {
    let partners = Partners {
        seed: parts.config.seed,
        decline_share: parts.config.decline_share,
        latency: parts.config.partner_latency,
        asked: Default::default(),
        answers: Answers::new(),
        ids: Ids::default(),
    };
    let router = Router::new()
        .route("/providers/{country}/charge", post(charge))
        .route("/crm/orders", post(crm))
        .route("/warehouses/{id}/shipments", post(ship))
        .with_state(Arc::new(partners));
    Started {
        role: Role::Partners,
        router,
        routes: Vec::new(),
        db: None,
        background: Vec::new(),
    }
}

async fn charge(
    State(partners): State<Arc<Partners>>,
    Path(country): Path<String>,
    headers: HeaderMap,
    mut fields: Fields,
) -> Result<Response, Problem> {
    let country = Country::parse(&country.to_ascii_uppercase())
        .ok_or_else(|| none("country", "there is no provider for this country"))?;
    let order_id = fields.id("order_id");
    let amount = fields.whole("amount", MOST_MINOR);
    let method = fields.optional_word("method", Method::parse, METHODS);
    fields.finish()?;
    let method = method.unwrap_or(Method::Card).name();
    let request = format!("{order_id} {amount} {method}");
    let receipt = |id| json!({ "charge_id": id, "order_id": order_id, "amount": amount, "status": "succeeded" });
    let desk = Desk::Provider(country);
    Ok(partners
        .serve(desk, &headers, request, StatusCode::OK, receipt)
        .await)
}

async fn crm(
    State(partners): State<Arc<Partners>>,
    headers: HeaderMap,
    mut fields: Fields,
) -> Result<Response, Problem> {
    let order_id = fields.id("order_id");
    fields.finish()?;
    let receipt = |id| json!({ "record_id": id, "order_id": order_id, "status": "recorded" });
    let request = order_id.to_string();
    Ok(partners
        .serve(Desk::Crm, &headers, request, StatusCode::CREATED, receipt)
        .await)
}

async fn ship(
    State(partners): State<Arc<Partners>>,
    Path(warehouse): Path<String>,
    headers: HeaderMap,
    mut fields: Fields,
) -> Result<Response, Problem> {
    let known = WAREHOUSES.iter().find(|id| **id == warehouse);
    let warehouse = known.ok_or_else(|| none("id", "there is no such warehouse"))?;
    let order_id = fields.id("order_id");
    fields.finish()?;
    let receipt = |id| json!({ "shipment_id": id, "order_id": order_id, "warehouse_id": warehouse, "status": "accepted" });
    let request = format!("{warehouse} {order_id}");
    Ok(partners
        .serve(
            Desk::Warehouse,
            &headers,
            request,
            StatusCode::CREATED,
            receipt,
        )
        .await)
}

impl Partners {
    /// Answers a request, or repeats the answer its key has had before.
    async fn serve(
        &self,
        desk: Desk,
        headers: &HeaderMap,
        request: String,
        done: StatusCode,
        receipt: impl Fn(i64) -> Value,
    ) -> Response {
        let (fate, time) = self.draw(desk);
        // What is done is done before it is answered: a caller that stops waiting finds it done.
        let make = async { decide(fate, done, || receipt(self.ids.next())) };
        let key = headers
            .get(IDEMPOTENCY_KEY)
            .and_then(|key| key.to_str().ok());
        let answer = match key {
            Some(key) => {
                let key = format!("{} {key}", desk.number());
                self.answers.once(key, request, make).await
            }
            None => make.await.into_response(),
        };
        let repeated = answer.headers().contains_key(crate::http::call::REPLAYED);
        let time = if repeated { Duration::ZERO } else { time };
        tokio::time::sleep(time.mul_f64(self.latency)).await;
        answer
    }

    fn draw(&self, desk: Desk) -> (Fate, Duration) {
        let habits = match desk {
            Desk::Provider(country) => Habits::provider(country, self.decline_share),
            Desk::Crm => Habits::crm(self.decline_share),
            Desk::Warehouse => Habits::warehouse(self.decline_share),
        };
        let n = self.asked[desk.number()].fetch_add(1, Ordering::Relaxed);
        habits.draw(Draw::new(self.seed.wrapping_add(desk.number() as u64), n))
    }
}

/// Turns what becomes of a request into the answer; failures are no answer that is kept.
fn decide(fate: Fate, done: StatusCode, receipt: impl FnOnce() -> Value) -> Result<Said, Problem> {
    match fate {
        Fate::Done | Fate::Hung => Ok(Said::Done(done, receipt())),
        Fate::Declined(status, reason) => {
            let problem = Problem::new(status, "the payment was declined").because(reason);
            Ok(Said::No(problem))
        }
        Fate::Failed(status) => Err(Problem::new(status, "try again later")),
    }
}

fn none(field: &str, message: &str) -> Problem {
    Problem::field(StatusCode::NOT_FOUND, field, message)
}
