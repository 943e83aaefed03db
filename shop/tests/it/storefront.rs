//! The public API as a table: who may ask what, and what is passed on.

use reqwest::Method;
use serde_json::{Value, json};
use shop::{Access, PublicRoute, config::Role, public_routes};

use crate::{
    caller::{ADMIN, Caller, USER, config, demo},
    lab::Lab,
};

/// Fills the parameters of a template.
fn path(route: &PublicRoute) -> String {
    let path = route.template.replace("{code}", "SAVE20");
    path.replace("{product_id}", "1").replace("{id}", "1")
}

fn body(route: &PublicRoute) -> Option<Value> {
    [Method::POST, Method::PUT]
        .contains(&route.method)
        .then(|| json!({}))
}

#[tokio::test]
async fn admin_routes_refuse_whoever_lacks_the_role() {
    let lab = Lab::start(demo()).await;
    let routes = public_routes();
    let mut admin_routes = 0;
    for route in routes.iter().filter(|route| route.access == Access::Admin) {
        admin_routes += 1;
        let forged = Caller::nobody(&lab)
            .with("x-shop-user", "1")
            .with("x-shop-role", "admin");
        for (caller, status) in [
            (Caller::nobody(&lab), 401),
            (forged, 401),
            (Caller::bearer(&lab, "no-such-token"), 401),
            (
                Caller::nobody(&lab).with("authorization", "Basic YTpi"),
                401,
            ),
            (Caller::bearer(&lab, USER), 403),
            (
                Caller::nobody(&lab).with("cookie", format!("shop_session={USER}")),
                403,
            ),
        ] {
            let reply = caller
                .send(route.method.clone(), &path(route), body(route))
                .await;
            let name = format!("{} {}", route.method, route.template);
            assert_eq!(reply.status, status, "{name}: {}", reply.body);
            assert_eq!(
                reply.header("content-type"),
                "application/problem+json",
                "{name}"
            );
        }
    }
    assert!(admin_routes >= 12);
    lab.stop().await;
}

#[tokio::test]
async fn the_roles_behind_refuse_as_well() {
    let lab = Lab::start(demo()).await;
    for route in public_routes() {
        if route.owner != Role::Users || route.access == Access::Open {
            continue;
        }
        let inner = Caller::of(&lab, Role::Users);
        let reply = inner
            .send(route.method.clone(), &path(&route), body(&route))
            .await;
        assert_eq!(reply.status, 401, "{} {}", route.method, route.template);
        if route.access == Access::Admin {
            let customer = inner
                .with("x-shop-user", "5")
                .with("x-shop-role", "customer");
            let reply = customer
                .send(route.method.clone(), &path(&route), body(&route))
                .await;
            assert_eq!(reply.status, 403, "{} {}", route.method, route.template);
        }
    }
    lab.stop().await;
}

#[tokio::test]
async fn account_routes_take_a_token_by_header_or_by_cookie() {
    let lab = Lab::start(demo()).await;
    for route in public_routes() {
        if route.access == Access::Account {
            let nobody = Caller::nobody(&lab);
            let reply = nobody
                .send(route.method.clone(), &path(&route), body(&route))
                .await;
            assert_eq!(reply.status, 401, "{} {}", route.method, route.template);
        }
    }
    let login = json!({ "username": "demo", "password": "demo123" });
    let login = Caller::nobody(&lab).post("/users/login", login).await;
    let cookie = login.header("set-cookie").to_owned();
    for part in ["shop_session=", "HttpOnly", "SameSite=Lax", "Path=/"] {
        assert!(cookie.contains(part), "{cookie}");
    }
    let pair = cookie.split(';').next().unwrap();
    let browser = Caller::nobody(&lab).with("cookie", pair);
    assert_eq!(browser.get("/users/me").await.status, 200);
    let out = browser.post("/users/logout", json!({})).await;
    assert!(out.header("set-cookie").contains("Max-Age=0"));
    assert_eq!(browser.get("/users/me").await.status, 401);
    lab.stop().await;
}

#[tokio::test]
async fn a_visit_gets_an_id_by_header_and_cookie_and_keeps_it() {
    let lab = Lab::start(config()).await;
    let nobody = Caller::nobody(&lab);
    let first = nobody.get("/orders/1").await;
    let id = first.header("x-session-id").to_owned();
    assert_eq!(id.len(), 32, "{:?}", first.headers);
    assert!(
        first
            .header("set-cookie")
            .contains(&format!("shop_cart={id}"))
    );
    let named = nobody.with("x-session-id", id).get("/orders/1").await;
    assert!(!named.headers.contains_key("x-session-id"));
    let bought = Caller::nobody(&lab).get("/products").await;
    assert!(
        !bought.headers.contains_key("set-cookie"),
        "looking needs no visit"
    );
    lab.stop().await;
}

