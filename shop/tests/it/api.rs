//! The API and its document agree: the shapes are those of real answers, and a tool that reads the
//! document and tries whatever it allows, and much that it does not, finds no 5xx and no surprise.

use std::{
    path::Path,
    process::{Command, Stdio},
};

use reqwest::Method;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use shop::{
    api::shapes,
    config::{Role, guard::LimitsConfig},
};

use crate::{
    caller::{ADMIN, Caller, demo},
    lab::Lab,
    peers::packages,
};

/// Asks, and reads the answer as the shape that the document promises.
async fn read<T: DeserializeOwned>(caller: &Caller<'_>, method: Method, path: &str) -> T {
    sent(caller, method, path, None).await
}

async fn sent<T: DeserializeOwned>(
    caller: &Caller<'_>,
    method: Method,
    path: &str,
    body: Option<Value>,
) -> T {
    let reply = caller.send(method.clone(), path, body).await;
    assert!(
        (200..300).contains(&reply.status),
        "{method} {path}: {reply:?}"
    );
    serde_json::from_value(reply.body.clone())
        .unwrap_or_else(|error| panic!("{method} {path}: {error}: {}", reply.body))
}

#[tokio::test]
async fn answers_have_the_shapes_of_the_document() {
    let lab = Lab::start(demo()).await;
    let admin = Caller::bearer(&lab, ADMIN);
    let page: shapes::ProductPage = read(&admin, Method::GET, "/products?limit=2").await;
    assert_eq!((page.products.len(), page.total), (2, 24));
    let _: shapes::Product = read(&admin, Method::GET, "/products/1").await;
    let _: shapes::Inventory = read(&admin, Method::GET, "/products/1/inventory").await;
    let new = json!({ "name": "Copper kettle", "price_minor": 4_200, "stock": 3 });
    let made: shapes::Product = sent(&admin, Method::POST, "/products", Some(new)).await;
    let path = format!("/products/{}", made.id);
    let change = json!({ "price_minor": 4_300, "version": made.version });
    let _: shapes::Product = sent(&admin, Method::PUT, &path, Some(change)).await;
    let deduct = json!({ "product_id": 1, "quantity": 1 });
    let _: shapes::Deducted = sent(&admin, Method::POST, "/inventory/deduct", Some(deduct)).await;

    let item = json!({ "product_id": 2, "quantity": 2 });
    let _: shapes::CartContents = sent(&admin, Method::POST, "/cart/items", Some(item)).await;
    let cart: shapes::Cart = read(&admin, Method::GET, "/cart").await;
    assert_eq!(cart.units, 2);
    let bought: shapes::Order = sent(&admin, Method::POST, "/checkout", Some(json!({}))).await;
    assert_eq!(bought.status, "paid");
    let order = json!({ "customer_id": 7, "product_id": 1, "quantity": 1 });
    let order: shapes::CreatedOrder = sent(&admin, Method::POST, "/order", Some(order)).await;
    let pay = json!({ "order_id": order.order_id });
    let _: shapes::Payment = sent(&admin, Method::POST, "/payment/pay", Some(pay)).await;
    let _: shapes::OrderPage = read(&admin, Method::GET, "/orders").await;
    let path = format!("/orders/{}", order.order_id);
    let order: shapes::Order = read(&admin, Method::GET, &path).await;
    assert!(order.events.is_some_and(|events| events.len() >= 2));
    let _: shapes::OrderPage = read(&admin, Method::GET, "/admin/orders").await;
    let _: shapes::Sales = read(&admin, Method::GET, "/admin/stats/sales").await;
    let _: shapes::BestSellers = read(&admin, Method::GET, "/admin/stats/products").await;

    let price = json!({ "subtotal_minor": 25_000, "coupon": "WELCOME10" });
    let _: shapes::Price = sent(&admin, Method::POST, "/promotions/check", Some(price)).await;
    let _: shapes::Coupon = read(&admin, Method::GET, "/promotions/coupons/WELCOME10").await;
    let account = json!({ "username": "ada.lovelace", "password": "engine-no-1" });
    let registered: shapes::Registered = sent(
        &admin,
        Method::POST,
        "/users/register",
        Some(account.clone()),
    )
    .await;
    let _: shapes::Login = sent(&admin, Method::POST, "/users/login", Some(account)).await;
    let _: shapes::Profile = read(&admin, Method::GET, "/users/me").await;
    let _: shapes::Sessions = read(&admin, Method::GET, "/users/me/sessions").await;
    let _: shapes::UserPage = read(&admin, Method::GET, "/admin/users").await;
    let path = format!("/admin/users/{}", registered.user_id);
    let _: shapes::User = sent(&admin, Method::PUT, &path, Some(json!({ "active": false }))).await;
    let _: shapes::Activity = read(&admin, Method::GET, "/admin/stats/activity").await;
    let refused = admin.send(Method::GET, "/products/0", None).await;
    let _: shapes::Problem = serde_json::from_value(refused.body).unwrap();
    lab.stop().await;
}

