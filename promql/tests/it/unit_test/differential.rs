//! The same test files to the real promtool: every assertion must have the same verdict.

use std::env;
use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

use promql::duration::{format_ms, parse_ms};
use promql::rules::RuleFile;
use promql::unit_test::{self, Asked, Report, Settings, TestFile};
use promql::{Dialect, Profile};

use crate::promtool::ask::locate;

use super::generate::{Random, Scenario, answers, perturb};

/// What failed in a file, sorted; a single entry where the file cannot be run.
type Verdict = Vec<String>;

const INVALID: &str = "invalid";

/// Runs the first test of a file; nothing if the file or its rules are wrong.
fn ours(text: &str, rules: &str, profile: Profile) -> Option<Report> {
    let dialect = Dialect {
        profile,
        ..Dialect::default()
    };
    let file = TestFile::parse_as(text, dialect).ok()?;
    let rules = RuleFile::parse_as(rules, dialect).ok()?;
    let settings = Settings {
        profile,
        ..Settings::default()
    };
    Some(unit_test::run(&file, &file.tests[0], &[rules], settings))
}

fn our_verdict(report: Option<&Report>) -> Verdict {
    let Some(report) = report else {
        return vec![INVALID.to_owned()];
    };
    let mut failed: Verdict = report
        .failures
        .iter()
        .map(|failure| {
            let at = format_ms(failure.eval_time_ms);
            match &failure.asked {
                Asked::Rule { rule, .. } => format!("rule {rule} {at}"),
                Asked::Alerts { alertname, .. } => format!("alert {alertname} {at}"),
                Asked::Expr { expr, .. } | Asked::Query { expr, .. } => format!("expr {expr} {at}"),
                other => panic!("{other:?}"),
            }
        })
        .collect();
    failed.sort();
    failed
}

/// Asks promtool and reads what failed from its messages.
fn their_verdict(program: &Path, file: &Path) -> Verdict {
    let output = Command::new(program)
        .args(["test", "rules"])
        .arg(file)
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    let mut failed: Verdict = text.lines().filter_map(failed_line).collect();
    if failed.is_empty() && !output.status.success() {
        return vec![format!("{INVALID}: {text}")];
    }
    failed.sort();
    failed
}

fn failed_line(line: &str) -> Option<String> {
    let line = line.trim_start();
    let (kind, rest) = ["rule", "alert", "expr"].into_iter().find_map(|kind| {
        let prefix = if kind == "alert" { "alertname" } else { kind };
        Some((kind, line.strip_prefix(prefix)?.strip_prefix(": ")?))
    })?;
    let (what, rest) = rest.split_once(", time: ")?;
    let time = rest.split(',').next()?;
    let what = match kind {
        "expr" => what.trim_matches('"').replace("\\\"", "\""),
        _ => what.to_owned(),
    };
    Some(format!("{kind} {what} {}", format_ms(time_ms(time)?)))
}

/// Reads `5m` and, where promtool prints a time in Go's way, `5m0s`.
fn time_ms(text: &str) -> Option<i64> {
    let whole = ["m0s", "h0m"].iter().fold(text.to_owned(), |text, zero| {
        match text.strip_suffix(zero) {
            Some(rest) => format!("{rest}{}", &zero[..1]),
            None => text,
        }
    });
    parse_ms(&whole).ok().or((whole == "0s").then_some(0))
}

/// Returns the seeds of the files; `OBS_TUI_SEEDS` asks for more of them than a test run needs.
fn seeds() -> std::ops::Range<u64> {
    let count = env::var("OBS_TUI_SEEDS").ok();
    0..count.and_then(|count| count.parse().ok()).unwrap_or(70)
}

/// Compares random files; half of the expectations are what comes out, half are spoilt.
fn compare(program: &Path, profile: Profile, seeds: std::ops::Range<u64>) {
    let (mut assertions, mut failures, mut errors) = (0, 0, 0);
    let mut differences = Vec::new();
    for seed in seeds {
        let mut random = Random::new(seed);
        let scenario = Scenario::new(&mut random, profile == Profile::V3_5);
        let none = vec![String::new(); scenario.questions.len()];
        let bare = ours(&scenario.file(&none), &scenario.rules, profile);
        let wanted: Vec<String> = match &bare {
            None => none,
            Some(report) => answers(&scenario, report)
                .into_iter()
                .map(|mut items| {
                    if random.one_in(2) {
                        perturb(&mut items, &mut random);
                    }
                    items.join(", ")
                })
                .collect(),
        };
        let text = scenario.file(&wanted);
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("test.yml");
        std::fs::write(&path, &text).unwrap();
        std::fs::write(folder.path().join("one.rules.yml"), &scenario.rules).unwrap();
        let report = ours(&text, &scenario.rules, profile);
        let (ours, theirs) = (our_verdict(report.as_ref()), their_verdict(program, &path));
        assertions += scenario.questions.len();
        failures += theirs.len();
        errors += usize::from(theirs.iter().any(|line| line.starts_with("rule ")));
        if ours != theirs {
            differences.push(format!(
                "seed {seed}\n  ours:   {ours:?}\n  theirs: {theirs:?}\n{}\n{text}",
                scenario.rules
            ));
        }
    }
    println!(
        "{assertions} assertions, {failures} failed on both sides, {errors} tests ended by a rule"
    );
    assert!(failures > assertions / 10 && failures < assertions);
    let shown: Vec<&str> = differences.iter().take(3).map(String::as_str).collect();
    assert!(
        differences.is_empty(),
        "{} files differ:\n{}",
        differences.len(),
        shown.join("\n")
    );
}

