//! Fulfilment: tells partners of orders, ships and delivers them. Works the outbox off.
//!
//! Messages are claimed as places come free, and what some of them came to is noted in one
//! transaction; a partner that hangs holds up no message but its own. A try that failed is made again
//! after a pause; a message that fails too often is put aside for long, so that it is in nobody's way.

use std::{sync::Arc, time::Duration};

use serde_json::json;
use tokio::{
    task::JoinSet,
    time::{Instant, timeout_at},
};
use tracing::{Instrument, field::Empty, info_span};

use super::{
    Orders,
    outbox::{Failure, Message, Outbox, Topic},
    status::Status,
    store::Change,
};
use crate::{
    config::Role,
    db::{DbError, Tx},
    http::call::{Answer, Ask, CallError, Dependency},
    ids::now_ms,
    market::WAREHOUSES,
};

/// Messages worked on at once. One that hangs takes up one place of these and holds nobody up.
const AT_ONCE: usize = 32;
/// Ended messages that are noted without waiting for more.
const ENOUGH: usize = AT_ONCE / 2;
/// How long a claim holds: longer than a message takes when every partner hangs.
const CLAIM: Duration = Duration::from_mins(1);
/// Longest time an ended message waits to be noted with others, and a new one to be claimed.
const PACE: Duration = Duration::from_millis(250);
/// Longest wait for news; another process may have written some.
const LONGEST_WAIT: Duration = Duration::from_secs(2);
/// How often the gauges are brought up to date.
const GAUGES_EVERY: Duration = Duration::from_secs(1);

/// What a step came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    /// The next step is due at this time.
    Next(i64),
    /// The order moves on, and the next step is due at this time; 0 when it was the last one.
    Move(Status, Status, i64),
    /// Nothing more is to be done.
    Done,
    Failed(Failure),
}

#[derive(Debug)]
pub(super) struct Worker {
    orders: Arc<Orders>,
    outbox: Outbox,
    crm: Dependency,
    warehouse: Dependency,
}

impl Worker {
    pub(super) fn new(orders: Arc<Orders>, crm: Dependency, warehouse: Dependency) -> Self {
        Self {
            outbox: Outbox::new(Arc::clone(&orders.store.db)),
            orders,
            crm,
            warehouse,
        }
    }

    /// Works until the role stops.
    pub(super) async fn run(self) {
        let own = Arc::new(self);
        let mut shown = None;
        // Tasks, so that a partner's answer is taken in time also while the database is waited for.
        let mut working = JoinSet::new();
        let mut ended = Vec::new();
        loop {
            let free = AT_ONCE - working.len();
            let claimed = own.claim(free).await;
            let is_full = claimed.len() == free;
            for message in claimed {
                working.spawn(Arc::clone(&own).work(message));
            }
            if shown.is_none_or(|at: Instant| at.elapsed() >= GAUGES_EVERY) {
                shown = Some(Instant::now());
                own.show().await;
                own.bring_back().await;
            }
            if working.is_empty() {
                tokio::time::sleep(PACE).await;
                own.wait().await;
                continue;
            }
            let until = Instant::now() + PACE;
            gather(&mut working, &mut ended, until, is_full).await;
            own.note_all(&ended).await;
            ended.clear();
        }
    }

    /// Waits for news, or until the next message is due.
    async fn wait(&self) {
        let next = self.outbox.next_ms().await.ok().flatten();
        let wait = next.map_or(LONGEST_WAIT, |next| {
            let left = u64::try_from(next - now_ms()).unwrap_or(0);
            Duration::from_millis(left).min(LONGEST_WAIT)
        });
        let news = self.orders.store.news.notified();
        // Either is a reason to look.
        let _ = tokio::time::timeout(wait, news).await;
    }

    /// Claims at most `most` messages.
    async fn claim(&self, most: usize) -> Vec<Message> {
        if most == 0 {
            return Vec::new();
        }
        let until_ms = now_ms() + CLAIM.as_millis() as i64;
        let claimed = self.outbox.claim(most as i64, until_ms).await;
        claimed.unwrap_or_else(|error| {
            tracing::warn!(service = Role::Orders.name(), reason = %error, "nothing claimed");
            Vec::new()
        })
    }

    /// Does the next step of a message, in a trace of its own.
    async fn work(self: Arc<Self>, message: Message) -> (Message, Outcome) {
        let span = info_span!(
            parent: None,
            "FulfilOrder",
            otel.kind = "consumer",
            otel.status_code = Empty,
            service = Role::Orders.name(),
            messaging.destination.name = "fulfilment",
            order_id = message.order_id,
            topic = message.topic.name(),
            step = message.step,
        );
        message.link(&span);
        let outcome = self.step(&message).instrument(span.clone()).await;
        if let Outcome::Failed(failure) = outcome {
            span.record("otel.status_code", "ERROR");
            span.in_scope(|| tell_failure(&message, failure));
        }
        (message, outcome)
    }

