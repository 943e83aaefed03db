//! Many steps at once give what each step gives alone, for random expressions.

use std::collections::BTreeMap;

use promql::engine::{Columns, Grid, is_absent};
use promql::value::Value;
use promql::{Dialect, Engine, Labels, Options, Query, Store};

use crate::promtool::generate::{Generator, Random};
use crate::promtool::load;

/// What a query is at one step.
type Answer = Result<BTreeMap<Labels, u64>, String>;

/// All NaN are one.
fn bits(value: f64) -> u64 {
    if value.is_nan() {
        f64::NAN.to_bits()
    } else {
        value.to_bits()
    }
}

fn alone(engine: &Engine, store: &Store, query: &Query, t_ms: i64) -> Answer {
    let value = engine
        .instant(store, query, t_ms)
        .map_err(|error| error.to_string())?
        .value;
    Ok(match value {
        Value::Scalar(sample) => BTreeMap::from([(Labels::default(), bits(sample.value))]),
        Value::Vector(points) => points
            .into_iter()
            .map(|point| (point.labels, bits(point.sample.value)))
            .collect(),
        other => panic!("{other:?}"),
    })
}

fn as_grid(
    engine: &Engine,
    store: &Store,
    query: &Query,
    grid: Grid,
) -> Result<Vec<Answer>, String> {
    let mut answers = vec![BTreeMap::new(); grid.steps];
    let mut put = |labels: &Labels, values: &[f64]| {
        assert_eq!(values.len(), grid.steps);
        for (answer, value) in answers.iter_mut().zip(values) {
            if !is_absent(*value) {
                assert!(answer.insert(labels.clone(), bits(*value)).is_none());
            }
        }
    };
    match engine
        .grid(store, query, grid)
        .map_err(|error| error.to_string())?
    {
        Columns::Scalar(values) => put(&Labels::default(), &values),
        Columns::Vector(rows) => rows.iter().for_each(|row| put(&row.labels, &row.values)),
        Columns::Text(text) => panic!("{text}"),
    }
    Ok(answers.into_iter().map(Ok).collect())
}

fn as_range(
    engine: &Engine,
    store: &Store,
    query: &Query,
    grid: Grid,
) -> Result<Vec<Answer>, String> {
    let end_ms = grid.at(grid.steps - 1);
    let value = engine
        .range(store, query, grid.start_ms, end_ms, grid.step_ms)
        .map_err(|error| error.to_string())?
        .value;
    let Value::Matrix(series) = value else {
        panic!("{value:?}");
    };
    let mut answers = vec![BTreeMap::new(); grid.steps];
    for series in series {
        for sample in series.samples {
            let step = (sample.t_ms - grid.start_ms) / grid.step_ms;
            answers[step as usize].insert(series.labels.clone(), bits(sample.value));
        }
    }
    Ok(answers.into_iter().map(Ok).collect())
}

/// Compares with every step alone; an error at one step is an error of all.
fn check(expr: &str, grid: Grid, alone: &[Answer], together: &Result<Vec<Answer>, String>) {
    match together {
        Ok(together) => {
            for (step, (alone, together)) in alone.iter().zip(together).enumerate() {
                let t_ms = grid.at(step);
                assert_eq!(together, alone, "{expr} at {t_ms} ms of {grid:?}");
            }
        }
        Err(error) => assert!(
            alone.iter().any(Result::is_err),
            "{expr} over {grid:?}: {error}, but no step alone fails"
        ),
    }
}

fn compare(engine: &Engine, seeds: std::ops::Range<u64>) {
    for seed in seeds {
        let dialect = Dialect {
            profile: engine.options.profile,
            experimental: engine.options.delayed_name_removal,
        };
        let mut generator = Generator::new(seed, dialect);
        let mut random = Random::new(seed);
        let store = load(&generator.series());
        for _ in 0..150 {
            let case = generator.case();
            let Ok(query) = Query::parse_as(&case.expr, dialect) else {
                continue;
            };
            let grid = Grid {
                start_ms: case.t_ms,
                step_ms: [1_000, 7_000, 10_000, 60_000, 400_000][random.below(5) as usize],
                steps: 1 + random.below(20) as usize,
            };
            let alone: Vec<Answer> = (0..grid.steps)
                .map(|step| alone(engine, &store, &query, grid.at(step)))
                .collect();
            check(
                &case.expr,
                grid,
                &alone,
                &as_grid(engine, &store, &query, grid),
            );
            if case.expr.contains("start()") || case.expr.contains("end()") {
                continue;
            }
            let range = as_range(engine, &store, &query, grid);
            let collides = range
                .as_ref()
                .is_err_and(|error| error.contains("same labelset"));
            // Rows that differ in their name alone collide in a range query even at different
            // steps.
            if !collides {
                check(&case.expr, grid, &alone, &range);
            }
        }
    }
}

#[test]
fn many_steps_agree_with_each_step_alone() {
    compare(&Engine::default(), 200..206);
}

#[test]
fn many_steps_agree_when_names_are_removed_late() {
    let engine = Engine::new(Options {
        delayed_name_removal: true,
        ..Options::default()
    });
    compare(&engine, 300..304);
}
