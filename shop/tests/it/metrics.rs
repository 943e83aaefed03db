//! The metrics a scrape finds before the first request: names and labels are a contract.

use shop::{
    config::{Role, ShopConfig},
    telemetry::exposition::{OPENMETRICS, PROMETHEUS_TEXT},
};

use crate::lab::{Lab, Scrape};

/// Name, and labels some sample of it must carry.
const AT_START: [(&str, &[&str]); 30] = [
    (
        "http_requests_total",
        &[
            "service=\"storefront\"",
            "method=\"GET\"",
            "path=\"/products/:id\"",
            "status=\"200\"",
        ],
    ),
    (
        "http_requests_total",
        &[
            "service=\"orders\"",
            "method=\"POST\"",
            "path=\"/order\"",
            "status=\"503\"",
        ],
    ),
    (
        "http_requests_total",
        &[
            "service=\"payments\"",
            "path=\"/payment/pay\"",
            "status=\"402\"",
        ],
    ),
    (
        "http_request_duration_seconds_bucket",
        &[
            "service=\"storefront\"",
            "path=\"/order\"",
            "status=\"201\"",
            "le=\"0.005\"",
        ],
    ),
    (
        "http_request_duration_seconds_bucket",
        &[
            "service=\"storefront\"",
            "path=\"/order\"",
            "status=\"201\"",
            "le=\"1.0\"",
        ],
    ),
    (
        "http_request_duration_seconds_bucket",
        &[
            "service=\"storefront\"",
            "path=\"/order\"",
            "status=\"201\"",
            "le=\"+Inf\"",
        ],
    ),
    ("http_active_connections", &["service=\"catalog\""]),
    (
        "http_request_size_bytes_count",
        &[
            "service=\"storefront\"",
            "method=\"POST\"",
            "path=\"/order\"",
        ],
    ),
    (
        "http_response_size_bytes_count",
        &[
            "service=\"storefront\"",
            "method=\"POST\"",
            "path=\"/order\"",
        ],
    ),
    (
        "db_queries_total",
        &[
            "service=\"orders\"",
            "operation=\"insert\"",
            "table=\"orders\"",
            "status=\"ok\"",
        ],
    ),
    (
        "db_queries_total",
        &[
            "service=\"catalog\"",
            "operation=\"update\"",
            "table=\"inventory\"",
            "status=\"error\"",
        ],
    ),
    (
        "db_query_duration_seconds_count",
        &[
            "service=\"payments\"",
            "operation=\"insert\"",
            "table=\"payments\"",
            "status=\"ok\"",
        ],
    ),
    ("db_queries_in_flight", &["service=\"catalog\""]),
    ("db_pool_connections_in_use", &["service=\"orders\""]),
    ("db_pool_connections_max", &["service=\"orders\""]),
    ("db_pool_wait_seconds_count", &["service=\"orders\""]),
    ("db_pool_timeouts_total", &["service=\"orders\""]),
    (
        "orders_created_total",
        &["status=\"created\"", "country=\"DE\""],
    ),
    (
        "orders_created_total",
        &["status=\"failed\"", "country=\"US\""],
    ),
    ("revenue_total", &["currency=\"USD\"", "country=\"JP\""]),
    (
        "payments_processed_total",
        &["country=\"BR\"", "method=\"card\"", "status=\"failed\""],
    ),
    (
        "payments_processed_total",
        &[
            "country=\"IN\"",
            "method=\"wallet\"",
            "status=\"succeeded\"",
        ],
    ),
    ("products_viewed_total", &[]),
    ("inventory_level", &["product_id=\"24\""]),
    ("inventory_reservation_failures_total", &[]),
    ("process_start_time_seconds", &[]),
    ("process_cpu_seconds_total", &[]),
    ("process_resident_memory_bytes", &[]),
    ("process_open_fds", &[]),
    ("process_max_fds", &[]),
];

#[tokio::test]
async fn every_name_is_there_before_the_first_request() {
    let lab = Lab::start(ShopConfig::on_free_ports()).await;
    let scrape = lab.scrape().await;
    for (name, labels) in AT_START {
        assert!(scrape.has(name, labels), "{name} {labels:?} is missing");
    }
    assert_eq!(scrape.sum("http_requests_total", &[]), 0.0);
    assert_eq!(
        scrape.sum("db_pool_connections_max", &["service=\"orders\""]),
        8.0
    );
    lab.stop().await;
}

#[tokio::test]
async fn both_formats_are_served_by_what_the_scraper_accepts() {
    let lab = Lab::start(ShopConfig::on_free_ports()).await;
    lab.get(Role::Storefront, "/products/1").await;
    let url = format!("{}/metrics", lab.ready.metrics_url.as_ref().unwrap());
    for (accept, kind) in [
        (
            "application/openmetrics-text;version=1.0.0,text/plain;q=0.4",
            OPENMETRICS,
        ),
        ("text/plain;version=0.0.4", PROMETHEUS_TEXT),
    ] {
        let response = lab
            .client
            .get(&url)
            .header("accept", accept)
            .send()
            .await
            .unwrap();
        assert_eq!(response.headers()["content-type"], kind);
        let text = response.text().await.unwrap();
        let openmetrics = kind == OPENMETRICS;
        assert_eq!(text.ends_with("# EOF\n"), openmetrics);
        assert_eq!(text.contains("# TYPE http_requests counter\n"), openmetrics);
        assert_eq!(
            text.contains("# TYPE http_requests_total counter\n"),
            !openmetrics
        );
        assert!(
            !text.contains("trace_id"),
            "nothing samples without a subscriber"
        );
    }
    lab.stop().await;
}

#[tokio::test]
async fn requests_are_counted_by_route_and_never_by_path() {
    let lab = Lab::start(ShopConfig::on_free_ports()).await;
    for path in [
        "/products/1",
        "/products/2",
        "/products/77",
        "/no/such/1",
        "/no/such/2",
    ] {
        lab.get(Role::Storefront, path).await;
    }
    let scrape = lab.scrape().await;
    let of = |scrape: &Scrape, labels: &[&str]| scrape.sum("http_requests_total", labels);
    let edge = "service=\"storefront\"";
    assert_eq!(
        of(&scrape, &[edge, "path=\"/products/:id\"", "status=\"200\""]),
        2.0
    );
    assert_eq!(
        of(&scrape, &[edge, "path=\"/products/:id\"", "status=\"404\""]),
        1.0
    );
    assert_eq!(
        of(&scrape, &[edge, "path=\"unmatched\"", "status=\"404\""]),
        2.0
    );
    assert_eq!(
        of(&scrape, &["service=\"catalog\"", "path=\"/products/:id\""]),
        3.0
    );
    assert_eq!(scrape.sum("products_viewed_total", &[]), 2.0);
    assert_eq!(scrape.sum("http_active_connections", &[]), 0.0);
    assert!(
        !scrape.0.contains("/no/such"),
        "a path of a client became a label"
    );
    lab.stop().await;
}

#[tokio::test]
async fn health_is_told_beside_the_metrics() {
    let lab = Lab::start(ShopConfig::on_free_ports()).await;
    let url = lab.ready.metrics_url.clone().unwrap();
    for path in ["/livez", "/readyz"] {
        assert_eq!(
            lab.client
                .get(format!("{url}{path}"))
                .send()
                .await
                .unwrap()
                .status(),
            200
        );
    }
    lab.stop().await;
}
