//! The public API: checks the envelope, finds out who asks, and passes requests on to the role that
//! owns them.
//!
//! Reading order: `table` (every route), `guard` (limits and suspicion), `authenticate`, `cookies`,
//! `pass` (one request on its way), `document` (what is told of the routes).

use std::sync::Arc;

use axum::{
    Router,
    extract::{Request, State},
    middleware,
    routing::{MethodFilter, any, on},
};

use super::{Parts, Started, edge};
use crate::{
    config::Role,
    error::ShopError,
    http::call::Peer,
    telemetry::{business::Business, http_metrics},
};

mod authenticate;
mod cookies;
mod document;
mod guard;
mod pass;
mod table;

use authenticate::Authenticator;
use guard::Guard;
use pass::Served;
pub use table::{Access, PublicRoute, public_routes};
use table::{ROUTES, Route, Verb};

#[derive(Debug)]
struct Storefront {
    orders: Peer,
    catalog: Peer,
    users: Peer,
    promotions: Peer,
    authenticator: Authenticator,
    guard: Arc<Guard>,
    business: Business,
}

pub(super) fn start(parts: Parts<'_>) -> Result<Started, ShopError> {
    let peer = |role| parts.peer(Role::Storefront, role);
    let guard = Arc::new(Guard::new(parts));
    let storefront = Arc::new(Storefront {
        orders: peer(Role::Orders)?,
        catalog: peer(Role::Catalog)?,
        users: peer(Role::Users)?,
        promotions: peer(Role::Promotions)?,
        authenticator: Authenticator::new(parts)?,
        guard: Arc::clone(&guard),
        business: parts.business(),
    });
    let mut router = Router::new();
    for route in ROUTES {
        router = serve(router, route);
    }
    let router = router
        .merge(document::routes())
        // Also what no route takes is watched.
        .route("/", any(edge::unmatched))
        .route("/{*rest}", any(edge::unmatched))
        .method_not_allowed_fallback(edge::wrong_method)
        .layer(middleware::from_fn_with_state(guard, guard::watch))
        .with_state(storefront);
    Ok(Started {
        role: Role::Storefront,
        router,
        routes: ROUTES
            .iter()
            .map(Route::spec)
            .chain(document::specs())
            .collect(),
        db: None,
        background: Vec::new(),
    })
}

fn serve(router: Router<Arc<Storefront>>, route: &'static Route) -> Router<Arc<Storefront>> {
    let method = match route.method {
        Verb::Get => MethodFilter::GET,
        Verb::Post => MethodFilter::POST,
        Verb::Put => MethodFilter::PUT,
        Verb::Delete => MethodFilter::DELETE,
    };
    let label = http_metrics::label_of(route.template);
    let served = Served { route, label };
    let handler = move |State(shop): State<Arc<Storefront>>, request: Request| {
        pass::pass(shop, served, request)
    };
    router.route(route.template, on(method, handler))
}

impl Storefront {
    fn owner(&self, role: Role) -> &Peer {
        match role {
            Role::Catalog => &self.catalog,
            Role::Users => &self.users,
            Role::Promotions => &self.promotions,
            _ => &self.orders,
        }
    }
}
