//! The public API: checks the envelope and passes requests on to the role that owns them.

use std::sync::Arc;

use axum::{
    Router,
    extract::State,
    http::{Method, header},
    response::{IntoResponse, Response},
    routing::{get, post},
};

use super::{Parts, Started, counted};
use crate::{
    config::Role,
    error::ShopError,
    http::{
        call::{Ask, Peer},
        input::{Id, Raw},
        problem::Problem,
    },
};

#[derive(Debug)]
struct Storefront {
    orders: Peer,
    catalog: Peer,
}

pub(super) fn start(parts: Parts<'_>) -> Result<Started, ShopError> {
    let storefront = Storefront {
        orders: parts.peer(Role::Storefront, Role::Orders)?,
        catalog: parts.peer(Role::Storefront, Role::Catalog)?,
    };
    let router = Router::new()
        .route("/products", get(list))
        .route("/products/{id}", get(product))
        .route("/order", post(order))
        .route("/orders/{id}", get(order_status))
        .route("/payment/pay", post(pay))
        .route("/inventory/deduct", post(deduct))
        .with_state(Arc::new(storefront));
    let known = vec![
        counted(Method::GET, "/products", &[200, 500, 502, 503, 504]),
        counted(
            Method::GET,
            "/products/{id}",
            &[200, 400, 404, 500, 502, 503, 504],
        ),
        counted(
            Method::POST,
            "/order",
            &[201, 400, 404, 409, 422, 500, 502, 503, 504],
        ),
        counted(
            Method::GET,
            "/orders/{id}",
            &[200, 400, 404, 500, 502, 503, 504],
        ),
        counted(
            Method::POST,
            "/payment/pay",
            &[200, 400, 402, 404, 409, 422, 500, 502, 503, 504],
        ),
        counted(
            Method::POST,
            "/inventory/deduct",
            &[200, 400, 404, 409, 422, 500, 502, 503, 504],
        ),
    ];
    Ok(Started {
        role: Role::Storefront,
        router,
        routes: known,
        db: None,
        background: Vec::new(),
    })
}

async fn list(State(shop): State<Arc<Storefront>>) -> Result<Response, Problem> {
    pass(&shop.catalog, Ask::get("/products", "/products")).await
}

async fn product(State(shop): State<Arc<Storefront>>, Id(id): Id) -> Result<Response, Problem> {
    pass(
        &shop.catalog,
        Ask::get("/products/:id", format!("/products/{id}")),
    )
    .await
}

async fn order(State(shop): State<Arc<Storefront>>, raw: Raw) -> Result<Response, Problem> {
    pass(&shop.orders, posted("/order", raw)).await
}

async fn order_status(
    State(shop): State<Arc<Storefront>>,
    Id(id): Id,
) -> Result<Response, Problem> {
    pass(
        &shop.orders,
        Ask::get("/orders/:id", format!("/orders/{id}")),
    )
    .await
}

async fn pay(State(shop): State<Arc<Storefront>>, raw: Raw) -> Result<Response, Problem> {
    pass(&shop.orders, posted("/payment/pay", raw)).await
}

async fn deduct(State(shop): State<Arc<Storefront>>, raw: Raw) -> Result<Response, Problem> {
    pass(&shop.catalog, posted("/inventory/deduct", raw)).await
}

/// Asks with the body as it came; the owner of the route checks what is in it.
fn posted(route: &'static str, raw: Raw) -> Ask {
    let ask = Ask::new(Method::POST, route, route).with_body(raw.body);
    match raw.content_type.and_then(|kind| kind.parse().ok()) {
        Some(kind) => ask.with_header(header::CONTENT_TYPE, kind),
        None => ask,
    }
}

async fn pass(peer: &Peer, ask: Ask) -> Result<Response, Problem> {
    Ok(peer.pass_on(ask).await?.into_response())
}
