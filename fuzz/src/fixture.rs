//! The small store that parsed things are evaluated over, and how results are compared.

use std::collections::BTreeMap;

use promql::engine::{Columns, Engine, Evaluated, Grid, Options, Profile, QueryError, is_absent};
use promql::script::series;
use promql::store::Limits;
use promql::value::{Value, stale_nan};
use promql::{Labels, Query, Store};

/// Distance of the samples.
pub const STEP_MS: i64 = 15_000;
/// When the last sample lies.
pub const END_MS: i64 = 40 * STEP_MS;

/// The times at which queries are evaluated; the last is the last sample's.
const GRID: Grid = Grid {
    start_ms: 5 * STEP_MS,
    step_ms: 7 * STEP_MS,
    steps: 6,
};

/// Resets, gaps, stale markers, every odd number, histograms with missing and falling buckets.
const SERIES: &str = r#"
x_total{a="1",l="x"} 0+10x40
x_total{a="2",l="y"} 0+3x10 0+1x20 _x5 2 3
x_total{a="3"} 5 1e300 1.7e308 1.7e308 0 1
m{a="1",b="p"} -5+1x20 NaN Inf -Inf 3e300 -0 0 1
m{a="2",b="q"} 1x10 stale 0x5 stale _x10 1x5
m{a="2",b="r",l="not a number"} 4.9e-324x3 _x20 7
up{job="api",instance="0"} 1x10 0x10 1x20
up{job="api",instance="1"} 1x20 stale _x10 1x8
x{l="1.0"} 1 2 3 _x30 4 5
y{l="x",a="1"} 2x40
y{l="y",a="1"} 3-1x40
z 1700000000+15x40
{a="nameless"} 1x40
h_bucket{le="0.1"} 0+1x40
h_bucket{le="1"} 0+3x40
h_bucket{le="+Inf"} 0+4x40
h_bucket{le="0.1",a="1"} 0+1x40
h_bucket{le="0.5",a="1"} 9-1x40
h_bucket{le="x",a="1"} 1x40
h_bucket{le="+Inf",a="1"} 0+2x40
h_count 0+4x40
h_sum 0+2.5x40
q{quantile="0.5"} 1x40
"#;

/// Returns a store that holds the series above and has room for some more.
pub fn store() -> Store {
    let mut store = Store::with_limits(Limits {
        max_series: 2_000,
        max_samples: 200_000,
        ..Limits::default()
    });
    for line in SERIES.lines().filter(|line| !line.is_empty()) {
        let notation = series::parse(line).expect("the series are in the notation");
        for (index, sample) in notation.samples.iter().enumerate() {
            if let Some(value) = sample {
                store
                    .append(&notation.labels, index as i64 * STEP_MS, *value)
                    .expect("the series are in order");
            }
        }
    }
    // A series that ended long ago, and one whose only sample is a marker.
    let gone = Labels::from_pairs([("__name__", "gone")]);
    store
        .append(&gone, 0, 1.0)
        .expect("the series are in order");
    let ended = Labels::from_pairs([("__name__", "ended")]);
    store
        .append(&ended, STEP_MS, stale_nan())
        .expect("the series are in order");
    store
}

/// Returns an engine whose queries are small.
pub fn engine(profile: Profile, delayed_name_removal: bool) -> Engine {
    Engine::new(Options {
        profile,
        delayed_name_removal,
        max_steps: 100,
        max_samples: 20_000,
        ..Options::default()
    })
}

/// Evaluates at a few single times, over the range of the same times, and as a grid of single
/// queries; panics where they differ.
pub fn evaluate(engine: &Engine, store: &Store, query: &Query) {
    let singles: Vec<_> = (0..GRID.steps)
        .map(|step| (GRID.at(step), engine.instant(store, query, GRID.at(step))))
        .collect();
    if let Ok(Value::Matrix(_) | Value::String(_)) = singles[0].1.as_ref().map(|one| &one.value) {
        return;
    }
    // Sums over long windows come from running totals where there are many steps, and may differ
    // in the last place; what is computed from them may then differ at will.
    let printed = query.to_string();
    if ["sum_over_time(", "avg_over_time("]
        .iter()
        .any(|name| printed.contains(name))
    {
        let _ = engine.grid(store, query, GRID);
        let _ = engine.range(store, query, GRID.start_ms, END_MS, GRID.step_ms);
        return;
    }
    check_grid(engine, store, query, &singles);
    check_range(engine, store, query, &singles);
}

