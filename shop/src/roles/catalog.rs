//! Products and their stock, spread over warehouses.
//!
//! What is read may come from a cache, and from an old answer when the database does not give one.
//! What is taken from the stock always goes to the database, and never below zero.

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::State,
    http::{HeaderValue, Method, StatusCode},
    response::{IntoResponse, Response},
    routing::{get, post, put},
};
use serde_json::{Value, json};
use tracing::{Instrument, info_span};

use self::{
    admin::Changes,
    inventory::Inventory,
    products::{Product, Products, Search},
    reservations::{Refusal, Reservations, Taken, Wish},
    shelf::Shelved,
};
use super::{Background, Parts, Started, counted, edge::to_the_end, forgetting};
use crate::{
    config::Role,
    db::{Db, DbError},
    error::ShopError,
    http::{
        call::REPLAYED,
        input::{Fields, Id},
        problem::Problem,
        query::Params,
    },
    ids::Ids,
    market::CURRENCY,
    telemetry::{business::Business, http_metrics::RouteSpec},
};

mod admin;
mod inventory;
mod plan;
mod products;
mod reservations;
mod restock;
mod schema;
mod seed;
mod shelf;

/// Most units in one deduction or order.
pub(super) const MOST_UNITS: i64 = 100;
/// Longest key of a reservation.
const LONGEST_RESERVATION: usize = 80;
const LONGEST_SEARCH: usize = 80;

#[derive(Debug)]
struct Catalog {
    db: Arc<Db>,
    business: Business,
    products: Products,
    inventory: Arc<Inventory>,
    reservations: Reservations,
    changes: Changes,
    ids: Ids,
}

pub(super) async fn start(parts: Parts<'_>) -> Result<Started, ShopError> {
    let db = parts.database(Role::Catalog, schema::SCHEMA).await?;
    let stock = i64::from(parts.config.initial_stock);
    let catalog = Arc::new(Catalog::new(Arc::clone(&db), parts));
    let prepared = catalog.prepare(stock).await;
    prepared.map_err(|error| ShopError::prepare(Role::Catalog, error))?;
    let shared = Arc::clone(&catalog);
    let forget = forgetting::run(Role::Catalog, move |before_ms| {
        let catalog = Arc::clone(&shared);
        async move { catalog.reservations.purge(before_ms).await }
    });
    let mut background: Vec<Background> = vec![Box::pin(forget)];
    if let Some(every) = parts.config.restock_every {
        let restocking = restock::run(Arc::clone(&catalog), every, stock);
        background.push(Box::pin(restocking));
    }
    Ok(Started {
        role: Role::Catalog,
        router: router(catalog),
        routes: routes(),
        db: Some(db),
        background,
    })
}

fn router(catalog: Arc<Catalog>) -> Router {
    let one = get(product).put(admin::update).delete(admin::delete);
    Router::new()
        .route("/products", get(list).post(admin::create))
        .route("/products/{id}", one)
        .route(
            "/products/{id}/inventory",
            put(admin::set_stock).get(levels),
        )
        .route("/inventory/deduct", post(deduct))
        .route("/inventory/release", post(release))
        .with_state(catalog)
}

fn routes() -> Vec<RouteSpec> {
    let stock = "/products/{id}/inventory";
    vec![
        counted(Method::GET, "/products", &[200, 400, 500, 503]),
        counted(Method::GET, "/products/{id}", &[200, 400, 404, 500, 503]),
        counted(
            Method::POST,
            "/products",
            &[201, 400, 401, 403, 422, 500, 503],
        ),
        counted(
            Method::PUT,
            "/products/{id}",
            &[200, 400, 401, 403, 404, 409, 422, 500, 503],
        ),
        counted(
            Method::DELETE,
            "/products/{id}",
            &[204, 400, 401, 403, 404, 500, 503],
        ),
        counted(Method::GET, stock, &[200, 400, 404, 500, 503]),
        counted(
            Method::PUT,
            stock,
            &[200, 400, 401, 403, 404, 422, 500, 503],
        ),
        counted(
            Method::POST,
            "/inventory/deduct",
            &[200, 400, 404, 409, 422, 500, 503],
        ),
        counted(
            Method::POST,
            "/inventory/release",
            &[200, 400, 422, 500, 503],
        ),
    ]
}

impl Catalog {
    fn new(db: Arc<Db>, parts: Parts<'_>) -> Self {
        let inventory = Arc::new(Inventory::new(Arc::clone(&db)));
        Self {
            products: Products::new(Arc::clone(&db), parts.caches),
            reservations: Reservations::new(Arc::clone(&db), Arc::clone(&inventory)),
            changes: Changes::new(&db),
            inventory,
            db,
            business: parts.business(),
            ids: Ids::default(),
        }
    }

    /// Seeds an empty database and shows the stock.
    async fn prepare(&self, stock: i64) -> Result<(), DbError> {
        seed::products(self, stock).await?;
        let turn = self.inventory.turn();
        for (product_id, stock) in self.inventory.totals().await? {
            self.business.stock(product_id, stock, turn);
        }
        Ok(())
    }

    /// Shows what a product was in a turn, to customers and in the metrics, unless they know better.
    async fn show(&self, product: &Product, turn: u64) {
        if self.business.stock(product.id, product.stock, turn) {
            self.products.keep(product).await;
        }
    }

    /// Reads a product again and shows it.
    async fn refresh(&self, id: i64) -> Result<(), DbError> {
        let turn = self.inventory.turn();
        match self.products.load(id).await? {
            Some(product) => self.show(&product, turn).await,
            None => self.products.forget(id).await,
        }
        Ok(())
    }

