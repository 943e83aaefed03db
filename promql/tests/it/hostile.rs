//! Short texts that ask for too much: each gets its error soon and without much memory.
//!
//! The bounds in time are generous: they tell seconds from hours, not fast from slow.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use promql::engine::{Grid, Profile};
use promql::rules::{Config, Evaluator, RuleFile, RuleType, Template};
use promql::script::{self, Settings, series};
use promql::store::Limits;
use promql::{Engine, Labels, Options, Query, QueryError, Store};

/// Runs something that must not take long.
#[expect(
    clippy::disallowed_methods,
    reason = "the property is that it ends soon"
)]
fn soon<T>(what: &str, run: impl FnOnce() -> T) -> T {
    let started = Instant::now();
    let result = run();
    let took = started.elapsed();
    assert!(took < Duration::from_secs(20), "{what} took {took:?}");
    result
}

fn store(series: usize, samples: i64) -> Store {
    let mut store = Store::new(i64::MAX);
    for number in 0..series {
        let number = number.to_string();
        let labels = Labels::from_pairs([("__name__", "x"), ("a", number.as_str())]);
        for t in 0..samples {
            store.append(&labels, t * 1000, t as f64).unwrap();
        }
    }
    store
}

fn small() -> Engine {
    Engine::new(Options {
        max_samples: 50_000,
        ..Options::default()
    })
}

#[test]
fn subqueries_of_billions_of_steps_are_refused() {
    let store = store(3, 10);
    for text in [
        "count_over_time(x[1y:1ms])",
        "count_over_time(nosuch[1y:1ms])",
        "count_over_time(vector(1)[292y:1ms])",
        "absent_over_time(nosuch[292y:1ms])",
        "max_over_time(max_over_time(nosuch[30y:1s])[1d:1s])",
        "nosuch[292y:1ms]",
        "vector(time())[1d:1ms]",
    ] {
        let query = Query::parse(text).unwrap();
        // A day of milliseconds is still within the usual limit; a year is not.
        let usual = (!text.contains("[1d:1ms]")).then(Engine::default);
        for engine in std::iter::once(small()).chain(usual) {
            let result = soon(text, || engine.instant(&store, &query, 100_000));
            let refused = matches!(result, Err(QueryError::TooManySamples { .. }));
            assert!(refused, "{text}: {result:?}");
        }
    }
    // The windows of neighbouring steps overlap, so these are fewer steps than they look.
    for text in [
        "max_over_time(max_over_time(nosuch[1d:1s])[1d:1s])",
        "max_over_time(max_over_time(max_over_time(nosuch[1h:1s])[1h:1s])[1h:1s])",
        "max_over_time(max_over_time(nosuch[1d:1s] @ 0)[1d:1s] offset 100y)",
        "max_over_time(max_over_time(max_over_time(x[1h:1s])[1h:1s])[1h:1s])",
    ] {
        let query = Query::parse(text).unwrap();
        let _ = soon(text, || small().instant(&store, &query, 100_000));
        let _ = soon(text, || Engine::default().instant(&store, &query, 100_000));
    }
}

#[test]
fn joined_labels_do_not_grow_without_bound() {
    let mut doubled = "x".to_owned();
    for _ in 0..60 {
        doubled = format!("label_join({doubled}, \"a\", \"-\", \"a\", \"a\")");
    }
    let repeated = "$1".repeat(10_000);
    let replaced = format!(
        "label_replace(label_replace(x, \"a\", \"{repeated}\", \"a\", \"(.*)\"), \"a\", \
         \"{repeated}\", \"a\", \"(.*)\")"
    );
    for text in [doubled, replaced] {
        let query = Query::parse(&text).unwrap();
        let store = store(3, 1);
        let result = soon("joining", || Engine::default().instant(&store, &query, 0));
        let error = result.unwrap_err().to_string();
        assert!(error.contains("label value"), "{error}");
    }
}

