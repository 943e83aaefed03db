//! What a sample costs: `cargo bench -p promql --bench store`.
//!
//! A table of bytes per sample comes first, with everything counted: labels, index, the open head
//! of each series and the unused room of its lists. `read` decodes whole series.

use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use promql::{Engine, Labels, Query, Store};

const KINDS: [&str; 7] = [
    "constant",
    "counter, jittered times",
    "gauge, 3 decimals",
    "histogram bucket",
    "sum of seconds",
    "ratio of counters",
    "random floats",
];
const SAMPLES: i64 = 10_000;
/// Several series, since the room to decode into is made once per query.
const READ_TOGETHER: usize = 20;

#[expect(clippy::print_stdout, reason = "a benchmark reports to its user")]
fn main() {
    println!(
        "{:<26}{:>14}{:>14}",
        "bytes per sample", "of 1,000", "of 10,000"
    );
    for kind in KINDS {
        let short = bytes_per_sample(kind, 1_000);
        let long = bytes_per_sample(kind, 10_000);
        println!("{kind:<26}{short:>14.2}{long:>14.2}");
    }
    divan::main();
}

fn bytes_per_sample(kind: &str, samples: i64) -> f64 {
    const SERIES: usize = 100;
    let mut store = Store::new(i64::MAX);
    for number in 0..SERIES {
        fill(&mut store, kind, number, samples);
    }
    store.bytes() as f64 / store.sample_count() as f64
}

fn labels(number: usize) -> Labels {
    let instance = format!("shop-{number}:9464");
    Labels::from_pairs([
        ("__name__", "http_request_duration_seconds_bucket"),
        ("job", "shop"),
        ("instance", instance.as_str()),
        ("service", "storefront"),
        ("path", "/products/:id"),
        ("le", "0.25"),
    ])
}

fn fill(store: &mut Store, kind: &str, number: usize, samples: i64) {
    let labels = labels(number);
    for (t_ms, value) in series(kind, number as u64, samples) {
        let _ = store.append(&labels, t_ms, value);
    }
}

/// Returns the samples of a series that is scraped every second.
fn series(kind: &str, seed: u64, samples: i64) -> Vec<(i64, f64)> {
    let mut random = Random(seed.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    let mut state = 1_000.0;
    let mut bad = 0.0;
    let sample = |index: i64| {
        let jitter_ms = (random.below(9) as i64) - 4;
        let (t_ms, value) = (index * 1_000, &mut state);
        match kind {
            "constant" => (t_ms, 42.5),
            "counter, jittered times" => {
                *value += random.below(10) as f64;
                (t_ms + jitter_ms, *value)
            }
            "gauge, 3 decimals" => {
                *value += random.below(2_001) as f64 / 1_000.0 - 1.0;
                (t_ms, (*value * 1_000.0).round() / 1_000.0)
            }
            "histogram bucket" => {
                *value += random.below(4) as f64;
                (t_ms, *value)
            }
            "sum of seconds" => {
                *value += random.below(1_000_000) as f64 / 1e7;
                (t_ms, *value)
            }
            "ratio of counters" => {
                *value += random.below(10) as f64;
                bad += f64::from(u8::from(random.below(20) == 0));
                (t_ms, bad / *value)
            }
            _ => (t_ms, random.next() as f64 / u64::MAX as f64),
        }
    };
    (0..samples).map(sample).collect()
}

#[divan::bench(args = KINDS)]
fn append(bencher: Bencher<'_, '_>, kind: &str) {
    let (labels, samples) = (labels(0), series(kind, 0, SAMPLES));
    bencher
        .counter(ItemsCount::new(SAMPLES as usize))
        .bench_local(|| {
            let mut store = Store::new(i64::MAX);
            let mut known = None;
            for (t_ms, value) in &samples {
                known = store.append_at(known, &labels, *t_ms, *value).ok();
            }
            black_box(store.sample_count())
        });
}

#[divan::bench(args = KINDS)]
fn read(bencher: Bencher<'_, '_>, kind: &str) {
    let Ok(query) = Query::parse("last_over_time({job='shop'}[1d])") else {
        return;
    };
    let mut store = Store::new(i64::MAX);
    for number in 0..READ_TOGETHER {
        fill(&mut store, kind, number, SAMPLES);
    }
    let engine = Engine::default();
    bencher
        .counter(ItemsCount::new(READ_TOGETHER * SAMPLES as usize))
        .bench_local(|| engine.instant(&store, &query, SAMPLES * 1_000));
}

/// Numbers that are the same in every run.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }
}
