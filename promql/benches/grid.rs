//! Expressions of rules over 24 hours at one evaluation a minute, 500 series a metric:
//! `cargo bench -p promql --bench grid`. Items are series × steps (of one metric, also where an
//! expression reads two).

use divan::Bencher;
use divan::counter::ItemsCount;
use promql::engine::Grid;
use promql::{Engine, Labels, Query, Store};

const MINUTE_MS: i64 = 60_000;
const STEPS: usize = 24 * 60;
const LEAD_MINUTES: usize = 6 * 60;
const JOBS: usize = 10;
const SERIES: usize = 500;
const BOUNDS: [&str; 10] = [
    "0.005", "0.01", "0.025", "0.05", "0.1", "0.25", "0.5", "1", "2.5", "+Inf",
];

fn main() {
    divan::main();
}

/// Errors `e` and requests `c` are counters, `g` and `x` gauges, `b` a histogram.
fn store() -> Store {
    let mut store = Store::new(i64::MAX);
    for name in ["c", "e", "g", "x"] {
        for number in 0..SERIES {
            let (job, instance) = (format!("j{}", number % JOBS), format!("i{number}"));
            let labels = Labels::from_pairs([
                ("__name__", name),
                ("job", job.as_str()),
                ("instance", instance.as_str()),
            ]);
            fill(&mut store, &labels, number, name == "c" || name == "e");
        }
    }
    for number in 0..SERIES {
        let group = number / BOUNDS.len();
        let (job, instance) = (format!("j{}", group % JOBS), format!("i{group}"));
        let labels = Labels::from_pairs([
            ("__name__", "b"),
            ("job", job.as_str()),
            ("instance", instance.as_str()),
            ("le", BOUNDS[number % BOUNDS.len()]),
        ]);
        fill(&mut store, &labels, number % BOUNDS.len(), true);
    }
    store
}

fn fill(store: &mut Store, labels: &Labels, number: usize, counter: bool) {
    let mut value = 0.0;
    for minute in 0..LEAD_MINUTES + STEPS {
        let noise = ((minute * 7 + number * 13) % 17) as f64 / 4.0;
        if counter {
            value += noise * (number + 1) as f64;
        } else {
            value = noise;
        }
        let _ = store.append(labels, minute as i64 * MINUTE_MS, value);
    }
}

#[divan::bench(sample_count = 10, args = [
    "x > 5",
    "rate(c[5m]) > 1",
    "sum by (job) (rate(c[5m]))",
    "sum(rate(e[6h])) / sum(rate(c[6h]))",
    "histogram_quantile(0.95, sum by (le, job) (rate(b[5m])))",
    "avg_over_time(g[1h]) > 3",
    "max_over_time(g[1h]) > 5",
    "sum by (job) (x) / sum by (job) (g) > 2",
    "rate(e[5m]) / rate(c[5m]) > 2",
    "avg by (job) (g)",
    "max by (job) (g)",
    "absent(x)",
    "x > 4 and on (instance) g > 4",
])]
fn day(bencher: Bencher<'_, '_>, text: &str) {
    let Ok(query) = Query::parse(text) else {
        return;
    };
    let store = store();
    let engine = Engine::default();
    let grid = Grid {
        start_ms: LEAD_MINUTES as i64 * MINUTE_MS,
        step_ms: MINUTE_MS,
        steps: STEPS,
    };
    bencher
        .counter(ItemsCount::new(SERIES * STEPS))
        .bench_local(|| engine.grid(&store, &query, grid));
}
