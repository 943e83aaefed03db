//! Both readers of a scraped text: accepted texts, refused texts with their place, and agreement.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use proptest::prelude::*;
use signals::exposition::{Format, Limits, Parser, parse};

fn read(format: Format, text: &str) -> Result<Vec<String>, String> {
    let rows = parse(Parser::Strict, format, text, Limits::default()).map_err(|e| e.to_string())?;
    Ok(rows
        .iter()
        .map(|row| {
            let mut line = format!("{} {}", row.label_set(), row.value);
            if let Some(t_ms) = row.t_ms {
                write!(line, " @{t_ms}").unwrap();
            }
            if let Some(exemplar) = &row.exemplar {
                write!(line, " # {} {}", exemplar.label_set(), exemplar.value).unwrap();
                if let Some(t_ms) = exemplar.t_ms {
                    write!(line, " @{t_ms}").unwrap();
                }
            }
            line
        })
        .collect())
}

fn check(format: Format, text: &str, expect: &[&str]) {
    let rows = read(format, text).unwrap_or_else(|e| panic!("{text:?}: {e}"));
    assert_eq!(rows, expect, "{text:?}");
}

fn refuse(format: Format, text: &str, expect: &str) {
    match read(format, text) {
        Ok(rows) => panic!("{text:?} was read as {rows:?}"),
        Err(error) => assert!(error.starts_with(expect), "{text:?}: {error}"),
    }
}

#[test]
fn text_format() {
    check(
        Format::Text,
        concat!(
            "# HELP http_requests_total The \\\\ total\n",
            "# TYPE http_requests_total counter\n",
            "http_requests_total{path=\"/products/{id}\",q=\"a=b,c\"} 1027 1395066363000\n",
            "\n",
            "#no blank, so a comment\n",
            "# just a comment\n",
            "  job:up:sum \t 1e-3\n",
            "a{x=\"C:\\\\DIR\\n\\\"q\\\" \\d\",} +Inf -3\n",
            "{\"utf.8 name\",\"läbel\"=\"v\"} NaN\n",
            "a { b = \"c\" , d = \"e\" } 1\n",
            "no_newline_at_end 5",
        ),
        &[
            r#"http_requests_total{path="/products/{id}", q="a=b,c"} 1027 @1395066363000"#,
            "job:up:sum 0.001",
            r#"a{x="C:\\DIR\n\"q\" \\d"} inf @-3"#,
            r#"utf.8 name{läbel="v"} NaN"#,
            r#"a{b="c", d="e"} 1"#,
            "no_newline_at_end 5",
        ],
    );
}

#[test]
fn bounds_are_normalised_within_their_type() {
    check(
        Format::Text,
        concat!(
            "# TYPE h histogram\n",
            "h_bucket{le=\"1\"} 1\nh_bucket{le=\"+Inf\"} 1\nh_sum 2\n",
            "# TYPE s summary\n",
            "s{quantile=\"1\"} 1\ns{le=\"1\"} 1\n",
            "# TYPE g gauge\n",
            "g{le=\"1\"} 1\n",
        ),
        &[
            r#"h_bucket{le="1.0"} 1"#,
            r#"h_bucket{le="+Inf"} 1"#,
            "h_sum 2",
            r#"s{quantile="1.0"} 1"#,
            r#"s{le="1"} 1"#,
            r#"g{le="1"} 1"#,
        ],
    );
}

#[test]
fn open_metrics_format() {
    check(
        Format::OpenMetrics,
        concat!(
            "# TYPE h histogram\n# UNIT h seconds\n# HELP h Time\n",
            "h_bucket{le=\"1\"} 3 1.5 # {trace_id=\"ab\"} 0.7 1520879607.789\n",
            "h_bucket{le=\"+Inf\"} 3 # {} 9\n",
            "h_count 3\n# EOF\n",
        ),
        &[
            r#"h_bucket{le="1.0"} 3 @1500 # {trace_id="ab"} 0.7 @1520879607789"#,
            r#"h_bucket{le="+Inf"} 3 # {} 9"#,
            "h_count 3",
        ],
    );
}

