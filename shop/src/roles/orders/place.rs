//! Making an order: write the intent down, have the stock held, ask what it costs, confirm.
//!
//! Whatever is cut off in between is left to the reconciler: a pending order that nobody got
//! further with is cancelled, and what was held for it goes back.

use axum::{
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};
use tracing::Span;

use super::{
    MOST_MINOR, Orders, RELEASE_PAUSE_MS,
    money::Totals,
    order::{Line, Order},
    status::Status,
    store::{Change, Held, NewOrder},
};
use crate::{
    config::Role,
    http::{
        call::{Answer, Ask, CallError},
        identity::Identity,
        problem::Problem,
    },
    ids::now_ms,
    market::CURRENCY,
    telemetry::business::{OrderOutcome, Segment},
};

/// How an order is priced, and what follows.
#[derive(Debug, Clone, Copy)]
pub(super) enum Terms<'a> {
    /// At the full price, to be paid by a request of its own.
    Plain,
    /// With what the promotions take off; a payment follows at once.
    Checkout { identity: &'a Identity },
}

/// What became of a wish.
#[derive(Debug)]
pub(super) enum Placed {
    /// The stock is held.
    Held(Box<Bill>),
    /// Not enough stock, no such product, a coupon that is not good: what the client is told.
    Refused(Box<Response>),
}

/// An order that waits for its money.
#[derive(Debug, Clone)]
pub(super) struct Bill {
    pub(super) order: Order,
    pub(super) lines: Vec<Line>,
    /// What became of the question for a discount.
    pub(super) promotions: &'static str,
}

/// What a discount came to.
#[derive(Debug, Clone)]
struct Discount {
    totals: Totals,
    coupon: String,
    state: &'static str,
}

/// What the catalog did for a line.
enum Deducted {
    At(i64),
    Refused(Answer),
    /// Perhaps it was deducted, perhaps not.
    Unknown(CallError),
}

impl Orders {
    /// Makes an order; counts how that ended.
    pub(super) async fn place(&self, new: NewOrder, terms: Terms<'_>) -> Result<Placed, Problem> {
        let country = new.country;
        let placed = self.try_place(new, terms).await;
        let outcome = match &placed {
            Ok(Placed::Held(_)) => OrderOutcome::Created,
            Ok(Placed::Refused(_)) => OrderOutcome::Rejected,
            Err(_) => OrderOutcome::Failed,
        };
        self.business.order(outcome, country);
        placed
    }

    async fn try_place(&self, mut new: NewOrder, terms: Terms<'_>) -> Result<Placed, Problem> {
        let began = now_ms();
        let id = self.store.insert(&new).await?;
        new.segment = self.customers.segment_of(new.customer_id).await;
        Span::current()
            .record("order_id", id)
            .record("segment", new.segment.map(Segment::name));
        let mut lines = new.lines.clone();
        for at in 0..lines.len() {
            match self.deduct(id, lines[at], new.segment, began).await {
                Deducted::At(price) => lines[at].unit_price_minor = price,
                Deducted::Refused(answer) => {
                    let status = i64::from(answer.status.as_u16());
                    tracing::warn!(order_id = id, status, "order rejected");
                    self.give_up(id, "rejected", &lines[..at]).await;
                    return Ok(Placed::Refused(Box::new(refusal(
                        answer, &lines[at], terms,
                    ))));
                }
                Deducted::Unknown(error) => {
                    tracing::error!(order_id = id, reason = error.reason(), "order failed");
                    self.abandon(id, error.reason()).await;
                    return Err(error.problem(Role::Catalog));
                }
            }
        }
        let discount = match self.price(id, &new, &lines, terms).await {
            Ok(discount) => discount,
            Err(problem) => {
                self.give_up(id, "price_refused", &lines).await;
                return Ok(Placed::Refused(Box::new(problem.into_response())));
            }
        };
        self.confirm(id, new, lines, discount, terms).await
    }

