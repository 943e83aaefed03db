//! The metric names that exist: what the shop exports (the contract), what rules record, what Prometheus
//! itself adds; and which of them a query reads.

use std::collections::BTreeSet;
use std::fs;

use e2e::repository;
use regex::Regex;

/// Names of the contract that this version of the shop, its traffic and the fault layer export.
const EXPORTED: [&str; 30] = [
    "chaos_fault_active",
    "chaos_fault_evaluated_total",
    "chaos_fault_injected_total",
    "db_pool_connections_in_use",
    "db_pool_connections_max",
    "db_pool_timeouts_total",
    "db_pool_wait_seconds",
    "db_queries_in_flight",
    "db_queries_total",
    "db_query_duration_seconds",
    "http_active_connections",
    "http_request_duration_seconds",
    "http_request_size_bytes",
    "http_requests_total",
    "http_response_size_bytes",
    "inventory_level",
    "inventory_reservation_failures_total",
    "load_arrivals_total",
    "load_in_flight",
    "load_journeys_total",
    "load_rate",
    "orders_created_total",
    "payments_processed_total",
    "process_cpu_seconds_total",
    "process_max_fds",
    "process_open_fds",
    "process_resident_memory_bytes",
    "process_start_time_seconds",
    "products_viewed_total",
    "revenue_total",
];

/// Names a Prometheus makes by itself.
const MADE: [&str; 4] = [
    "ALERTS",
    "ALERTS_FOR_STATE",
    "scrape_duration_seconds",
    "up",
];

/// Returns the names that the rule files record.
fn recorded() -> BTreeSet<String> {
    let text = fs::read_to_string(repository().join("rules/shop.yml")).unwrap();
    let record = Regex::new(r"(?m)^ +- record: (\S+)$").unwrap();
    record
        .captures_iter(&text)
        .map(|found| found[1].to_owned())
        .collect()
}

/// Returns the metric names a query reads: what is left without texts, matchers, label lists, functions
/// and words of the language.
pub(crate) fn read_by(query: &str) -> BTreeSet<String> {
    let noise = Regex::new(
        r#"(?x) "[^"]*" | '[^']*' | \{[^}]*\} | \[[^\]]*\] |
           \b(?:by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)"#,
    )
    .unwrap();
    let query = noise.replace_all(query, " ");
    let name = Regex::new(r"[A-Za-z_:][\w:]*\s*\(?").unwrap();
    let words = ["and", "or", "unless", "bool", "offset", "inf", "nan"];
    name.find_iter(&query)
        .map(|found| found.as_str().trim_end())
        .filter(|found| !found.ends_with('(') && !words.contains(&found.to_lowercase().as_str()))
        .map(str::to_owned)
        .collect()
}

/// Fails when a query does not parse or reads a name that nobody makes.
pub(crate) fn check(place: &str, query: &str) {
    if let Err(error) = promql::Query::parse(query) {
        panic!("{place}: {query}: {error}");
    }
    let recorded = recorded();
    for name in read_by(query) {
        let base = ["_bucket", "_count", "_sum"]
            .iter()
            .find_map(|suffix| name.strip_suffix(suffix))
            .unwrap_or(&name);
        let exists = [name.as_str(), base]
            .iter()
            .any(|name| EXPORTED.contains(name) || MADE.contains(name) || recorded.contains(*name));
        assert!(
            exists,
            "{place}: nobody makes {name}, which is read by {query}"
        );
    }
}

#[test]
fn names_are_told_from_functions_labels_and_words() {
    let query =
        r#"sum by (service) (rate(a_total{x="b_total"}[5m])) > 0 and on (job) absent(c:d:short)"#;
    let names: Vec<_> = read_by(query).into_iter().collect();
    assert_eq!(names, ["a_total", "c:d:short"]);
}