#[test]
fn a_recorded_label_does_not_grow_from_step_to_step() {
    let rules = "groups: [{name: g, rules: [{record: x, expr: 'label_join(x, \"a\", \"\", \
                 \"a\", \"a\", \"a\", \"a\")'}]}]";
    let file = RuleFile::parse(rules).unwrap();
    let mut evaluator = Evaluator::new(vec![file], Config::default());
    let mut store = store(1, 1);
    let mut refused = 0;
    soon("recording", || {
        for step in 1..40 {
            let outcome = evaluator.evaluate(0, &mut store, step * 1000);
            refused += outcome.errors.len();
        }
    });
    assert!(refused > 0);
}

#[test]
fn many_large_patterns_are_refused() {
    let matchers: Vec<String> = (0..1_900)
        .map(|number| format!("l{number}=~\"\\\\pL{{90}}|{number}\""))
        .collect();
    let text = format!("x{{{}}}", matchers.join(","));
    let error = soon("compiling", || Query::parse(&text)).unwrap_err();
    assert!(error.to_string().contains("regular expressions"), "{error}");
    for pattern in [
        "(a{1000}){1000}",
        "((((a{50}){50}){50}){50})",
        "\\\\pL{9999}",
    ] {
        let text = format!("x{{a=~\"{pattern}\"}}");
        let error = soon("compiling", || Query::parse(&text)).unwrap_err();
        assert!(error.to_string().contains("regular expression"), "{error}");
    }
    let deep = format!("x{{a=~\"{}a{}\"}}", "(".repeat(9_000), ")".repeat(9_000));
    assert!(soon("compiling", || Query::parse(&deep)).is_err());
}

#[test]
fn garbage_is_refused_soon() {
    let texts = [
        "(".repeat(1_900),
        "x ".repeat(30_000),
        "{".repeat(60_000),
        "[".repeat(1_900),
        "\"".repeat(60_001),
        "x{a=\"b\"} ".repeat(1_000),
        "sum by ".repeat(9_000),
        "x[5m".repeat(1_000),
        "1 2 ".repeat(16_000),
        "@ ".repeat(30_000),
        "\u{0}\u{1}\u{7f}\u{fffd}".repeat(9_000),
        ",".repeat(60_000),
        "offset ".repeat(9_000),
        "x".repeat(100_000_000),
    ];
    for text in texts {
        let head: String = text.chars().take(8).collect();
        assert!(soon(&head, || Query::parse(&text)).is_err(), "{head}");
    }
}

#[test]
fn times_and_steps_at_the_edges_of_the_number_range() {
    let store = store(2, 5);
    let queries = [
        "rate(x[292y])",
        "x offset -292y",
        "max_over_time(x[292y:100y])",
        "sum(max_over_time(x[5m:1m] @ end()))",
        "x @ 9223372036",
        "x @ -9223372036 offset 292y",
        "predict_linear(x[5m], 1e308)",
        "hour(vector(1e308)) + day_of_year(vector(-1e308)) + year(vector(time() * 1e30))",
        "timestamp(x) * 1e308",
        "round(x, 5e-324) + clamp(x, -Inf, Inf)",
        "topk(9e18, x)",
        "bottomk(-9e18, x)",
        "quantile_over_time(1e308, x[5m])",
    ];
    let edges = [i64::MIN, i64::MIN + 1, -1, 0, i64::MAX - 1, i64::MAX];
    for profile in [Profile::V2_42, Profile::V2_53, Profile::V3_5] {
        let engine = Engine::new(Options {
            profile,
            max_samples: 100_000,
            ..Options::default()
        });
        for text in queries {
            let query = Query::parse(text).unwrap();
            for start_ms in edges {
                let _ = soon(text, || engine.instant(&store, &query, start_ms));
                for end_ms in edges {
                    for step_ms in [1, i64::MAX / 2, i64::MAX] {
                        let _ = soon(text, || {
                            engine.range(&store, &query, start_ms, end_ms, step_ms)
                        });
                    }
                }
                for steps in [1, 3] {
                    let grid = Grid {
                        start_ms,
                        step_ms: i64::MAX,
                        steps,
                    };
                    let _ = soon(text, || engine.grid(&store, &query, grid));
                }
            }
        }
    }
}

