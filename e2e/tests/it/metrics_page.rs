//! docs/metrics.md, which is made of the catalogue.

use std::fmt::Write;
use std::fs;

use e2e::repository;
use shop::telemetry::{
    catalogue::{ALL, Kind, Metric},
    vocabulary::names_elsewhere,
};

const HEAD: &str = "# Metrics

Everything the shop and its traffic export, made of `shop/src/telemetry/catalogue.rs` by a test. Seconds and bytes;
an error is a 5xx; `path` is the route's template, such as `/products/:id`; label values come from closed sets.
Besides, each series has `job` and `instance` of its target.

The last column has the names under which other vocabularies (`/metrics?vocabulary=…`) serve the same numbers.

| name | kind | labels | meaning | also known as |
|---|---|---|---|---|
";

/// Returns a metric's names in other vocabularies.
fn also_known_as(metric: &Metric) -> String {
    let names = names_elsewhere(metric);
    let names: Vec<_> = names
        .map(|(vocabulary, name)| format!("`{name}` ({vocabulary})"))
        .collect();
    names.join(", ")
}

fn page() -> String {
    let mut text = HEAD.to_owned();
    for metric in ALL {
        let kind = match metric.kind {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
            Kind::Histogram => "histogram",
        };
        let labels: Vec<_> = metric
            .labels
            .iter()
            .map(|label| format!("`{label}`"))
            .collect();
        writeln!(
            text,
            "| `{}` | {kind} | {} | {} | {} |",
            metric.name(),
            labels.join(", "),
            metric.help,
            also_known_as(metric)
        )
        .unwrap();
    }
    text
}

#[test]
fn the_page_has_every_metric_of_the_catalogue() {
    let path = repository().join("docs/metrics.md");
    if std::env::var_os("OBS_TUI_WRITE_DOCS").is_some() {
        fs::write(&path, page()).unwrap();
    }
    let text = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        text == page(),
        "make it again: OBS_TUI_WRITE_DOCS=1 cargo test -p e2e --test it -- metrics_page"
    );
}
