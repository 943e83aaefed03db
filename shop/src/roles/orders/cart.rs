//! The routes of the cart: what a customer means to buy.
//!
//! A cart holds products and quantities; prices are the catalog's, asked for when the cart is looked
//! at and again when it is checked out.

use std::{collections::HashMap, sync::Arc};

use axum::{
    Json,
    extract::{Path, State},
    http::StatusCode,
};
use serde_json::{Value, json};

use super::{
    Orders,
    carts::{Edit, Item},
    order::{Buyer, Order},
};
use crate::{
    config::Role,
    http::{call::Ask, identity::Identity, input::Fields, problem::Problem},
    market::{CURRENCY, Country},
    roles::catalog::MOST_UNITS,
    telemetry::business::Stage,
};

/// `GET /cart`: with the prices of now, as far as the catalog tells them.
pub(super) async fn show(
    State(orders): State<Arc<Orders>>,
    identity: Identity,
) -> Result<Json<Value>, Problem> {
    let items = orders.carts.items(&owner(&identity)?).await?;
    let mut json = contents(&items);
    if items.is_empty() {
        json["subtotal_minor"] = 0.into();
        return Ok(Json(json));
    }
    let prices = orders.prices(&items).await;
    let mut subtotal = Some(0_i64);
    let shown = items.iter().map(|item| {
        let price = prices.get(&item.product_id);
        let mut shown = item.to_json();
        shown["name"] = price.map_or(Value::Null, |(name, _)| name.as_str().into());
        shown["unit_price_minor"] = price.map_or(Value::Null, |(_, minor)| (*minor).into());
        subtotal = price
            .and_then(|(_, minor)| minor.checked_mul(item.quantity))
            .and_then(|line| subtotal?.checked_add(line));
        shown
    });
    json["items"] = shown.collect();
    json["subtotal_minor"] = subtotal.map_or(Value::Null, Value::from);
    Ok(Json(json))
}

/// `POST /cart/items`.
pub(super) async fn add(
    State(orders): State<Arc<Orders>>,
    identity: Identity,
    mut fields: Fields,
) -> Result<Json<Value>, Problem> {
    let product_id = fields.id("product_id");
    let quantity = fields.whole("quantity", MOST_UNITS);
    fields.finish()?;
    let owner = owner(&identity)?;
    orders.known(product_id).await?;
    let item = Item {
        product_id,
        quantity,
    };
    let items = orders.carts.edit(&owner, Edit::Add(item)).await?;
    orders.business.cart_added();
    orders
        .business
        .funnel(Stage::AddToCart, country(&identity, customer_id(&identity)));
    Ok(Json(contents(&items)))
}

/// `PUT /cart/items/{product_id}`.
pub(super) async fn set(
    State(orders): State<Arc<Orders>>,
    identity: Identity,
    Path(product_id): Path<String>,
    mut fields: Fields,
) -> Result<Json<Value>, Problem> {
    let quantity = fields.whole("quantity", MOST_UNITS);
    fields.finish()?;
    let item = Item {
        product_id: id(&product_id)?,
        quantity,
    };
    edited(&orders, &identity, Edit::Set(item)).await
}

/// `DELETE /cart/items/{product_id}`.
pub(super) async fn remove(
    State(orders): State<Arc<Orders>>,
    identity: Identity,
    Path(product_id): Path<String>,
) -> Result<Json<Value>, Problem> {
    edited(&orders, &identity, Edit::Remove(id(&product_id)?)).await
}

/// `DELETE /cart`.
pub(super) async fn clear(
    State(orders): State<Arc<Orders>>,
    identity: Identity,
) -> Result<Json<Value>, Problem> {
    edited(&orders, &identity, Edit::Clear).await
}

async fn edited(orders: &Orders, identity: &Identity, edit: Edit) -> Result<Json<Value>, Problem> {
    let items = orders.carts.edit(&owner(identity)?, edit).await?;
    Ok(Json(contents(&items)))
}

