//! No input panics, overflows the stack, or runs away.

use promql::{Engine, Labels, Options, Query, QueryError, Store};

fn refused(text: &str) -> String {
    match Query::parse(text) {
        Ok(query) => panic!("accepted {query}"),
        Err(error) => error.to_string(),
    }
}

#[test]
fn deep_nesting_is_refused() {
    let count = 5_000;
    for text in [
        "(".repeat(count) + "1" + &")".repeat(count),
        "-".repeat(count) + "x",
        vec!["a"; count].join(" + "),
        vec!["a"; count].join(" or "),
        vec!["2"; count].join("^"),
        "sum(".repeat(count) + "x" + &")".repeat(count),
        "abs(".repeat(300) + "x" + &")".repeat(300),
    ] {
        let message = refused(&text);
        assert!(
            message.contains("nested") || message.contains("operators"),
            "{message}"
        );
    }
}

#[test]
fn deep_but_allowed_nesting_fits_a_small_stack() {
    let nested = |open: &str, close: &str, depth: usize| {
        format!("{}a{}", open.repeat(depth), close.repeat(depth))
    };
    let texts = [
        vec!["a"; 145].join(" + "),
        vec!["a"; 145].join(" and "),
        nested("abs(", ")", 145),
        nested("sum(", ")", 145),
        nested("topk(1, ", ")", 145),
        nested("histogram_quantile(1, ", ")", 145),
        nested("label_replace(", ", \"x\", \"\", \"y\", \"\")", 145),
        nested("absent(", ")", 145),
        nested("-(", ")", 72),
        nested("max_over_time((", ")[1m:1m])", 48),
    ];
    let run = move || {
        let mut store = Store::new(i64::MAX);
        let labels = Labels::from_pairs([("__name__", "a")]);
        store.append(&labels, 0, 1.0).unwrap();
        let engine = Engine::default();
        for text in &texts {
            let query = Query::parse(text).unwrap();
            engine.instant(&store, &query, 0).unwrap();
            engine.range(&store, &query, 0, 60_000, 10_000).unwrap();
        }
    };
    std::thread::Builder::new()
        .stack_size(1280 << 10)
        .spawn(run)
        .unwrap()
        .join()
        .unwrap();
}

#[test]
fn numbers_that_are_no_durations_are_refused() {
    for text in [
        "x[NaN]",
        "x[inf]",
        "x[1e300]",
        "x[5m:1e300]",
        "x offset 1e300",
        "x offset -inf",
        "x[0]",
        "x[0s]",
        "x @ 1e300",
        "x @ NaN",
        "x[99999999999999999999y]",
    ] {
        refused(text);
    }
    assert_eq!(
        Query::parse("x @ -100").unwrap().to_string(),
        "x @ -100.000"
    );
}

#[test]
fn what_prometheus_refuses_by_default_is_refused() {
    for text in [
        "limitk(1, x)",
        "limit_ratio(0.5, x)",
        "mad_over_time(x[5m])",
        "info(x)",
        "x + fill (0) y",
        "{a=\"b\" or c=\"d\"}",
        "holt_winters(x[5m], 0.5, 0.5)",
    ] {
        refused(text);
    }
}

#[test]
fn ranges_and_samples_are_limited() {
    let mut store = Store::new(i64::MAX);
    for number in 0..50 {
        let number = number.to_string();
        let labels = Labels::from_pairs([("__name__", "m"), ("i", number.as_str())]);
        for t_ms in 0..100 {
            store.append(&labels, t_ms * 1000, 1.0).unwrap();
        }
    }
    let engine = Engine::new(Options {
        max_samples: 1000,
        ..Options::default()
    });
    let query = Query::parse("m").unwrap();
    assert!(matches!(
        engine.range(&store, &query, 0, 11_000_000, 1000),
        Err(QueryError::TooManySteps { .. })
    ));
    assert!(matches!(
        engine.range(&store, &query, 0, 99_000, 1000),
        Err(QueryError::TooManySamples { .. })
    ));
    assert!(engine.range(&store, &query, 0, 9_000, 1000).is_ok());
    assert!(engine.range(&store, &query, 0, 9_000, 0).is_err());
    assert!(engine.range(&store, &query, 9_000, 0, 1000).is_err());
    let text = Query::parse("m[1m]").unwrap();
    assert!(engine.range(&store, &text, 0, 9_000, 1000).is_err());
    for t_ms in [i64::MIN, i64::MAX] {
        let query = Query::parse("rate(m[5m] offset 1h) + m offset -1h").unwrap();
        assert!(engine.instant(&store, &query, t_ms).is_ok());
    }
}