    async fn step(&self, message: &Message) -> Outcome {
        let now = now_ms();
        let later = |pause: Duration| now + pause.as_millis() as i64;
        let times = self.orders.times;
        match (message.topic, message.step) {
            (Topic::Paid, 0) => match self.tell_paid_unless_cancelled(message).await {
                Ok(true) => Outcome::Next(later(times.ship_after)),
                Ok(false) => Outcome::Done,
                Err(failure) => Outcome::Failed(failure),
            },
            (Topic::Paid, 1) => {
                Outcome::Move(Status::Paid, Status::Shipped, later(times.deliver_after))
            }
            (Topic::Paid, _) => Outcome::Move(Status::Shipped, Status::Delivered, 0),
            (Topic::Cancelled, _) => last(self.tell_cancelled(message).await),
            (Topic::Coupon, _) => last(self.give_coupon_back(message).await),
        }
    }

    /// Tells partners of a paid order; returns whether it was still to be fulfilled.
    async fn tell_paid_unless_cancelled(&self, message: &Message) -> Result<bool, Failure> {
        let order = self.orders.store.find(message.order_id).await;
        let order = order.map_err(|_| Failure {
            reason: "not_read",
            counts: false,
        })?;
        if order.is_none_or(|order| order.status == Status::Cancelled) {
            return Ok(false);
        }
        self.tell_paid(message).await.map_err(failure)?;
        Ok(true)
    }

    async fn tell_paid(&self, message: &Message) -> Result<(), CallError> {
        let warehouse = warehouse_of(message.order_id);
        let body = json!({ "order_id": message.order_id });
        let shipment = Ask::post("/warehouses/:id/shipments", &body)
            .at(format!("/warehouses/{warehouse}/shipments"))
            .with_key(&format!("ship-{}", message.order_id));
        accepted(self.warehouse.ask(shipment).await)?;
        self.tell_crm(message).await
    }

    /// Tells of a cancelled order, and has money that was taken for it given back.
    async fn tell_cancelled(&self, message: &Message) -> Result<(), CallError> {
        let body = json!({ "order_id": message.order_id });
        let refund = Ask::post("/payments/refund", &body);
        accepted(self.orders.payments.ask(refund).await)?;
        self.tell_crm(message).await
    }

    async fn give_coupon_back(&self, message: &Message) -> Result<(), CallError> {
        let body = json!({ "order_id": message.order_id });
        let release = Ask::post("/promotions/release", &body)
            .with_key(&format!("release-{}", message.order_id));
        accepted(self.orders.promotions.ask(release).await)
    }

    async fn tell_crm(&self, message: &Message) -> Result<(), CallError> {
        let body = json!({ "order_id": message.order_id });
        let key = format!("crm-{}-{}", message.topic.name(), message.order_id);
        let record = Ask::post("/crm/orders", &body).with_key(&key);
        accepted(self.crm.ask(record).await)
    }

    /// Notes what came of messages, all or none.
    async fn note(&self, worked: &[(Message, Outcome)]) -> Result<(), DbError> {
        if worked.is_empty() {
            return Ok(());
        }
        let mut tx = self.orders.store.db.begin().await?;
        for (message, outcome) in worked {
            self.note_one(&mut tx, message, *outcome).await?;
        }
        tx.commit().await
    }

    /// Notes what came of messages, in one go or else each on its own, so that one that cannot be
    /// noted does not hold the others up.
    async fn note_all(&self, worked: &[(Message, Outcome)]) {
        if self.note(worked).await.is_ok() {
            return;
        }
        for one in worked {
            if let Err(error) = self.note(std::slice::from_ref(one)).await {
                let failure = Failure {
                    reason: "not_noted",
                    counts: true,
                };
                tell_failure(&one.0, failure);
                tracing::warn!(service = Role::Orders.name(), reason = %error, "not noted");
                // Failing again it comes back when the claim is over.
                let failed = (one.0.clone(), Outcome::Failed(failure));
                let _ = self.note(&[failed]).await;
            }
        }
    }