type Single = (i64, Result<Evaluated, QueryError>);

/// `@ start()` and `@ end()` mean the step in both, so nothing may differ.
fn check_grid(engine: &Engine, store: &Store, query: &Query, singles: &[Single]) {
    let columns = match engine.grid(store, query, GRID) {
        Ok(columns) => columns,
        Err(error) => {
            let failed = singles.iter().any(|(_, single)| single.is_err());
            assert!(
                failed || is_limit(&error),
                "{query}: {error}, but only as a grid"
            );
            return;
        }
    };
    for (step, (t_ms, single)) in singles.iter().enumerate() {
        let expected = match single {
            Ok(evaluated) => elements(&evaluated.value),
            Err(error) if is_limit(error) => continue,
            Err(error) => panic!("{query} at {t_ms}: {error}, but not as a grid"),
        };
        let got: BTreeMap<Labels, u64> = match &columns {
            Columns::Scalar(values) => BTreeMap::from([(Labels::default(), bits(values[step]))]),
            Columns::Vector(rows) => rows
                .iter()
                .filter(|row| !is_absent(row.values[step]))
                .map(|row| (row.labels.clone(), bits(row.values[step])))
                .collect(),
            Columns::Text(_) => return,
        };
        assert_eq!(got, expected, "{query} at {t_ms} as a grid");
    }
}

fn check_range(engine: &Engine, store: &Store, query: &Query, singles: &[Single]) {
    let printed = query.to_string();
    // These mean another time in a range query.
    if printed.contains("@ start()") || printed.contains("@ end()") {
        let _ = engine.range(store, query, GRID.start_ms, END_MS, GRID.step_ms);
        return;
    }
    let rows = match engine.range(store, query, GRID.start_ms, END_MS, GRID.step_ms) {
        Ok(Evaluated {
            value: Value::Matrix(rows),
            ..
        }) => rows,
        Ok(other) => panic!("{query}: a range query gave {other:?}"),
        Err(error) => {
            let failed = singles.iter().any(|(_, single)| single.is_err());
            // Elements of different steps can collide once their names are gone.
            let collided = error.to_string().contains("same labelset");
            assert!(
                failed || collided || is_limit(&error),
                "{query}: {error}, but only as a range"
            );
            return;
        }
    };
    for (t_ms, single) in singles {
        match single {
            Ok(evaluated) => {
                let at: BTreeMap<Labels, u64> = rows
                    .iter()
                    .filter_map(|row| {
                        let found = row.samples.iter().find(|sample| sample.t_ms == *t_ms)?;
                        Some((row.labels.clone(), bits(found.value)))
                    })
                    .collect();
                assert_eq!(
                    at,
                    elements(&evaluated.value),
                    "{query} at {t_ms} as a range"
                );
            }
            Err(error) => assert!(
                is_limit(error),
                "{query} at {t_ms}: {error}, but not as a range"
            ),
        }
    }
}

fn is_limit(error: &QueryError) -> bool {
    matches!(error, QueryError::TooManySamples { .. })
}

fn elements(value: &Value) -> BTreeMap<Labels, u64> {
    match value {
        Value::Scalar(sample) => BTreeMap::from([(Labels::default(), bits(sample.value))]),
        Value::Vector(points) => points
            .iter()
            .map(|point| (point.labels.clone(), bits(point.sample.value)))
            .collect(),
        Value::String(_) | Value::Matrix(_) => BTreeMap::new(),
    }
}

/// Every NaN is one.
fn bits(value: f64) -> u64 {
    if value.is_nan() {
        f64::NAN.to_bits()
    } else {
        value.to_bits()
    }
}
