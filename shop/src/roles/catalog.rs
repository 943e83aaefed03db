//! Products and their stock. Stock never goes below zero: a deduction is one conditional update.

use std::{sync::Arc, time::Duration};

use axum::{
    Json, Router,
    extract::State,
    http::{Method, StatusCode},
    routing::{get, post},
};
use serde_json::{Value, json};
use tracing::{Instrument, info_span};

use super::{Background, Parts, Started, counted, edge::to_the_end};
use crate::{
    config::Role,
    db::{Db, DbError, Row, Schema, Statement},
    error::ShopError,
    http::{
        input::{Fields, Id},
        problem::Problem,
    },
    telemetry::business::Business,
};

mod seed;

const SCHEMA: Schema = Schema(&[
    (
        "products",
        "CREATE TABLE products (
            id BIGINT PRIMARY KEY,
            name TEXT NOT NULL,
            price_minor BIGINT NOT NULL CHECK (price_minor > 0),
            currency TEXT NOT NULL
        )",
    ),
    (
        "inventory",
        "CREATE TABLE inventory (
            product_id BIGINT PRIMARY KEY REFERENCES products (id),
            stock BIGINT NOT NULL CHECK (stock >= 0)
        )",
    ),
]);

/// Most units in one deduction or order.
pub(super) const MOST_UNITS: i64 = 100;

#[derive(Debug)]
struct Catalog {
    db: Arc<Db>,
    business: Business,
    list: Statement,
    one: Statement,
    deduct: Statement,
    restock: Statement,
}

pub(super) async fn start(parts: Parts<'_>) -> Result<Started, ShopError> {
    let db = parts.database(Role::Catalog, SCHEMA).await?;
    let stock = i64::from(parts.config.initial_stock);
    let catalog = Arc::new(Catalog::new(Arc::clone(&db), parts.business()));
    catalog
        .prepare(stock)
        .await
        .map_err(|error| ShopError::Database {
            service: Role::Catalog.name(),
            source: error.into_source(),
        })?;
    let restocking = parts
        .config
        .restock_every
        .map(|every| -> Background { Box::pin(restock(Arc::clone(&catalog), every, stock)) });
    let router = Router::new()
        .route("/products", get(list))
        .route("/products/{id}", get(product))
        .route("/inventory/deduct", post(deduct))
        .with_state(catalog);
    let known = vec![
        counted(Method::GET, "/products", &[200, 500, 503]),
        counted(Method::GET, "/products/{id}", &[200, 400, 404, 500, 503]),
        counted(
            Method::POST,
            "/inventory/deduct",
            &[200, 400, 404, 409, 422, 500, 503],
        ),
    ];
    let background = restocking.into_iter().collect();
    Ok(Started {
        role: Role::Catalog,
        router,
        routes: known,
        db: Some(db),
        background,
    })
}

impl Catalog {
    fn new(db: Arc<Db>, business: Business) -> Self {
        const COLUMNS: &str = "SELECT p.id, p.name, p.price_minor, p.currency, i.stock \
            FROM products p JOIN inventory i ON i.product_id = p.id ORDER BY p.id";
        Self {
            list: db.statement("select", "products", COLUMNS),
            one: db.statement(
                "select",
                "products",
                "SELECT p.id, p.name, p.price_minor, p.currency, i.stock \
                 FROM products p JOIN inventory i ON i.product_id = p.id WHERE p.id = ?",
            ),
            deduct: db.statement(
                "update",
                "inventory",
                "UPDATE inventory SET stock = stock - ? WHERE product_id = ? AND stock >= ?",
            ),
            restock: db.statement(
                "update",
                "inventory",
                "UPDATE inventory SET stock = ? WHERE stock < ?",
            ),
            db,
            business,
        }
    }

    /// Seeds an empty database and shows the stock.
    async fn prepare(&self, stock: i64) -> Result<(), DbError> {
        seed::products(&self.db, stock).await?;
        self.show_stock().await
    }