    async fn note_one(
        &self,
        tx: &mut Tx<'_>,
        message: &Message,
        outcome: Outcome,
    ) -> Result<(), DbError> {
        match outcome {
            Outcome::Next(due_ms) => self.outbox.advance(tx, message, due_ms).await,
            Outcome::Done => self.outbox.done(tx, message).await,
            Outcome::Move(from, to, due_ms) => {
                let change = Change {
                    id: message.order_id,
                    from,
                    to,
                    reason: "",
                    due_ms: 0,
                };
                let moved = self.orders.store.change_in(tx, change).await?;
                let moved = moved
                    || self
                        .orders
                        .store
                        .stands_in(tx, message.order_id, to)
                        .await?;
                if moved && due_ms > 0 {
                    self.outbox.advance(tx, message, due_ms).await
                } else {
                    // The last step, or somebody cancelled it or did it all by hand.
                    self.outbox.done(tx, message).await
                }
            }
            Outcome::Failed(failure) => {
                if (message.topic, message.step) == (Topic::Paid, 0) && message.reason.is_empty() {
                    self.orders.business.order_delayed();
                }
                let most = self.orders.times.most_tries;
                if self.outbox.failed(tx, message, failure, most).await? {
                    let (order_id, reason) = (message.order_id, failure.reason);
                    tracing::error!(order_id, reason, "message put aside");
                }
                Ok(())
            }
        }
    }

    async fn bring_back(&self) {
        let most = self.orders.times.most_tries;
        match self.outbox.bring_back(most).await {
            Ok(0) => {}
            Ok(messages) => tracing::info!(messages, "messages that lay aside are tried again"),
            Err(error) => {
                tracing::warn!(service = Role::Orders.name(), reason = %error, "none brought back");
            }
        }
    }

    async fn show(&self) {
        match self.outbox.backlog().await {
            Ok(backlog) => {
                let age_ms = backlog.oldest_ms.map_or(0, |oldest| now_ms() - oldest);
                let queue = &self.orders.business.queue;
                queue.show(backlog.waiting, age_ms.max(0), backlog.dead);
            }
            Err(error) => {
                tracing::warn!(service = Role::Orders.name(), reason = %error, "queue not seen");
            }
        }
    }
}

/// Takes what ends until a time; when messages wait for a place, until enough of them ended.
async fn gather<T: 'static>(
    working: &mut JoinSet<T>,
    ended: &mut Vec<T>,
    until: Instant,
    is_full: bool,
) {
    while !(is_full && ended.len() >= ENOUGH) {
        match timeout_at(until, working.join_next()).await {
            Ok(Some(Ok(one))) => ended.push(one),
            // Its claim ends by itself, and it is tried again.
            Ok(Some(Err(error))) => tracing::error!(reason = %error, "a message was dropped"),
            // Nothing is left, or it is time.
            Ok(None) | Err(_) => return,
        }
    }
}

/// Returns who ships an order: each of the warehouses its share, and for one order always the same.
fn warehouse_of(order_id: i64) -> &'static str {
    let count = WAREHOUSES.len() as u64;
    WAREHOUSES[(order_id.unsigned_abs() % count) as usize]
}

/// Returns what the only step of a message came to.
fn last(outcome: Result<(), CallError>) -> Outcome {
    match outcome {
        Ok(()) => Outcome::Done,
        Err(error) => Outcome::Failed(failure(error)),
    }
}

fn failure(error: CallError) -> Failure {
    Failure {
        reason: error.reason(),
        counts: error != CallError::Rejected,
    }
}

fn accepted(outcome: Result<Answer, CallError>) -> Result<(), CallError> {
    let answer = outcome?;
    if answer.status.is_success() {
        Ok(())
    } else {
        Err(CallError::Failed(answer.status))
    }
}

fn tell_failure(message: &Message, failure: Failure) {
    tracing::warn!(
        order_id = message.order_id,
        topic = message.topic.name(),
        step = message.step,
        attempts = message.attempts + i64::from(failure.counts),
        reason = failure.reason,
        "fulfilment failed"
    );
}

#[cfg(test)]
mod tests {
    use std::{future, time::Duration};

    use tokio::{
        task::JoinSet,
        time::{Instant, sleep},
    };

    use super::{ENOUGH, PACE, gather};

    #[tokio::test]
    async fn one_that_hangs_holds_nobody_up() {
        let mut working = JoinSet::new();
        working.spawn(future::pending());
        for _ in 0..3 {
            working.spawn(sleep(Duration::from_millis(20)));
        }
        let (mut ended, began) = (Vec::new(), Instant::now());
        gather(&mut working, &mut ended, began + PACE, false).await;
        assert_eq!((ended.len(), working.len()), (3, 1));
        assert!(began.elapsed() >= PACE);
    }

    #[tokio::test]
    async fn a_full_house_makes_room_as_soon_as_enough_have_ended() {
        let mut working: JoinSet<_> = (0..2 * ENOUGH).map(future::ready).collect();
        let (mut ended, began) = (Vec::new(), Instant::now());
        gather(&mut working, &mut ended, began + 100 * PACE, true).await;
        assert_eq!(ended.len(), ENOUGH);
        assert!(began.elapsed() < 100 * PACE);
    }
}
