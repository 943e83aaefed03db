//! What a scrape of 2,000 series and the evaluation of the drill rules cost.
//!
//! The store holds two minutes of a scrape a second before anything is measured. The engine itself
//! is cheaper than `parse_and_append`: it knows the label sets of the scrape before.

use std::fmt::Write as _;

use divan::{Bencher, black_box};
use promql::rules::{Config, Evaluator, RuleFile};
use promql::store::Store;
use signals::exposition::{Format, Limits, Parser, parse};

const SERIES: usize = 2_000;
const SECONDS: i64 = 120;
const RULES: &str = include_str!("../../rules/drill.yml");

fn main() {
    divan::main();
}

/// Returns what a target shows at a moment: 40 handlers with 13 buckets, sum, count and requests,
/// the rest gauges.
fn exposition(second: i64) -> String {
    const BOUNDS: [&str; 12] = [
        "0.005", "0.01", "0.025", "0.05", "0.1", "0.25", "0.5", "1", "2.5", "5", "10", "+Inf",
    ];
    let mut text = String::from("# TYPE http_request_duration_seconds histogram\n");
    let mut rows = 0;
    for handler in 0..40 {
        let labels = format!(
            "service=\"storefront\",method=\"GET\",path=\"/products/:id/{handler}\",status=\"200\""
        );
        for (index, bound) in BOUNDS.iter().enumerate() {
            let name = "http_request_duration_seconds_bucket";
            let value = second * (index as i64 + 1);
            let _ = writeln!(text, "{name}{{{labels},le=\"{bound}\"}} {value}");
        }
        let _ = writeln!(
            text,
            "http_request_duration_seconds_sum{{{labels}}} {second}.5"
        );
        let _ = writeln!(
            text,
            "http_request_duration_seconds_count{{{labels}}} {}",
            second * 12
        );
        rows += BOUNDS.len() + 2;
    }
    text.push_str("# TYPE http_requests_total counter\n");
    for handler in 0..40 {
        for status in ["200", "404", "500", "503"] {
            let labels = format!("service=\"storefront\",method=\"GET\",path=\"/{handler}\"");
            let _ = writeln!(
                text,
                "http_requests_total{{{labels},status=\"{status}\"}} {second}"
            );
            rows += 1;
        }
    }
    text.push_str("# TYPE inventory_level gauge\n");
    for product in rows..SERIES {
        let _ = writeln!(
            text,
            "inventory_level{{product_id=\"{product}\"}} {}",
            second % 7
        );
    }
    text
}

fn scrape(store: &mut Store, text: &str, t_ms: i64) {
    let rows = parse(Parser::Strict, Format::Text, text, Limits::default()).unwrap_or_default();
    for row in &rows {
        let _ = store.append(&row.label_set(), t_ms, row.value);
    }
}

fn filled() -> Store {
    let mut store = Store::new(3_600_000);
    for second in 0..SECONDS {
        scrape(&mut store, &exposition(second), second * 1_000);
    }
    store
}

#[divan::bench(args = [Parser::Strict, Parser::Compat])]
fn parse_only(bencher: Bencher, parser: Parser) {
    let text = exposition(7);
    bencher.bench(|| parse(parser, Format::Text, black_box(&text), Limits::default()));
}

#[divan::bench]
fn parse_and_append(bencher: Bencher) {
    let mut store = filled();
    let text = exposition(SECONDS);
    let mut second = SECONDS;
    bencher.bench_local(|| {
        second += 1;
        scrape(&mut store, black_box(&text), second * 1_000);
    });
}

#[divan::bench]
fn evaluate_the_drill_rules(bencher: Bencher) {
    let mut store = filled();
    let files = RuleFile::parse(RULES).into_iter().collect();
    let mut evaluator = Evaluator::new(files, Config::default());
    let groups = evaluator.groups().len();
    let mut second = SECONDS;
    bencher.bench_local(|| {
        second += 1;
        for group in 0..groups {
            black_box(evaluator.evaluate(group, &mut store, second * 1_000));
        }
    });
}
