//! Orders: takes them, has the stock held, asks for the money, has them fulfilled.
//!
//! [`status`] tells where an order may go. Whatever changes one does it in a transaction with what
//! others must hear ([`store`]); whoever is cut off in between leaves an order that is due, and the
//! reconciler settles it. Payment attempts are counted here, by who asks: a payments role that cannot
//! answer cannot count either.
//!
//! Invariant: what an order was answered with outlives the process.
//! Invariant: stock that is held belongs to an order that is not cancelled, or goes back.

use std::sync::Arc;

use axum::{
    Router,
    http::{Method, StatusCode},
    middleware::from_fn_with_state,
    routing::{get, post, put},
};

use self::{
    carts::Carts, customers::Customers, idempotency::Keys, order::Order, purge::Purge, show::Lists,
    stats::Stats, store::Store, upkeep::Upkeep, worker::Worker,
};
use super::{Background, Parts, Started, counted, payments::MOST_MINOR};
use crate::{
    config::{OrdersConfig, Role},
    error::ShopError,
    http::{
        call::{Dependency, Peer},
        identity::Identity,
        problem::Problem,
    },
    market::DependencyName,
    telemetry::{business::Business, http_metrics::RouteSpec},
};

mod cart;
mod carts;
mod checkout;
mod create;
mod customers;
mod idempotency;
mod money;
mod order;
mod outbox;
mod pay;
mod place;
mod purge;
mod reconcile;
mod schema;
mod show;
mod stats;
mod status;
mod store;
mod upkeep;
mod worker;

/// Pause before stock that could not be given back, or a payment that could not be asked after, is
/// looked at again.
const RELEASE_PAUSE_MS: i64 = 5_000;
/// Time in which a customer may repeat a payment whose end is not known before it is asked after.
const UNKNOWN_PAUSE_MS: i64 = 2_000;

#[derive(Debug)]
struct Orders {
    store: Store,
    carts: Carts,
    customers: Customers,
    lists: Lists,
    stats: Stats,
    catalog: Peer,
    payments: Peer,
    promotions: Dependency,
    business: Business,
    times: OrdersConfig,
}

pub(super) async fn start(parts: Parts<'_>) -> Result<Started, ShopError> {
    let db = parts.database(Role::Orders, schema::SCHEMA).await?;
    let times = parts.config.orders;
    let orders = Arc::new(Orders {
        store: Store::new(Arc::clone(&db)),
        carts: Carts::new(Arc::clone(&db)),
        customers: Customers::new(Arc::clone(&db)),
        lists: Lists::new(&db),
        stats: Stats::new(&db),
        catalog: parts.peer(Role::Orders, Role::Catalog)?,
        payments: parts.peer(Role::Orders, Role::Payments)?,
        promotions: parts.dependency(Role::Orders, DependencyName::Promotions)?,
        business: parts.business(),
        times,
    });
    let keys = Arc::new(Keys::new(Arc::clone(&db), orders.lease_ms()));
    let worker = Worker::new(
        Arc::clone(&orders),
        parts.dependency(Role::Orders, DependencyName::Crm)?,
        parts.dependency(Role::Orders, DependencyName::Warehouse)?,
    );
    let upkeep = Upkeep {
        orders: Arc::clone(&orders),
        keys: Arc::clone(&keys),
        purge: times
            .retention
            .map(|retention| Purge::new(Arc::clone(&db), retention)),
    };
    let background: Vec<Background> = vec![
        Box::pin(reconcile::run(Arc::clone(&orders))),
        Box::pin(worker.run()),
        Box::pin(upkeep.run()),
    ];
    Ok(Started {
        role: Role::Orders,
        router: router(orders, keys),
        routes: routes(),
        db: Some(db),
        background,
    })
}

fn router(orders: Arc<Orders>, keys: Arc<Keys>) -> Router {
    let repeatable = Router::new()
        .route("/order", post(create::order))
        .route("/checkout", post(checkout::checkout))
        .route("/payment/pay", post(pay::pay))
        .route_layer(from_fn_with_state(keys, idempotency::layer));
    Router::new()
        .route("/orders", get(show::own))
        .route("/orders/{id}", get(show::one))
        .route("/orders/{id}/cancel", post(show::cancel))
        .route("/cart", get(cart::show).delete(cart::clear))
        .route("/cart/items", post(cart::add))
        .route(
            "/cart/items/{product_id}",
            put(cart::set).delete(cart::remove),
        )
        .route("/admin/orders", get(show::all))
        .route("/admin/orders/{id}/status", put(show::set_status))
        .route("/admin/stats/sales", get(stats::sales))
        .route("/admin/stats/products", get(stats::products))
        .merge(repeatable)
        .with_state(orders)
}

fn routes() -> Vec<RouteSpec> {
    const MADE: &[u16] = &[201, 400, 404, 409, 422, 500, 502, 503, 504];
    const PAID: &[u16] = &[200, 400, 402, 404, 409, 422, 500, 502, 503, 504];
    const CHECKED_OUT: &[u16] = &[201, 400, 402, 404, 409, 422, 500, 502, 503, 504];
    const READ: &[u16] = &[200, 400, 401, 500, 503];
    const FOUND: &[u16] = &[200, 400, 404, 500, 503];
    const CHANGED: &[u16] = &[200, 400, 404, 409, 500, 503];
    const CART: &[u16] = &[200, 400, 404, 422, 500, 503];
    const ADMIN: &[u16] = &[200, 400, 401, 403, 500, 503];
    vec![
        counted(Method::POST, "/order", MADE),
        counted(Method::POST, "/checkout", CHECKED_OUT),
        counted(Method::POST, "/payment/pay", PAID),
        counted(Method::GET, "/orders", READ),
        counted(Method::GET, "/orders/{id}", FOUND),
        counted(Method::POST, "/orders/{id}/cancel", CHANGED),
        counted(Method::GET, "/cart", CART),
        counted(Method::DELETE, "/cart", CART),
        counted(Method::POST, "/cart/items", CART),
        counted(Method::PUT, "/cart/items/{product_id}", CART),
        counted(Method::DELETE, "/cart/items/{product_id}", CART),
        counted(Method::GET, "/admin/orders", ADMIN),
        counted(Method::PUT, "/admin/orders/{id}/status", ADMIN),
        counted(Method::GET, "/admin/stats/sales", ADMIN),
        counted(Method::GET, "/admin/stats/products", ADMIN),
    ]
}

impl Orders {
    /// Finds an order; `field` is what the client named it by.
    async fn find(&self, id: i64, field: &str) -> Result<Order, Problem> {
        self.store.find(id).await?.ok_or_else(|| no_order(field))
    }

    /// Finds an order that `identity` may see; another one is as good as none.
    async fn visible(&self, id: i64, field: &str, identity: &Identity) -> Result<Order, Problem> {
        let order = self.find(id, field).await?;
        if order.is_open_to(identity) {
            Ok(order)
        } else {
            Err(no_order(field))
        }
    }

    fn lease_ms(&self) -> i64 {
        i64::try_from(self.times.lease.as_millis()).unwrap_or(i64::MAX)
    }

    fn payment_window_ms(&self) -> i64 {
        i64::try_from(self.times.payment_window.as_millis()).unwrap_or(i64::MAX)
    }
}

fn no_order(field: &str) -> Problem {
    Problem::field(StatusCode::NOT_FOUND, field, "there is no such order")
}