impl Orders {
    /// Fails when the catalog knows no such product; a catalog that does not answer is believed to.
    async fn known(&self, product_id: i64) -> Result<(), Problem> {
        let path = format!("/products/{product_id}/inventory");
        let ask = Ask::get("/products/:id/inventory", path);
        match self.catalog.ask(ask).await {
            Ok(answer) if answer.status == StatusCode::NOT_FOUND => {
                let message = "there is no such product";
                Err(Problem::field(StatusCode::NOT_FOUND, "product_id", message))
            }
            Ok(_) => Ok(()),
            Err(error) => Err(error.problem(Role::Catalog)),
        }
    }

    /// Returns name and price of products, without those that the catalog does not tell.
    async fn prices(&self, items: &[Item]) -> HashMap<i64, (String, i64)> {
        let mut prices = HashMap::new();
        let list = Ask::get("/products", "/products").with_query(Some("limit=100"));
        if let Ok(answer) = self.catalog.ask(list).await {
            let body: Value = answer.json().unwrap_or_default();
            let listed = body["products"].as_array().into_iter().flatten();
            prices.extend(listed.filter_map(priced));
        }
        for item in items {
            if prices.contains_key(&item.product_id) || prices.is_empty() {
                continue;
            }
            let path = format!("/products/{}", item.product_id);
            if let Ok(answer) = self.catalog.ask(Ask::get("/products/:id", path)).await {
                prices.extend(priced(&answer.json().unwrap_or_default()));
            }
        }
        prices
    }

    /// Takes what an order bought out of the cart it came from.
    pub(super) async fn empty_cart(&self, order: &Order) {
        let Some(owner) = order.buyer.cart_key() else {
            return;
        };
        let emptied = async {
            let lines = self.store.lines(order.id).await?;
            self.carts.bought(&owner, &lines).await
        };
        if let Err(error) = emptied.await {
            // It expires, or the customer clears it.
            tracing::warn!(order_id = order.id, reason = %error, "cart not emptied");
        }
    }
}

impl Item {
    fn to_json(self) -> Value {
        json!({ "product_id": self.product_id, "quantity": self.quantity })
    }
}

/// Returns whose cart it is; who has neither an account nor a visit has none.
pub(super) fn owner(identity: &Identity) -> Result<String, Problem> {
    Buyer::of(identity).cart_key().ok_or_else(|| {
        let message = "is missing: a cart belongs to an account or to a visit";
        Problem::field(StatusCode::BAD_REQUEST, "x-session-id", message)
    })
}

/// Returns who a customer is: the account, or a number that a visit without one keeps.
pub(super) fn customer_id(identity: &Identity) -> i64 {
    /// Above every account; below what every JSON reader keeps exactly.
    const VISITS: i64 = 1 << 52;
    let session = identity.session.as_deref().unwrap_or_default();
    let hash = session
        .bytes()
        .fold(0xCBF2_9CE4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3)
        });
    identity
        .user
        .unwrap_or(VISITS + (hash >> 12) as i64 % VISITS)
}

/// Returns where a customer buys.
pub(super) fn country(identity: &Identity, customer_id: i64) -> Country {
    identity
        .country
        .unwrap_or_else(|| Country::of_customer(customer_id))
}

fn contents(items: &[Item]) -> Value {
    json!({
        "items": items.iter().map(|item| item.to_json()).collect::<Vec<_>>(),
        "units": items.iter().map(|item| item.quantity).sum::<i64>(),
        "currency": CURRENCY,
    })
}

fn priced(product: &Value) -> Option<(i64, (String, i64))> {
    let name = product["name"].as_str()?.to_owned();
    Some((
        product["id"].as_i64()?,
        (name, product["price_minor"].as_i64()?),
    ))
}

fn id(text: &str) -> Result<i64, Problem> {
    let id = text
        .parse::<i64>()
        .ok()
        .filter(|id| (1..1 << 53).contains(id));
    let message = "must be a whole number above 0";
    id.ok_or_else(|| Problem::field(StatusCode::BAD_REQUEST, "product_id", message))
}
