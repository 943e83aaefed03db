//! Makes the families of another vocabulary out of ours, and writes them as OpenMetrics text.

use std::{
    collections::BTreeMap,
    fmt::{self, Write as _},
};

use prometheus_client::encoding::prometheus_protobuf::prometheus_data_model as model;

use super::vocabulary::{ALIASES, Alias, Only, Vocabulary};

/// Appends the aliases of `asked` to OpenMetrics text.
pub(super) fn write(
    out: &mut String,
    families: &[model::MetricFamily],
    asked: &[Vocabulary],
) -> fmt::Result {
    for alias in ALIASES {
        if !asked.contains(&alias.vocabulary) {
            continue;
        }
        let name = alias.of.name();
        // A role that does not run in this process counts nothing, under no name.
        let Some(family) = families.iter().find(|family| family.name == name) else {
            continue;
        };
        let series = translate(alias, &family.metric);
        let kind = alias.of.kind.name();
        let help = alias.of.help;
        writeln!(
            out,
            "# HELP {} {help}; another name of {name}.",
            alias.family
        )?;
        writeln!(out, "# TYPE {} {kind}", alias.family)?;
        for (labels, value) in &series {
            write_series(out, alias.family, labels, value)?;
        }
    }
    Ok(())
}

type Labels = Vec<(&'static str, String)>;

/// What one series of an alias comes to.
#[derive(Debug, Clone, PartialEq)]
enum Value {
    Counter(f64),
    Gauge(f64),
    Histogram(Box<model::Histogram>),
}

fn translate(alias: &Alias, metrics: &[model::Metric]) -> BTreeMap<Labels, Value> {
    let mut series: BTreeMap<Labels, Value> = BTreeMap::new();
    for metric in metrics.iter().filter(|metric| counts(alias, metric)) {
        let Some(value) = value_of(metric, alias.scale) else {
            continue;
        };
        match series.entry(labels_of(alias, metric)) {
            std::collections::btree_map::Entry::Vacant(entry) => {
                entry.insert(value);
            }
            std::collections::btree_map::Entry::Occupied(mut entry) => add(entry.get_mut(), value),
        }
    }
    series
}

fn label<'m>(metric: &'m model::Metric, name: &str) -> &'m str {
    let pair = metric.label.iter().find(|pair| pair.name == name);
    pair.map_or("", |pair| pair.value.as_str())
}

fn counts(alias: &Alias, metric: &model::Metric) -> bool {
    alias.only.iter().all(|only| match only {
        Only::Is(name, value) => label(metric, name) == *value,
        Only::Begins(name, prefix) => label(metric, name).starts_with(prefix),
    })
}

fn labels_of(alias: &Alias, metric: &model::Metric) -> Labels {
    let renamed = |value: &str| {
        let theirs = alias.values.iter().find(|(ours, _)| *ours == value);
        theirs.map_or(value, |(_, theirs)| theirs).to_owned()
    };
    let pairs = alias.labels.iter();
    pairs
        .map(|(ours, theirs)| (*theirs, renamed(label(metric, ours))))
        .collect()
}

fn value_of(metric: &model::Metric, scale: f64) -> Option<Value> {
    if let Some(counter) = &metric.counter {
        return Some(Value::Counter(counter.value));
    }
    if let Some(gauge) = &metric.gauge {
        return Some(Value::Gauge(gauge.value));
    }
    let mut histogram = metric.histogram.clone()?;
    histogram.sample_sum *= scale;
    for bucket in &mut histogram.bucket {
        bucket.upper_bound *= scale;
        if let Some(exemplar) = &mut bucket.exemplar {
            exemplar.value *= scale;
        }
    }
    Some(Value::Histogram(Box::new(histogram)))
}

/// Sums two series whose labels became the same; of two exemplars the later one stays.
fn add(total: &mut Value, other: Value) {
    match (total, other) {
        (Value::Counter(total), Value::Counter(other))
        | (Value::Gauge(total), Value::Gauge(other)) => *total += other,
        (Value::Histogram(total), Value::Histogram(other)) => {
            total.sample_count += other.sample_count;
            total.sample_sum += other.sample_sum;
            // Series of one family have the same bounds.
            for (bucket, more) in total.bucket.iter_mut().zip(other.bucket) {
                bucket.cumulative_count += more.cumulative_count;
                if since(more.exemplar.as_ref()) > since(bucket.exemplar.as_ref()) {
                    bucket.exemplar = more.exemplar;
                }
            }
        }
        // A family has one kind.
        _ => {}
    }
}

fn since(exemplar: Option<&model::Exemplar>) -> Option<(i64, i32)> {
    let time = exemplar?.timestamp.as_ref()?;
    Some((time.seconds, time.nanos))
}

fn write_series(out: &mut String, family: &str, labels: &Labels, value: &Value) -> fmt::Result {
    match value {
        Value::Counter(count) => {
            write_name(out, family, "_total", labels, None)?;
            writeln!(out, " {count}")
        }
        Value::Gauge(level) => {
            write_name(out, family, "", labels, None)?;
            writeln!(out, " {level}")
        }
        Value::Histogram(histogram) => write_histogram(out, family, labels, histogram),
    }
}