    async fn show_stock(&self) -> Result<(), DbError> {
        for row in self.db.fetch_all(&self.list, &[]).await? {
            self.business.stock(row.int(0)?, row.int(4)?);
        }
        Ok(())
    }

    async fn product(&self, id: i64) -> Result<Option<Product>, DbError> {
        let row = self.db.fetch_optional(&self.one, &[id.into()]).await?;
        Ok(row.as_ref().map(Product::read).transpose()?)
    }

    async fn take(&self, product_id: i64, quantity: i64) -> Result<Value, Problem> {
        let params = [quantity.into(), product_id.into(), quantity.into()];
        let taken = self.db.execute(&self.deduct, &params).await? == 1;
        let Some(product) = self.product(product_id).await? else {
            return Err(no_product("product_id"));
        };
        if !taken {
            self.business.reservation_failed();
            tracing::warn!(
                product_id,
                quantity,
                left = product.stock,
                reason = "out_of_stock",
                "deduction failed"
            );
            let message = format!("only {} left", product.stock);
            return Err(Problem::field(StatusCode::CONFLICT, "quantity", message));
        }
        self.business.stock(product_id, product.stock);
        Ok(json!({
            "product_id": product_id,
            "quantity": quantity,
            "remaining": product.stock,
            "unit_price_minor": product.price_minor,
            "currency": product.currency,
        }))
    }
}

#[derive(Debug)]
struct Product {
    id: i64,
    name: String,
    price_minor: i64,
    currency: String,
    stock: i64,
}

impl Product {
    fn read(row: &Row) -> Result<Self, sqlx::Error> {
        Ok(Self {
            id: row.int(0)?,
            name: row.text(1)?,
            price_minor: row.int(2)?,
            currency: row.text(3)?,
            stock: row.int(4)?,
        })
    }

    fn to_json(&self) -> Value {
        json!({
            "id": self.id,
            "name": self.name,
            "price_minor": self.price_minor,
            "currency": self.currency,
            "stock": self.stock,
        })
    }
}

async fn list(State(catalog): State<Arc<Catalog>>) -> Result<Json<Value>, Problem> {
    let rows = catalog.db.fetch_all(&catalog.list, &[]).await?;
    let products = rows.iter().map(|row| Ok(Product::read(row)?.to_json()));
    let products = products.collect::<Result<Vec<_>, sqlx::Error>>()?;
    Ok(Json(json!({ "products": products })))
}

async fn product(State(catalog): State<Arc<Catalog>>, Id(id): Id) -> Result<Json<Value>, Problem> {
    let product = catalog.product(id).await?.ok_or_else(|| no_product("id"))?;
    catalog.business.viewed();
    Ok(Json(product.to_json()))
}

async fn deduct(
    State(catalog): State<Arc<Catalog>>,
    mut fields: Fields,
) -> Result<Json<Value>, Problem> {
    let product_id = fields.id("product_id");
    let quantity = fields.whole("quantity", MOST_UNITS);
    fields.finish()?;
    let span = info_span!(
        "DeductInventory",
        service = Role::Catalog.name(),
        product_id,
        quantity
    );
    let db = Arc::clone(&catalog.db);
    let work = async move { catalog.take(product_id, quantity).await };
    to_the_end(&db, work).instrument(span).await.map(Json)
}

fn no_product(field: &str) -> Problem {
    Problem::field(StatusCode::NOT_FOUND, field, "there is no such product")
}

/// Fills up what runs low, so that nothing is ever sold out for long.
async fn restock(catalog: Arc<Catalog>, every: Duration, full: i64) {
    let mut ticks = tokio::time::interval(every);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let low = (full / 2).max(1);
        let restocked = async {
            catalog
                .db
                .execute(&catalog.restock, &[full.into(), low.into()])
                .await?;
            catalog.show_stock().await
        };
        if let Err(error) = restocked.await {
            tracing::warn!(service = Role::Catalog.name(), reason = %error, "restocking failed");
        }
    }
}