#[tokio::test]
async fn the_page_loads_nothing_from_elsewhere() {
    let lab = Lab::start(demo()).await;
    for (path, kind) in [
        ("/docs", "text/html"),
        ("/docs/page.js", "text/javascript"),
        ("/docs/style.css", "text/css"),
        ("/openapi.json", "application/json"),
    ] {
        let url = lab.url(Role::Storefront) + path;
        let answer = lab.client.get(url).send().await.unwrap();
        assert_eq!(answer.status(), 200, "{path}");
        let header = |name: &str| answer.headers()[name].to_str().unwrap().to_owned();
        assert!(header("content-type").starts_with(kind), "{path}");
        assert!(header("content-security-policy").contains("default-src 'none'"));
        let text = answer.text().await.unwrap();
        assert!(
            !text.contains("http://") && !text.contains("https://"),
            "{path}"
        );
    }
    lab.stop().await;
}

/// Runs the tool against a shop; returns what it printed when it found something.
fn try_everything(packages: &Path, url: &str, token: Option<&str>) -> Result<(), String> {
    let work = tempfile::tempdir().unwrap();
    let mut tool = Command::new("python3");
    tool.env("PYTHONPATH", packages)
        .env("NO_COLOR", "1")
        .current_dir(work.path())
        .args(["-m", "schemathesis.cli", "run"])
        .arg(format!("{url}/openapi.json"))
        .args(["--url", url])
        .args(["--phases", "examples,coverage,fuzzing"])
        .args(["--max-examples", "15", "--seed", "7", "--workers", "1"])
        .args(["--suppress-health-check", "all", "--request-timeout", "20"])
        .args([
            "--checks",
            "not_a_server_error,status_code_conformance,content_type_conformance,\
             response_schema_conformance",
        ])
        // It would end the login that the others ask with.
        .args(["--exclude-path", "/users/logout"])
        .stdin(Stdio::null());
    if let Some(token) = token {
        tool.args(["--header", &format!("Authorization: Bearer {token}")]);
    }
    let output = tool.output().unwrap();
    if output.status.success() {
        return Ok(());
    }
    Err(String::from_utf8_lossy(&output.stdout).into_owned())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_document_allows_is_answered_as_it_says() {
    let test = "what_the_document_allows_is_answered_as_it_says";
    let Some(packages) = packages("schemathesis", test) else {
        return;
    };
    let mut config = demo();
    // Whoever tries everything behaves like an attacker, and would be answered nothing but 429.
    config.limits = LimitsConfig {
        ip: None,
        user: None,
        login: None,
        suspect: None,
        trust_forwarded_for: false,
    };
    let lab = Lab::start(config).await;
    let url = lab.url(Role::Storefront);
    for token in [None, Some(ADMIN)] {
        let (packages, url) = (packages.clone(), url.clone());
        let tried = tokio::task::spawn_blocking(move || try_everything(&packages, &url, token));
        if let Err(printed) = tried.await.unwrap() {
            panic!("{printed}");
        }
    }
    lab.stop().await;
}
