//! Orders: takes them, has the stock deducted, and asks for the money.
//!
//! An order is `pending` until its stock is deducted, then `created`, `paying` while one payment is
//! under way, and `paid`. Payment attempts are counted here, by who asks: a payments role that
//! cannot answer cannot count either.

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::State,
    http::{Method as HttpMethod, StatusCode},
    routing::{get, post},
};
use serde_json::{Value, json};

use super::{Parts, Started, counted};
use crate::{
    config::Role,
    db::{Db, Row, Schema, Statement},
    error::ShopError,
    http::{call::Peer, input::Id, problem::Problem},
    ids::Ids,
    market::Country,
    telemetry::business::Business,
};

mod create;
mod pay;

const SCHEMA: Schema = Schema(&[(
    "orders",
    "CREATE TABLE orders (
        id BIGINT PRIMARY KEY,
        customer_id BIGINT NOT NULL,
        country TEXT NOT NULL,
        product_id BIGINT NOT NULL,
        quantity BIGINT NOT NULL CHECK (quantity > 0),
        amount_minor BIGINT NOT NULL CHECK (amount_minor >= 0),
        currency TEXT NOT NULL,
        status TEXT NOT NULL,
        created_ms BIGINT NOT NULL
    )",
)]);

#[derive(Debug)]
struct Orders {
    db: Arc<Db>,
    catalog: Peer,
    payments: Peer,
    business: Business,
    ids: Ids,
    insert: Statement,
    price: Statement,
    one: Statement,
    transition: Statement,
}

pub(super) async fn start(parts: Parts<'_>) -> Result<Started, ShopError> {
    let db = parts.database(Role::Orders, SCHEMA).await?;
    let orders = Orders {
        catalog: parts.peer(Role::Orders, Role::Catalog)?,
        payments: parts.peer(Role::Orders, Role::Payments)?,
        business: parts.business(),
        ids: Ids::default(),
        insert: db.statement(
            "insert",
            "orders",
            "INSERT INTO orders (id, customer_id, country, product_id, quantity, amount_minor, \
             currency, status, created_ms) VALUES (?, ?, ?, ?, ?, 0, ?, 'pending', ?)",
        ),
        price: db.statement(
            "update",
            "orders",
            "UPDATE orders SET amount_minor = ?, status = 'created' WHERE id = ?",
        ),
        one: db.statement(
            "select",
            "orders",
            "SELECT id, customer_id, country, product_id, quantity, amount_minor, currency, status \
             FROM orders WHERE id = ?",
        ),
        transition: db.statement(
            "update",
            "orders",
            "UPDATE orders SET status = ? WHERE id = ? AND status = ?",
        ),
        db: Arc::clone(&db),
    };
    let router = Router::new()
        .route("/order", post(create::order))
        .route("/orders/{id}", get(show))
        .route("/payment/pay", post(pay::pay))
        .with_state(Arc::new(orders));
    let known = vec![
        counted(
            HttpMethod::POST,
            "/order",
            &[201, 400, 404, 409, 422, 500, 502, 503, 504],
        ),
        counted(HttpMethod::GET, "/orders/{id}", &[200, 400, 404, 500, 503]),
        counted(
            HttpMethod::POST,
            "/payment/pay",
            &[200, 400, 402, 404, 409, 422, 500, 502, 503, 504],
        ),
    ];
    Ok(Started {
        role: Role::Orders,
        router,
        routes: known,
        db: Some(db),
        background: Vec::new(),
    })
}

#[derive(Debug, Clone)]
struct Order {
    id: i64,
    customer_id: i64,
    country: Country,
    product_id: i64,
    quantity: i64,
    amount_minor: i64,
    currency: String,
    status: String,
}

impl Order {
    fn read(row: &Row) -> Result<Self, sqlx::Error> {
        let customer_id = row.int(1)?;
        Ok(Self {
            id: row.int(0)?,
            customer_id,
            country: Country::parse(&row.text(2)?)
                .unwrap_or_else(|| Country::of_customer(customer_id)),
            product_id: row.int(3)?,
            quantity: row.int(4)?,
            amount_minor: row.int(5)?,
            currency: row.text(6)?,
            status: row.text(7)?,
        })
    }
}

impl Orders {
    /// Finds an order; `field` is what the client named it by.
    async fn find(&self, id: i64, field: &str) -> Result<Order, Problem> {
        let row = self.db.fetch_optional(&self.one, &[id.into()]).await?;
        match row {
            Some(row) => Ok(Order::read(&row)?),
            None => Err(Problem::field(
                StatusCode::NOT_FOUND,
                field,
                "there is no such order",
            )),
        }
    }

    /// Moves an order from one status to another; returns whether it was in the first.
    async fn move_on(&self, id: i64, from: &str, to: &str) -> Result<bool, Problem> {
        Ok(self
            .db
            .execute(&self.transition, &[to.into(), id.into(), from.into()])
            .await?
            == 1)
    }
}

async fn show(State(orders): State<Arc<Orders>>, Id(id): Id) -> Result<Json<Value>, Problem> {
    let order = orders.find(id, "id").await?;
    Ok(Json(json!({
        "order_id": order.id,
        "customer_id": order.customer_id,
        "country": order.country.code(),
        "product_id": order.product_id,
        "quantity": order.quantity,
        "amount": order.amount_minor,
        "currency": order.currency,
        "status": order.status,
    })))
}
