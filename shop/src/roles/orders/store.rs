//! Orders in the database: every change of a status is one transaction with its event and, where
//! others must hear of it, its message.

use std::sync::Arc;

use tokio::sync::Notify;

use super::{
    money::Totals,
    order::{Buyer, Line, Order, order_columns},
    outbox::{Message, Topic},
    status::Status,
};
use crate::{
    db::{Db, DbError, Statement, Tx, until_alone},
    ids::{Ids, now_ms},
    market::{CURRENCY, Country},
    telemetry::business::Segment,
};

mod payments;

pub(super) const MS_A_DAY: i64 = 86_400_000;
/// A time that is past: the end of a payment that nobody knows.
const UNKNOWN_END_MS: i64 = 1;

/// An order before it is written down.
#[derive(Debug, Clone)]
pub(super) struct NewOrder {
    pub(super) customer_id: i64,
    pub(super) buyer: Buyer,
    pub(super) country: Country,
    pub(super) lines: Vec<Line>,
    pub(super) from_cart: bool,
    pub(super) coupon: Option<String>,
    /// An earlier request with the same key made an order that was given up.
    pub(super) is_again: bool,
    /// Where the customer belongs; found out on the way.
    pub(super) segment: Option<Segment>,
    /// What repeats of the request are known by.
    pub(super) idem_key: Option<String>,
    /// When it counts as lost unless somebody got further with it.
    pub(super) due_ms: i64,
}

/// What an order becomes when its stock is held.
#[derive(Debug, Clone)]
pub(super) struct Held<'a> {
    pub(super) lines: &'a [Line],
    pub(super) totals: Totals,
    pub(super) coupon: &'a str,
    /// Whether the coupon that was wished for was taken is not known: it goes back.
    pub(super) is_coupon_lost: bool,
    /// A payment follows at once and holds the order until then; 0 when none does.
    pub(super) paying_until_ms: i64,
    pub(super) due_ms: i64,
}

/// A change of a status without more to it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Change<'a> {
    pub(super) id: i64,
    pub(super) from: Status,
    pub(super) to: Status,
    pub(super) reason: &'a str,
    /// When the reconciler is to look at it; 0 never.
    pub(super) due_ms: i64,
}

#[derive(Debug)]
pub(super) struct Store {
    pub(super) db: Arc<Db>,
    ids: Ids,
    /// Wakes the worker of the outbox.
    pub(super) news: Notify,
    insert: Statement,
    insert_item: Statement,
    link_key: Statement,
    one: Statement,
    items: Statement,
    events: Statement,
    event: Statement,
    message: Statement,
    hold: Statement,
    price: Statement,
    coupon_wish: Statement,
    change: Statement,
    pays: payments::Statements,
    defer: Statement,
    due: Statement,
}

impl Store {
    pub(super) fn new(db: Arc<Db>) -> Self {
        Self {
            ids: Ids::default(),
            news: Notify::new(),
            insert: db.statement(
                "insert",
                "orders",
                "INSERT INTO orders (id, customer_id, user_id, session_id, country, product_id, \
                 quantity, amount_minor, currency, status, from_cart, coupon_wish, due_ms, \
                 created_ms, updated_ms, created_day) \
                 VALUES (?, ?, ?, ?, ?, ?, ?, 0, ?, 'pending', ?, ?, ?, ?, ?, ?)",
            ),
            insert_item: db.statement(
                "insert",
                "order_items",
                "INSERT INTO order_items (order_id, line_no, product_id, quantity, \
                 unit_price_minor) VALUES (?, ?, ?, ?, 0)",
            ),
            link_key: db.statement(
                "update",
                "idempotency",
                "UPDATE idempotency SET order_id = ? WHERE idem_key = ?",
            ),
            one: db.statement(
                "select",
                "orders",
                concat!("SELECT ", order_columns!(), " FROM orders WHERE id = ?"),
            ),
            items: db.statement(
                "select",
                "order_items",
                "SELECT line_no, product_id, quantity, unit_price_minor FROM order_items \
                 WHERE order_id = ? ORDER BY line_no",
            ),
            events: db.statement(
                "select",
                "order_events",
                "SELECT from_status, to_status, reason, at_ms FROM order_events \
                 WHERE order_id = ? ORDER BY id",
            ),
            event: db.statement(
                "insert",
                "order_events",
                "INSERT INTO order_events (order_id, id, from_status, to_status, reason, at_ms) \
                 VALUES (?, ?, ?, ?, ?, ?)",
            ),
            message: db.statement(
                "insert",
                "outbox",
                "INSERT INTO outbox (id, order_id, topic, step, attempts, since_ms, available_ms, \
                 dead, traceparent, reason) VALUES (?, ?, ?, 0, 0, ?, ?, 0, ?, '')",
            ),
            hold: db.statement(
                "update",
                "orders",
                "UPDATE orders SET status = 'reserved', subtotal_minor = ?, discount_minor = ?, \
                 amount_minor = ?, coupon = ?, paying_until_ms = ?, due_ms = ?, updated_ms = ? \
                 WHERE id = ? AND status = 'pending'",
            ),
            price: db.statement(
                "update",
                "order_items",
                "UPDATE order_items SET unit_price_minor = ? WHERE order_id = ? AND line_no = ?",
            ),
            coupon_wish: db.statement(
                "select",
                "orders",
                "SELECT coupon_wish FROM orders WHERE id = ?",
            ),
            // No change while a payment is under way, or while its end is not known.
            change: db.statement(
                "update",
                "orders",
                "UPDATE orders SET status = ?, reason = ?, due_ms = ?, finished_ms = ?, \
                 updated_ms = ? WHERE id = ? AND status = ? AND paying_until_ms = 0",
            ),
            pays: payments::Statements::new(&db),
            defer: db.statement(
                "update",
                "orders",
                "UPDATE orders SET due_ms = ? WHERE id = ? AND status = ?",
            ),
            due: db.statement(
                "select",
                "orders",
                concat!(
                    "SELECT ",
                    order_columns!(),
                    " FROM orders WHERE due_ms > 0 AND due_ms < ? ORDER BY due_ms LIMIT ?"
                ),
            ),
            db,
        }
    }

