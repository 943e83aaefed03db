//! Evaluates rules over 2,000 series: `cargo bench -p promql --bench rules`.

use divan::Bencher;
use promql::rules::{Config, Evaluator, RuleFile};
use promql::{Engine, Labels, Query, Store};

const SERIES: usize = 2_000;
const MINUTES: i64 = 10;
const SCRAPE_MS: i64 = 5_000;

fn main() {
    divan::main();
}

fn store() -> Store {
    let mut store = Store::new(i64::MAX);
    for number in 0..SERIES {
        let (service, path) = (format!("s{}", number % 7), format!("/p/{}", number % 50));
        let instance = number.to_string();
        let labels = Labels::from_pairs([
            ("__name__", "http_requests_total"),
            ("service", service.as_str()),
            ("path", path.as_str()),
            ("instance", instance.as_str()),
            ("status", if number % 10 == 0 { "500" } else { "200" }),
            ("method", "GET"),
        ]);
        let mut value = 0.0;
        for step in 0..MINUTES * 60_000 / SCRAPE_MS {
            value += (step as usize * 7 + number) as f64 % 13.0;
            let _ = store.append(&labels, step * SCRAPE_MS, value);
        }
    }
    store
}

const RULES: &str = "
groups:
- name: g
  rules:
  - record: service:rate
    expr: sum by (service) (rate(http_requests_total[1m]))
  - record: service:errors
    expr: sum by (service) (rate(http_requests_total{status=~'5..'}[1m]))
  - alert: ErrorsHigh
    expr: service:errors / service:rate > 0.01
    for: 10s
    labels: {severity: critical}
    annotations: {summary: '{{ $value | humanizePercentage }} of {{ $labels.service }} fails'}
  - alert: Quiet
    expr: sum(http_requests_total offset 5m) > sum(http_requests_total)
";

#[divan::bench]
fn four_rules(bencher: Bencher<'_, '_>) {
    let Ok(file) = RuleFile::parse(RULES) else {
        return;
    };
    let mut store = store();
    let mut evaluator = Evaluator::new(vec![file], Config::default());
    let mut t_ms = MINUTES * 60_000;
    bencher.bench_local(|| {
        t_ms += 1;
        evaluator.evaluate(0, &mut store, t_ms)
    });
}

#[divan::bench(args = [
    "http_requests_total",
    "sum(http_requests_total)",
    "sum by (service) (rate(http_requests_total[5m]))",
    "http_requests_total{status=~'5..',path='/p/10'}",
])]
fn one_query(bencher: Bencher<'_, '_>, text: &str) {
    let Ok(query) = Query::parse(text) else {
        return;
    };
    let store = store();
    let engine = Engine::default();
    bencher.bench_local(|| engine.instant(&store, &query, MINUTES * 60_000));
}

#[divan::bench]
fn append_one_scrape(bencher: Bencher<'_, '_>) {
    let mut store = store();
    let names: Vec<Labels> = (0..SERIES)
        .map(|number| {
            let number = number.to_string();
            Labels::from_pairs([("__name__", "g"), ("instance", number.as_str())])
        })
        .collect();
    let mut t_ms = MINUTES * 60_000;
    bencher.bench_local(|| {
        t_ms += SCRAPE_MS;
        for labels in &names {
            let _ = store.append(labels, t_ms, 1.0);
        }
    });
}
