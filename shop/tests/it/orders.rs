//! Orders from the first word to the last, and what becomes of those that are cut off.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use reqwest::Method;
use serde_json::{Value, json};
use shop::config::Role;

use crate::{
    buyer::{Buyer, calm, stock},
    lab::{Lab, Program, client, eventually},
};

#[tokio::test]
async fn an_order_is_its_buyers_and_tells_what_became_of_it() {
    let mut config = calm();
    config.orders.ship_after = Duration::from_mins(1);
    let lab = Lab::start(config).await;
    let (anna, ben, admin) = (Buyer::account(11), Buyer::account(12), Buyer::admin());
    let id = anna.order(&lab, 1, 2).await;
    let order = anna.get(&lab, &format!("/orders/{id}")).await;
    assert_eq!(order["status"], "reserved");
    assert_eq!(order["items"][0]["quantity"], 2);
    assert_eq!(order["total_minor"], order["amount"]);
    assert_eq!(order["events"][0]["to"], "reserved");

    let path = format!("/orders/{id}");
    let (status, _) = ben.ask(&lab, Method::GET, &path, None).await;
    assert_eq!(status, 404, "somebody else's order");
    let (status, _) = ben.post(&lab, &format!("{path}/cancel"), json!({})).await;
    assert_eq!(status, 404, "somebody else's order");
    let pay = json!({ "order_id": id });
    assert_eq!(ben.post(&lab, "/payment/pay", pay.clone()).await.0, 404);
    assert_eq!(ben.get(&lab, "/orders").await["total"], 0);

    let list = anna.get(&lab, "/orders?status=reserved").await;
    assert_eq!(
        (&list["total"], &list["orders"][0]["order_id"]),
        (&json!(1), &json!(id))
    );
    assert_eq!(anna.get(&lab, "/orders?status=paid").await["total"], 0);
    for (path, field) in [
        ("/orders?status=gone", "status"),
        ("/orders?limit=0", "limit"),
        ("/admin/stats/sales?days=0", "days"),
    ] {
        let (status, problem) = admin.ask(&lab, Method::GET, path, None).await;
        assert_eq!(
            (status.as_u16(), &problem["errors"][0]["field"]),
            (400, &json!(field)),
            "{path}"
        );
    }
    let nobody = Buyer::default();
    assert_eq!(nobody.ask(&lab, Method::GET, "/orders", None).await.0, 401);

    assert_eq!(anna.post(&lab, "/payment/pay", pay).await.0, 200);
    let events = anna.get(&lab, &path).await["events"].clone();
    assert_eq!(
        (&events[1]["from"], &events[1]["to"]),
        (&json!("reserved"), &json!("paid"))
    );
    lab.stop().await;
}

#[tokio::test]
async fn admins_see_all_orders_and_move_them_by_the_table() {
    let mut config = calm();
    config.orders.ship_after = Duration::from_mins(1);
    let lab = Lab::start(config).await;
    let (buyer, admin) = (Buyer::account(11), Buyer::admin());
    let id = buyer.order(&lab, 1, 3).await;
    let path = format!("/admin/orders/{id}/status");
    for (who, status) in [(&Buyer::default(), 401), (&buyer, 403)] {
        let body = Some(json!({ "status": "shipped" }));
        assert_eq!(who.ask(&lab, Method::PUT, &path, body).await.0, status);
        for path in [
            "/admin/orders",
            "/admin/stats/sales",
            "/admin/stats/products",
        ] {
            assert_eq!(who.ask(&lab, Method::GET, path, None).await.0, status);
        }
    }
    let set = |to: &'static str| {
        let body = Some(json!({ "status": to }));
        let (admin, lab, path) = (&admin, &lab, &path);
        async move { admin.ask(lab, Method::PUT, path, body).await }
    };
    assert_eq!(set("shipped").await.0, 409, "not paid yet");
    assert_eq!(set("paid").await.0, 422, "money is not taken by hand");
    let (status, paid) = buyer
        .post(&lab, "/payment/pay", json!({ "order_id": id }))
        .await;
    assert_eq!(status, 200, "{paid}");
    assert_eq!(set("shipped").await.1["status"], "shipped");
    assert_eq!(set("cancelled").await.0, 409);
    assert_eq!(set("delivered").await.1["status"], "delivered");

    assert_eq!(admin.get(&lab, "/admin/orders").await["total"], 1);
    let sales = admin.get(&lab, "/admin/stats/sales?days=1").await;
    assert_eq!(
        (&sales["orders"], &sales["revenue_minor"]),
        (&json!(1), &paid["amount"])
    );
    assert_eq!(sales["by_status"][0]["status"], "delivered");
    assert_eq!(sales["by_day"][0]["orders"], 1);
    let products = admin.get(&lab, "/admin/stats/products").await;
    assert_eq!(products["products"][0]["units"], 3);
    assert_eq!(products["products"][0]["revenue_minor"], paid["amount"]);
    lab.stop().await;
}

