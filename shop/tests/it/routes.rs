//! Each route with good and with bad input, through the public API.

use reqwest::Method;
use serde_json::{Value, json};
use shop::config::{Role, ShopConfig};

use crate::{
    databases::on_every_database,
    lab::{Lab, answer},
};

#[tokio::test]
async fn a_customer_looks_orders_and_pays() {
    on_every_database(looks_orders_and_pays).await;
}

async fn looks_orders_and_pays(mut config: ShopConfig) {
    config.decline_share = Some(0.0);
    let lab = Lab::start(config).await;

    let (status, list) = lab.get(Role::Storefront, "/products").await;
    assert_eq!(
        (status.as_u16(), list["products"].as_array().unwrap().len()),
        (200, 24)
    );
    let (status, product) = lab.get(Role::Storefront, "/products/3").await;
    assert_eq!((status.as_u16(), &product["stock"]), (200, &json!(500)));

    let id = lab.order(3, 2).await;
    let (status, order) = lab.get(Role::Storefront, &format!("/orders/{id}")).await;
    assert_eq!(
        (status.as_u16(), &order["status"]),
        (200, &json!("reserved"))
    );
    let amount = product["price_minor"].as_i64().unwrap() * 2;
    assert_eq!(order["amount"], amount);

    let (status, paid) = lab
        .post(
            Role::Storefront,
            "/payment/pay",
            &json!({ "order_id": id, "amount": amount }),
        )
        .await;
    assert_eq!(
        (status.as_u16(), &paid["status"]),
        (200, &json!("paid")),
        "{paid}"
    );
    let (_, product) = lab.get(Role::Storefront, "/products/3").await;
    assert_eq!(product["stock"], 498);

    let deduct = json!({ "product_id": 3, "quantity": 8 });
    let (status, deducted) = lab
        .post(Role::Storefront, "/inventory/deduct", &deduct)
        .await;
    assert_eq!(
        (status.as_u16(), &deducted["remaining"]),
        (200, &json!(490))
    );
    lab.stop().await;
}

#[tokio::test]
async fn a_declined_payment_says_why_and_can_be_tried_again() {
    on_every_database(declined_and_tried_again).await;
}

async fn declined_and_tried_again(mut config: ShopConfig) {
    config.decline_share = Some(1.0);
    let lab = Lab::start(config).await;
    let id = lab.order(1, 1).await;
    for _ in 0..2 {
        let (status, problem) = lab
            .post(Role::Storefront, "/payment/pay", &json!({ "order_id": id }))
            .await;
        assert_eq!(status, 402, "{problem}");
        assert!(problem["reason"].is_string(), "{problem}");
    }
    let failed = lab
        .scrape()
        .await
        .sum("payments_processed_total", &["status=\"failed\""]);
    assert_eq!(failed, 2.0);
    lab.stop().await;
}

/// Asks, and checks the status, the media type and the field that is named.
async fn refused(lab: &Lab, method: Method, target: &str, body: &str, status: u16, field: &str) {
    let (kind, path) = target
        .split_once(' ')
        .unwrap_or(("application/json", target));
    let case = format!(
        "{method} {path} {}",
        body.chars().take(60).collect::<String>()
    );
    let request = lab.client.request(method, lab.url(Role::Storefront) + path);
    let request = request.header("content-type", kind).body(body.to_owned());
    let response = request.send().await.unwrap();
    let kind = response.headers()["content-type"]
        .to_str()
        .unwrap()
        .to_owned();
    let (answered, problem) = answer(response).await;
    assert_eq!(answered.as_u16(), status, "{case}: {problem}");
    assert_eq!(kind, "application/problem+json", "{case}");
    assert_eq!(problem["status"], status, "{case}");
    let named = problem["errors"][0]["field"].as_str().unwrap_or_default();
    assert_eq!(named, field, "{case}: {problem}");
}

#[tokio::test]
async fn bad_input_is_refused_with_a_problem_that_names_the_field() {
    let mut config = ShopConfig::on_free_ports();
    config.decline_share = Some(0.0);
    let lab = Lab::start(config).await;
    for (method, path, status, field) in [
        (Method::GET, "/products/x", 400, "id"),
        (Method::GET, "/products/0", 400, "id"),
        (Method::GET, "/products/99999", 404, "id"),
        (Method::GET, "/orders/1", 404, "id"),
        (Method::GET, "/nothing", 404, ""),
        (Method::DELETE, "/products", 405, ""),
        (Method::GET, "/order", 405, ""),
    ] {
        refused(&lab, method, path, "", status, field).await;
    }

    let too_long = format!("{{\"customer_id\":\"{}\"}}", "x".repeat(20_000));
    for (path, body, status, field) in [
        ("text/plain /order", "{}", 415, ""),
        ("/order", "{", 400, ""),
        ("/order", "[1]", 400, ""),
        ("/order", "{}", 422, "customer_id"),
        ("/order", &too_long, 413, ""),
        (
            "/order",
            r#"{"customer_id":1,"product_id":1,"quantity":-1}"#,
            422,
            "quantity",
        ),
        (
            "/order",
            r#"{"customer_id":1,"product_id":1,"quantity":1.5}"#,
            422,
            "quantity",
        ),
        (
            "/order",
            r#"{"customer_id":"a","product_id":1,"quantity":1}"#,
            422,
            "customer_id",
        ),
        (
            "/order",
            r#"{"customer_id":1,"product_id":999,"quantity":1}"#,
            404,
            "product_id",
        ),
        ("/inventory/deduct", r#"{"product_id":1}"#, 422, "quantity"),
        (
            "/inventory/deduct",
            r#"{"product_id":999,"quantity":1}"#,
            404,
            "product_id",
        ),
        ("/payment/pay", "{}", 422, "order_id"),
        ("/payment/pay", r#"{"order_id":1}"#, 404, "order_id"),
        (
            "/payment/pay",
            r#"{"order_id":1,"method":"gold"}"#,
            422,
            "method",
        ),
    ] {
        refused(&lab, Method::POST, path, body, status, field).await;
    }

    let paid = json!({ "order_id": lab.order(2, 1).await });
    lab.post(Role::Storefront, "/payment/pay", &paid).await;
    refused(
        &lab,
        Method::POST,
        "/payment/pay",
        &paid.to_string(),
        409,
        "order_id",
    )
    .await;
    let wrong = json!({ "order_id": lab.order(2, 1).await, "amount": 1 });
    refused(
        &lab,
        Method::POST,
        "/payment/pay",
        &wrong.to_string(),
        422,
        "amount",
    )
    .await;
    lab.stop().await;
}

#[tokio::test]
async fn every_field_at_fault_is_named_at_once() {
    let lab = Lab::start(ShopConfig::on_free_ports()).await;
    let body = json!({ "customer_id": 0, "quantity": "two" });
    let (status, problem) = lab.post(Role::Storefront, "/order", &body).await;
    assert_eq!(status, 422);
    let named: Vec<&Value> = problem["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|error| &error["field"])
        .collect();
    assert_eq!(named, ["customer_id", "product_id", "quantity"]);
    lab.stop().await;
}
