//! The same questions to the real promtool: random queries, and alert states.

mod alerts;
mod ask;
mod generate;

use std::collections::BTreeMap;

use promql::script::series;
use promql::value::Value;
use promql::{Engine, Labels, Options, Query, Store};

use ask::{Answer, Case, Promtool};
use generate::{Generator, SeriesLine};

const INTERVAL_MS: i64 = 10_000;

fn load(lines: &[SeriesLine]) -> Store {
    let mut store = Store::new(i64::MAX);
    for line in lines {
        let notation = series::parse(&format!("{} {}", line.name, line.values)).unwrap();
        for (index, sample) in notation.samples.iter().enumerate() {
            if let Some(value) = sample {
                let t_ms = index as i64 * INTERVAL_MS;
                store.append(&notation.labels, t_ms, *value).unwrap();
            }
        }
    }
    store
}

/// Evaluates a query with the engine under test.
fn ours(engine: &Engine, store: &Store, case: &Case) -> Answer {
    let parse = if engine.options.delayed_name_removal {
        Query::parse_experimental
    } else {
        Query::parse
    };
    let query = match parse(&case.expr) {
        Ok(query) => query,
        Err(error) => return Answer::Error(error.to_string()),
    };
    match engine.instant(store, &query, case.t_ms) {
        Err(error) => Answer::Error(error.to_string()),
        Ok(evaluated) => Answer::Vector(match evaluated.value {
            Value::Scalar(sample) => vec![(Labels::default(), sample.value)],
            Value::Vector(points) => points
                .into_iter()
                .map(|point| (point.labels, point.sample.value))
                .collect(),
            other => panic!("{}: {other:?}", case.expr),
        }),
    }
}

/// Says whether two answers are the same but for rounding.
fn agree(expr: &str, ours: &Answer, theirs: &Answer) -> bool {
    match (ours, theirs) {
        (Answer::Error(_), Answer::Error(_)) => true,
        (Answer::Vector(ours), Answer::Vector(theirs)) => {
            if ["topk", "bottomk", "count_values"]
                .iter()
                .any(|word| expr.contains(word))
            {
                // Which of two equal elements is taken is nobody's promise, and the last digit of
                // a logarithm is not worth a label.
                let values = |vector: &[(Labels, f64)]| {
                    let mut values: Vec<f64> = vector.iter().map(|(_, value)| *value).collect();
                    values.sort_by(f64::total_cmp);
                    values
                };
                let (ours, theirs) = (values(ours), values(theirs));
                return ours.len() == theirs.len()
                    && ours.iter().zip(&theirs).all(|(a, b)| close(expr, *a, *b));
            }
            let index = |vector: &[(Labels, f64)]| -> BTreeMap<Labels, f64> {
                vector.iter().cloned().collect()
            };
            let (left, right) = (index(ours), index(theirs));
            ours.len() == theirs.len()
                && left.len() == right.len()
                && left
                    .iter()
                    .zip(&right)
                    .all(|((a, x), (b, y))| a == b && close(expr, *x, *y))
        }
        _ => false,
    }
}

/// Functions whose last digits depend on the order of additions or cancel: 1e-6 instead of 1e-9.
const LOOSE: [&str; 5] = ["stddev", "stdvar", "deriv", "predict_linear", "sin("];

fn close(expr: &str, a: f64, b: f64) -> bool {
    if a == b || (a.is_nan() && b.is_nan()) {
        return true;
    }
    let tolerance = if LOOSE.iter().any(|word| expr.contains(word)) {
        1e-6
    } else {
        1e-9
    };
    (a - b).abs() <= tolerance * a.abs().max(b.abs()).max(1e-6)
}

/// Asks both for `batches` × 300 random queries and fails on any difference.
fn compare(test: &str, engine: &Engine, features: &[&str], batches: std::ops::Range<u64>) {
    let Some(promtool) = Promtool::find(test) else {
        return;
    };
    let (mut asked, mut errors, mut empty) = (0, 0, 0);
    let mut differences = Vec::new();
    for seed in batches {
        let mut generator = Generator::new(seed, engine.options.delayed_name_removal);
        let lines = generator.series();
        let store = load(&lines);
        let cases: Vec<Case> = (0..300).map(|_| generator.case()).collect();
        let answers = promtool.ask(features, &lines, &cases);
        assert_eq!(answers.len(), cases.len());
        for (case, theirs) in cases.iter().zip(&answers) {
            let ours = ours(engine, &store, case);
            asked += 1;
            errors += usize::from(matches!(theirs, Answer::Error(_)));
            empty += usize::from(matches!(theirs, Answer::Vector(v) if v.is_empty()));
            if !agree(&case.expr, &ours, theirs) {
                differences.push(format!(
                    "seed {seed}, {} at {} ms\n  ours:   {ours:?}\n  theirs: {theirs:?}",
                    case.expr, case.t_ms
                ));
            }
        }
    }
    println!(
        "{asked} queries against {}: {errors} errors on both sides, {empty} empty",
        promtool.version
    );
    let shown: Vec<&str> = differences.iter().take(20).map(String::as_str).collect();
    assert!(
        differences.is_empty(),
        "{} of {asked} differ:\n{}",
        differences.len(),
        shown.join("\n")
    );
}

#[test]
fn random_queries_agree_with_promtool() {
    compare(
        "random_queries_agree_with_promtool",
        &Engine::default(),
        &[],
        0..10,
    );
}

#[test]
fn random_queries_agree_with_experimental_promtool() {
    let engine = Engine::new(Options {
        delayed_name_removal: true,
        ..Options::default()
    });
    compare(
        "random_queries_agree_with_experimental_promtool",
        &engine,
        &[
            "promql-experimental-functions",
            "promql-delayed-name-removal",
        ],
        100..106,
    );
}
