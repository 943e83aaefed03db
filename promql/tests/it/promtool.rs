//! The same questions to the real promtool: random queries, and alert states.

mod alerts;
pub(crate) mod ask;
mod compare;
mod files;
pub(crate) mod generate;
mod limits;
mod rule_files;
mod templates;

use promql::script::series;
use promql::value::Value;
use promql::{Dialect, Engine, Labels, Query, Store};

use ask::{Answer, Case, Promtool};
use compare::compare;
use generate::SeriesLine;

const INTERVAL_MS: i64 = 10_000;

pub(crate) fn load(lines: &[SeriesLine]) -> Store {
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
fn ours(engine: &Engine, dialect: Dialect, store: &Store, case: &Case) -> Answer {
    let query = match Query::parse_as(&case.expr, dialect) {
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
            // promtool refuses these.
            Value::String(_) | Value::Matrix(_) => {
                return Answer::Error("neither a vector nor a scalar".to_owned());
            }
        }),
    }
}

#[test]
fn random_queries_agree_with_promtool() {
    if let Some(promtool) = Promtool::find_program("random_queries_agree_with_promtool", "promtool")
    {
        compare(&promtool, &[], 0..5);
    }
}

#[test]
fn random_queries_agree_with_experimental_promtool() {
    let test = "random_queries_agree_with_experimental_promtool";
    if let Some(promtool) = Promtool::find_program(test, "promtool") {
        let features = [
            "promql-experimental-functions",
            "promql-delayed-name-removal",
        ];
        compare(&promtool, &features, 100..103);
    }
}

#[test]
fn random_queries_agree_with_promtool_2_53() {
    let test = "random_queries_agree_with_promtool_2_53";
    if let Some(promtool) = Promtool::find_program(test, "promtool-2.53") {
        compare(&promtool, &[], 200..203);
    }
}

#[test]
fn random_queries_agree_with_promtool_2_42() {
    let test = "random_queries_agree_with_promtool_2_42";
    if let Some(promtool) = Promtool::find_program(test, "promtool-2.42") {
        compare(&promtool, &[], 300..303);
    }
}
