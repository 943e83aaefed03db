//! An answer as a table for people and as a document for programs.

use std::fmt::Write as _;

use promql::labels::Labels;
use promql::value::{Sample, Series, Value};
use serde_json::{Value as Json, json};
use signals::Answer;

/// What Prometheus puts before an info, which unlike a warning needs nobody to act.
const INFO: &str = "PromQL info";

/// Returns one line for each series, or for each sample of a range.
pub(super) fn table(value: &Value) -> String {
    match value {
        Value::Scalar(sample) => number(sample.value),
        Value::String(text) => signals::clean::text(text).into_owned(),
        Value::Vector(points) => {
            let names: Vec<String> = points.iter().map(|point| name(&point.labels)).collect();
            let width = names
                .iter()
                .map(|name| name.chars().count())
                .max()
                .unwrap_or(0);
            let mut text = String::new();
            for (name, point) in names.iter().zip(points) {
                let _ = writeln!(text, "{name:width$}  {}", number(point.sample.value));
            }
            text
        }
        Value::Matrix(series) => {
            let mut text = String::new();
            for one in series {
                let _ = writeln!(text, "{}", name(&one.labels));
                for sample in &one.samples {
                    let _ = writeln!(text, "  {}  {}", time(sample.t_ms), number(sample.value));
                }
            }
            text
        }
    }
}

fn name(labels: &Labels) -> String {
    signals::clean::text(&labels.to_string()).into_owned()
}

fn time(t_ms: i64) -> String {
    jiff::Timestamp::from_millisecond(t_ms)
        .map_or_else(|_| t_ms.to_string(), |moment| format!("{moment:.3}"))
}

/// The `data` of Prometheus' own API with the notes beside it, so that scripts need no second
/// reader: every value is a text, which lets NaN and +Inf be told.
pub(super) fn document(answer: &Answer<Value>) -> Json {
    let (kind, result) = match &answer.value {
        Value::Scalar(sample) => ("scalar", pair(*sample)),
        Value::String(text) => ("string", json!([seconds(answer.at_ms), text])),
        Value::Vector(points) => (
            "vector",
            points
                .iter()
                .map(|point| json!({"metric": metric(&point.labels), "value": pair(point.sample)}))
                .collect(),
        ),
        Value::Matrix(series) => ("matrix", series.iter().map(matrix).collect()),
    };
    let (infos, warnings): (Vec<&String>, Vec<&String>) =
        answer.notes.iter().partition(|note| note.starts_with(INFO));
    json!({"resultType": kind, "result": result, "warnings": warnings, "infos": infos})
}

fn matrix(series: &Series) -> Json {
    let values: Vec<Json> = series.samples.iter().copied().map(pair).collect();
    json!({"metric": metric(&series.labels), "values": values})
}

fn metric(labels: &Labels) -> Json {
    labels
        .iter()
        .map(|(name, value)| (name.to_owned(), json!(value)))
        .collect::<serde_json::Map<_, _>>()
        .into()
}

fn pair(sample: Sample) -> Json {
    json!([seconds(sample.t_ms), number(sample.value)])
}

fn seconds(t_ms: i64) -> f64 {
    t_ms as f64 / 1000.0
}

fn number(value: f64) -> String {
    match value {
        value if value.is_nan() => "NaN".to_owned(),
        f64::INFINITY => "+Inf".to_owned(),
        f64::NEG_INFINITY => "-Inf".to_owned(),
        value => value.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use promql::value::Point;

    #[test]
    fn documents_have_the_shape_of_the_api() {
        let sample = |value| Sample { t_ms: 1500, value };
        let answer = |value| Answer {
            value,
            at_ms: 1500,
            notes: vec!["PromQL info: a".to_owned(), "PromQL warning: b".to_owned()],
        };
        let labels = Labels::from_pairs([("a", "b")]);
        let notes = r#""warnings":["PromQL warning: b"]}"#;
        for (value, expect) in [
            (
                Value::Scalar(sample(f64::INFINITY)),
                r#""result":[1.5,"+Inf"],"resultType":"scalar","#,
            ),
            (
                Value::Vector(vec![Point {
                    labels: labels.clone(),
                    sample: sample(f64::NAN),
                }]),
                r#""result":[{"metric":{"a":"b"},"value":[1.5,"NaN"]}],"resultType":"vector","#,
            ),
            (
                Value::Matrix(vec![Series {
                    labels,
                    samples: vec![sample(1.0), sample(f64::NEG_INFINITY)],
                }]),
                r#""result":[{"metric":{"a":"b"},"values":[[1.5,"1"],[1.5,"-Inf"]]}],"resultType":"matrix","#,
            ),
        ] {
            assert_eq!(
                document(&answer(value)).to_string(),
                format!(r#"{{"infos":["PromQL info: a"],{expect}{notes}"#)
            );
        }
    }
}