    /// Writes an order down as pending; returns its id.
    pub(super) async fn insert(&self, order: &NewOrder) -> Result<i64, DbError> {
        until_alone(|| self.try_insert(order)).await
    }

    async fn try_insert(&self, order: &NewOrder) -> Result<i64, DbError> {
        let (id, now) = (self.ids.next(), now_ms());
        let units = order.lines.iter().map(|line| line.quantity).sum::<i64>();
        let mut tx = self.db.begin().await?;
        let params = [
            id.into(),
            order.customer_id.into(),
            order.buyer.user.unwrap_or(0).into(),
            order.buyer.session.as_deref().unwrap_or_default().into(),
            order.country.code().into(),
            order.lines.first().map_or(0, |line| line.product_id).into(),
            units.into(),
            CURRENCY.into(),
            i64::from(order.from_cart).into(),
            order.coupon.as_deref().unwrap_or_default().into(),
            order.due_ms.into(),
            now.into(),
            now.into(),
            (now / MS_A_DAY).into(),
        ];
        tx.execute(&self.insert, &params).await?;
        for line in &order.lines {
            let params = [
                id.into(),
                line.number.into(),
                line.product_id.into(),
                line.quantity.into(),
            ];
            tx.execute(&self.insert_item, &params).await?;
        }
        if let Some(key) = &order.idem_key {
            tx.execute(&self.link_key, &[id.into(), key.as_str().into()])
                .await?;
        }
        tx.commit().await?;
        Ok(id)
    }

    /// Notes which order a key is about, so that a repeat finds it.
    pub(super) async fn link_key(&self, key: &str, id: i64) -> Result<(), DbError> {
        self.db
            .execute(&self.link_key, &[id.into(), key.into()])
            .await?;
        Ok(())
    }

    pub(super) async fn find(&self, id: i64) -> Result<Option<Order>, DbError> {
        let row = self.db.fetch_optional(&self.one, &[id.into()]).await?;
        Ok(row.as_ref().map(Order::read).transpose()?)
    }

    pub(super) async fn lines(&self, id: i64) -> Result<Vec<Line>, DbError> {
        let rows = self.db.fetch_all(&self.items, &[id.into()]).await?;
        Ok(rows.iter().map(Line::read).collect::<Result<_, _>>()?)
    }

    /// Returns what became of an order, oldest first: from, to, why, when.
    pub(super) async fn events(
        &self,
        id: i64,
    ) -> Result<Vec<(String, String, String, i64)>, DbError> {
        let rows = self.db.fetch_all(&self.events, &[id.into()]).await?;
        let event =
            |row: &crate::db::Row| Ok((row.text(0)?, row.text(1)?, row.text(2)?, row.int(3)?));
        let events: Result<_, sqlx::Error> = rows.iter().map(event).collect();
        Ok(events?)
    }

    /// Notes prices and totals, and that the stock is held; returns whether it was pending.
    pub(super) async fn hold(&self, id: i64, held: &Held<'_>) -> Result<bool, DbError> {
        until_alone(|| self.try_hold(id, held)).await
    }

    async fn try_hold(&self, id: i64, held: &Held<'_>) -> Result<bool, DbError> {
        let mut tx = self.db.begin().await?;
        let params = [
            held.totals.subtotal_minor.into(),
            held.totals.discount_minor.into(),
            held.totals.total_minor.into(),
            held.coupon.into(),
            held.paying_until_ms.into(),
            held.due_ms.into(),
            now_ms().into(),
            id.into(),
        ];
        if tx.execute(&self.hold, &params).await? != 1 {
            return Ok(false);
        }
        for line in held.lines {
            let params = [line.unit_price_minor.into(), id.into(), line.number.into()];
            tx.execute(&self.price, &params).await?;
        }
        self.note(&mut tx, id, Status::Pending, Status::Reserved, "")
            .await?;
        if held.is_coupon_lost {
            self.tell(&mut tx, id, Topic::Coupon).await?;
        }
        tx.commit().await?;
        if held.is_coupon_lost {
            self.news.notify_one();
        }
        Ok(true)
    }

