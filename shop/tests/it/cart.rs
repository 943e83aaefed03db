//! Carts: what goes in, what is shown, and what is left behind.

use std::{sync::Arc, time::Duration};

use futures_util::future::join_all;
use reqwest::Method;
use serde_json::json;

use crate::{
    buyer::{Buyer, calm},
    lab::{Lab, eventually},
};

#[tokio::test]
async fn a_cart_is_filled_changed_and_emptied() {
    let lab = Lab::start(calm()).await;
    let buyer = Buyer::visit("visit-1");
    buyer.add(&lab, 1, 2).await;
    buyer.add(&lab, 2, 1).await;
    buyer.add(&lab, 1, 3).await;
    let cart = buyer.get(&lab, "/cart").await;
    assert_eq!(cart["units"], 6, "{cart}");
    let first = &cart["items"][0];
    assert_eq!(
        (&first["product_id"], &first["quantity"]),
        (&json!(1), &json!(5))
    );
    let price = |at: usize| cart["items"][at]["unit_price_minor"].as_i64().unwrap();
    assert_eq!(cart["subtotal_minor"], price(0) * 5 + price(1));
    assert!(cart["items"][0]["name"].is_string());

    let set = Some(json!({ "quantity": 9 }));
    let (status, cart) = buyer.ask(&lab, Method::PUT, "/cart/items/2", set).await;
    assert_eq!((status.as_u16(), &cart["units"]), (200, &json!(14)));
    let (_, cart) = buyer.ask(&lab, Method::DELETE, "/cart/items/1", None).await;
    assert_eq!(cart["units"], 9);
    eventually("the gauges tell", async || {
        let scrape = lab.scrape().await;
        scrape.sum("active_carts_count", &[]) == 1.0 && scrape.sum("cart_items_count", &[]) == 9.0
    })
    .await;
    let (_, cart) = buyer.ask(&lab, Method::DELETE, "/cart", None).await;
    assert_eq!(cart["units"], 0);
    let scrape = lab.scrape().await;
    assert_eq!(scrape.sum("cart_additions_total", &[]), 3.0);
    assert_eq!(
        scrape.sum("funnel_stage_total", &["stage=\"add_to_cart\""]),
        3.0
    );
    lab.stop().await;
}

#[tokio::test]
async fn carts_have_owners_and_bounds() {
    let lab = Lab::start(calm()).await;
    let buyer = Buyer::account(11);
    buyer.add(&lab, 1, 60).await;
    assert_eq!(Buyer::visit("other").get(&lab, "/cart").await["units"], 0);
    for (path, method, body, status) in [
        (
            "/cart/items",
            Method::POST,
            json!({ "product_id": 1, "quantity": 41 }),
            422,
        ),
        (
            "/cart/items",
            Method::POST,
            json!({ "product_id": 999, "quantity": 1 }),
            404,
        ),
        (
            "/cart/items",
            Method::POST,
            json!({ "product_id": 1, "quantity": 0 }),
            422,
        ),
        ("/cart/items/2", Method::PUT, json!({ "quantity": 1 }), 404),
        ("/cart/items/x", Method::PUT, json!({ "quantity": 1 }), 400),
    ] {
        let (answered, problem) = buyer.ask(&lab, method, path, Some(body)).await;
        assert_eq!(answered, status, "{path}: {problem}");
    }
    assert_eq!(buyer.get(&lab, "/cart").await["units"], 60);
    let nobody = Buyer::default();
    assert_eq!(nobody.ask(&lab, Method::GET, "/cart", None).await.0, 400);
    lab.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn additions_at_once_all_count() {
    let lab = Arc::new(Lab::start(calm()).await);
    let additions = (0..20).map(|n| {
        let lab = Arc::clone(&lab);
        tokio::spawn(async move { Buyer::account(11).add(&lab, 1 + n % 2, 1).await })
    });
    for addition in join_all(additions).await {
        addition.unwrap();
    }
    assert_eq!(Buyer::account(11).get(&lab, "/cart").await["units"], 20);
    Arc::into_inner(lab).unwrap().stop().await;
}

#[tokio::test]
async fn carts_that_are_left_are_emptied() {
    let mut config = calm();
    config.orders.cart_ttl = Duration::from_millis(500);
    let lab = Lab::start(config).await;
    let buyer = Buyer::visit("left");
    buyer.add(&lab, 1, 2).await;
    eventually("the cart is empty", async || {
        buyer.get(&lab, "/cart").await["units"] == 0
    })
    .await;
    eventually("and so do the gauges tell", async || {
        lab.scrape().await.sum("active_carts_count", &[]) == 0.0
    })
    .await;
    lab.stop().await;
}
