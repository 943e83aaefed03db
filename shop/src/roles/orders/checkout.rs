//! `POST /checkout`: the cart becomes an order, its stock is held, its money is taken.
//!
//! A declined payment leaves an order that can be paid, and the cart as it is.

use std::sync::Arc;

use axum::{
    Extension, Json,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde_json::Value;
use tracing::{Instrument, Span, field::Empty, info_span};

use super::{
    Orders,
    cart::{country, customer_id, owner},
    idempotency::Ticket,
    order::{Buyer, Line, Order},
    pay::{Attempt, still_under_way},
    place::{Bill, Placed, Terms},
    status::Status,
    store::NewOrder,
};
use crate::{
    config::Role,
    http::{identity::Identity, input::Fields, problem::Problem},
    ids::now_ms,
    market::{METHODS, Method},
    roles::edge::to_the_end,
};

const LONGEST_COUPON: usize = 32;

/// A checkout as it was asked for.
#[derive(Debug)]
struct Wanted {
    identity: Identity,
    owner: String,
    method: Method,
    coupon: Option<String>,
    ticket: Option<Ticket>,
}

pub(super) async fn checkout(
    State(orders): State<Arc<Orders>>,
    identity: Identity,
    ticket: Option<Extension<Ticket>>,
    mut fields: Fields,
) -> Result<Response, Problem> {
    let method = fields.optional_word("method", Method::parse, METHODS);
    let coupon = fields.optional_text("coupon", LONGEST_COUPON);
    fields.finish()?;
    let wanted = Wanted {
        owner: owner(&identity)?,
        identity,
        method: method.unwrap_or(Method::Card),
        coupon,
        ticket: ticket.map(|Extension(ticket)| ticket),
    };
    let db = Arc::clone(&orders.store.db);
    let work = async move { orders.check_out(wanted).await };
    to_the_end(&db, work).await
}

impl Orders {
    async fn check_out(&self, wanted: Wanted) -> Result<Response, Problem> {
        let before = wanted.ticket.as_ref().and_then(|ticket| ticket.order_id);
        if let Some(id) = before
            && let Some(order) = self.resume(id).await?
        {
            return self.finish_again(order, wanted.method).await;
        }
        let until_ms = now_ms() + self.lease_ms();
        if !self.carts.lease(&wanted.owner, until_ms).await? {
            return Err(if self.carts.items(&wanted.owner).await?.is_empty() {
                empty()
            } else {
                let message = "is being checked out";
                Problem::field(StatusCode::CONFLICT, "cart", message).retry_after(1)
            });
        }
        let answer = self.check_out_leased(&wanted).await;
        // While nobody knows whether the money was taken, what is in the cart may be bought already:
        // it cannot be bought again until the lease is over, and the reconciler knows by then.
        if !answer.as_ref().is_err_and(Problem::leaves_payment_open) {
            self.carts.unlock(&wanted.owner, until_ms).await;
        }
        answer
    }

    async fn check_out_leased(&self, wanted: &Wanted) -> Result<Response, Problem> {
        let items = self.carts.items(&wanted.owner).await?;
        if items.is_empty() {
            return Err(empty());
        }
        let customer_id = customer_id(&wanted.identity);
        let lines = (1..).zip(items).map(|(number, item)| Line {
            number,
            product_id: item.product_id,
            quantity: item.quantity,
            unit_price_minor: 0,
        });
        let new = NewOrder {
            customer_id,
            buyer: Buyer::of(&wanted.identity),
            country: country(&wanted.identity, customer_id),
            lines: lines.collect(),
            from_cart: true,
            coupon: wanted.coupon.clone(),
            is_again: wanted
                .ticket
                .as_ref()
                .is_some_and(|ticket| ticket.order_id.is_some()),
            segment: None,
            idem_key: wanted.ticket.as_ref().map(|ticket| ticket.hash.clone()),
            due_ms: now_ms() + self.lease_ms(),
        };
        let span = info_span!(
            "CreateOrder",
            service = Role::Orders.name(),
            order_id = Empty,
            customer_id,
            segment = Empty,
            lines = new.lines.len(),
        );
        let terms = Terms::Checkout {
            identity: &wanted.identity,
        };
        match self.place(new, terms).instrument(span).await? {
            Placed::Refused(response) => Ok(*response),
            Placed::Held(bill) => self.finish(&bill, wanted.method).await,
        }
    }

    /// Takes the money of an order whose payment is leased.
    async fn finish(&self, bill: &Bill, method: Method) -> Result<Response, Problem> {
        let order = &bill.order;
        Span::current().record("order_id", order.id);
        let attempt = self.take_money(order, method).await;
        match attempt.map_err(|problem| problem.for_order(order.id))? {
            Attempt::Paid(payment_id) => Ok(bought(bill, payment_id)),
            Attempt::Declined(_, reason) => Err(declined(order.id, &reason)),
            Attempt::Unknown => Err(still_under_way(order.id)),
        }
    }

    /// Goes on with an order that an earlier request with the same key made, and was cut off.
    async fn finish_again(&self, order: Order, method: Method) -> Result<Response, Problem> {
        let lines = self.store.lines(order.id).await?;
        // Whether promotions answered is not written down, but what they took off is.
        let promotions = if order.discount_minor > 0 {
            "applied"
        } else {
            "none"
        };
        let mut bill = Bill {
            order,
            lines,
            promotions,
        };
        if bill.order.status.is_paid() {
            return Ok(bought(&bill, Value::Null));
        }
        let until_ms = now_ms() + self.lease_ms();
        if !self.store.lease(&bill.order, until_ms).await? {
            return Err(still_under_way(bill.order.id));
        }
        bill.order.paying_until_ms = until_ms;
        self.finish(&bill, method).await
    }
}

fn bought(bill: &Bill, payment_id: Value) -> Response {
    let mut json = bill.order.to_json_with(&bill.lines);
    json["status"] = Status::Paid.name().into();
    json["payment_id"] = payment_id;
    json["promotions"] = bill.promotions.into();
    (StatusCode::CREATED, Json(json)).into_response()
}

fn declined(order_id: i64, reason: &str) -> Problem {
    let detail =
        format!("the payment was declined ({reason}); pay the order {order_id} another way");
    Problem::new(StatusCode::PAYMENT_REQUIRED, detail)
        .because(reason_word(reason))
        .for_order(order_id)
}

fn reason_word(reason: &str) -> &'static str {
    crate::roles::payments::reason_word(reason)
}

fn empty() -> Problem {
    Problem::field(StatusCode::UNPROCESSABLE_ENTITY, "cart", "is empty")
}
