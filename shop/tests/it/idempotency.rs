//! Requests that are sent twice.

use std::{sync::Arc, time::Duration};

use futures_util::future::join_all;
use reqwest::Method;
use serde_json::json;

use crate::{
    buyer::{Buyer, calm, stock},
    lab::Lab,
};

#[tokio::test]
async fn the_same_key_gets_the_same_answer() {
    let lab = Lab::start(calm()).await;
    let buyer = Buyer::account(11).with_key("first");
    let before = stock(&lab, 1).await;
    let body = json!({ "customer_id": 7, "product_id": 1, "quantity": 1 });
    let ask = async |body| {
        buyer
            .ask_for_all(&lab, Method::POST, "/order", Some(body))
            .await
    };
    let (status, headers, first) = ask(body.clone()).await;
    assert_eq!(status, 201, "{first}");
    assert!(!headers.contains_key("idempotent-replayed"));
    let (status, headers, again) = ask(body.clone()).await;
    assert_eq!((status.as_u16(), &again), (201, &first));
    assert_eq!(headers["idempotent-replayed"], "true");
    assert_eq!(headers["content-type"], "application/json");
    assert_eq!(stock(&lab, 1).await, before - 1);

    let other = json!({ "customer_id": 7, "product_id": 1, "quantity": 2 });
    let (status, _, problem) = ask(other).await;
    assert_eq!(status, 422, "{problem}");
    assert_eq!(problem["errors"][0]["field"], "Idempotency-Key");

    // Another customer's key is another key.
    let (_, foreign) = Buyer::account(12)
        .with_key("first")
        .post(&lab, "/order", body)
        .await;
    assert_ne!(foreign["order_id"], first["order_id"]);

    let pay = json!({ "order_id": first["order_id"] });
    let (status, paid) = buyer.post(&lab, "/payment/pay", pay.clone()).await;
    assert_eq!(status, 200, "{paid}");
    let (status, again) = buyer.post(&lab, "/payment/pay", pay).await;
    assert_eq!((status.as_u16(), again), (200, paid));
    for bad in ["", "two words", &"x".repeat(81)] {
        let (status, problem) = Buyer::account(11)
            .with_key(bad)
            .post(&lab, "/order", json!({}))
            .await;
        assert_eq!(status, 400, "{bad:?}: {problem}");
    }
    lab.stop().await;
}

#[tokio::test]
async fn a_refusal_is_repeated_and_a_failure_is_not() {
    let lab = Lab::start(calm()).await;
    let buyer = Buyer::account(11).with_key("k");
    let body = json!({ "customer_id": 7, "product_id": 1, "quantity": 1 });
    lab.arm(
        "c",
        json!({ "kind": "error", "status": 503, "where": { "service": "catalog" } }),
    )
    .await;
    assert_eq!(buyer.post(&lab, "/order", body.clone()).await.0, 503);
    lab.withdraw("c").await;
    let (status, order) = buyer.post(&lab, "/order", body).await;
    assert_eq!(status, 201, "{order}");

    let buyer = Buyer::account(11).with_key("missing");
    let body = json!({ "customer_id": 7, "product_id": 999, "quantity": 1 });
    let (status, headers, _) = buyer
        .ask_for_all(&lab, Method::POST, "/order", Some(body.clone()))
        .await;
    assert_eq!((status.as_u16(), headers.len() > 1), (404, true));
    let (status, headers, _) = buyer
        .ask_for_all(&lab, Method::POST, "/order", Some(body))
        .await;
    assert_eq!(status, 404);
    assert_eq!(headers["idempotent-replayed"], "true");
    assert_eq!(headers["content-type"], "application/problem+json");
    lab.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_key_twenty_times_at_once_makes_one_order() {
    let lab = Arc::new(Lab::start(calm()).await);
    let before = stock(&lab, 1).await;
    let requests = (0..20).map(|_| {
        let lab = Arc::clone(&lab);
        tokio::spawn(async move {
            let body = json!({ "customer_id": 7, "product_id": 1, "quantity": 1 });
            Buyer::account(11)
                .with_key("twice")
                .post(&lab, "/order", body)
                .await
        })
    });
    let mut made = Vec::new();
    for outcome in join_all(requests).await {
        let (status, body) = outcome.unwrap();
        match status.as_u16() {
            201 => made.push(body["order_id"].as_i64().unwrap()),
            409 => {}
            other => panic!("{other}: {body}"),
        }
    }
    assert!(!made.is_empty());
    made.dedup();
    assert_eq!(made.len(), 1, "{made:?}");
    assert_eq!(Buyer::account(11).get(&lab, "/orders").await["total"], 1);
    assert_eq!(stock(&lab, 1).await, before - 1);
    Arc::into_inner(lab).unwrap().stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_checkout_many_times_at_once_buys_once() {
    let lab = Arc::new(Lab::start(calm()).await);
    Buyer::account(11).add(&lab, 1, 2).await;
    let before = stock(&lab, 1).await;
    let requests = (0..12).map(|_| {
        let lab = Arc::clone(&lab);
        tokio::spawn(async move {
            let keyed = Buyer::account(11).with_key("once");
            keyed.post(&lab, "/checkout", json!({})).await
        })
    });
    let mut bought = Vec::new();
    for outcome in join_all(requests).await {
        let (status, body) = outcome.unwrap();
        match status.as_u16() {
            201 => bought.push(body["order_id"].as_i64().unwrap()),
            409 => {}
            other => panic!("{other}: {body}"),
        }
    }
    let keyed = Buyer::account(11).with_key("once");
    let (status, order) = keyed.post(&lab, "/checkout", json!({})).await;
    assert_eq!(status, 201, "{order}");
    bought.push(order["order_id"].as_i64().unwrap());
    bought.dedup();
    assert_eq!(bought.len(), 1, "{bought:?}");
    assert_eq!(stock(&lab, 1).await, before - 2);
    Arc::into_inner(lab).unwrap().stop().await;
}

#[tokio::test]
async fn a_payment_whose_end_was_not_heard_is_told_of_again() {
    let mut config = calm();
    config.call_timeout = Duration::from_millis(500);
    let lab = Lab::start(config).await;
    let buyer = Buyer::account(11);
    let id = buyer.order(&lab, 1, 1).await;
    let (keyed, pay) = (buyer.with_key("pay"), json!({ "order_id": id }));
    let scope = json!({ "service": "payments", "route": "/payment/pay" });
    let slow = json!({ "kind": "latency", "delay": "1500ms", "where": scope });
    lab.arm("slow", slow).await;
    let (status, problem) = keyed.post(&lab, "/payment/pay", pay.clone()).await;
    assert_eq!(status, 504, "{problem}");
    lab.withdraw("slow").await;
    // Somebody ends it; whoever began it hears of that, and whoever comes new that it is too late.
    let (status, paid) = buyer.post(&lab, "/payment/pay", pay.clone()).await;
    assert_eq!(status, 200, "{paid}");
    let again = keyed.post(&lab, "/payment/pay", pay.clone()).await;
    assert_eq!(again, (status, paid));
    let (status, problem) = buyer
        .with_key("another")
        .post(&lab, "/payment/pay", pay)
        .await;
    assert_eq!(status, 409, "{problem}");
    lab.stop().await;
}