fn write_histogram(
    out: &mut String,
    family: &str,
    labels: &Labels,
    histogram: &model::Histogram,
) -> fmt::Result {
    write_name(out, family, "_sum", labels, None)?;
    writeln!(out, " {:?}", histogram.sample_sum)?;
    write_name(out, family, "_count", labels, None)?;
    writeln!(out, " {}", histogram.sample_count)?;
    let mut last = 0.0_f64;
    for bucket in &histogram.bucket {
        last = bucket.upper_bound;
        write_name(out, family, "_bucket", labels, Some(bucket.upper_bound))?;
        write!(out, " {}", bucket.cumulative_count)?;
        if let Some(exemplar) = &bucket.exemplar {
            write_exemplar(out, exemplar)?;
        }
        out.push('\n');
    }
    if last.is_finite() {
        write_name(out, family, "_bucket", labels, Some(f64::INFINITY))?;
        writeln!(out, " {}", histogram.sample_count)?;
    }
    Ok(())
}

fn write_name(
    out: &mut String,
    family: &str,
    suffix: &str,
    labels: &Labels,
    bound: Option<f64>,
) -> fmt::Result {
    write!(out, "{family}{suffix}")?;
    let mut separator = '{';
    for (name, value) in labels {
        write!(out, "{separator}{name}=\"")?;
        push_escaped(out, value);
        out.push('"');
        separator = ',';
    }
    if let Some(bound) = bound {
        write!(out, "{separator}le=\"")?;
        if bound.is_finite() {
            write!(out, "{bound:?}")?;
        } else {
            out.push_str("+Inf");
        }
        out.push('"');
        separator = ',';
    }
    if separator == ',' {
        out.push('}');
    }
    Ok(())
}

fn write_exemplar(out: &mut String, exemplar: &model::Exemplar) -> fmt::Result {
    out.push_str(" # {");
    for (at, pair) in exemplar.label.iter().enumerate() {
        let comma = if at == 0 { "" } else { "," };
        write!(out, "{comma}{}=\"", pair.name)?;
        push_escaped(out, &pair.value);
        out.push('"');
    }
    write!(out, "}} {:?}", exemplar.value)?;
    if let Some(time) = &exemplar.timestamp {
        let seconds = time.seconds as f64 + f64::from(time.nanos) / 1e9;
        write!(out, " {seconds:.3}")?;
    }
    Ok(())
}

fn push_escaped(out: &mut String, value: &str) {
    for c in value.chars() {
        match c {
            '\\' => out.push_str("\\\\"),
            '"' => out.push_str("\\\""),
            '\n' => out.push_str("\\n"),
            c => out.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{model, write};
    use crate::telemetry::vocabulary::Vocabulary;

    fn pair(name: &str, value: &str) -> model::LabelPair {
        model::LabelPair {
            name: name.to_owned(),
            value: value.to_owned(),
        }
    }

    fn histogram(status: &str, count: u64, sum: f64) -> model::Metric {
        let bucket = |upper_bound, cumulative_count| model::Bucket {
            upper_bound,
            cumulative_count,
            ..Default::default()
        };
        model::Metric {
            label: vec![
                pair("service", "orders"),
                pair("method", "POST"),
                pair("path", "/a\"b"),
                pair("status", status),
            ],
            histogram: Some(model::Histogram {
                sample_count: count,
                sample_sum: sum,
                bucket: vec![bucket(0.025, 1), bucket(f64::INFINITY, count)],
                ..Default::default()
            }),
            ..Default::default()
        }
    }

    #[test]
    fn labels_are_renamed_or_summed_away_and_seconds_become_milliseconds() {
        let family = model::MetricFamily {
            name: "http_request_duration_seconds".to_owned(),
            metric: vec![histogram("200", 3, 0.25), histogram("500", 2, 0.5)],
            ..Default::default()
        };
        let mut out = String::new();
        write(
            &mut out,
            &[family],
            &[Vocabulary::Minishop, Vocabulary::Signoz],
        )
        .unwrap();
        let labels = "service=\"orders\",method=\"POST\",path=\"/a\\\"b\"";
        assert!(out.contains(&format!("request_duration_seconds_count{{{labels}}} 5\n")));
        assert!(out.contains(&format!("request_duration_seconds_sum{{{labels}}} 0.75\n")));
        let renamed = "service=\"orders\",http_method=\"POST\",http_route=\"/a\\\"b\",http_status_code=\"200\"";
        let name = "http_server_request_duration_milliseconds";
        assert!(
            out.contains(&format!("{name}_sum{{{renamed}}} 250.0\n")),
            "{out}"
        );
        assert!(out.contains(&format!("{name}_bucket{{{renamed},le=\"25.0\"}} 1\n")));
        assert!(out.contains(&format!("{name}_bucket{{{renamed},le=\"+Inf\"}} 3\n")));
        assert_eq!(out.matches("le=\"+Inf\"").count(), 3, "{out}");
    }
}
