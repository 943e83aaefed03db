//! The text of a scrape, both formats, both readers.

use std::borrow::Cow;
use std::fmt::Write as _;

use signals::exposition::{Format, Limits, Pairs, Parser, Row, parse};

const LIMITS: Limits = Limits {
    rows: 2_000,
    labels: 64,
};

/// Reads; what the strict reader accepts is printed and read again.
pub fn run(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    for format in [Format::Text, Format::OpenMetrics] {
        let _ = parse(Parser::Compat, format, &text, LIMITS);
        match parse(Parser::Strict, format, &text, LIMITS) {
            Ok(rows) => {
                assert!(rows.len() <= LIMITS.rows);
                for row in &rows {
                    check_row(row);
                }
                let printed = print(format, &rows);
                let again = parse(Parser::Strict, format, &printed, LIMITS)
                    .unwrap_or_else(|error| panic!("{text:?} prints as {printed:?}: {error}"));
                assert_eq!(comparable(&rows), comparable(&again), "{printed:?}");
            }
            Err(error) => {
                let lines = text.split('\n').count();
                assert!((1..=lines + 1).contains(&error.line), "{text:?}: {error}");
                let line = text.split('\n').nth(error.line - 1).unwrap_or_default();
                let columns = line.chars().count() + 1;
                assert!((1..=columns).contains(&error.column), "{text:?}: {error}");
            }
        }
    }
}

fn check_row(row: &Row<'_>) {
    assert!(row.labels.len() <= LIMITS.labels);
    assert!(!row.key.is_empty());
    let labels = row.label_set();
    assert!(labels.len() <= row.labels.len());
}

fn print(format: Format, rows: &[Row<'_>]) -> String {
    let mut out = String::new();
    for row in rows {
        write_labels(&mut out, &row.labels);
        let _ = write!(out, " {}", row.value);
        if let Some(t_ms) = row.t_ms {
            write_time(&mut out, format, t_ms);
        }
        if let Some(exemplar) = &row.exemplar {
            out.push_str(" # ");
            write_labels(&mut out, &exemplar.labels);
            let _ = write!(out, " {}", exemplar.value);
            if let Some(t_ms) = exemplar.t_ms {
                write_time(&mut out, format, t_ms);
            }
        }
        out.push('\n');
    }
    if format == Format::OpenMetrics {
        out.push_str("# EOF\n");
    }
    out
}

fn write_labels(out: &mut String, labels: &Pairs<'_>) {
    out.push('{');
    for (index, (name, value)) in labels.iter().enumerate() {
        let comma = if index == 0 { "" } else { "," };
        let _ = write!(out, "{comma}\"{}\"=\"{}\"", escaped(name), escaped(value));
    }
    out.push('}');
}

fn escaped(text: &str) -> String {
    let text = text.replace('\\', "\\\\").replace('"', "\\\"");
    text.replace('\n', "\\n")
}

fn write_time(out: &mut String, format: Format, t_ms: i64) {
    let _ = match format {
        Format::Text => write!(out, " {t_ms}"),
        Format::OpenMetrics => write!(out, " {}", t_ms as f64 / 1000.0),
    };
}

type Comparable = (Vec<(String, String)>, u64, Option<i64>, bool);

/// Everything but the key, which is the text as it was written.
fn comparable(rows: &[Row<'_>]) -> Vec<Comparable> {
    rows.iter()
        .map(|row| {
            let labels = row.labels.iter();
            let owned = |(name, value): &(Cow<'_, str>, Cow<'_, str>)| {
                (name.clone().into_owned(), value.clone().into_owned())
            };
            let bits = if row.value.is_nan() {
                1
            } else {
                row.value.to_bits()
            };
            // A float of seconds holds milliseconds up to about 2^53 only.
            let t_ms = row.t_ms.filter(|t_ms| t_ms.abs() < 1 << 50);
            (
                labels.map(owned).collect(),
                bits,
                t_ms,
                row.exemplar.is_some(),
            )
        })
        .collect()
}
