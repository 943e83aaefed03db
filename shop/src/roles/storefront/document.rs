//! What is told of each route in the API's document, and the routes that tell it.

use std::sync::LazyLock;

use axum::{
    Router,
    http::{HeaderValue, Method, header},
    response::{IntoResponse, Response},
    routing::get,
};

use super::table::{Access, ROUTES, Route, Verb};
use crate::api::{
    self,
    document::{About, Operation, Query, Shape, document, shape},
    shapes,
};
use crate::telemetry::http_metrics::RouteSpec;

const NO_SNIFFING: (&str, &str) = ("x-content-type-options", "nosniff");
/// Everything comes from here, and nothing is embedded elsewhere.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; \
    base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// The document as it is sent; the same for the life of the process.
static DOCUMENT: LazyLock<String> = LazyLock::new(|| {
    let document = document(&operations());
    serde_json::to_string(&document).unwrap_or_default()
});

/// Returns the routes of the document and of the page that renders it.
pub(super) fn routes<S: Clone + Send + Sync + 'static>() -> Router<S> {
    Router::new()
        .route(
            "/openapi.json",
            get(|| async { asset("application/json", &DOCUMENT) }),
        )
        .route(
            "/docs",
            get(|| async { asset("text/html; charset=utf-8", api::PAGE_HTML) }),
        )
        .route(
            "/docs/style.css",
            get(|| async { asset("text/css; charset=utf-8", api::PAGE_CSS) }),
        )
        .route(
            "/docs/page.js",
            get(|| async { asset("text/javascript; charset=utf-8", api::PAGE_JS) }),
        )
}

/// The routes of this file, for the counters.
pub(super) fn specs() -> impl Iterator<Item = RouteSpec> {
    let templates = ["/openapi.json", "/docs", "/docs/style.css", "/docs/page.js"];
    templates.into_iter().map(|template| RouteSpec {
        method: Method::GET,
        template,
        statuses: &[200],
    })
}

fn asset(kind: &'static str, text: &'static str) -> Response {
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(kind)),
        (
            header::CONTENT_SECURITY_POLICY,
            HeaderValue::from_static(POLICY),
        ),
    ];
    (headers, [NO_SNIFFING], text).into_response()
}

fn operations() -> Vec<Operation> {
    ROUTES.iter().map(operation).collect()
}

/// What is answered to a body that is too slow, too long, of another kind, or no JSON.
const OF_BODIES: [u16; 5] = [400, 408, 413, 415, 422];
/// What is answered to a query that is too long.
const OF_QUERIES: [u16; 1] = [414];

fn operation(route: &Route) -> Operation {
    let about = about(route.method, route.template);
    let mut statuses = route.spec().statuses.to_vec();
    let of_bodies: &[u16] = about.body.map_or(&[], |_| &OF_BODIES);
    let of_queries: &[u16] = if about.query.is_empty() {
        &[]
    } else {
        &OF_QUERIES
    };
    for status in of_bodies.iter().chain(of_queries) {
        if !statuses.contains(status) {
            statuses.push(*status);
        }
    }
    Operation {
        method: route.method.method(),
        template: route.template,
        owner: route.owner,
        is_secured: matches!(route.access, Access::Account | Access::Admin),
        statuses,
        about,
    }
}

const PAGE: [Query; 2] = [
    Query::Whole("limit", 1, 100, "Most rows; 50 when left out"),
    Query::Whole("offset", 0, 1_000_000_000, "Rows to skip"),
];
const DAYS: Query = Query::Whole("days", 1, 366, "How many days, today among them");
const STATUS: Query = Query::Word(
    "status",
    &[
        "pending",
        "reserved",
        "paid",
        "shipped",
        "delivered",
        "cancelled",
        "payment_failed",
    ],
    "Only orders of this status",
);

const fn says(summary: &'static str) -> About {
    About {
        summary,
        query: &[],
        is_keyed: false,
        body: None,
        answer: None,
    }
}

impl About {
    const fn asks(mut self, query: &'static [Query]) -> Self {
        self.query = query;
        self
    }

