//! `query`: one expression on the chosen source, as a table or as JSON.

use std::fmt::Write as _;
use std::time::{Duration, SystemTime};

use promql::labels::Labels;
use promql::value::{Sample, Series, Value};
use serde_json::{Value as Json, json};
use signals::source::Range;
use signals::{Answer, Source, SourceError};

use crate::attach;
use crate::cli::{FaultArgs, QueryArgs};
use crate::output;
use crate::stop::{ENVIRONMENT, Stop, USAGE};
use crate::world::World;

/// What the embedded engine scrapes before it is asked, so that a rate has something to say.
const EMBEDDED_WARM_UP: Duration = Duration::from_secs(6);

/// Opens the source, evaluates and prints.
pub(crate) async fn run(args: QueryArgs) -> Result<(), Stop> {
    if args.source.prometheus.is_none() {
        // A typing error need not wait for a lab to come up.
        promql::Query::parse(&args.expr)
            .map_err(|error| Stop::usage(format!("query `{}`: {error}", args.expr)))?;
    }
    if let Some(at) = args.at.as_deref() {
        moment(at)?;
    }
    let world = World::open(&args.source, &FaultArgs::default(), 1).await?;
    if world.lab.is_some() {
        output::progress("no --prometheus: asking a fresh embedded lab");
        tokio::time::sleep(EMBEDDED_WARM_UP).await;
    }
    let outcome = ask(&args, &*world.source).await;
    world.close().await;
    outcome
}

async fn ask(args: &QueryArgs, source: &dyn Source) -> Result<(), Stop> {
    let answer = if let (Some(length), Some(step)) = (args.range, args.step) {
        let end_ms = now_ms();
        let step_ms = i64::try_from(step.as_millis()).unwrap_or(i64::MAX).max(1);
        let length_ms = i64::try_from(length.as_millis()).unwrap_or(i64::MAX);
        let range = Range {
            start_ms: end_ms.saturating_sub(length_ms),
            end_ms,
            step_ms,
        };
        let answer = source.range(&args.expr, range).await.map_err(stop)?;
        Answer {
            value: Value::Matrix(answer.value),
            at_ms: answer.at_ms,
            notes: answer.notes,
        }
    } else {
        let at_ms = args.at.as_deref().map(moment).transpose()?;
        source.instant(&args.expr, at_ms).await.map_err(stop)?
    };
    for note in &answer.notes {
        output::progress(note);
    }
    if args.json {
        output::result(&document(&answer).to_string())?;
    } else {
        output::result(&table(&answer.value))?;
    }
    Ok(())
}

/// A bad query is the person's to mend; everything else is the environment's.
#[expect(clippy::needless_pass_by_value, reason = "it stands in `map_err`")]
fn stop(error: SourceError) -> Stop {
    let code = match error {
        SourceError::BadQuery { .. } => USAGE,
        _ => ENVIRONMENT,
    };
    let help = attach::help(&error).map(|help| format!("\n  help: {help}"));
    Stop {
        code,
        text: format!("{error}{}", help.unwrap_or_default()),
    }
}

/// Reads RFC 3339 or seconds since the epoch.
fn moment(text: &str) -> Result<i64, Stop> {
    if let Ok(seconds) = text.parse::<f64>()
        && seconds.is_finite()
    {
        return Ok((seconds * 1000.0).round() as i64);
    }
    text.parse::<jiff::Timestamp>()
        .map(jiff::Timestamp::as_millisecond)
        .map_err(|_| {
            Stop::usage(format!(
                "--at {text}: write RFC 3339, such as 2026-01-31T12:00:00Z, or seconds since 1970"
            ))
        })
}

fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    i64::try_from(since.unwrap_or_default().as_millis()).unwrap_or(i64::MAX)
}

fn table(value: &Value) -> String {
    match value {
        Value::Scalar(sample) => format!("{}", sample.value),
        Value::String(text) => signals::clean::text(text).into_owned(),
        Value::Vector(points) if points.is_empty() => "(no series)".to_owned(),
        Value::Vector(points) => {
            let names: Vec<String> = points.iter().map(|point| name(&point.labels)).collect();
            let width = names
                .iter()
                .map(|name| name.chars().count())
                .max()
                .unwrap_or(0);
            let mut text = String::new();
            for (name, point) in names.iter().zip(points) {
                let _ = writeln!(text, "{name:width$}  {}", point.sample.value);
            }
            text
        }
        Value::Matrix(series) if series.is_empty() => "(no series)".to_owned(),
        Value::Matrix(series) => {
            let mut text = String::new();
            for one in series {
                let _ = writeln!(text, "{}", name(&one.labels));
                for sample in &one.samples {
                    let _ = writeln!(text, "  {}  {}", time(sample.t_ms), sample.value);
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

/// The shape of Prometheus' own API, so that scripts need no second reader.
fn document(answer: &Answer<Value>) -> Json {
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
    json!({"resultType": kind, "result": result, "warnings": answer.notes})
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
    json!([seconds(sample.t_ms), prometheus_number(sample.value)])
}

fn seconds(t_ms: i64) -> f64 {
    t_ms as f64 / 1000.0
}

fn prometheus_number(value: f64) -> String {
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

    #[test]
    fn moments_are_rfc_3339_or_seconds() {
        assert_eq!(moment("1.5").unwrap(), 1500);
        assert_eq!(moment("1970-01-01T00:00:02Z").unwrap(), 2000);
        assert!(moment("yesterday").unwrap_err().text.contains("RFC 3339"));
    }

    #[test]
    fn documents_have_the_shape_of_the_api() {
        let sample = Sample {
            t_ms: 1500,
            value: f64::INFINITY,
        };
        let answer = Answer {
            value: Value::Scalar(sample),
            at_ms: 1500,
            notes: Vec::new(),
        };
        assert_eq!(
            document(&answer).to_string(),
            r#"{"result":[1.5,"+Inf"],"resultType":"scalar","warnings":[]}"#
        );
    }
}