#[tokio::test]
async fn cancelling_gives_stock_and_money_back() {
    let mut config = calm();
    config.orders.ship_after = Duration::from_mins(1);
    let lab = Lab::start(config).await;
    let buyer = Buyer::account(11);
    let before = stock(&lab, 4).await;
    let (kept, paid) = (buyer.order(&lab, 4, 2).await, buyer.order(&lab, 4, 3).await);
    let pay = json!({ "order_id": paid });
    assert_eq!(buyer.post(&lab, "/payment/pay", pay.clone()).await.0, 200);
    assert_eq!(stock(&lab, 4).await, before - 5);
    for id in [kept, paid] {
        let (status, order) = buyer
            .post(&lab, &format!("/orders/{id}/cancel"), json!({}))
            .await;
        assert_eq!(
            (status.as_u16(), &order["status"]),
            (200, &json!("cancelled"))
        );
        let (again, _) = buyer
            .post(&lab, &format!("/orders/{id}/cancel"), json!({}))
            .await;
        assert_eq!(again, 409);
    }
    assert_eq!(stock(&lab, 4).await, before);
    assert_eq!(buyer.post(&lab, "/payment/pay", pay).await.0, 409);
    eventually("the money went back", async || {
        let (_, of) = lab
            .get(Role::Payments, &format!("/payments/by-order/{paid}"))
            .await;
        of["payments"][0]["status"] == "refunded"
    })
    .await;
    lab.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stock_of_a_deduction_that_came_too_late_goes_back() {
    let mut config = calm();
    config.call_timeout = Duration::from_millis(300);
    config.db_acquire_timeout = Duration::from_secs(30);
    let lab = Lab::start(config).await;
    let buyer = Buyer::account(11);
    let before = stock(&lab, 4).await;
    let lock = json!({ "kind": "db_stall", "mode": "lock", "where": { "service": "catalog" } });
    lab.arm("l", lock).await;
    eventually("a deduction does not answer", async || {
        let body = json!({ "customer_id": 7, "product_id": 4, "quantity": 1 });
        let (status, _) = buyer.post(&lab, "/order", body).await;
        status == 504
    })
    .await;
    lab.withdraw("l").await;
    eventually("everything is settled", async || {
        let orders = buyer.get(&lab, "/orders?limit=100").await;
        let orders = orders["orders"].as_array().unwrap().clone();
        let held: i64 = orders
            .iter()
            .filter(|order| order["status"] == "reserved")
            .count() as i64;
        let open = orders.iter().any(|order| order["status"] == "pending");
        !open && stock(&lab, 4).await == before - held
    })
    .await;
    lab.stop().await;
}

#[tokio::test]
async fn orders_that_nobody_pays_are_cancelled_in_time() {
    let mut config = calm();
    config.orders.payment_window = Duration::from_millis(200);
    let lab = Lab::start(config).await;
    let buyer = Buyer::account(11);
    let before = stock(&lab, 4).await;
    let id = buyer.order(&lab, 4, 2).await;
    eventually("the order is given up", async || {
        buyer.status(&lab, id).await == "cancelled" && stock(&lab, 4).await == before
    })
    .await;
    let order = buyer.get(&lab, &format!("/orders/{id}")).await;
    assert_eq!(order["reason"], "not_paid");
    lab.stop().await;
}

#[tokio::test]
async fn finished_orders_are_forgotten_after_their_time() {
    let mut config = calm();
    config.orders.retention = Some(Duration::ZERO);
    let lab = Lab::start(config).await;
    let buyer = Buyer::account(11);
    let kept = buyer.order(&lab, 1, 1).await;
    let gone = buyer.order(&lab, 1, 1).await;
    buyer
        .post(&lab, &format!("/orders/{gone}/cancel"), json!({}))
        .await;
    eventually("the cancelled order is gone", async || {
        let path = format!("/orders/{gone}");
        buyer.ask(&lab, Method::GET, &path, None).await.0 == 404
    })
    .await;
    assert_eq!(buyer.status(&lab, kept).await, "reserved");
    lab.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_answered_outlives_a_process_that_is_killed() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().to_str().unwrap().to_owned();
    let env = [
        ("SHOP_DATA_DIR", folder.as_str()),
        ("SHOP_DECLINE_SHARE", "0%"),
    ];
    let program = Program::shop(&env);
    let url = Arc::new(program.url("orders").to_owned());
    let count = Arc::new(AtomicUsize::new(0));
    let buyers: Vec<_> = (0..20)
        .map(|customer| {
            let (url, count) = (Arc::clone(&url), Arc::clone(&count));
            tokio::spawn(buy_until_it_ends(url, count, customer + 1))
        })
        .collect();
    eventually("there are orders", async || {
        count.load(Ordering::Relaxed) >= 60
    })
    .await;
    // Dropping it kills it.
    drop(program);
    let mut told = Vec::new();
    for buyer in buyers {
        told.extend(buyer.await.unwrap());
    }

    let program = Program::shop(&env);
    let (client, url) = (client(), program.url("orders").to_owned());
    for (id, paid) in told {
        let order = client
            .get(format!("{url}/orders/{id}"))
            .send()
            .await
            .unwrap();
        assert_eq!(order.status(), 200, "{id}");
        let order: Value = order.json().await.unwrap();
        let status = order["status"].as_str().unwrap();
        let expected: &[&str] = if paid {
            &["paid", "shipped", "delivered"]
        } else {
            &["reserved", "payment_failed", "paid", "shipped", "delivered"]
        };
        assert!(expected.contains(&status), "{id} paid={paid}: {status}");
    }
    program.end();
}

/// Orders and pays until the shop is gone; returns what was answered: orders, and whether paid.
async fn buy_until_it_ends(
    url: Arc<String>,
    count: Arc<AtomicUsize>,
    customer: i64,
) -> Vec<(i64, bool)> {
    let client = client();
    let post = |path: &str, body: Value| {
        let request = client.post(format!("{url}{path}")).json(&body);
        async move {
            let response = request.send().await.ok()?;
            let ok = response.status().is_success();
            let body: Value = response.json().await.ok()?;
            // A refusal is an answer as well; only who is gone gives none.
            Some(ok.then_some(body))
        }
    };
    let mut told = Vec::new();
    loop {
        let body = json!({ "customer_id": customer, "product_id": 1, "quantity": 1 });
        let order = match post("/order", body).await {
            None => break,
            Some(None) => continue,
            Some(Some(order)) => order,
        };
        let id = order["order_id"].as_i64().unwrap();
        told.push((id, false));
        count.fetch_add(1, Ordering::Relaxed);
        match post("/payment/pay", json!({ "order_id": id })).await {
            None => break,
            Some(None) => {}
            Some(Some(_)) => told.last_mut().unwrap().1 = true,
        }
    }
    told
}
