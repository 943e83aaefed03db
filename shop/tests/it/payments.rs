//! Payments: once each, whatever is repeated and whatever fails.

use std::time::Duration;

use serde_json::json;
use shop::config::Role;

use crate::{
    buyer::{Buyer, calm},
    lab::{Lab, eventually},
};

#[tokio::test]
async fn an_attempt_is_made_once_and_can_be_asked_after() {
    let lab = Lab::start(calm()).await;
    let pay = |attempt: i64, amount: i64| {
        let body = json!({ "order_id": 77, "attempt": attempt, "amount": amount, "country": "DE" });
        let lab = &lab;
        async move { lab.post(Role::Payments, "/payment/pay", &body).await }
    };
    let (status, first) = pay(1, 500).await;
    assert_eq!(status, 200, "{first}");
    assert_eq!(pay(1, 500).await, (status, first.clone()));
    assert_eq!(pay(1, 600).await.0, 422);
    let (_, second) = pay(2, 500).await;
    assert_ne!(second["payment_id"], first["payment_id"]);
    let (_, of) = lab.get(Role::Payments, "/payments/by-order/77").await;
    assert_eq!(of["payments"].as_array().unwrap().len(), 2, "{of}");
    assert_eq!(of["payments"][0]["status"], "succeeded");
    let (_, of) = lab.get(Role::Payments, "/payments/by-order/78").await;
    assert_eq!(of["payments"], json!([]));
    let refund = json!({ "order_id": 77 });
    for refunded in [2, 0] {
        let (_, answer) = lab.post(Role::Payments, "/payments/refund", &refund).await;
        assert_eq!(answer["refunded"], refunded);
    }
    lab.stop().await;
}

#[tokio::test]
async fn a_provider_that_fails_is_a_decline_and_no_failure_of_ours() {
    let lab = Lab::start(calm()).await;
    let buyer = Buyer::account(11);
    let id = buyer.order(&lab, 1, 1).await;
    lab.arm(
        "p",
        json!({ "kind": "error", "status": 500, "where": { "service": "partners" } }),
    )
    .await;
    let pay = json!({ "order_id": id });
    let (status, problem) = buyer.post(&lab, "/payment/pay", pay.clone()).await;
    assert_eq!(
        (status.as_u16(), &problem["reason"]),
        (402, &json!("provider_unavailable"))
    );
    assert_eq!(buyer.status(&lab, id).await, "payment_failed");
    lab.withdraw("p").await;
    let (status, paid) = buyer.post(&lab, "/payment/pay", pay).await;
    assert_eq!(status, 200, "{paid}");
    lab.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_payment_that_nobody_waited_for_is_settled() {
    let mut config = calm();
    config.call_timeout = Duration::from_secs(1);
    config.db_acquire_timeout = Duration::from_secs(30);
    config.orders.lease = Duration::from_secs(2);
    let lab = Lab::start(config).await;
    let buyer = Buyer::account(11);
    let id = buyer.order(&lab, 1, 1).await;
    let stall = json!({ "kind": "db_stall", "where": { "service": "payments" } });
    lab.arm("l", stall).await;
    let pay = json!({ "order_id": id });
    eventually("the database is held", async || {
        let body = json!({ "order_id": 5, "amount": 5 });
        let url = lab.url(Role::Payments) + "/payment/pay";
        let asked = lab.client.post(url).json(&body);
        let asked = asked.timeout(Duration::from_millis(300)).send().await;
        asked.is_err()
    })
    .await;
    assert_eq!(buyer.post(&lab, "/payment/pay", pay.clone()).await.0, 504);
    let cancel = format!("/orders/{id}/cancel");
    let (status, _) = buyer.post(&lab, &cancel, json!({})).await;
    assert_eq!(status, 409, "perhaps it is paid");
    lab.withdraw("l").await;
    eventually("the payment is settled", async || {
        let status = buyer.status(&lab, id).await;
        ["paid", "shipped", "delivered"].contains(&status.as_str())
    })
    .await;
    let scrape = lab.scrape().await;
    let order = buyer.get(&lab, &format!("/orders/{id}")).await;
    let revenue = scrape.sum("revenue_total", &[]) * 100.0;
    assert!((revenue - order["total_minor"].as_f64().unwrap()).abs() < 1e-6);
    let (_, of) = lab
        .get(Role::Payments, &format!("/payments/by-order/{id}"))
        .await;
    assert_eq!(of["payments"].as_array().unwrap().len(), 1, "{of}");
    lab.stop().await;
}
