//! Faults through the real control API: they act, they are counted, and they let go.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use serde_json::json;
use shop::config::{Role, ShopConfig};

use crate::lab::{Lab, eventually};

#[tokio::test]
async fn an_error_fault_turns_200_into_503_and_back() {
    let mut config = ShopConfig::on_free_ports();
    config.decline_share = Some(0.0);
    let lab = Lab::start(config).await;
    assert_eq!(lab.get(Role::Payments, "/payment/pay").await.0, 405);
    let id = lab.order(1, 1).await;
    let pay = json!({ "order_id": id });

    lab.arm(
        "p",
        json!({ "kind": "error", "status": 503, "where": { "service": "payments" } }),
    )
    .await;
    let (status, problem) = lab.post(Role::Storefront, "/payment/pay", &pay).await;
    assert_eq!(status, 503, "{problem}");
    let scrape = lab.scrape().await;
    let failed = |service: &str| {
        scrape.sum(
            "http_requests_total",
            &[&format!("service=\"{service}\""), "status=\"503\""],
        )
    };
    assert_eq!(["payments", "orders", "storefront"].map(failed), [1.0; 3]);
    assert_eq!(
        scrape.sum("payments_processed_total", &["status=\"failed\""]),
        1.0
    );
    assert_eq!(
        scrape.sum("chaos_fault_active", &["fault=\"p\"", "kind=\"error\""]),
        1.0
    );
    assert_eq!(
        scrape.sum(
            "chaos_fault_injected_total",
            &["fault=\"p\"", "kind=\"error\""]
        ),
        1.0
    );

    let ended = lab.withdraw("p").await;
    assert_eq!(
        (&ended["evaluated"], &ended["injected"]),
        (&json!(1), &json!(1))
    );
    let (status, paid) = lab.post(Role::Storefront, "/payment/pay", &pay).await;
    assert_eq!(status, 200, "{paid}");
    assert_eq!(
        lab.scrape()
            .await
            .sum("chaos_fault_active", &["fault=\"p\""]),
        0.0
    );
    lab.stop().await;
}

#[tokio::test]
async fn an_error_of_another_kind_surfaces_as_a_bad_gateway() {
    let lab = Lab::start(ShopConfig::on_free_ports()).await;
    lab.arm(
        "c",
        json!({ "kind": "error", "status": 500, "where": { "service": "catalog" } }),
    )
    .await;
    assert_eq!(lab.get(Role::Catalog, "/products").await.0, 500);
    assert_eq!(lab.get(Role::Storefront, "/products").await.0, 502);
    lab.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stall_holds_every_connection_and_lets_go_at_once() {
    let mut config = ShopConfig::on_free_ports();
    config.db_acquire_timeout = Duration::from_secs(30);
    config.call_timeout = Duration::from_secs(30);
    config.restock_every = None;
    let lab = Arc::new(Lab::start(config).await);
    let stall =
        json!({ "kind": "db_stall", "mode": "connections", "where": { "service": "catalog" } });
    lab.arm("s", stall).await;
    let catalog = "service=\"catalog\"";
    eventually("all connections are held", async || {
        lab.scrape()
            .await
            .sum("db_pool_connections_in_use", &[catalog])
            == 8.0
    })
    .await;
    let before = lab.scrape().await.sum("db_queries_total", &[catalog]);

    let waiting: Vec<_> = (0..5)
        .map(|_| {
            let lab = Arc::clone(&lab);
            tokio::spawn(async move { lab.get(Role::Storefront, "/products/1").await.0 })
        })
        .collect();
    eventually("five queries wait", async || {
        lab.scrape().await.sum("db_queries_in_flight", &[catalog]) == 5.0
    })
    .await;
    // Only the catalog stands still.
    assert_eq!(lab.get(Role::Orders, "/orders/1").await.0, 404);
    let scrape = lab.scrape().await;
    assert_eq!(
        scrape.sum("db_queries_total", &[catalog]),
        before,
        "none completes"
    );
    assert!(waiting.iter().all(|request| !request.is_finished()));

    let asked = Instant::now();
    let ended = lab.withdraw("s").await;
    assert_eq!(
        (&ended["evaluated"], &ended["injected"]),
        (&json!(5), &json!(5))
    );
    for request in waiting {
        assert_eq!(request.await.unwrap(), 200);
    }
    assert!(
        asked.elapsed() < Duration::from_secs(2),
        "released after {:?}",
        asked.elapsed()
    );
    let scrape = lab.scrape().await;
    assert_eq!(scrape.sum("db_queries_total", &[catalog]), before + 5.0);
    assert_eq!(scrape.sum("db_queries_in_flight", &[catalog]), 0.0);
    assert_eq!(scrape.sum("db_pool_timeouts_total", &[catalog]), 0.0);
    Arc::into_inner(lab).unwrap().stop().await;
}

#[tokio::test]
async fn a_wait_that_runs_out_is_a_pool_timeout_and_no_query() {
    let mut config = ShopConfig::on_free_ports();
    config.db_acquire_timeout = Duration::from_millis(100);
    config.restock_every = None;
    let lab = Lab::start(config).await;
    lab.arm(
        "s",
        json!({ "kind": "db_stall", "where": { "service": "catalog" } }),
    )
    .await;
    let catalog = "service=\"catalog\"";
    eventually("all connections are held", async || {
        lab.scrape()
            .await
            .sum("db_pool_connections_in_use", &[catalog])
            == 8.0
    })
    .await;
    let before = lab.scrape().await.sum("db_queries_total", &[catalog]);
    assert_eq!(lab.get(Role::Catalog, "/products").await.0, 503);
    let scrape = lab.scrape().await;
    assert_eq!(scrape.sum("db_pool_timeouts_total", &[catalog]), 1.0);
    assert_eq!(scrape.sum("db_queries_total", &[catalog]), before);
    lab.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lock_stops_writes_and_lets_reads_pass() {
    let mut config = ShopConfig::on_free_ports();
    config.restock_every = None;
    let lab = Arc::new(Lab::start(config).await);
    let lock = json!({ "kind": "db_stall", "mode": "lock", "where": { "service": "catalog" } });
    lab.arm("l", lock).await;
    let deduct = |lab: Arc<Lab>| async move {
        let body = json!({ "product_id": 1, "quantity": 1 });
        lab.post(Role::Catalog, "/inventory/deduct", &body).await.0
    };
    eventually("a write is held up", async || {
        let write = tokio::spawn(deduct(Arc::clone(&lab)));
        let short = tokio::time::timeout(Duration::from_millis(300), write).await;
        short.is_err()
    })
    .await;
    assert_eq!(
        lab.get(Role::Catalog, "/products/1").await.0,
        200,
        "a read passes"
    );
    lab.withdraw("l").await;
    assert_eq!(deduct(Arc::clone(&lab)).await, 200);
    eventually("no write is left", async || {
        lab.scrape()
            .await
            .sum("db_queries_in_flight", &["service=\"catalog\""])
            == 0.0
    })
    .await;
    Arc::into_inner(lab).unwrap().stop().await;
}

#[tokio::test]
async fn metrics_and_control_answer_while_every_role_fails() {
    let lab = Lab::start(ShopConfig::on_free_ports()).await;
    lab.arm("all", json!({ "kind": "error", "status": 500 }))
        .await;
    assert_eq!(lab.get(Role::Storefront, "/products").await.0, 500);
    assert!(
        lab.scrape()
            .await
            .has("http_requests_total", &["status=\"500\""])
    );
    lab.withdraw("all").await;
    assert_eq!(lab.get(Role::Storefront, "/products").await.0, 200);
    lab.stop().await;
}
