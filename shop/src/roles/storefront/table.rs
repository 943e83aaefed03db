//! The public API: every route, who owns it, who may ask, and what it is known to answer.
//!
//! Router, counters, checks at the edge and tests are made from these rows.

use axum::http::Method;

use crate::{
    config::Role,
    telemetry::{business::Stage, http_metrics::RouteSpec},
};

/// Who may ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Anyone; who it is matters little, so a token that cannot be checked is no obstacle.
    Open,
    /// Anyone; what is seen depends on the account, or else on the visit.
    Visitor,
    /// Whoever is logged in.
    Account,
    /// Whoever is logged in and has the role.
    Admin,
}

/// What becomes of the tokens the storefront remembers, once the request has succeeded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum After {
    /// They stay.
    Keep,
    /// The one of this request is asked for anew.
    Forget,
    /// Each is asked for anew: others may have lost their session or their role.
    ForgetAll,
}

/// One route.
#[derive(Debug, Clone, Copy)]
pub(super) struct Route {
    pub(super) method: Verb,
    /// As axum writes it: `/products/{id}`.
    pub(super) template: &'static str,
    pub(super) owner: Role,
    pub(super) access: Access,
    pub(super) after: After,
    /// How far on the way to an order a customer is who got an answer; the owner counts other stages.
    pub(super) stage: Option<Stage>,
    /// What the owner answers, success first; what the edge itself answers is added.
    statuses: &'static [u16],
}

/// A method of the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verb {
    Get,
    Post,
    Put,
    Delete,
}

impl Verb {
    pub(super) fn method(self) -> Method {
        match self {
            Self::Get => Method::GET,
            Self::Post => Method::POST,
            Self::Put => Method::PUT,
            Self::Delete => Method::DELETE,
        }
    }

    /// Says whether a body comes with it.
    pub(super) fn has_body(self) -> bool {
        matches!(self, Self::Post | Self::Put)
    }
}

/// What the edge answers itself: too fast, or an owner that fails, is away, or is late.
const OF_THE_EDGE: [u16; 5] = [429, 500, 502, 503, 504];

impl Route {
    /// Returns what is counted from the start.
    pub(super) fn spec(&self) -> RouteSpec {
        let refusals: &[u16] = match self.access {
            Access::Open => &[],
            // Also of a visitor a token is taken seriously.
            Access::Visitor | Access::Account => &[401],
            Access::Admin => &[401, 403],
        };
        let mut statuses = self.statuses.to_vec();
        for status in refusals.iter().chain(&OF_THE_EDGE) {
            if !statuses.contains(status) {
                statuses.push(*status);
            }
        }
        RouteSpec {
            method: self.method.method(),
            template: self.template,
            // Once a route and process.
            statuses: statuses.leak(),
        }
    }
}

const fn row(
    method: Verb,
    template: &'static str,
    owner: Role,
    access: Access,
    statuses: &'static [u16],
) -> Route {
    Route {
        method,
        template,
        owner,
        access,
        after: After::Keep,
        stage: None,
        statuses,
    }
}

impl Route {
    const fn reaches(mut self, stage: Stage) -> Self {
        self.stage = Some(stage);
        self
    }

    const fn then(mut self, after: After) -> Self {
        self.after = after;
        self
    }
}

/// The route that is limited by whom someone tries to log in as.
pub(super) const LOGIN: &str = "/users/login";

use Access::{Account, Admin, Open, Visitor};
use Role::{Catalog, Orders, Promotions, Users};
use Verb::{Delete, Get, Post, Put};