    async fn confirm(
        &self,
        id: i64,
        new: NewOrder,
        lines: Vec<Line>,
        discount: Discount,
        terms: Terms<'_>,
    ) -> Result<Placed, Problem> {
        let now = now_ms();
        let (paying_until_ms, due_ms) = match terms {
            Terms::Plain => (0, now + self.payment_window_ms()),
            Terms::Checkout { .. } => {
                let until = now + self.lease_ms();
                (until, until)
            }
        };
        let Discount {
            totals,
            coupon,
            state,
        } = discount;
        let held = Held {
            lines: &lines,
            totals,
            coupon: &coupon,
            is_coupon_lost: new.coupon.is_some() && coupon.is_empty(),
            paying_until_ms,
            due_ms,
        };
        if !self.store.hold(id, &held).await? {
            // The reconciler took it for lost and gave the stock back.
            let detail = "the order took too long and was cancelled; try again";
            return Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, detail));
        }
        tracing::info!(
            order_id = id,
            customer_id = new.customer_id,
            amount_minor = totals.total_minor,
            "order created"
        );
        let order = Order {
            id,
            customer_id: new.customer_id,
            buyer: new.buyer,
            country: new.country,
            currency: CURRENCY.to_owned(),
            status: Status::Reserved,
            reason: String::new(),
            subtotal_minor: totals.subtotal_minor,
            discount_minor: totals.discount_minor,
            total_minor: totals.total_minor,
            coupon,
            attempt: 1,
            paying_until_ms,
            from_cart: new.from_cart,
            segment: new.segment,
            paid_ms: 0,
            created_ms: now,
            updated_ms: now,
        };
        Ok(Placed::Held(Box::new(Bill {
            order,
            lines,
            promotions: state,
        })))
    }

    async fn deduct(
        &self,
        id: i64,
        line: Line,
        segment: Option<Segment>,
        began_ms: i64,
    ) -> Deducted {
        // Past half of its lease the reconciler may come before the confirmation does.
        if now_ms() - began_ms > self.lease_ms() / 2 {
            return Deducted::Unknown(CallError::Timeout);
        }
        let body = json!({
            "product_id": line.product_id,
            "quantity": line.quantity,
            "reservation": line.reservation(id),
        });
        let ask = Ask::post("/inventory/deduct", &body).with_segment(segment);
        match self.catalog.ask(ask).await {
            Ok(answer) if answer.status == StatusCode::OK => {
                let body = answer.json().unwrap_or_default();
                match body["unit_price_minor"].as_i64() {
                    Some(price) => Deducted::At(price),
                    None => Deducted::Unknown(CallError::Unreadable),
                }
            }
            Ok(answer) => Deducted::Refused(answer),
            Err(error) => Deducted::Unknown(error),
        }
    }

    /// Adds the lines up and asks what is taken off; promotions that do not answer take nothing off.
    async fn price(
        &self,
        id: i64,
        new: &NewOrder,
        lines: &[Line],
        terms: Terms<'_>,
    ) -> Result<Discount, Problem> {
        let totals = Totals::of(lines.iter().map(|line| line.priced()))
            .filter(|totals| totals.total_minor <= MOST_MINOR)
            .ok_or_else(|| {
                let message = format!("cost more than {MOST_MINOR} at once");
                Problem::field(StatusCode::UNPROCESSABLE_ENTITY, "items", message)
            })?;
        let full = |state| Discount {
            totals,
            coupon: String::new(),
            state,
        };
        let Terms::Checkout { identity } = terms else {
            return Ok(full("none"));
        };
        let coupon = new.coupon.as_deref();
        let mut body = json!({
            "subtotal_minor": totals.subtotal_minor,
            "country": new.country.code(),
        });
        if let Some(code) = coupon {
            body["coupon"] = code.into();
        }
        let ask = Ask::post("/promotions/check", &body)
            .with_identity(identity)
            .with_key(&format!("check-{id}"))
            .with_segment(new.segment);
        let answer = match self.promotions.ask(ask).await {
            Ok(answer) if answer.status == StatusCode::OK => answer.json().unwrap_or_default(),
            _ => return Ok(full("unavailable")),
        };
        if let Some(reason) = answer["refused"]["reason"].as_str() {
            return Err(bad_coupon(reason, new.is_again));
        }
        let taken_off = answer["discount_minor"].as_i64();
        let Some(totals) = taken_off.and_then(|minor| totals.less(minor)) else {
            return Ok(full("unavailable"));
        };
        match coupon {
            Some(code) if !self.redeem(id, code, new, identity).await? => Ok(full("unavailable")),
            _ => Ok(Discount {
                totals,
                coupon: coupon.unwrap_or_default().to_owned(),
                state: "applied",
            }),
        }
    }

    /// Takes a use of a coupon; returns whether the promotions answered.
    async fn redeem(
        &self,
        id: i64,
        code: &str,
        new: &NewOrder,
        identity: &Identity,
    ) -> Result<bool, Problem> {
        let body = json!({ "order_id": id, "coupon": code });
        let ask = Ask::post("/promotions/redeem", &body)
            .with_identity(identity)
            .with_key(&format!("redeem-{id}"))
            .with_segment(new.segment);
        match self.promotions.ask(ask).await {
            Ok(answer) if answer.status == StatusCode::OK => Ok(true),
            Ok(answer) if answer.status == StatusCode::CONFLICT => {
                let body: Value = answer.json().unwrap_or_default();
                let reason = body["reason"].as_str().unwrap_or("refused");
                Err(bad_coupon(reason, new.is_again))
            }
            _ => Ok(false),
        }
    }

    /// Cancels what was just begun and gives back what was held for it.
    async fn give_up(&self, id: i64, reason: &str, held: &[Line]) {
        let due_ms = if held.is_empty() { 0 } else { now_ms() };
        if self.cancel_pending(id, reason, due_ms).await && !held.is_empty() {
            self.release(id, held).await;
        }
    }

    /// Cancels what was just begun; the reconciler gives back what may be held for it.
    async fn abandon(&self, id: i64, reason: &str) {
        self.cancel_pending(id, reason, now_ms()).await;
    }

    async fn cancel_pending(&self, id: i64, reason: &str, due_ms: i64) -> bool {
        let change = Change {
            id,
            from: Status::Pending,
            to: Status::Cancelled,
            reason,
            due_ms,
        };
        match self.store.change(change).await {
            Ok(changed) => changed,
            Err(error) => {
                // It stays pending, and the reconciler comes for it.
                tracing::error!(order_id = id, reason = %error, "order not cancelled");
                false
            }
        }
    }

    /// Gives back what is held for the lines of a cancelled order; what fails now the reconciler
    /// tries again.
    pub(super) async fn release(&self, id: i64, lines: &[Line]) {
        for line in lines {
            let body = json!({ "reservation": line.reservation(id) });
            let done = match self
                .catalog
                .ask(Ask::post("/inventory/release", &body))
                .await
            {
                // One that is not there holds nothing.
                Ok(answer) => answer.status.is_success() || answer.status == StatusCode::NOT_FOUND,
                Err(_) => false,
            };
            if !done {
                tracing::warn!(order_id = id, "stock not given back yet");
                let later = now_ms() + RELEASE_PAUSE_MS;
                self.look_again(id, later).await;
                return;
            }
        }
        self.look_again(id, 0).await;
    }

    async fn look_again(&self, id: i64, due_ms: i64) {
        if let Err(error) = self.store.defer(id, Status::Cancelled, due_ms).await {
            tracing::warn!(order_id = id, reason = %error, "order not put off");
        }
    }
}

/// Returns what a client is told whose wish the catalog refused.
fn refusal(answer: Answer, line: &Line, terms: Terms<'_>) -> Response {
    if matches!(terms, Terms::Plain) {
        return answer.into_response();
    }
    let body: Value = answer.json().unwrap_or_default();
    let message = body["errors"][0]["message"].as_str();
    let field = format!("items.{}", line.product_id);
    Problem::field(answer.status, field, message.unwrap_or("cannot be bought")).into_response()
}

fn bad_coupon(reason: &str, is_again: bool) -> Problem {
    let message = format!("cannot be used: {reason}");
    let problem = Problem::field(StatusCode::UNPROCESSABLE_ENTITY, "coupon", message);
    if is_again {
        // Perhaps the order that was given up still holds its use, which is on its way back.
        problem.retry_after(1)
    } else {
        problem
    }
}