#[test]
fn verdicts_are_those_of_promtool() {
    if let Some(program) = locate("verdicts_are_those_of_promtool", "promtool") {
        compare(&program, Profile::V3_5, seeds());
    }
}

#[test]
fn verdicts_are_those_of_older_promtools() {
    for (name, profile) in [
        ("promtool-2.53", Profile::V2_53),
        ("promtool-2.42", Profile::V2_42),
    ] {
        if let Some(program) = locate("verdicts_are_those_of_older_promtools", name) {
            compare(&program, profile, seeds());
        }
    }
}

#[test]
fn many_steps_at_once_come_to_the_same() {
    for seed in 0..400 {
        let mut random = Random::new(1_000_000 + seed);
        let scenario = Scenario::new(&mut random, true);
        let none = vec![String::new(); scenario.questions.len()];
        let mut text = scenario.file(&none);
        if random.one_in(2) {
            // Everything that rules wrote, stale markers included.
            if !text.contains("promql_expr_test") {
                text.push_str("  promql_expr_test:\n");
            }
            for expr in [
                "last_over_time({__name__=~\".+\"}[20m])",
                "sum_over_time(ALERTS_FOR_STATE[20m])",
                "count_over_time(ALERTS[20m])",
                "count_over_time(rec:m:sum[20m])",
                "{__name__=~\".+\"} offset 7m",
            ] {
                let _ = writeln!(text, "  - {{eval_time: 15m, expr: '{expr}'}}");
            }
        }
        let file = TestFile::parse(&text).unwrap();
        let rules = [RuleFile::parse(&scenario.rules).unwrap()];
        let report = |step_by_step| {
            let settings = Settings {
                step_by_step,
                ..Settings::default()
            };
            unit_test::run(&file, &file.tests[0], &rules, settings)
        };
        assert_eq!(
            report(false),
            report(true),
            "seed {seed}\n{}\n{text}",
            scenario.rules
        );
    }
}