#[test]
fn selecting_everything_stays_within_the_limit() {
    let store = store(500, 20);
    let engine = Engine::new(Options {
        max_samples: 5_000,
        ..Options::default()
    });
    for text in [
        "{__name__=~\".+\"}[1h]",
        "count({__name__=~\".+\"}[1h:1s])",
        "sum(rate({__name__=~\".+\"}[1h:1s]))",
        "sum_over_time({__name__=~\".+\"}[1h:1s])",
        "{__name__=~\".+\"} * on (a) group_left () {__name__=~\".+\"} + max_over_time(x[1h:1s])",
    ] {
        let Ok(query) = Query::parse(text) else {
            continue;
        };
        let result = soon(text, || engine.instant(&store, &query, 19_000));
        if !text.ends_with("[1h]") {
            let refused = matches!(result, Err(QueryError::TooManySamples { .. }));
            assert!(refused, "{text}: {result:?}");
        }
    }
    let query = Query::parse("count_values(\"a\", x)").unwrap();
    assert!(soon("count_values", || engine.instant(&store, &query, 19_000)).is_ok());
}

#[test]
fn scripts_and_series_that_repeat_too_often_are_refused() {
    assert!(series::parse("x 1x99999999999999999999").is_err());
    assert!(series::parse("x 1x1000001").is_err());
    assert!(series::parse(&format!("x {}", "1x999999 ".repeat(50))).is_err());
    let load = format!("load 1m\n{}", "  x 1x999999\n".repeat(400));
    let error = soon("loading", || script::run(&load, Settings::default())).unwrap_err();
    assert!(error.to_string().contains("samples"), "{error}");
    let again = "load 1m\n  x 1x900000\n\n".repeat(100);
    let error = soon("loading", || script::run(&again, Settings::default())).unwrap_err();
    assert!(error.to_string().contains("samples"), "{error}");
    for step in ["292000000y", "1e11", "-1e11", "9223372036854775807ms"] {
        let text = format!("load {step}\n  x 1x100\n\neval instant at {step} x\n");
        let _ = soon("a large step", || script::run(&text, Settings::default()));
    }
}

#[test]
fn yaml_that_asks_for_too_much_is_refused() {
    let mut laughs = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..12 {
        let aliases = vec![format!("*a{}", level - 1); 9].join(", ");
        let _ = writeln!(laughs, "a{level}: &a{level} [{aliases}]");
    }
    laughs += "groups: *a11\n";
    let texts = [
        laughs,
        "a: &a {b: *a}\n".to_owned(),
        "[".repeat(100_000),
        "{a: ".repeat(100_000),
        "- ".repeat(100_000),
        "? ".repeat(100_000),
        "a: ".repeat(100_000),
        "groups: [".to_owned() + &"{name: g},".repeat(20_000) + "]",
        "groups:\n".to_owned() + &"- name: g\n".repeat(20_000),
        "&a ".repeat(100_000),
        "!!str ".repeat(100_000),
        "\u{0}\u{1}\u{2}".repeat(1_000),
        "x".repeat(100_000_000),
        "groups: ".to_owned() + &" ".repeat(4_000_000),
    ];
    for text in texts {
        let head: String = text.chars().take(12).collect();
        let problems = soon(&head, || RuleFile::parse(&text));
        let one_blank = text.ends_with(' ') && text.starts_with("groups: ");
        assert!(one_blank || problems.is_err(), "{head}");
    }
}

#[test]
fn a_file_of_many_groups_is_read_soon() {
    let groups: Vec<String> = (0..20_000)
        .map(|number| format!("{{name: g{number}}}"))
        .collect();
    let text = format!("groups: [{}]", groups.join(","));
    let file = soon("many groups", || RuleFile::parse(&text)).unwrap();
    let evaluator = soon("many groups", || {
        Evaluator::new(vec![file], Config::default())
    });
    assert_eq!(evaluator.groups().len(), 20_000);
}

