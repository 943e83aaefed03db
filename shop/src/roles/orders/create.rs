//! `POST /order`: write the intent down, have the stock deducted, confirm.

use std::sync::Arc;

use axum::{
    Json,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde_json::json;
use tracing::{Instrument, Span, field::Empty, info_span};

use super::Orders;
use crate::{
    config::Role,
    http::{
        call::{Answer, Ask, CallError},
        input::Fields,
        problem::Problem,
    },
    ids::now_ms,
    market::{CURRENCY, Country},
    roles::{catalog::MOST_UNITS, edge::to_the_end},
    telemetry::business::OrderOutcome,
};

#[derive(Debug, Clone, Copy)]
struct Wish {
    customer_id: i64,
    product_id: i64,
    quantity: i64,
    country: Country,
}

/// What became of a wish.
enum Made {
    Created(i64),
    /// The catalog said no; its answer goes to the client as it is.
    Refused(Answer),
}

pub(super) async fn order(
    State(orders): State<Arc<Orders>>,
    mut fields: Fields,
) -> Result<Response, Problem> {
    let customer_id = fields.id("customer_id");
    let product_id = fields.id("product_id");
    let quantity = fields.whole("quantity", MOST_UNITS);
    fields.finish()?;
    let country = Country::of_customer(customer_id);
    let wish = Wish {
        customer_id,
        product_id,
        quantity,
        country,
    };
    let span = info_span!(
        "CreateOrder",
        service = Role::Orders.name(),
        order_id = Empty,
        customer_id,
        product_id,
        quantity,
    );
    let db = Arc::clone(&orders.db);
    let work = async move { orders.create(wish).await };
    match to_the_end(&db, work).instrument(span).await? {
        Made::Created(id) => {
            let created = json!({ "order_id": id, "status": "created" });
            Ok((StatusCode::CREATED, Json(created)).into_response())
        }
        Made::Refused(answer) => Ok(answer.into_response()),
    }
}

impl Orders {
    async fn create(&self, wish: Wish) -> Result<Made, Problem> {
        let made = self.try_create(wish).await;
        let outcome = match &made {
            Ok(Made::Created(_)) => OrderOutcome::Created,
            Ok(Made::Refused(_)) => OrderOutcome::Rejected,
            Err(_) => OrderOutcome::Failed,
        };
        self.business.order(outcome, wish.country);
        made
    }

    async fn try_create(&self, wish: Wish) -> Result<Made, Problem> {
        let id = self.ids.next();
        Span::current().record("order_id", id);
        self.write_down(id, wish).await?;
        let ask = Ask::post(
            "/inventory/deduct",
            &json!({ "product_id": wish.product_id, "quantity": wish.quantity }),
        );
        let answer = match self.catalog.ask(ask).await {
            Ok(answer) => answer,
            Err(error) => {
                tracing::error!(order_id = id, reason = error.reason(), "order failed");
                self.move_on(id, "pending", OrderOutcome::Failed.name())
                    .await?;
                return Err(error.problem(Role::Catalog));
            }
        };
        if answer.status != StatusCode::OK {
            tracing::warn!(
                order_id = id,
                status = i64::from(answer.status.as_u16()),
                "order rejected"
            );
            self.move_on(id, "pending", OrderOutcome::Rejected.name())
                .await?;
            return Ok(Made::Refused(answer));
        }
        let price = answer
            .json()
            .ok()
            .and_then(|body| body["unit_price_minor"].as_i64());
        let Some(amount) = price.and_then(|price| price.checked_mul(wish.quantity)) else {
            return Err(CallError::Unreadable.problem(Role::Catalog));
        };
        self.db
            .execute(&self.price, &[amount.into(), id.into()])
            .await?;
        tracing::info!(
            order_id = id,
            customer_id = wish.customer_id,
            amount_minor = amount,
            "order created"
        );
        Ok(Made::Created(id))
    }

    async fn write_down(&self, id: i64, wish: Wish) -> Result<(), Problem> {
        let params = [
            id.into(),
            wish.customer_id.into(),
            wish.country.code().into(),
            wish.product_id.into(),
            wish.quantity.into(),
            CURRENCY.into(),
            now_ms().into(),
        ];
        self.db.execute(&self.insert, &params).await?;
        Ok(())
    }
}