#[test]
fn mistakes_have_a_place() {
    for (text, expect) in [
        ("a 1\nb", "line 2, column 2: a number expected"),
        ("a one", "line 1, column 3: \"one\" is not a number"),
        ("a 1 2 3", "line 1, column 7: the end of the line"),
        ("a 1 1.5", "line 1, column 5: \"1.5\" is not a time"),
        ("a{b=\"c} 1", "line 1, column 5: this quoted text"),
        ("a{b=\"c\\\"} 1", "line 1, column 5: this quoted text"),
        ("a{ä=\"c\"} 1", "line 1, column 3: a label name expected"),
        (
            "a{b=\"ä\" c=\"d\"} 1",
            "line 1, column 9: `,` or `}` expected",
        ),
        (
            "a{b=\"1\",b=\"2\"} 1",
            "line 1, column 9: label \"b\" is there twice",
        ),
        (
            "a{\"b\"} 1",
            "line 1, column 3: label \"__name__\" is there twice",
        ),
        ("{b=\"c\"} 1", "line 1, column 1: a metric name expected"),
        ("<html>", "line 1, column 1: a metric name expected"),
        (
            "# TYPE a wat",
            "line 1, column 10: \"wat\" is not a metric type",
        ),
        (
            "# TYPE a info",
            "line 1, column 10: \"info\" is not a metric type",
        ),
        ("# HELP 1a x", "line 1, column 8: this line names no metric"),
        ("a 1\r\n", "line 1, column 3: \"1\\r\" is not a number"),
    ] {
        refuse(Format::Text, text, expect);
    }
    for (text, expect) in [
        ("a 1\n", "line 2, column 1: # EOF expected"),
        ("a 1\n# EOF\na 2\n", "line 3, column 1: nothing may follow"),
        ("a  1\n# EOF\n", "line 1, column 3: a number expected"),
        ("\n# EOF\n", "line 1, column 1: a metric name expected"),
        ("# comment\n# EOF\n", "line 1, column 3: TYPE, HELP"),
        (
            "a 1 # {\n# EOF\n",
            "line 1, column 8: a label name expected",
        ),
        (
            "a 1 NaN\n# EOF\n",
            "line 1, column 5: a time must be finite",
        ),
    ] {
        refuse(Format::OpenMetrics, text, expect);
    }
}

#[test]
fn size_is_bounded() {
    let limits = Limits { rows: 2, labels: 3 };
    for parser in [Parser::Strict, Parser::Compat] {
        let error = parse(parser, Format::Text, "a 1\nb 1\nc 1\n", limits).unwrap_err();
        assert!(error.to_string().contains("more than 2 samples"), "{error}");
    }
    let error = parse(
        Parser::Strict,
        Format::Text,
        "a{a=\"\",b=\"\",c=\"\"} 1",
        limits,
    );
    assert!(error.unwrap_err().message.contains("more than 3 labels"));
}

#[test]
fn content_types() {
    for (text, expect) in [
        (
            "text/plain; version=0.0.4; charset=utf-8",
            Some(Format::Text),
        ),
        ("TEXT/PLAIN", Some(Format::Text)),
        (
            "application/openmetrics-text; version=1.0.0",
            Some(Format::OpenMetrics),
        ),
        (
            "text/plain ; version=\"0.0.4; \\\"x\" ; A=1;",
            Some(Format::Text),
        ),
        ("text/plain; charset", None),
        ("text/plain; a=1; A=2", None),
        ("text/plain; version=\"0.0.4", None),
        ("text/plain, text/plain", None),
        ("text/html", None),
        ("", None),
    ] {
        assert_eq!(Format::from_content_type(text), expect, "{text}");
    }
}

/// A sample that both readers understand.
#[derive(Debug, Clone)]
struct Plain {
    name: String,
    labels: BTreeMap<String, String>,
    value: f64,
}

