//! Properties of what is written and read: expressions, numbers, strings, the series notation.

use std::fmt::Write as _;

use promql::script::series;
use promql::value::{Value, is_stale, stale_nan};
use promql::{Engine, Labels, Query, Store};
use proptest::prelude::*;

/// `offset` and `@` in every form.
fn shift() -> impl Strategy<Value = String> {
    prop_oneof![
        Just(String::new()),
        (-100_000_i64..100_000).prop_map(|s| format!(" offset {s}s")),
        (-1e9..1e9).prop_map(|s: f64| format!(" @ {s:.3}")),
        Just(" @ start() offset 1h30m".to_owned()),
        Just(" offset -5m @ end()".to_owned()),
    ]
}

fn selector() -> impl Strategy<Value = String> {
    let matcher = ("[a-zA-Z_][a-zA-Z0-9_]{0,4}", "=|!=|=~|!~", "[a-z.*|(]{0,4}")
        .prop_map(|(name, operator, value)| format!("{name}{operator}'{value}'"))
        .prop_filter("the pattern is one", |text| !text.contains(['(', '*']));
    let quoted = "[^\"\\\\\n]{1,6}".prop_map(|name| format!("{{\"{name}\", a=\"\"}}"));
    prop_oneof![
        (
            "[a-z_:][a-zA-Z0-9_:]{0,6}",
            prop::collection::vec(matcher, 0..3)
        )
            .prop_map(|(name, matchers)| {
                format!("{{__name__=\"{name}\",{}}}", matchers.join(","))
            }),
        "[xyz]_(sum|total|bucket)".prop_map(|name| name),
        quoted,
    ]
}

fn range() -> impl Strategy<Value = String> {
    (selector(), 1_i64..10_000_000_000, shift())
        .prop_map(|(selector, ms, shift)| format!("{selector}[{ms}ms]{shift}"))
}

/// Vectors of every form, from the bottom.
fn vector() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        (selector(), shift()).prop_map(|(selector, shift)| selector + &shift),
        any::<f64>().prop_map(|number| format!("vector({number})")),
        range().prop_map(|range| format!("rate({range})")),
        range().prop_map(|range| format!("quantile_over_time(0.9, {range})")),
        Just("vector(time() ^ -2 ^ 3 % 5)".to_owned()),
    ];
    let aggregation = "sum|avg|count|min|max|group|stddev|stdvar";
    let operator = "\\+|-|\\*|/|%|\\^|atan2|==|!=|<=|>= bool|and|or|unless";
    leaf.prop_recursive(4, 32, 2, move |inner| {
        let two = (inner.clone(), inner.clone());
        prop_oneof![
            inner.clone().prop_map(|x| format!("-({x})")),
            (inner.clone(), shift()).prop_map(|(x, s)| format!("deriv(({x})[5m:]{s})")),
            inner.clone().prop_map(|x| format!("({x})")),
            inner
                .clone()
                .prop_map(|x| format!("absent_over_time(({x})[1w:1m])")),
            (aggregation, inner.clone()).prop_map(|(a, x)| format!("{a} by (b, \"c d\") ({x})")),
            (aggregation, inner.clone()).prop_map(|(a, x)| format!("{a}({x}) without ()")),
            inner
                .clone()
                .prop_map(|x| format!("count_values(\"n\\t\\\"\", {x})")),
            inner
                .clone()
                .prop_map(|x| format!("topk(scalar({x}), {x})")),
            inner
                .clone()
                .prop_map(|x| format!("label_replace({x}, 'a', '$1', 'b', '(.*)\\n')")),
            inner.clone().prop_map(|x| format!("hour({x}) + hour()")),
            (two.clone(), operator).prop_map(|((x, y), o)| format!("({x}) {o} ({y})")),
            two.prop_map(|(x, y)| format!("({x}) > bool on (a) group_right (c) ({y})")),
            (inner.clone(), inner.clone()).prop_map(|(x, y)| format!("{x} / ignoring (a) {y}")),
            (inner.clone(), inner).prop_map(|(x, y)| format!("{x} ^ {y} ^ 2")),
        ]
    })
}

fn scalar(text: &str) -> f64 {
    let query = Query::parse(text).unwrap();
    match Engine::default()
        .instant(&Store::new(1), &query, 0)
        .unwrap()
        .value
    {
        Value::Scalar(sample) => sample.value,
        other => panic!("{other:?}"),
    }
}