    const fn takes(mut self, body: Shape) -> Self {
        self.body = Some(body);
        self
    }

    const fn gives(mut self, answer: Shape) -> Self {
        self.answer = Some(answer);
        self
    }

    const fn keyed(mut self) -> Self {
        self.is_keyed = true;
        self
    }
}

/// Returns what is told of a route.
fn about(verb: Verb, template: &str) -> About {
    let found = ABOUT
        .iter()
        .find(|(method, path, _)| (*method, *path) == (verb, template));
    found.map_or(says(""), |(.., about)| *about)
}

use Verb::{Delete, Get, Post, Put};

/// What is told of each route.
const ABOUT: &[(Verb, &str, About)] = &[
    (
        Get,
        "/products",
        says("Products, by page, name and category")
            .asks(&[
                PAGE[0],
                PAGE[1],
                Query::Text("search", 80, "Part of the name, whatever the case"),
                Query::Text("category", 40, "Only products of this category"),
            ])
            .gives(shape::<shapes::ProductPage>()),
    ),
    (
        Post,
        "/products",
        says("Make a product")
            .takes(shape::<shapes::NewProduct>())
            .gives(shape::<shapes::Product>()),
    ),
    (
        Get,
        "/products/{id}",
        says("One product").gives(shape::<shapes::Product>()),
    ),
    (
        Put,
        "/products/{id}",
        says("Change a product; what is left out stays")
            .takes(shape::<shapes::ProductChange>())
            .gives(shape::<shapes::Product>()),
    ),
    (Delete, "/products/{id}", says("Take a product off sale")),
    (
        Get,
        "/products/{id}/inventory",
        says("Stock of a product, by warehouse")
            .asks(&[Query::Word(
                "warehouse_id",
                &["WH-001", "WH-002", "WH-003"],
                "Only this warehouse",
            )])
            .gives(shape::<shapes::Inventory>()),
    ),
    (
        Put,
        "/products/{id}/inventory",
        says("Say what a warehouse holds")
            .takes(shape::<shapes::StockChange>())
            .gives(shape::<shapes::Inventory>()),
    ),
    (
        Post,
        "/inventory/deduct",
        says("Take units out of the stock")
            .takes(shape::<shapes::Deduction>())
            .gives(shape::<shapes::Deducted>()),
    ),
    (
        Get,
        "/cart",
        says("The cart, with the prices of now").gives(shape::<shapes::Cart>()),
    ),
    (
        Delete,
        "/cart",
        says("Empty the cart").gives(shape::<shapes::CartContents>()),
    ),
    (
        Post,
        "/cart/items",
        says("Put units into the cart")
            .takes(shape::<shapes::NewCartItem>())
            .gives(shape::<shapes::CartContents>()),
    ),
    (
        Put,
        "/cart/items/{product_id}",
        says("Say how many units lie in the cart")
            .takes(shape::<shapes::Quantity>())
            .gives(shape::<shapes::CartContents>()),
    ),
    (
        Delete,
        "/cart/items/{product_id}",
        says("Take a product out of the cart").gives(shape::<shapes::CartContents>()),
    ),
    (
        Post,
        "/checkout",
        says("Buy what is in the cart")
            .keyed()
            .takes(shape::<shapes::Checkout>())
            .gives(shape::<shapes::Order>()),
    ),
    (
        Post,
        "/order",
        says("Order one product; it is paid later")
            .keyed()
            .takes(shape::<shapes::NewOrder>())
            .gives(shape::<shapes::CreatedOrder>()),
    ),
    (
        Get,
        "/orders",
        says("The own orders, newest first")
            .asks(&[PAGE[0], PAGE[1], STATUS])
            .gives(shape::<shapes::OrderPage>()),
    ),
    (
        Get,
        "/orders/{id}",
        says("One order, with its lines and what became of it").gives(shape::<shapes::Order>()),
    ),
    (
        Post,
        "/orders/{id}/cancel",
        says("Cancel an order and give its stock back").gives(shape::<shapes::Order>()),
    ),
    (
        Post,
        "/payment/pay",
        says("Pay an order")
            .keyed()
            .takes(shape::<shapes::NewPayment>())
            .gives(shape::<shapes::Payment>()),
    ),
    (
        Post,
        "/users/register",
        says("Make an account")
            .takes(shape::<shapes::Registration>())
            .gives(shape::<shapes::Registered>()),
    ),
    (
        Post,
        "/users/login",
        says("Log in")
            .takes(shape::<shapes::Credentials>())
            .gives(shape::<shapes::Login>()),
    ),
    (
        Post,
        "/users/logout",
        says("Log out").gives(shape::<shapes::Done>()),
    ),
    (
        Get,
        "/users/me",
        says("The own account").gives(shape::<shapes::Profile>()),
    ),
    (
        Put,
        "/users/me",
        says("Change the own account; what is left out stays")
            .takes(shape::<shapes::ProfileChange>())
            .gives(shape::<shapes::Profile>()),
    ),
    (
        Get,
        "/users/me/sessions",
        says("The own sessions").gives(shape::<shapes::Sessions>()),
    ),
    (
        Delete,
        "/users/me/sessions/{id}",
        says("End one of the own sessions"),
    ),
    (
        Post,
        "/promotions/check",
        says("What a subtotal costs, with discounts")
            .takes(shape::<shapes::PriceQuestion>())
            .gives(shape::<shapes::Price>()),
    ),
    (
        Get,
        "/promotions/coupons/{code}",
        says("One coupon").gives(shape::<shapes::Coupon>()),
    ),
    (
        Get,
        "/admin/users",
        says("Accounts, by page and name")
            .asks(&[
                PAGE[0],
                PAGE[1],
                Query::Text("search", 80, "Part of the name, whatever the case"),
            ])
            .gives(shape::<shapes::UserPage>()),
    ),
    (
        Get,
        "/admin/users/{id}",
        says("One account").gives(shape::<shapes::User>()),
    ),
    (
        Put,
        "/admin/users/{id}",
        says("Change the role of an account, or switch it off")
            .takes(shape::<shapes::UserChange>())
            .gives(shape::<shapes::User>()),
    ),
    (
        Get,
        "/admin/orders",
        says("All orders, newest first")
            .asks(&[PAGE[0], PAGE[1], STATUS])
            .gives(shape::<shapes::OrderPage>()),
    ),
    (
        Put,
        "/admin/orders/{id}/status",
        says("Ship, deliver or cancel an order by hand")
            .takes(shape::<shapes::OrderStatusChange>())
            .gives(shape::<shapes::Order>()),
    ),
    (
        Get,
        "/admin/stats/sales",
        says("Orders and revenue of the last days")
            .asks(&[DAYS])
            .gives(shape::<shapes::Sales>()),
    ),
    (
        Get,
        "/admin/stats/products",
        says("What sold best in the last days")
            .asks(&[DAYS, PAGE[0]])
            .gives(shape::<shapes::BestSellers>()),
    ),
    (
        Get,
        "/admin/stats/activity",
        says("Registrations and logins of the last days")
            .asks(&[DAYS])
            .gives(shape::<shapes::Activity>()),
    ),
];

#[cfg(test)]
mod tests {
    use super::{ABOUT, ROUTES, about, operations};
    use crate::api::document::document;

    #[test]
    fn every_route_is_told_of_and_nothing_else() {
        for route in ROUTES {
            let about = about(route.method, route.template);
            assert!(!about.summary.is_empty(), "{route:?}");
            let takes = about.body.is_some();
            let may_take = route.method.has_body();
            assert!(may_take || !takes, "{route:?}");
        }
        assert_eq!(ABOUT.len(), ROUTES.len());
    }

    #[test]
    fn every_reference_of_the_document_leads_somewhere() {
        let json = serde_json::to_value(document(&operations())).unwrap();
        let text = json.to_string();
        let mut references = 0;
        for part in text.split("\"$ref\":\"#").skip(1) {
            let pointer = part.split('"').next().unwrap();
            assert!(json.pointer(pointer).is_some(), "{pointer}");
            references += 1;
        }
        assert!(references > 50, "{references}");
        assert_eq!(json["openapi"], "3.1.0");
    }
}
