//! The names of other shops over our counters.

use std::{
    io::Write as _,
    process::{Command, Stdio},
};

use shop::config::{Role, ShopConfig};

use crate::{
    lab::{Lab, Scrape},
    peers::program,
};

async fn scrape(lab: &Lab, vocabulary: &str, accept: &str) -> (u16, String) {
    let url = format!(
        "{}/metrics?vocabulary={vocabulary}",
        lab.ready.metrics_url.as_ref().unwrap()
    );
    let asked = lab.client.get(url).header("accept", accept);
    let answer = asked.send().await.unwrap();
    (answer.status().as_u16(), answer.text().await.unwrap())
}

async fn with_traffic() -> Lab {
    let config = ShopConfig {
        decline_share: Some(0.0),
        ..ShopConfig::on_free_ports()
    };
    let lab = Lab::start(config).await;
    for path in ["/products", "/products/1", "/products/99", "/nowhere"] {
        lab.get(Role::Storefront, path).await;
    }
    lab.order(1, 2).await;
    lab
}

#[tokio::test]
async fn an_alias_adds_up_to_what_it_is_made_of() {
    let lab = with_traffic().await;
    let (status, text) = scrape(&lab, "all", "text/plain").await;
    assert_eq!(status, 200);
    let scrape = Scrape(text);
    let edge: &[&str] = &["service=\"storefront\""];
    let all: &[&str] = &[];
    let same = [
        ("request_total", "http_requests_total", all, 1.0),
        (
            "http_server_request_count_total",
            "http_requests_total",
            all,
            1.0,
        ),
        ("flask_http_request_total", "http_requests_total", edge, 1.0),
        (
            "http_client_errors_total",
            "http_requests_total",
            &["status=\"404\""],
            1.0,
        ),
        (
            "request_duration_seconds_count",
            "http_request_duration_seconds_count",
            all,
            1.0,
        ),
        (
            "request_duration_seconds_sum",
            "http_request_duration_seconds_sum",
            all,
            1.0,
        ),
        (
            "flask_http_request_duration_seconds_sum",
            "http_request_duration_seconds_sum",
            edge,
            1.0,
        ),
        (
            "http_server_request_duration_milliseconds_sum",
            "http_request_duration_seconds_sum",
            all,
            1e3,
        ),
        (
            "http_server_duration_milliseconds_count",
            "http_request_duration_seconds_count",
            edge,
            1.0,
        ),
        (
            "db_client_queries_count_total",
            "db_queries_total",
            all,
            1.0,
        ),
        (
            "db_client_queries_duration_milliseconds_sum",
            "db_query_duration_seconds_sum",
            all,
            1e3,
        ),
        (
            "webstore_products_detail_views_total",
            "products_viewed_total",
            all,
            1.0,
        ),
    ];
    for (alias, own, of, scale) in same {
        let (theirs, ours) = (scrape.sum(alias, &[]), scrape.sum(own, of) * scale);
        assert!(ours > 0.0, "{own} was not counted");
        assert!(
            (theirs - ours).abs() < 1e-6 * ours,
            "{alias} {theirs}, {own} {ours}"
        );
    }
    let failed = scrape.sum("error_total", &[]);
    assert_eq!(failed, 0.0);
    assert_eq!(scrape.sum("ecommerce_orders_total", &[]), 1.0);
    let bucket = "http_server_request_duration_milliseconds_bucket";
    for (ours, theirs) in [
        ("le=\"0.025\"", "le=\"25.0\""),
        ("le=\"+Inf\"", "le=\"+Inf\""),
    ] {
        let own = scrape.sum("http_request_duration_seconds_bucket", &[ours]);
        assert_eq!(scrape.sum(bucket, &[theirs]), own);
    }
    lab.stop().await;
}

#[tokio::test]
async fn each_vocabulary_is_well_formed_in_both_formats() {
    let lab = with_traffic().await;
    for vocabulary in ["minishop", "signoz", "flask", "webstore", "all"] {
        let (_, text) = scrape(&lab, vocabulary, "text/plain").await;
        promtool_reads(&text);
        let (_, text) = scrape(&lab, vocabulary, "application/openmetrics-text").await;
        assert_eq!(text.matches("# EOF\n").count(), 1, "{vocabulary}");
        assert!(text.ends_with("# EOF\n"), "{vocabulary}");
    }
    let (_, text) = scrape(&lab, "flask", "text/plain").await;
    assert!(text.contains("# TYPE flask_http_request_total counter\n"));
    assert!(!text.contains("\nrequest_total{") && !text.contains("webstore_"));
    lab.stop().await;
}

#[tokio::test]
async fn an_unknown_vocabulary_is_refused_with_the_known_ones() {
    let lab = Lab::start(ShopConfig::on_free_ports()).await;
    let (status, text) = scrape(&lab, "klingon", "text/plain").await;
    assert_eq!(status, 400);
    assert!(
        text.contains("minishop, signoz, flask, webstore and all"),
        "{text}"
    );
    lab.stop().await;
}

/// Has promtool read the text; its advice on names is not ours to take, for names of others.
fn promtool_reads(text: &str) {
    let Some(program) = program("promtool", "vocabulary") else {
        return;
    };
    let mut child = Command::new(program)
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(text.as_bytes())
        .unwrap();
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!said.contains("error while linting"), "{said}");
}