/// Every character of a string in some form of escape.
fn escaped(text: &str, form: u8) -> String {
    let mut out = "\"".to_owned();
    for c in text.chars() {
        let _ = match form % 4 {
            0 => write!(out, "\\U{:08x}", u32::from(c)),
            1 => c
                .encode_utf8(&mut [0; 4])
                .bytes()
                .try_for_each(|byte| write!(out, "\\x{byte:02X}")),
            2 => c
                .encode_utf8(&mut [0; 4])
                .bytes()
                .try_for_each(|byte| write!(out, "\\{byte:03o}")),
            _ if matches!(c, '"' | '\\') => write!(out, "\\{c}"),
            _ if c == '\n' => write!(out, "\\n"),
            _ => write!(out, "{c}"),
        };
    }
    out + "\""
}

fn bits(samples: &[Option<f64>]) -> Vec<Option<u64>> {
    let bits = |value: f64| {
        if value.is_nan() && !is_stale(value) {
            f64::NAN.to_bits()
        } else {
            value.to_bits()
        }
    };
    samples.iter().map(|sample| sample.map(bits)).collect()
}

proptest! {
    #[test]
    fn what_is_printed_is_what_was_read(text in vector()) {
        // An expression may be too deep or its types may not fit; most are fine.
        if let Ok(query) = Query::parse(&text) {
            let printed = query.to_string();
            let again = Query::parse(&printed);
            prop_assert!(again.is_ok(), "{text} prints as {printed}: {again:?}");
            prop_assert_eq!(again.unwrap().to_string(), printed);
        } else {
            prop_assert!(text.len() > 10, "{}", text);
        }
    }

    #[test]
    fn numbers_keep_their_bits(value in any::<f64>()) {
        let text = format!("{value}");
        let printed = Query::parse(&text).unwrap().to_string();
        prop_assert_eq!(bits(&[Some(scalar(&printed))]), bits(&[Some(value)]), "{}", printed);
    }

    #[test]
    fn strings_mean_their_characters(text in "\\PC{0,8}|[\"'`\\\\\n\t\r]{0,4}", form in 0..4_u8) {
        let query = Query::parse(&format!("x{{l={}}}", escaped(&text, form))).unwrap();
        let again = Query::parse(&query.to_string()).unwrap();
        let labels = Labels::from_pairs([("__name__", "x"), ("l", text.as_str())]);
        let other = labels.with("l", &format!("{text}-"));
        for query in [query, again] {
            prop_assert!(query.selects(&labels), "{query}");
            prop_assert!(!query.selects(&other), "{query}");
        }
    }

    #[test]
    fn series_are_read_as_they_are_written(
        name in "[a-zA-Z_:][a-zA-Z0-9_:]{0,6}",
        label in "\\PC{0,8}|[\"'`\\\\\n]{0,4}",
        form in 0..4_u8,
        words in prop::collection::vec((0..7_u8, any::<f64>(), -50_i32..50, 0..5_usize), 0..10),
    ) {
        let mut text = format!("{name}{{l={}}}", escaped(&label, form));
        let mut expected = Vec::new();
        for (what, value, step, count) in words {
            let first = f64::from(step) / 4.0;
            let step = f64::from(step);
            let _ = match what {
                0 => write!(text, " _"),
                1 => write!(text, " _x{count}"),
                2 => write!(text, " stale"),
                3 => write!(text, " {value}"),
                4 => write!(text, " {value}x{count}"),
                5 => write!(text, " {first}{step:+}x{count}"),
                _ => write!(text, " {first:e}{step:+e}x{count}"),
            };
            match what {
                0 => expected.push(None),
                1 => expected.extend(vec![None; count]),
                2 => expected.push(Some(stale_nan())),
                3 => expected.push(Some(value)),
                4 => expected.extend(vec![Some(value); count + 1]),
                _ => expected.extend((0..=count).map(|n| Some(first + step * n as f64))),
            }
        }
        let read = series::parse(&text).unwrap();
        prop_assert_eq!(read.labels.get("l").unwrap_or_default(), label);
        prop_assert_eq!(read.labels.metric_name(), Some(name.as_str()));
        prop_assert_eq!(bits(&read.samples), bits(&expected), "{}", text);
    }
}
