//! `POST /order`: one product, to be paid by a request of its own.

use std::sync::Arc;

use axum::{
    Extension, Json,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};
use tracing::{Instrument, field::Empty, info_span};

use super::{
    Orders,
    idempotency::Ticket,
    order::{Buyer, Line, Order},
    place::{Placed, Terms},
    status::Status,
    store::NewOrder,
};
use crate::{
    config::Role,
    http::{identity::Identity, input::Fields, problem::Problem},
    ids::now_ms,
    market::Country,
    roles::{catalog::MOST_UNITS, edge::to_the_end},
};

pub(super) async fn order(
    State(orders): State<Arc<Orders>>,
    identity: Identity,
    ticket: Option<Extension<Ticket>>,
    mut fields: Fields,
) -> Result<Response, Problem> {
    let customer_id = fields.id("customer_id");
    let product_id = fields.id("product_id");
    let quantity = fields.whole("quantity", MOST_UNITS);
    fields.finish()?;
    let ticket = ticket.map(|Extension(ticket)| ticket);
    let before = ticket.as_ref().and_then(|ticket| ticket.order_id);
    if let Some(id) = before
        && let Some(order) = orders.resume(id).await?
    {
        return Ok(created(&order));
    }
    let new = NewOrder {
        customer_id,
        country: identity
            .country
            .unwrap_or_else(|| Country::of_customer(customer_id)),
        buyer: Buyer::of(&identity),
        lines: vec![Line {
            number: 1,
            product_id,
            quantity,
            unit_price_minor: 0,
        }],
        from_cart: false,
        coupon: None,
        is_again: before.is_some(),
        segment: None,
        idem_key: ticket.map(|ticket| ticket.hash),
        due_ms: now_ms() + orders.lease_ms(),
    };
    let span = info_span!(
        "CreateOrder",
        service = Role::Orders.name(),
        order_id = Empty,
        customer_id,
        segment = Empty,
        product_id,
        quantity,
    );
    let db = Arc::clone(&orders.store.db);
    let work = async move { orders.place(new, Terms::Plain).await };
    match to_the_end(&db, work).instrument(span).await? {
        Placed::Held(bill) => Ok(created(&bill.order)),
        Placed::Refused(response) => Ok(*response),
    }
}

impl Orders {
    /// Finds the order that an earlier request with the same key made, and was cut off; `None` when
    /// it was given up and can be made anew.
    pub(super) async fn resume(&self, id: i64) -> Result<Option<Order>, Problem> {
        let order = self.find(id, "order_id").await?;
        match order.status {
            Status::Pending => {
                let detail = "the order is still being made";
                Err(Problem::new(StatusCode::CONFLICT, detail).retry_after(1))
            }
            Status::Cancelled => Ok(None),
            _ => Ok(Some(order)),
        }
    }
}

fn created(order: &Order) -> Response {
    let body: Value = json!({
        "order_id": order.id,
        "status": Status::Reserved.name(),
        "total_minor": order.total_minor,
        "amount": order.total_minor,
        "currency": order.currency,
    });
    (StatusCode::CREATED, Json(body)).into_response()
}
