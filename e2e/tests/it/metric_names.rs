//! The metric names that exist and their labels: what the shop exports (its catalogue), what rules record,
//! what Prometheus and the stack make themselves; and which of them a query reads.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::sync::{LazyLock, OnceLock};

use e2e::repository;
use regex::Regex;
use shop::telemetry::catalogue::{ALL, Kind};

/// The rule files whose records queries may read.
pub(crate) const RULE_FILES: [&str; 3] = ["shop.yml", "slow.yml", "stack.yml"];

/// Labels that every series has from its target.
const OF_TARGETS: [&str; 2] = ["instance", "job"];

/// Series that Prometheus makes by itself, with their labels.
const MADE: [(&str, &[&str]); 8] = [
    (
        "ALERTS",
        &[
            "alertname",
            "alertstate",
            "severity",
            "service",
            "slo",
            "burn",
        ],
    ),
    ("ALERTS_FOR_STATE", &["alertname", "severity", "service"]),
    ("scrape_duration_seconds", &[]),
    ("scrape_samples_post_metric_relabeling", &[]),
    ("scrape_samples_scraped", &[]),
    ("scrape_series_added", &[]),
    ("up", &[]),
    ("probe_ssl_earliest_cert_expiry", &[]),
];

/// Series of the collector, Prometheus and Alertmanager that rules and dashboards read. Nothing here can be
/// held against a running program yet; the full stack does that.
const STACK: [(&str, &[&str]); 12] = [
    ("alertmanager_notifications_failed_total", &["integration"]),
    (
        "otelcol_exporter_queue_capacity",
        &["exporter", "data_type"],
    ),
    ("otelcol_exporter_queue_size", &["exporter", "data_type"]),
    (
        "otelcol_exporter_send_failed_log_records_total",
        &["exporter"],
    ),
    (
        "otelcol_exporter_send_failed_metric_points_total",
        &["exporter"],
    ),
    ("otelcol_exporter_send_failed_spans_total", &["exporter"]),
    ("otelcol_receiver_accepted_spans_total", &["receiver"]),
    ("otelcol_receiver_refused_log_records_total", &["receiver"]),
    (
        "otelcol_receiver_refused_metric_points_total",
        &["receiver"],
    ),
    ("otelcol_receiver_refused_spans_total", &["receiver"]),
    ("prometheus_notifications_errors_total", &["alertmanager"]),
    ("prometheus_rule_evaluation_failures_total", &["rule_group"]),
];

/// Levels of recorded names (`LEVEL:metric:operation`) that stand for no label: the whole shop.
const WITHOUT_LABELS: [&str; 2] = ["shop", "slo"];

/// Records that have a label beside the one of their level.
const MORE_LABELS: [(&str, &str); 2] = [
    ("exporter:telemetry_failed:rate5m", "signal"),
    ("receiver:telemetry_refused:rate5m", "signal"),
];

type Labels = BTreeSet<String>;

/// Returns every name that exists with its labels, those of targets left out.
fn known() -> &'static BTreeMap<String, Labels> {
    static KNOWN: OnceLock<BTreeMap<String, Labels>> = OnceLock::new();
    KNOWN.get_or_init(|| {
        let mut known = exported();
        for (name, labels) in MADE.into_iter().chain(STACK) {
            let labels = labels.iter().map(|label| (*label).to_owned());
            known.insert(name.to_owned(), labels.collect());
        }
        known.extend(recorded());
        known
    })
}

/// Returns the names of the catalogue as they are stored.
pub(crate) fn exported() -> BTreeMap<String, Labels> {
    let mut names = BTreeMap::new();
    for metric in ALL {
        let labels: Labels = metric
            .labels
            .iter()
            .map(|label| (*label).to_owned())
            .collect();
        if metric.kind == Kind::Histogram {
            let with_edges = labels.iter().cloned().chain(["le".to_owned()]).collect();
            names.insert(format!("{}_bucket", metric.name()), with_edges);
            names.insert(format!("{}_count", metric.name()), labels.clone());
            names.insert(format!("{}_sum", metric.name()), labels);
        } else {
            names.insert(metric.name(), labels);
        }
    }
    names
}

/// Returns the names that the rule files record. The level of a name tells its labels.
fn recorded() -> BTreeMap<String, Labels> {
    let record = Regex::new(r"(?m)^ +- record: (\S+)$").unwrap();
    let mut names = BTreeMap::new();
    for file in RULE_FILES {
        let text = fs::read_to_string(repository().join("rules").join(file)).unwrap();
        for found in record.captures_iter(&text) {
            let level = found[1].split(':').next().unwrap();
            let of_level = Some(level).filter(|level| !WITHOUT_LABELS.contains(level));
            let more = MORE_LABELS.iter().filter(|(name, _)| *name == &found[1]);
            let labels = of_level.into_iter().chain(more.map(|(_, label)| *label));
            names.insert(found[1].to_owned(), labels.map(str::to_owned).collect());
        }
    }
    names
}