fn plain(value_chars: &'static str) -> impl Strategy<Value = Plain> {
    (
        "[a-z][a-z0-9_]{0,8}",
        proptest::collection::btree_map("[a-z][a-z0-9_]{0,5}", value_chars, 0..4),
        proptest::num::f64::ANY,
    )
        .prop_map(|(name, mut labels, value)| {
            labels.remove("le");
            labels.remove("quantile");
            Plain {
                name,
                labels,
                value,
            }
        })
}

fn write(samples: &[Plain]) -> String {
    let mut text = String::new();
    for sample in samples {
        text.push_str(&sample.name);
        let pairs: Vec<String> = sample
            .labels
            .iter()
            .map(|(name, value)| {
                let value = value.replace('\\', "\\\\").replace('"', "\\\"");
                format!("{name}=\"{}\"", value.replace('\n', "\\n"))
            })
            .collect();
        if !pairs.is_empty() {
            write!(text, "{{{}}}", pairs.join(",")).unwrap();
        }
        writeln!(text, " {}", sample.value).unwrap();
    }
    text
}

/// Labels and value bits, NaN made one.
fn facts(parser: Parser, text: &str) -> Vec<(String, u64)> {
    let rows = parse(parser, Format::Text, text, Limits::default()).unwrap();
    let mut facts: Vec<(String, u64)> = rows
        .iter()
        .map(|row| {
            let value = if row.value.is_nan() {
                f64::NAN
            } else {
                row.value
            };
            (row.label_set().to_string(), value.to_bits())
        })
        .collect();
    facts.sort();
    facts
}

proptest! {
    #[test]
    fn what_is_written_is_read(samples in proptest::collection::vec(plain("\\PC{0,12}|[\\\\\"\n{}=, ]{0,6}"), 0..20)) {
        let text = write(&samples);
        let rows = parse(Parser::Strict, Format::Text, &text, Limits::default()).unwrap();
        prop_assert_eq!(rows.len(), samples.len());
        for (row, sample) in rows.iter().zip(&samples) {
            prop_assert_eq!(row.name(), &sample.name);
            prop_assert!(row.value == sample.value || sample.value.is_nan());
            let labels: BTreeMap<String, String> = row.labels.iter().skip(1)
                .map(|(n, v)| (n.to_string(), v.to_string())).collect();
            prop_assert_eq!(&labels, &sample.labels);
        }
        let open_metrics = text.clone() + "# EOF\n";
        prop_assert!(parse(Parser::Strict, Format::OpenMetrics, &open_metrics, Limits::default()).is_ok());
    }

    #[test]
    fn both_readers_agree_where_the_lenient_one_can_read(samples in proptest::collection::vec(plain("[a-zA-Z0-9/:._-]{1,12}"), 0..20)) {
        let text = write(&samples);
        prop_assert_eq!(facts(Parser::Strict, &text), facts(Parser::Compat, &text));
    }

    #[test]
    fn no_text_panics(text in "(\\PC|[ \t\n\"\\\\{}=,#]){0,80}") {
        for format in [Format::Text, Format::OpenMetrics] {
            let _ = parse(Parser::Strict, format, &text, Limits::default());
        }
        let _ = parse(Parser::Compat, Format::Text, &text, Limits::default());
    }
}

#[test]
fn both_readers_agree_on_histograms_and_summaries() {
    let text = concat!(
        "# TYPE h histogram\n",
        "h_bucket{a=\"x\",le=\"0.5\"} 1\nh_bucket{a=\"x\",le=\"1\"} 2\nh_bucket{a=\"x\",le=\"+Inf\"} 2\n",
        "h_sum{a=\"x\"} 1.5\nh_count{a=\"x\"} 2\n",
        "# TYPE s summary\n",
        "s{quantile=\"0.5\"} 1\ns{quantile=\"1\"} 3\ns_sum 4\ns_count 2\n",
    );
    assert_eq!(facts(Parser::Strict, text), facts(Parser::Compat, text));
}