#[tokio::test]
async fn a_key_without_a_visit_stands_for_one() {
    let lab = Lab::start(config()).await;
    let order = json!({ "customer_id": 7, "product_id": 1, "quantity": 1 });
    let keyed = |key: &str| Caller::nobody(&lab).with("idempotency-key", key);
    let key = "0b6c8f1e-4d0a-4b52-9d6c-0f3f6b1f7a10";
    let first = keyed(key).post("/order", order.clone()).await;
    let again = keyed(key).post("/order", order.clone()).await;
    assert_eq!((first.status, again.status), (201, 201), "{}", first.body);
    assert_eq!(first.body, again.body);
    let visit = first.header("x-session-id");
    assert!(!visit.is_empty() && visit == again.header("x-session-id"));
    let other = keyed("7d1f2a3c4b5e69788796a5b4c3d2e1f0")
        .post("/order", order.clone())
        .await;
    assert_ne!(other.body["order_id"], first.body["order_id"]);
    assert_ne!(other.header("x-session-id"), visit);

    // What anybody could guess hands out no visit that anybody could guess.
    let mut visits = Vec::new();
    for weak in ["1", "1", "order-0000000000000000000000000000042"] {
        let refused = keyed(weak).post("/order", order.clone()).await;
        assert_eq!(
            (refused.status, refused.fields()),
            (400, vec!["idempotency-key"])
        );
        visits.push(refused.header("x-session-id").to_owned());
    }
    assert_ne!(visits[0], visits[1]);
    let visitor = keyed("1").with("x-session-id", "mine");
    assert_eq!(visitor.post("/order", order).await.status, 201);
    lab.stop().await;
}

#[tokio::test]
async fn a_token_that_ran_out_stops_a_program_and_not_a_browser() {
    let lab = Lab::start(config()).await;
    let order = json!({ "customer_id": 7, "product_id": 1, "quantity": 1 });
    let program = Caller::bearer(&lab, "gone");
    assert_eq!(program.post("/order", order.clone()).await.status, 401);
    assert_eq!(program.get("/products").await.status, 200, "whoever it is");
    let browser = Caller::nobody(&lab).with("cookie", "shop_session=gone");
    assert_eq!(browser.post("/order", order).await.status, 201);
    lab.stop().await;
}

#[tokio::test]
async fn the_envelope_is_checked_before_anyone_is_asked() {
    let lab = Lab::start(demo()).await;
    let nobody = Caller::nobody(&lab);
    for (path, status, field) in [
        ("/products/%2e%2e%2fadmin", 400, "id"),
        ("/products/9007199254740992", 400, "id"),
        ("/promotions/coupons/a%2Fb", 400, "code"),
    ] {
        let reply = nobody.get(path).await;
        assert_eq!(
            (reply.status, reply.fields()),
            (status, vec![field]),
            "{path}"
        );
    }
    let long = format!("/products?search={}", "x".repeat(3_000));
    assert_eq!(nobody.get(&long).await.status, 414);
    let order = json!({ "customer_id": 7, "product_id": 1, "quantity": 1 });
    let keyed = Caller::nobody(&lab).with("idempotency-key", "k".repeat(81));
    let reply = keyed.post("/order", order).await;
    assert_eq!(
        (reply.status, reply.fields()),
        (400, vec!["idempotency-key"])
    );
    lab.stop().await;
}

#[tokio::test]
async fn customers_look_on_while_the_users_role_fails() {
    let lab = Lab::start(demo()).await;
    let user = Caller::bearer(&lab, USER);
    assert_eq!(user.get("/users/me").await.status, 200);
    let fault = json!({ "kind": "error", "status": 503, "share": "100%",
        "where": { "service": "users" } });
    lab.arm("no-users", fault).await;
    let newcomer = Caller::bearer(&lab, ADMIN);
    assert_eq!(newcomer.get("/products").await.status, 200);
    assert_eq!(
        newcomer.get("/admin/orders").await.status,
        503,
        "nobody is let in unasked"
    );
    lab.withdraw("no-users").await;
    assert_ne!(newcomer.get("/admin/orders").await.status, 503);
    lab.stop().await;
}

#[tokio::test]
async fn the_first_stages_of_the_funnel_are_counted_by_country_and_only_when_something_was_shown() {
    let lab = Lab::start(config()).await;
    let customer = Caller::nobody(&lab).with("x-country", "DE");
    for path in [
        "/products",
        "/products?limit=1",
        "/products/1",
        "/products/0",
    ] {
        customer.get(path).await;
    }
    let scrape = lab.scrape().await;
    let reached = |stage: &str| {
        let labels = [format!("stage=\"{stage}\""), "country=\"DE\"".to_owned()];
        scrape.sum("funnel_stage_total", &[&labels[0], &labels[1]])
    };
    assert_eq!(reached("browse_catalog"), 2.0);
    assert_eq!(reached("view_product"), 1.0);
    lab.stop().await;
}