#[test]
fn rules_with_extreme_times_are_evaluated() {
    let longest = "9223372036854775807ms";
    let rules = format!(
        "groups: [{{name: g, interval: {longest}, query_offset: {longest}, rules: [{{alert: A, \
         expr: x, for: {longest}, keep_firing_for: {longest}}}]}}, {{name: h, interval: {longest}, \
         rules: [{{alert: B, expr: x, keep_firing_for: {longest}}}]}}]"
    );
    let Ok(file) = RuleFile::parse(&rules) else {
        return;
    };
    for t_ms in [0, i64::MAX - 2, i64::MIN + 2] {
        let mut evaluator = Evaluator::new(vec![file.clone()], Config::default());
        let mut store = Store::with_limits(Limits::default());
        let labels = Labels::from_pairs([("__name__", "x")]);
        let _ = store.append(&labels, t_ms, 1.0);
        for step in 0..3 {
            for group in 0..2 {
                let _ = evaluator.evaluate(group, &mut store, t_ms.saturating_add(step));
                let _ = evaluator.notifications(group, t_ms.saturating_add(step), i64::MAX);
            }
        }
        let _ = evaluator.rules();
    }
}

#[test]
fn templates_do_not_grow_without_bound() {
    let mut grown = "\"aaaaaaaaaa\"".to_owned();
    for _ in 0..12 {
        grown = format!("(reReplaceAll \"a\" \"aaaaaaaaaa\" {grown})");
    }
    let texts = [
        format!("{{{{ {grown} }}}}"),
        "{{ printf \"%999999999999d\" 1 }}".to_owned(),
        "{{ printf \"%999999999s\" \"x\" }}".to_owned(),
        "{{ printf \"%.999999999f\" 1.0 }}".to_owned(),
        "{{".repeat(100_000),
        "{{ (".to_owned() + &"(".repeat(100_000),
        "{{ if true }}".repeat(20_000),
        "{{ if true }}".repeat(20_000) + &"{{ end }}".repeat(20_000),
        "x".repeat(10_000_000),
    ];
    for text in texts {
        let head: String = text.chars().take(20).collect();
        if soon(&head, || Template::parse(&text)).is_err() {
            continue;
        }
        let rules = "groups: [{name: g, rules: [{alert: A, expr: x, labels: {t: T}}]}]";
        let mut file = RuleFile::parse(rules).unwrap();
        file.groups[0].rules[0].labels[0].1 = text;
        let mut evaluator = Evaluator::new(vec![file], Config::default());
        let mut store = store(2, 1);
        soon(&head, || evaluator.evaluate(0, &mut store, 0));
        for rule in evaluator.rules() {
            for alert in rule.alerts {
                let longest = alert.labels.iter().map(|(_, value)| value.len()).max();
                assert!(longest <= Some(20_000_000), "{head}: {longest:?}");
            }
        }
    }
}

#[test]
fn matching_is_paid_by_the_size_of_the_pattern() {
    // Linear in the text, but every state is visited at every byte: seconds for one call.
    let slow = "{{ $t := reReplaceAll \" \" \"abcab\" (printf \"%50000d\" 1) }}\
                {{ reReplaceAll \"(a?b?c?){300}\" \"$1\" $t }}";
    let looped = "{{ range 9999999 }}{{ match \"[ab][a-e]{900}x\" \"abcdabceabcd\" }}{{ end }}";
    let compiled =
        "{{ range $i := 9999999 }}{{ match (printf \"[\\\\pL%d]{9}\" $i) \"\" }}{{ end }}";
    for text in [slow, looped, compiled] {
        let rules = "groups: [{name: g, rules: [{alert: A, expr: x, annotations: {t: T}}]}]";
        let mut file = RuleFile::parse(rules).unwrap();
        if let RuleType::Alerting(alerting) = &mut file.groups[0].rules[0].kind {
            text.clone_into(&mut alerting.annotations[0].1);
        }
        let mut evaluator = Evaluator::new(vec![file], Config::default());
        let mut store = store(1, 1);
        soon(text, || evaluator.evaluate(0, &mut store, 0));
        let alerts = evaluator.rules().remove(0).alerts;
        let expanded = &alerts[0].annotations[0].1;
        assert!(expanded.contains("too many steps"), "{text}: {expanded}");
    }
}
