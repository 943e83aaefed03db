//! What admins do: make, change and take away products, and say what a warehouse holds.

use std::sync::Arc;

use axum::{
    Json,
    extract::State,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::Value;

use super::{Catalog, no_product, products::Product};
use crate::{
    db::{Db, DbError, Statement},
    http::{
        identity::Admin,
        input::{Fields, Id},
        problem::Problem,
    },
    ids::now_ms,
    market::{CURRENCY, WAREHOUSES},
    roles::edge::to_the_end,
};

const LONGEST_NAME: usize = 120;
pub(super) const LONGEST_CATEGORY: usize = 40;
const MOST_PRICE_MINOR: i64 = 100_000_000;
const MOST_STOCK: i64 = 1_000_000;
const NO_CATEGORY: &str = "other";
/// Tries of a change without a version that others keep getting in the way of.
const MOST_TRIES: usize = 3;

/// The statements that change products.
#[derive(Debug)]
pub(super) struct Changes {
    pub(super) insert: Statement,
    update: Statement,
    delete: Statement,
}

impl Changes {
    pub(super) fn new(db: &Db) -> Self {
        Self {
            insert: db.statement(
                "insert",
                "products",
                "INSERT INTO products (id, name, price_minor, currency, category) \
                 VALUES (?, ?, ?, ?, ?)",
            ),
            update: db.statement(
                "update",
                "products",
                "UPDATE products SET name = ?, price_minor = ?, category = ?, \
                 version = version + 1 WHERE id = ? AND version = ? AND deleted_ms = 0",
            ),
            delete: db.statement(
                "update",
                "products",
                "UPDATE products SET deleted_ms = ?, version = version + 1 \
                 WHERE id = ? AND deleted_ms = 0",
            ),
        }
    }
}

/// `POST /products`.
pub(super) async fn create(
    State(catalog): State<Arc<Catalog>>,
    admin: Admin,
    mut fields: Fields,
) -> Result<Response, Problem> {
    let name = fields.text("name", LONGEST_NAME);
    let price_minor = fields.whole("price_minor", MOST_PRICE_MINOR);
    let category = fields.optional_text("category", LONGEST_CATEGORY);
    let stock = fields.optional_count("stock", MOST_STOCK);
    fields.finish()?;
    let product = Product {
        id: catalog.ids.next(),
        name,
        price_minor,
        currency: CURRENCY.to_owned(),
        category: category.map_or_else(|| NO_CATEGORY.to_owned(), |text| text.to_lowercase()),
        version: 1,
        stock: stock.unwrap_or(0),
    };
    let db = Arc::clone(&catalog.db);
    let work = async move {
        let turn = catalog.inventory.turn();
        catalog.insert(&product).await?;
        catalog.show(&product, turn).await;
        tracing::info!(
            product_id = product.id,
            admin = admin.user,
            "product created"
        );
        Ok(product)
    };
    let product = to_the_end(&db, work).await?;
    let mut response = (StatusCode::CREATED, Json(product.to_json())).into_response();
    if let Ok(place) = HeaderValue::from_str(&format!("/products/{}", product.id)) {
        response.headers_mut().insert(header::LOCATION, place);
    }
    Ok(response)
}

/// `PUT /products/{id}`: what is left out stays as it is. With a `version` nothing changes unless it
/// is still the one that was seen.
pub(super) async fn update(
    State(catalog): State<Arc<Catalog>>,
    admin: Admin,
    Id(id): Id,
    mut fields: Fields,
) -> Result<Json<Value>, Problem> {
    let change = Change {
        name: fields.optional_text("name", LONGEST_NAME),
        price_minor: fields.optional_whole("price_minor", MOST_PRICE_MINOR),
        category: fields.optional_text("category", LONGEST_CATEGORY),
        version: fields.optional_whole("version", i64::MAX),
    };
    fields.finish()?;
    let db = Arc::clone(&catalog.db);
    let work = async move {
        let turn = catalog.inventory.turn();
        let product = catalog.change(id, &change).await?;
        catalog.show(&product, turn).await;
        tracing::info!(product_id = id, admin = admin.user, "product changed");
        Ok(product.to_json())
    };
    to_the_end(&db, work).await.map(Json)
}

/// `DELETE /products/{id}`: it is not for sale any more; what was ordered of it stays.
pub(super) async fn delete(
    State(catalog): State<Arc<Catalog>>,
    admin: Admin,
    Id(id): Id,
) -> Result<StatusCode, Problem> {
    let db = Arc::clone(&catalog.db);
    let work = async move {
        let params = [now_ms().into(), id.into()];
        if catalog.db.execute(&catalog.changes.delete, &params).await? == 0 {
            return Err(no_product("id"));
        }
        catalog.products.forget(id).await;
        catalog.business.stock_gone(id);
        tracing::info!(product_id = id, admin = admin.user, "product deleted");
        Ok(StatusCode::NO_CONTENT)
    };
    to_the_end(&db, work).await
}

/// `PUT /products/{id}/inventory`.
pub(super) async fn set_stock(
    State(catalog): State<Arc<Catalog>>,
    admin: Admin,
    Id(id): Id,
    mut fields: Fields,
) -> Result<Json<Value>, Problem> {
    let known = |name: &str| WAREHOUSES.into_iter().find(|id| *id == name);
    let warehouse = fields.word("warehouse_id", known, &WAREHOUSES.join(", "));
    let stock = fields.count("stock", MOST_STOCK);
    fields.finish()?;
    let warehouse = warehouse.unwrap_or_default();
    let db = Arc::clone(&catalog.db);
    let work = async move {
        if catalog.products.load(id).await?.is_none() {
            return Err(no_product("id"));
        }
        catalog.inventory.set(id, warehouse, stock).await?;
        catalog.refresh(id).await?;
        let admin = admin.user;
        tracing::info!(product_id = id, warehouse, stock, admin, "stock changed");
        catalog.levels(id, None).await
    };
    to_the_end(&db, work).await.map(Json)
}

/// What is to change of a product.
#[derive(Debug)]
struct Change {
    name: Option<String>,
    price_minor: Option<i64>,
    category: Option<String>,
    version: Option<i64>,
}

impl Change {
    fn of(&self, mut product: Product) -> Product {
        if let Some(name) = &self.name {
            product.name.clone_from(name);
        }
        if let Some(price_minor) = self.price_minor {
            product.price_minor = price_minor;
        }
        if let Some(category) = &self.category {
            product.category = category.to_lowercase();
        }
        product
    }
}

impl Catalog {
    /// Writes a new product and its rows in the warehouses.
    pub(super) async fn insert(&self, product: &Product) -> Result<(), DbError> {
        let mut tx = self.db.begin().await?;
        let params = [
            product.id.into(),
            product.name.as_str().into(),
            product.price_minor.into(),
            product.currency.as_str().into(),
            product.category.as_str().into(),
        ];
        tx.execute(&self.changes.insert, &params).await?;
        self.inventory
            .open(&mut tx, product.id, product.stock)
            .await?;
        tx.commit().await
    }

    async fn change(&self, id: i64, change: &Change) -> Result<Product, Problem> {
        for _ in 0..MOST_TRIES {
            let seen = self
                .products
                .load(id)
                .await?
                .ok_or_else(|| no_product("id"))?;
            let version = seen.version;
            if change.version.is_some_and(|wanted| wanted != version) {
                return Err(changed_since(version));
            }
            let product = change.of(seen);
            let params = [
                product.name.as_str().into(),
                product.price_minor.into(),
                product.category.as_str().into(),
                id.into(),
                version.into(),
            ];
            if self.db.execute(&self.changes.update, &params).await? == 1 {
                return Ok(Product {
                    version: version + 1,
                    ..product
                });
            }
        }
        Err(Problem::new(
            StatusCode::CONFLICT,
            "others keep changing the product; try again",
        ))
    }
}

fn changed_since(version: i64) -> Problem {
    let message = format!("the product is at version {version} by now");
    Problem::field(StatusCode::CONFLICT, "version", message)
}