/// Returns a query with its texts emptied, which may hold anything.
fn without_texts(query: &str) -> String {
    static TEXT: LazyLock<Regex> = LazyLock::new(|| Regex::new(r#""[^"]*"|'[^']*'"#).unwrap());
    TEXT.replace_all(query, "''").into_owned()
}

/// Returns the metric names a query reads: what is left without texts, matchers, label lists, functions
/// and words of the language.
pub(crate) fn read_by(query: &str) -> BTreeSet<String> {
    static NOISE: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(
            r"(?x) '' | \{[^}]*\} | \[[^\]]*\] |
               \b(?:by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)",
        )
        .unwrap()
    });
    // A unit, as in `offset 10m`, begins in the middle of a word.
    static NAME: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"\b[A-Za-z_:][\w:]*\s*\(?").unwrap());
    let query = without_texts(query);
    let query = NOISE.replace_all(&query, " ");
    let words = ["and", "or", "unless", "bool", "offset", "inf", "nan"];
    NAME.find_iter(&query)
        .map(|found| found.as_str().trim_end())
        .filter(|found| !found.ends_with('(') && !words.contains(&found.to_lowercase().as_str()))
        .map(str::to_owned)
        .collect()
}

/// Returns (name, label) for each matcher of a named selector.
fn matched(query: &str) -> Vec<(String, String)> {
    static SELECTOR: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"([A-Za-z_:][\w:]*)\s*\{([^}]*)\}").unwrap());
    static MATCHER: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"(\w+)\s*(?:=~|!~|!=|=)").unwrap());
    let query = without_texts(query);
    let mut found = Vec::new();
    for selector in SELECTOR.captures_iter(&query) {
        for label in MATCHER.captures_iter(&selector[2]) {
            found.push((selector[1].to_owned(), label[1].to_owned()));
        }
    }
    found
}

/// Returns the labels a query groups or joins by.
fn grouped(query: &str) -> Labels {
    static LIST: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"\b(?:by|on|group_left|group_right)\s*\(([^)]*)\)").unwrap());
    LIST.captures_iter(&without_texts(query))
        .flat_map(|found| {
            let labels = found[1].split(',').map(|label| label.trim().to_owned());
            labels.collect::<Vec<_>>()
        })
        .filter(|label| !label.is_empty())
        .collect()
}

/// Returns what is wrong with a query that parses: names nobody makes, labels their series do not have.
fn problems(query: &str) -> Vec<String> {
    let mut problems = Vec::new();
    let read = read_by(query);
    for name in &read {
        if !known().contains_key(name) {
            problems.push(format!("nobody makes {name}"));
        }
    }
    let has = |name: &str, label: &str| {
        OF_TARGETS.contains(&label)
            || known()
                .get(name)
                .is_some_and(|labels| labels.contains(label))
    };
    for (name, label) in matched(query) {
        if known().contains_key(&name) && !has(&name, &label) {
            problems.push(format!("{name} has no label {label}"));
        }
    }
    for label in grouped(query) {
        if label != "__name__" && !read.iter().any(|name| has(name, &label)) {
            problems.push(format!("nothing that is read has the label {label}"));
        }
    }
    problems
}

/// Fails when a query does not parse or reads a name that nobody makes or a label that is not there.
pub(crate) fn check(place: &str, query: &str) {
    if let Err(error) = promql::Query::parse(query) {
        panic!("{place}: {query}: {error}");
    }
    let problems = problems(query);
    assert!(problems.is_empty(), "{place}: {query}: {problems:#?}");
}

#[test]
fn names_are_told_from_functions_labels_and_words() {
    let query = r#"sum by (service) (rate(a_total{x="b_total"}[5m] offset 10m)) > 0 and on (job) absent(c:d:short)"#;
    let names: Vec<_> = read_by(query).into_iter().collect();
    assert_eq!(names, ["a_total", "c:d:short"]);
}

#[test]
fn what_does_not_exist_is_told() {
    for (query, wanted) in [
        ("sum(request_total)", "nobody makes request_total"),
        (
            "http_request_duration_seconds > 1",
            "nobody makes http_request_duration_seconds",
        ),
        (
            r#"rate(payments_processed_total{service="payments"}[5m])"#,
            "payments_processed_total has no label service",
        ),
        (
            r#"cache_hits_total{job="shop",path=~"a{1,2}"}"#,
            "cache_hits_total has no label path",
        ),
        (
            "sum by (le, product_id) (rate(http_request_duration_seconds_bucket[5m]))",
            "nothing that is read has the label product_id",
        ),
    ] {
        assert_eq!(problems(query), [wanted], "{query}");
    }
    let good = r#"max by (instance, service) (service:error_ratio:short{service!="users"}) > on () group_left () vector(1)"#;
    assert!(problems(good).is_empty());
}