/// What stands behind `tests:`, and whether promtool says SUCCESS.
const CASES: &[(&str, bool)] = &[
    ("[]", true),
    ("[{}]", true),
    ("[{interval: 0s}]", true),
    ("[{interval: 1}]", false),
    ("[{intervall: 1m}]", false),
    ("[{alert_rule_test: [{eval_time: 1m}]}]", false),
    ("[{alert_rule_test: [{eval_time: 1, alertname: A}]}]", false),
    (
        "[{alert_rule_test: [{eval_time: 1m, alertname: A, exp_alerts: }]}]",
        true,
    ),
    ("[{input_series: [{series: up, values: 0x3}]}]", true),
    ("[{input_series: [{series: up, values: }]}]", true),
    ("[{input_series: [{series: up, values: '1+2'}]}]", false),
    ("[{input_series: [{series: up, values: '1+2x'}]}]", false),
    ("[{input_series: [{series: up, values: '1 + 2x3'}]}]", false),
    (
        "[{input_series: [{series: up, values: '_x3 1-2x3 stale Inf -inf nan 1e3x2'}]}]",
        true,
    ),
    ("[{input_series: [{series: up, values: '_x'}]}]", false),
    ("[{input_series: [{series: up, values: 'NaNx3'}]}]", false),
    ("[{input_series: [{series: up, values: 'stalex3'}]}]", false),
    ("[{input_series: [{series: up, values: '1+Infx3'}]}]", false),
    (
        "[{input_series: [{series: up, values: 'NaN+1x3 Inf-1x0'}]}]",
        true,
    ),
    ("[{input_series: [{series: 'up{', values: '1'}]}]", false),
    (
        "[{input_series: [{series: 'up{a!=\"b\"}', values: '1'}]}]",
        false,
    ),
    ("[{input_series: [{series: '{}', values: '1'}]}]", false),
    (
        "[{promql_expr_test: [{expr: 'sum(', eval_time: 1m}]}]",
        false,
    ),
    (
        "[{promql_expr_test: [{expr: '\"text\"', eval_time: 1m}]}]",
        false,
    ),
    (
        "[{promql_expr_test: [{expr: 'up[5m]', eval_time: 1m}]}]",
        false,
    ),
    (
        "[{promql_expr_test: [{expr: 'up', eval_time: 1m, exp_samples: [{labels: 'up{'}]}]}]",
        false,
    ),
    (
        "[{promql_expr_test: [{expr: 'vector(0)', eval_time: 1m, exp_samples: [{}]}]}]",
        true,
    ),
    (
        "[{promql_expr_test: [{expr: 'vector(1)', eval_time: 1m, exp_samples: [{value: one}]}]}]",
        false,
    ),
    (
        "[{external_labels: {a: 1}, external_url: 5, name: 7}]",
        true,
    ),
    ("[{external_labels: [a]}]", false),
    (
        "[{input_series: [{series: up, values: '010'}], promql_expr_test: [{expr: up, eval_time: 0m, exp_samples: [{labels: up, value: 8}]}]}]",
        true,
    ),
    (
        "[{input_series: [{series: up, values: '1_000'}], promql_expr_test: [{expr: up, eval_time: 0m, exp_samples: [{labels: up, value: 1000}]}]}]",
        true,
    ),
    (
        "[{input_series: [{series: up, values: '-010'}], promql_expr_test: [{expr: up, eval_time: 0m, exp_samples: [{labels: up, value: -8}]}]}]",
        true,
    ),
    (
        "[{input_series: [{series: up, values: '08'}], promql_expr_test: [{expr: up, eval_time: 0m, exp_samples: [{labels: up, value: 8}]}]}]",
        true,
    ),
    (
        "[{input_series: [{series: up, values: '1_0.5'}], promql_expr_test: [{expr: up, eval_time: 0m, exp_samples: [{labels: up, value: 10.5}]}]}]",
        true,
    ),
    (
        "[{input_series: [{series: up, values: '8'}], promql_expr_test: [{expr: up, eval_time: 0m, exp_samples: [{labels: up, value: 010}]}]}]",
        true,
    ),
    (
        "[{input_series: [{series: up, values: '-8'}], promql_expr_test: [{expr: up, eval_time: 0m, exp_samples: [{labels: up, value: -010}]}]}]",
        true,
    ),
    (
        "[{input_series: [{series: up, values: '010x1'}], promql_expr_test: [{expr: up, eval_time: 0m, exp_samples: [{labels: up, value: 8}]}]}]",
        true,
    ),
    ("[{input_series: [{series: up, values: '0x1f'}]}]", false),
    ("[{input_series: [{series: up, values: '0xAx2'}]}]", false),
    (
        "[{input_series: [{series: up, values: '1+0x1fx3'}]}]",
        false,
    ),
    ("[{input_series: [{series: up, values: '0b11'}]}]", false),
    ("[{input_series: [{series: up, values: '0x'}]}]", false),
    ("[{input_series: [{series: up, values: '1__0'}]}]", false),
    (
        "[{input_series: [{series: up, values: 'infinity'}]}]",
        false,
    ),
    ("[{input_series: [{series: 'foo-bar', values: 1}]}]", false),
    ("[{input_series: [{series: '1foo', values: 1}]}]", false),
    ("[{input_series: [{series: 'foo.bar', values: 1}]}]", false),
    ("[{input_series: [{series: 'ä', values: 1}]}]", false),
    (
        "[{input_series: [{series: 'foo{a.b=\"c\"}', values: 1}]}]",
        false,
    ),
    (
        "[{input_series: [{series: 'foo{1a=\"c\"}', values: 1}]}]",
        false,
    ),
    (
        "[{input_series: [{series: 'foo{a:b=\"c\"}', values: 1}]}]",
        false,
    ),
    (
        "[{input_series: [{series: 'foo{a=\"b\",,}', values: 1}]}]",
        false,
    ),
    (
        "[{input_series: [{series: 'foo{,a=\"b\"}', values: 1}]}]",
        false,
    ),
    (
        "[{input_series: [{series: 'foo{a=\"b\" c=\"d\"}', values: 1}]}]",
        false,
    ),
    (
        "[{input_series: [{series: 'foo{a=\"b\",a=\"c\"}', values: 1}]}]",
        false,
    ),
    (
        "[{input_series: [{series: 'a:b{c=\"d\", e=\"f\",}', values: 1}]}]",
        true,
    ),
    ("[{input_series: [{series: up, values: \"1\\n2\"}]}]", false),
    ("[{input_series: [{series: up, values: \"1 2\\n\"}]}]", true),
    (
        "[{alert_rule_test: [{eval_time: 1m, alertname: ''}]}]",
        false,
    ),
];

#[test]
fn what_promtool_refuses_is_refused() {
    let Some(program) = locate("what_promtool_refuses_is_refused", "promtool") else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("test.yml");
    let rules = "groups: [{name: g, rules: [{alert: A, expr: up == 0}]}]";
    std::fs::write(folder.path().join("rules.yml"), rules).unwrap();
    for (tests, is_valid) in CASES {
        let text = format!("rule_files: [rules.yml]\ntests: {tests}\n");
        std::fs::write(&path, &text).unwrap();
        let file = TestFile::parse(&text);
        let rules = [RuleFile::parse(rules).unwrap()];
        let passes = file.is_ok_and(|file| {
            file.tests.iter().all(|test| {
                let report = unit_test::run(&file, test, &rules, Settings::default());
                report.failures.is_empty()
            })
        });
        let theirs = their_verdict(&program, &path);
        assert_eq!(
            (theirs.is_empty(), passes),
            (*is_valid, *is_valid),
            "{text}{theirs:?}"
        );
    }
}