    async fn levels(&self, id: i64, warehouse: Option<&str>) -> Result<Value, Problem> {
        if self.products.load(id).await?.is_none() {
            return Err(no_product("id"));
        }
        let mut levels = self.inventory.levels(id).await?;
        if let Some(wanted) = warehouse {
            levels.retain(|level| level.warehouse == wanted);
            if levels.is_empty() {
                let message = "there is no such warehouse";
                let status = StatusCode::NOT_FOUND;
                return Err(Problem::field(status, "warehouse_id", message));
            }
        }
        let total: i64 = levels.iter().map(|level| level.stock).sum();
        let warehouses: Vec<Value> = levels
            .iter()
            .map(|level| json!({ "warehouse_id": level.warehouse, "stock": level.stock }))
            .collect();
        Ok(json!({ "product_id": id, "total": total, "warehouses": warehouses }))
    }

    async fn take(&self, wish: &Wish) -> Result<(Value, bool), Problem> {
        let product = self.products.load(wish.product_id).await?;
        let product = product.ok_or_else(|| no_product("product_id"))?;
        let taken = self.reservations.deduct(wish, product.price_minor).await?;
        let taken = taken.map_err(|refusal| self.refuse(wish, refusal))?;
        let stock = taken.remaining;
        self.show(&Product { stock, ..product }, taken.turn).await;
        Ok((receipt(wish, taken), taken.again))
    }

    /// Says no to a deduction.
    fn refuse(&self, wish: &Wish, refusal: Refusal) -> Problem {
        let (product_id, quantity) = (wish.product_id, wish.quantity);
        let (field, message, reason) = match refusal {
            Refusal::OutOfStock { left } => {
                self.business.reservation_failed();
                ("quantity", format!("only {left} left"), "out_of_stock")
            }
            Refusal::OtherReservation => {
                let message = "stands for another product or quantity".to_owned();
                ("reservation", message, "reservation_differs")
            }
            Refusal::Released => {
                let message = "was given back".to_owned();
                ("reservation", message, "reservation_released")
            }
            Refusal::Contended => {
                tracing::warn!(
                    product_id,
                    quantity,
                    reason = "contended",
                    "deduction failed"
                );
                let detail = "too many buy this product at this moment, try again";
                return Problem::new(StatusCode::SERVICE_UNAVAILABLE, detail);
            }
        };
        tracing::warn!(product_id, quantity, message, reason, "deduction failed");
        Problem::field(StatusCode::CONFLICT, field, message).because(reason)
    }
}

fn receipt(wish: &Wish, taken: Taken) -> Value {
    json!({
        "product_id": wish.product_id,
        "quantity": wish.quantity,
        "remaining": taken.remaining,
        "unit_price_minor": taken.unit_price_minor,
        "currency": CURRENCY,
    })
}

/// `GET /products`.
async fn list(State(catalog): State<Arc<Catalog>>, params: Params) -> Result<Shelved, Problem> {
    let search = Search {
        page: params.page()?,
        name: params
            .text("search", LONGEST_SEARCH)?
            .unwrap_or_default()
            .to_lowercase(),
        category: params
            .text("category", admin::LONGEST_CATEGORY)?
            .unwrap_or_default()
            .to_lowercase(),
    };
    Ok(catalog.products.page(&search).await?)
}

/// `GET /products/{id}`.
async fn product(State(catalog): State<Arc<Catalog>>, Id(id): Id) -> Result<Shelved, Problem> {
    let product = catalog
        .products
        .show(id)
        .await?
        .ok_or_else(|| no_product("id"))?;
    catalog.business.viewed();
    Ok(product)
}

/// `GET /products/{id}/inventory`.
async fn levels(
    State(catalog): State<Arc<Catalog>>,
    Id(id): Id,
    params: Params,
) -> Result<Json<Value>, Problem> {
    let warehouse = params.text("warehouse_id", LONGEST_SEARCH)?;
    catalog.levels(id, warehouse).await.map(Json)
}

/// `POST /inventory/deduct`.
async fn deduct(
    State(catalog): State<Arc<Catalog>>,
    mut fields: Fields,
) -> Result<Response, Problem> {
    let wish = Wish {
        product_id: fields.id("product_id"),
        quantity: fields.whole("quantity", MOST_UNITS),
        reservation: fields.optional_text("reservation", LONGEST_RESERVATION),
    };
    fields.finish()?;
    let span = info_span!(
        "DeductInventory",
        service = Role::Catalog.name(),
        product_id = wish.product_id,
        quantity = wish.quantity,
    );
    let db = Arc::clone(&catalog.db);
    let work = async move { catalog.take(&wish).await };
    let (receipt, again) = to_the_end(&db, work).instrument(span).await?;
    let mut response = Json(receipt).into_response();
    if again {
        let yes = HeaderValue::from_static("true");
        response.headers_mut().insert(REPLAYED, yes);
    }
    Ok(response)
}

/// `POST /inventory/release`: gives back what was taken for a reservation.
async fn release(
    State(catalog): State<Arc<Catalog>>,
    mut fields: Fields,
) -> Result<Json<Value>, Problem> {
    let reservation = fields.text("reservation", LONGEST_RESERVATION);
    fields.finish()?;
    let span = info_span!("ReleaseInventory", service = Role::Catalog.name());
    let db = Arc::clone(&catalog.db);
    let work = async move {
        let released = catalog.reservations.release(&reservation).await?;
        if released.units > 0 {
            catalog.refresh(released.product_id).await?;
        }
        let units = released.units;
        tracing::info!(product_id = released.product_id, units, "stock released");
        Ok(json!({ "reservation": reservation, "released": units }))
    };
    to_the_end(&db, work).instrument(span).await.map(Json)
}

fn no_product(field: &str) -> Problem {
    Problem::field(StatusCode::NOT_FOUND, field, "there is no such product")
}