    /// Changes a status inside a transaction of the caller's; returns whether it was as expected.
    pub(super) async fn change_in(
        &self,
        tx: &mut Tx<'_>,
        change: Change<'_>,
    ) -> Result<bool, DbError> {
        let Change { id, from, to, .. } = change;
        let now = now_ms();
        let finished = if to.is_final() { now } else { 0 };
        let params = [
            to.name().into(),
            change.reason.into(),
            change.due_ms.into(),
            finished.into(),
            now.into(),
            id.into(),
            from.name().into(),
        ];
        if !from.may_become(to) || tx.execute(&self.change, &params).await? != 1 {
            return Ok(false);
        }
        self.note(tx, id, from, to, change.reason).await?;
        Ok(true)
    }

    /// Tells, inside a transaction of the caller's, whether an order has a status.
    pub(super) async fn stands_in(
        &self,
        tx: &mut Tx<'_>,
        id: i64,
        status: Status,
    ) -> Result<bool, DbError> {
        let row = tx.fetch_optional(&self.one, &[id.into()]).await?;
        let order = row.as_ref().map(Order::read).transpose()?;
        Ok(order.is_some_and(|order| order.status == status))
    }

    /// Changes a status; returns whether it was as expected. Partners hear of a cancelled order
    /// unless they cannot know it yet, and promotions of one that wished for a coupon.
    pub(super) async fn change(&self, change: Change<'_>) -> Result<bool, DbError> {
        until_alone(|| self.try_change(change)).await
    }

    async fn try_change(&self, change: Change<'_>) -> Result<bool, DbError> {
        let mut tx = self.db.begin().await?;
        if !self.change_in(&mut tx, change).await? {
            return Ok(false);
        }
        let is_cancelled = change.to == Status::Cancelled;
        if is_cancelled && change.from != Status::Pending {
            self.tell(&mut tx, change.id, Topic::Cancelled).await?;
        }
        if is_cancelled && self.wished_for_coupon(&mut tx, change.id).await? {
            self.tell(&mut tx, change.id, Topic::Coupon).await?;
        }
        tx.commit().await?;
        if is_cancelled {
            self.news.notify_one();
        }
        Ok(true)
    }

    async fn wished_for_coupon(&self, tx: &mut Tx<'_>, id: i64) -> Result<bool, DbError> {
        let row = tx.fetch_optional(&self.coupon_wish, &[id.into()]).await?;
        let wish = row.map(|row| row.text(0)).transpose()?;
        Ok(wish.is_some_and(|code| !code.is_empty()))
    }

    /// Sets when the reconciler looks at an order again; 0 never.
    pub(super) async fn defer(&self, id: i64, status: Status, due_ms: i64) -> Result<(), DbError> {
        let params = [due_ms.into(), id.into(), status.name().into()];
        self.db.execute(&self.defer, &params).await?;
        Ok(())
    }

    /// Returns orders that the reconciler is to look at.
    pub(super) async fn due(&self, most: i64) -> Result<Vec<Order>, DbError> {
        let params = [now_ms().into(), most.into()];
        let rows = self.db.fetch_all(&self.due, &params).await?;
        Ok(rows.iter().map(Order::read).collect::<Result<_, _>>()?)
    }

    /// Has partners told of an order, by a message that is there if and only if the change is.
    pub(super) async fn tell(
        &self,
        tx: &mut Tx<'_>,
        order_id: i64,
        topic: Topic,
    ) -> Result<(), DbError> {
        let message = Message::new(self.ids.next(), order_id, topic, now_ms());
        let params = [
            message.id.into(),
            order_id.into(),
            topic.name().into(),
            message.since_ms.into(),
            message.available_ms.into(),
            message.traceparent.as_str().into(),
        ];
        tx.execute(&self.message, &params).await?;
        Ok(())
    }

    /// Has partners told that a cancelled order was paid after all, so that the money goes back.
    pub(super) async fn tell_cancelled(&self, order_id: i64) -> Result<(), DbError> {
        let mut tx = self.db.begin().await?;
        self.tell(&mut tx, order_id, Topic::Cancelled).await?;
        tx.commit().await?;
        self.news.notify_one();
        Ok(())
    }

    async fn note(
        &self,
        tx: &mut Tx<'_>,
        id: i64,
        from: Status,
        to: Status,
        reason: &str,
    ) -> Result<(), DbError> {
        let params = [
            id.into(),
            self.ids.next().into(),
            from.name().into(),
            to.name().into(),
            reason.into(),
            now_ms().into(),
        ];
        tx.execute(&self.event, &params).await?;
        Ok(())
    }
}