/// Every route.
pub(super) const ROUTES: &[Route] = &[
    row(Get, "/products", Catalog, Open, &[200, 400]).reaches(Stage::BrowseCatalog),
    row(Post, "/products", Catalog, Admin, &[201, 400, 409, 422]),
    row(Get, "/products/{id}", Catalog, Open, &[200, 400, 404]).reaches(Stage::ViewProduct),
    row(
        Put,
        "/products/{id}",
        Catalog,
        Admin,
        &[200, 400, 404, 409, 422],
    ),
    row(Delete, "/products/{id}", Catalog, Admin, &[204, 400, 404]),
    row(
        Get,
        "/products/{id}/inventory",
        Catalog,
        Open,
        &[200, 400, 404],
    ),
    row(
        Put,
        "/products/{id}/inventory",
        Catalog,
        Admin,
        &[200, 400, 404, 422],
    ),
    row(
        Post,
        "/inventory/deduct",
        Catalog,
        Open,
        &[200, 400, 404, 409, 422],
    ),
    row(Get, "/cart", Orders, Visitor, &[200]),
    row(Delete, "/cart", Orders, Visitor, &[200]),
    row(
        Post,
        "/cart/items",
        Orders,
        Visitor,
        &[200, 400, 404, 409, 422],
    ),
    row(
        Put,
        "/cart/items/{product_id}",
        Orders,
        Visitor,
        &[200, 400, 404, 409, 422],
    ),
    row(
        Delete,
        "/cart/items/{product_id}",
        Orders,
        Visitor,
        &[200, 400, 404],
    ),
    row(
        Post,
        "/checkout",
        Orders,
        Visitor,
        &[201, 400, 402, 404, 409, 422],
    ),
    row(Post, "/order", Orders, Visitor, &[201, 400, 404, 409, 422]),
    row(Get, "/orders", Orders, Account, &[200, 400]),
    row(Get, "/orders/{id}", Orders, Visitor, &[200, 400, 404]),
    row(
        Post,
        "/orders/{id}/cancel",
        Orders,
        Visitor,
        &[200, 400, 404, 409],
    ),
    row(
        Post,
        "/payment/pay",
        Orders,
        Visitor,
        &[200, 400, 402, 404, 409, 422],
    ),
    row(Post, "/users/register", Users, Open, &[201, 400, 409, 422]),
    row(Post, LOGIN, Users, Open, &[200, 400, 401, 422]),
    row(Post, "/users/logout", Users, Account, &[200]).then(After::Forget),
    row(Get, "/users/me", Users, Account, &[200]),
    row(Put, "/users/me", Users, Account, &[200, 400, 403, 422]).then(After::ForgetAll),
    row(Get, "/users/me/sessions", Users, Account, &[200]),
    row(
        Delete,
        "/users/me/sessions/{id}",
        Users,
        Account,
        &[204, 400, 404],
    )
    .then(After::ForgetAll),
    row(
        Post,
        "/promotions/check",
        Promotions,
        Open,
        &[200, 400, 422],
    ),
    row(
        Get,
        "/promotions/coupons/{code}",
        Promotions,
        Open,
        &[200, 400, 404],
    ),
    row(Get, "/admin/users", Users, Admin, &[200, 400]),
    row(Get, "/admin/users/{id}", Users, Admin, &[200, 400, 404]),
    row(
        Put,
        "/admin/users/{id}",
        Users,
        Admin,
        &[200, 400, 404, 409, 422],
    )
    .then(After::ForgetAll),
    row(Get, "/admin/orders", Orders, Admin, &[200, 400]),
    row(
        Put,
        "/admin/orders/{id}/status",
        Orders,
        Admin,
        &[200, 400, 404, 409, 422],
    ),
    row(Get, "/admin/stats/sales", Orders, Admin, &[200, 400]),
    row(Get, "/admin/stats/products", Orders, Admin, &[200, 400]),
    row(Get, "/admin/stats/activity", Users, Admin, &[200, 400]),
];

/// A route of the public API, for whoever describes or tests it.
#[derive(Debug, Clone)]
pub struct PublicRoute {
    /// Its method.
    pub method: Method,
    /// As axum writes it: `/products/{id}`.
    pub template: &'static str,
    /// The role that owns it.
    pub owner: Role,
    /// Who may ask.
    pub access: Access,
    /// What it is known to answer, success first.
    pub statuses: &'static [u16],
}

/// Returns every route of the public API.
pub fn public_routes() -> Vec<PublicRoute> {
    let public = |route: &Route| PublicRoute {
        method: route.method.method(),
        template: route.template,
        owner: route.owner,
        access: route.access,
        statuses: route.statuses,
    };
    ROUTES.iter().map(public).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{Access, ROUTES, Role};

    #[test]
    fn every_route_stands_once_and_its_owner_can_be_called() {
        let mut seen = BTreeSet::new();
        for route in ROUTES {
            let name = format!("{} {}", route.method.method(), route.template);
            assert!(seen.insert(name.clone()), "{name}");
            assert!(Role::Storefront.peers().contains(&route.owner), "{name}");
            assert!((200..300).contains(&route.statuses[0]), "{name}");
        }
    }

    #[test]
    fn what_administers_is_for_admins() {
        for route in ROUTES {
            let name = format!("{:?} {}", route.method, route.template);
            let changes_products =
                route.template.starts_with("/products") && route.method.method() != "GET";
            let administers = route.template.starts_with("/admin") || changes_products;
            assert_eq!(administers, route.access == Access::Admin, "{name}");
        }
    }
}
