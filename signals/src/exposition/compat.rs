//! The lenient reader: `prometheus-parse`, its grouped samples taken apart again.

use std::borrow::Cow;
use std::io;

use prometheus_parse::{Sample, Scrape, Value};
use promql::labels::METRIC_NAME;

use super::{Limits, Pairs, ParseError, Row, format_float};

/// Reads a text; only its size can fail.
pub(super) fn rows<'a>(text: &str, limits: Limits) -> Result<Vec<Row<'a>>, ParseError> {
    let lines = text.lines().map(|line| io::Result::Ok(line.to_owned()));
    let scrape = Scrape::parse(lines).map_err(|e| too_much(e.to_string()))?;
    let written = written_times(text);
    let mut rows = Vec::with_capacity(scrape.samples.len());
    for sample in &scrape.samples {
        expand(sample, written, &mut rows);
    }
    if rows.len() > limits.rows {
        return Err(too_much(format!("more than {} samples", limits.rows)));
    }
    Ok(rows)
}

/// The crate puts its own time where none is written; a text either has times or has none.
fn written_times(text: &str) -> bool {
    text.lines()
        .filter(|line| !line.starts_with('#'))
        .any(|line| {
            let after = line.rsplit_once('}').map_or(line, |(_, after)| after);
            let words = after.split_whitespace().count();
            words == if line.contains('}') { 2 } else { 3 }
        })
}

fn too_much(message: String) -> ParseError {
    ParseError {
        line: 1,
        column: 1,
        message,
    }
}

fn expand(sample: &Sample, written: bool, rows: &mut Vec<Row<'_>>) {
    let t_ms = written.then(|| sample.timestamp.timestamp_millis());
    let mut push = |name: String, bound: Option<(&'static str, f64)>, value: f64| {
        let mut labels: Pairs<'_> = sample
            .labels
            .iter()
            .map(|(name, value)| (Cow::Owned(name.clone()), Cow::Owned(value.clone())))
            .collect();
        labels.extend(bound.map(|(name, at)| (Cow::Borrowed(name), Cow::Owned(format_float(at)))));
        labels.push((Cow::Borrowed(METRIC_NAME), Cow::Owned(name)));
        labels.sort();
        rows.push(Row {
            key: Cow::Owned(format!("{labels:?}")),
            labels,
            value,
            t_ms,
            exemplar: None,
        });
    };
    match &sample.value {
        Value::Counter(value) | Value::Gauge(value) | Value::Untyped(value) => {
            push(sample.metric.clone(), None, *value);
        }
        Value::Histogram(buckets) => {
            for bucket in buckets {
                let name = format!("{}_bucket", sample.metric);
                push(name, Some(("le", bucket.less_than)), bucket.count);
            }
        }
        Value::Summary(quantiles) => {
            for one in quantiles {
                push(
                    sample.metric.clone(),
                    Some(("quantile", one.quantile)),
                    one.count,
                );
            }
        }
    }
}
