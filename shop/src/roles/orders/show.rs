//! Reading orders: one's own, one of them, all of them; and giving one up.

use std::sync::Arc;

use axum::{Json, extract::State, http::StatusCode};
use serde_json::{Value, json};

use super::{
    Orders,
    order::{Order, order_columns},
    status::Status,
    store::Change,
};
use crate::{
    db::{Db, DbError, Param, Statement},
    http::{
        identity::{Admin, Identity, unknown},
        input::{Fields, Id},
        problem::Problem,
        query::{Page, Params},
    },
    ids::now_ms,
    roles::edge::to_the_end,
};

/// The statements of lists.
#[derive(Debug)]
pub(super) struct Lists {
    by_user: [Statement; 2],
    by_session: [Statement; 2],
    all: [Statement; 2],
}

/// Makes the statement of a page and that of its total.
macro_rules! list {
    ($db:expr, $whose:literal) => {
        [
            $db.statement(
                "select",
                "orders",
                concat!(
                    "SELECT ",
                    order_columns!(),
                    " FROM orders WHERE ",
                    $whose,
                    " AND (? = '' OR status = ?) ORDER BY id DESC LIMIT ? OFFSET ?"
                ),
            ),
            $db.statement(
                "select",
                "orders",
                concat!(
                    "SELECT COUNT(*) FROM orders WHERE ",
                    $whose,
                    " AND (? = '' OR status = ?)"
                ),
            ),
        ]
    };
}

impl Lists {
    pub(super) fn new(db: &Db) -> Self {
        Self {
            by_user: list!(db, "user_id = ?"),
            by_session: list!(db, "user_id = 0 AND session_id = ?"),
            all: list!(db, "id > ?"),
        }
    }
}

/// `GET /orders`: the orders of who asks, newest first.
pub(super) async fn own(
    State(orders): State<Arc<Orders>>,
    identity: Identity,
    params: Params,
) -> Result<Json<Value>, Problem> {
    let lists = &orders.lists;
    match (identity.user, identity.session.as_deref()) {
        (Some(user), _) => orders.list(&lists.by_user, user.into(), &params).await,
        (None, Some(session)) => {
            orders
                .list(&lists.by_session, session.into(), &params)
                .await
        }
        (None, None) => Err(unknown()),
    }
}

/// `GET /admin/orders`.
pub(super) async fn all(
    State(orders): State<Arc<Orders>>,
    _admin: Admin,
    params: Params,
) -> Result<Json<Value>, Problem> {
    orders.list(&orders.lists.all, 0.into(), &params).await
}

/// `GET /orders/{id}`: with its lines and what became of it.
pub(super) async fn one(
    State(orders): State<Arc<Orders>>,
    identity: Identity,
    Id(id): Id,
) -> Result<Json<Value>, Problem> {
    let order = orders.visible(id, "id", &identity).await?;
    let lines = orders.store.lines(id).await?;
    let events = orders.store.events(id).await?;
    let mut json = order.to_json_with(&lines);
    let event = |(from, to, reason, at_ms): &(String, String, String, i64)| json!({ "from": from, "to": to, "reason": reason, "at_ms": at_ms });
    json["events"] = events.iter().map(event).collect();
    Ok(Json(json))
}

/// `POST /orders/{id}/cancel`.
pub(super) async fn cancel(
    State(orders): State<Arc<Orders>>,
    identity: Identity,
    Id(id): Id,
) -> Result<Json<Value>, Problem> {
    let order = orders.visible(id, "id", &identity).await?;
    let db = Arc::clone(&orders.store.db);
    let work = async move { orders.cancel(&order, "customer").await };
    to_the_end(&db, work).await.map(Json)
}

/// `PUT /admin/orders/{id}/status`: what people do by hand. Money is never among it.
pub(super) async fn set_status(
    State(orders): State<Arc<Orders>>,
    _admin: Admin,
    Id(id): Id,
    mut fields: Fields,
) -> Result<Json<Value>, Problem> {
    let by_hand = |name: &str| {
        let known = Status::parse(name);
        known.filter(|to| matches!(to, Status::Shipped | Status::Delivered | Status::Cancelled))
    };
    let given = fields.optional_word("status", by_hand, "shipped, delivered, cancelled");
    fields.finish()?;
    let Some(to) = given else {
        return Err(Problem::field(
            StatusCode::UNPROCESSABLE_ENTITY,
            "status",
            "is missing",
        ));
    };
    let order = orders.find(id, "id").await?;
    let db = Arc::clone(&orders.store.db);
    let work = async move {
        if to == Status::Cancelled {
            return orders.cancel(&order, "admin").await;
        }
        let change = Change {
            id,
            from: order.status,
            to,
            reason: "admin",
            due_ms: 0,
        };
        if !orders.store.change(change).await? {
            return Err(cannot(&order, to));
        }
        Ok(orders.find(id, "id").await?.to_json())
    };
    to_the_end(&db, work).await.map(Json)
}

impl Orders {
    async fn list(
        &self,
        [page, total]: &[Statement; 2],
        whose: Param<'_>,
        params: &Params,
    ) -> Result<Json<Value>, Problem> {
        let Page { limit, offset } = params.page()?;
        let status = params.text("status", 20)?.unwrap_or_default();
        if !status.is_empty() && Status::parse(status).is_none() {
            let names = Status::ALL.map(Status::name).join(", ");
            let message = format!("must be one of {names}");
            return Err(Problem::field(StatusCode::BAD_REQUEST, "status", message));
        }
        let scope = [whose, status.into(), status.into()];
        let total = self.store.db.fetch_optional(total, &scope).await?;
        let total = total.map(|row| row.int(0)).transpose()?.unwrap_or(0);
        let mut scope = scope.to_vec();
        scope.extend([limit.into(), offset.into()]);
        let rows = self.store.db.fetch_all(page, &scope).await?;
        let orders = rows.iter().map(|row| Ok(Order::read(row)?.to_json()));
        let orders: Vec<Value> = orders.collect::<Result<_, DbError>>()?;
        Ok(Json(json!({
            "orders": orders,
            "total": total,
            "limit": limit,
            "offset": offset,
        })))
    }

    /// Cancels an order and gives its stock back.
    async fn cancel(&self, order: &Order, reason: &str) -> Result<Value, Problem> {
        let change = Change {
            id: order.id,
            from: order.status,
            to: Status::Cancelled,
            reason,
            due_ms: now_ms(),
        };
        // A pending order is still in the hands of the request that makes it.
        let refused = order.status == Status::Pending || !self.store.change(change).await?;
        if refused {
            return Err(cannot(order, Status::Cancelled));
        }
        tracing::info!(order_id = order.id, reason, "order cancelled");
        let lines = self.store.lines(order.id).await?;
        self.release(order.id, &lines).await;
        Ok(self.find(order.id, "id").await?.to_json_with(&lines))
    }
}

fn cannot(order: &Order, to: Status) -> Problem {
    let held = order.status == Status::Pending || order.paying_until_ms != 0;
    let refused = |message| Problem::field(StatusCode::CONFLICT, "status", message);
    if order.status.may_become(to) && held {
        return refused("is about to change".to_owned()).retry_after(1);
    }
    let (from, to) = (order.status.name(), to.name());
    refused(format!("is {from} and cannot become {to}"))
}
