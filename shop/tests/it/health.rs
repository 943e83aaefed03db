//! Health as an orchestrator sees it.

use serde_json::{Value, json};
use shop::config::ShopConfig;

use crate::lab::{Lab, answer, eventually};

async fn probe(lab: &Lab, path: &str) -> (u16, Value) {
    let url = format!("{}{path}", lab.ready.metrics_url.as_ref().unwrap());
    let (status, body) = answer(lab.client.get(url).send().await.unwrap()).await;
    (status.as_u16(), body)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_shop_that_runs_is_ready_and_says_why() {
    let lab = Lab::start(ShopConfig::on_free_ports()).await;
    assert_eq!(probe(&lab, "/startupz").await.0, 200);
    assert_eq!(probe(&lab, "/livez").await.0, 200);
    let (status, body) = probe(&lab, "/readyz").await;
    assert_eq!(status, 200, "{body}");
    assert_eq!(body["status"], "healthy");
    let checks = body["checks"].as_array().unwrap();
    let database = checks
        .iter()
        .find(|check| check["service"] == "orders" && check["name"] == "database")
        .unwrap();
    assert_eq!(database["status"], "healthy");
    assert!(database["latency_ms"].as_f64().unwrap() < 1_000.0);
    let scrape = lab.scrape().await;
    assert_eq!(scrape.sum("service_ready", &["service=\"orders\""]), 1.0);
    let labels = ["service=\"catalog\"", "dependency=\"database\""];
    assert_eq!(scrape.sum("dependency_up", &labels), 1.0);
    lab.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_hangs_takes_its_service_out_and_its_return_brings_it_back() {
    let lab = Lab::start(ShopConfig::on_free_ports()).await;
    let stall = json!({ "kind": "db_stall", "where": { "service": "catalog" } });
    lab.arm("stall", stall).await;
    eventually("the shop is not ready", async || {
        probe(&lab, "/readyz").await.0 == 503
    })
    .await;
    let scrape = lab.scrape().await;
    assert_eq!(scrape.sum("service_ready", &["service=\"catalog\""]), 0.0);
    assert_eq!(scrape.sum("service_ready", &["service=\"orders\""]), 1.0);
    let queries = scrape.sum("db_queries_total", &[]);
    let timeouts = scrape.sum("db_pool_timeouts_total", &[]);
    lab.withdraw("stall").await;
    eventually("the shop is ready again", async || {
        probe(&lab, "/readyz").await.0 == 200
    })
    .await;
    // Asking has left no trace in the numbers of the business.
    let scrape = lab.scrape().await;
    assert_eq!(timeouts, scrape.sum("db_pool_timeouts_total", &[]));
    assert!(scrape.sum("db_queries_total", &[]) - queries < 10.0);
    lab.stop().await;
}
