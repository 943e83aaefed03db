//! What happens after the money is taken, without anybody waiting for it.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use futures_util::future::join_all;
use serde_json::json;
use shop::config::Role;

use crate::{
    buyer::{Buyer, calm},
    lab::{Lab, eventually},
};

const QUEUE: &str = "queue=\"fulfilment\"";
const ASIDE: &str = "queue=\"fulfilment_dead\"";
const WAREHOUSE: [&str; 1] = ["dependency=\"warehouse\""];

async fn paid(lab: &Lab, buyer: &Buyer) -> i64 {
    let id = buyer.order(lab, 1, 1).await;
    let (status, body) = buyer
        .post(lab, "/payment/pay", json!({ "order_id": id }))
        .await;
    assert_eq!(status, 200, "{body}");
    id
}

#[tokio::test]
async fn a_paid_order_is_shipped_and_delivered() {
    let lab = Lab::start(calm()).await;
    let buyer = Buyer::account(11);
    let id = paid(&lab, &buyer).await;
    eventually("it is delivered", async || {
        buyer.status(&lab, id).await == "delivered"
    })
    .await;
    let order = buyer.get(&lab, &format!("/orders/{id}")).await;
    let events = order["events"].as_array().unwrap();
    let statuses: Vec<&str> = events
        .iter()
        .map(|event| event["to"].as_str().unwrap())
        .collect();
    assert_eq!(statuses, ["reserved", "paid", "shipped", "delivered"]);
    eventually("nothing waits", async || {
        lab.scrape().await.sum("queue_depth", &[QUEUE]) == 0.0
    })
    .await;
    lab.stop().await;
}

#[tokio::test]
async fn partners_that_fail_hold_messages_up_and_no_order() {
    let lab = Lab::start(calm()).await;
    let buyer = Buyer::account(11);
    // The provider answers; the others do not.
    for (id, route) in [("c", "/crm/orders"), ("w", "/warehouses/:id/shipments")] {
        let scope = json!({ "service": "partners", "route": route });
        let fault = json!({ "kind": "error", "status": 500, "where": scope });
        lab.arm(id, fault).await;
    }
    let id = paid(&lab, &buyer).await;
    eventually("the message waits", async || {
        let scrape = lab.scrape().await;
        scrape.sum("queue_depth", &[QUEUE]) == 1.0
            && scrape.sum("queue_oldest_message_age_seconds", &[QUEUE]) > 1.0
    })
    .await;
    assert_eq!(buyer.status(&lab, id).await, "paid");
    for fault in ["c", "w"] {
        lab.withdraw(fault).await;
    }
    eventually("it is delivered", async || {
        buyer.status(&lab, id).await == "delivered"
    })
    .await;
    lab.stop().await;
}

#[tokio::test]
async fn what_was_cancelled_before_it_was_shipped_is_not_shipped() {
    let lab = Lab::start(calm()).await;
    let buyer = Buyer::account(11);
    let scope = json!({ "service": "partners", "route": "/warehouses/:id/shipments" });
    let fault = json!({ "kind": "error", "status": 500, "where": scope });
    lab.arm("w", fault).await;
    let id = paid(&lab, &buyer).await;
    eventually("a try failed", async || {
        lab.scrape()
            .await
            .sum("external_requests_total", &WAREHOUSE)
            > 0.0
    })
    .await;
    let path = format!("/orders/{id}/cancel");
    assert_eq!(buyer.post(&lab, &path, json!({})).await.0, 200);
    lab.withdraw("w").await;
    eventually("nothing waits", async || {
        lab.scrape().await.sum("queue_depth", &[QUEUE]) == 0.0
            && lab
                .get(Role::Payments, &format!("/payments/by-order/{id}"))
                .await
                .1["payments"][0]["status"]
                == "refunded"
    })
    .await;
    let shipped = [WAREHOUSE[0], "outcome=\"success\""];
    let scrape = lab.scrape().await;
    assert_eq!(scrape.sum("external_requests_total", &shipped), 0.0);
    lab.stop().await;
}

#[tokio::test]
async fn a_message_that_fails_too_often_is_put_aside() {
    let mut config = calm();
    config.orders.most_tries = 2;
    let lab = Lab::start(config).await;
    let buyer = Buyer::account(11);
    let scope = json!({ "service": "partners", "route": "/crm/orders" });
    lab.arm(
        "c",
        json!({ "kind": "error", "status": 500, "where": scope }),
    )
    .await;
    let id = paid(&lab, &buyer).await;
    eventually("it is put aside", async || {
        let scrape = lab.scrape().await;
        scrape.sum("queue_depth", &[ASIDE]) == 1.0 && scrape.sum("queue_depth", &[QUEUE]) == 0.0
    })
    .await;
    assert_eq!(buyer.status(&lab, id).await, "paid");
    lab.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_worker_keeps_up_with_a_rush() {
    const ORDERS: usize = 240;
    let lab = Arc::new(Lab::start(calm()).await);
    let began = Instant::now();
    let buyers = (0..8).map(|_| {
        let lab = Arc::clone(&lab);
        tokio::spawn(async move {
            for _ in 0..ORDERS / 8 {
                paid(&lab, &Buyer::account(11)).await;
            }
        })
    });
    for buyer in join_all(buyers).await {
        buyer.unwrap();
    }
    let bought = began.elapsed();
    eventually("all are delivered", async || {
        let path = "/orders?status=delivered&limit=1";
        Buyer::account(11).get(&lab, path).await["total"] == ORDERS as i64
    })
    .await;
    // Far below what the pace allows, on a machine that is busy.
    let behind = began.elapsed().saturating_sub(bought);
    assert!(
        behind < Duration::from_secs(10),
        "{behind:?} after {bought:?}"
    );
    Arc::into_inner(lab).unwrap().stop().await;
}

#[tokio::test]
async fn what_is_told_of_business_is_there_before_anything_happens() {
    let lab = Lab::start(calm()).await;
    let scrape = lab.scrape().await;
    for (name, labels) in [
        ("cart_items_count", [].as_slice()),
        ("active_carts_count", &[]),
        ("cart_additions_total", &[]),
        ("queue_depth", &[QUEUE]),
        ("queue_depth", &[ASIDE]),
        ("queue_oldest_message_age_seconds", &[QUEUE]),
        (
            "funnel_stage_total",
            &["stage=\"browse_catalog\"", "country=\"JP\""],
        ),
        (
            "funnel_stage_total",
            &["stage=\"checkout_complete\"", "country=\"BR\""],
        ),
        ("customer_segment_count", &["segment=\"vip\""]),
        ("customer_segment_count", &["segment=\"at_risk\""]),
    ] {
        assert!(scrape.has(name, labels), "{name} {labels:?} is missing");
        assert_eq!(scrape.sum(name, labels), 0.0, "{name}");
    }
    lab.stop().await;
}
