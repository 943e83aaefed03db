//! Unit-test files of rules: what is wrong with them, their verdicts, and promtool's.

mod differential;
mod generate;

use promql::rules::RuleFile;
use promql::unit_test::{self, Asked, Field, Report, Settings, Side, TestFile};

const RULES: &str = r#"
groups:
  - name: g
    rules:
      - record: job:up:sum
        expr: sum by (job) (up)
      - alert: Down
        expr: up == 0
        for: 2m
        labels: { severity: critical }
        annotations: { summary: "{{ $labels.instance }} is down" }
      - alert: NoneUp
        expr: job:up:sum offset 2m == 0
"#;

/// Runs the only test of a file; `body` stands under `tests[0]`.
fn run(body: &str, settings: Settings) -> Report {
    let text = format!("evaluation_interval: 1m\ntests:\n- name: only\n{body}");
    let file = TestFile::parse(&text).unwrap();
    let rules = [RuleFile::parse(RULES).unwrap()];
    unit_test::run(&file, &file.tests[0], &rules, settings)
}

fn verdict(body: &str) -> Report {
    run(body, Settings::default())
}

const SERIES: &str = "  input_series:
  - {series: 'up{job=\"a\",instance=\"x\"}', values: '1 0x9'}
  - {series: 'up{job=\"a\",instance=\"y\"}', values: '1 1 1 0x7'}
";

#[test]
fn every_problem_of_a_file_is_told_at_once() {
    let text = std::fs::read_to_string("tests/it/unit_test/broken.yml").unwrap();
    let problems = TestFile::parse(&text).unwrap_err();
    let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
    insta::assert_snapshot!(lines.join("\n"));
}

#[test]
fn firing_alerts_are_compared_exactly() {
    let report = verdict(&format!(
        "{SERIES}  alert_rule_test:
  - {{eval_time: 3m, alertname: Down, exp_alerts: [
      {{exp_labels: {{job: a, instance: x, severity: critical}}, exp_annotations: {{summary: x is down}}}}]}}
  - {{eval_time: 2m59s, alertname: Down}}
  - {{eval_time: 3m, alertname: Down, exp_alerts: [
      {{exp_labels: {{job: a, instance: x, severity: warning}}, exp_annotations: {{summary: x is down}}}}]}}
"
    ));
    assert_eq!((report.passed, report.unreached), (2, 0));
    let [failure] = report.failures.as_slice() else {
        panic!("{:?}", report.failures);
    };
    let Asked::Alerts {
        differences,
        counts,
        ..
    } = &failure.asked
    else {
        panic!("{failure:?}");
    };
    assert_eq!((failure.eval_time_ms, *counts), (180_000, (1, 1)));
    let changed: Vec<_> = differences[0]
        .fields
        .iter()
        .filter(|pair| pair.differs)
        .collect();
    assert_eq!(differences[0].side, Side::Changed);
    assert_eq!(changed.len(), 1);
    assert_eq!(changed[0].field, Field::Label("severity".to_owned()));
    assert_eq!(changed[0].got.as_deref(), Some("critical"));
}

#[test]
fn pending_alerts_and_subsets_are_asserted() {
    let body = |firing: &str, pending: &str| {
        format!(
            "{SERIES}  alert_rule_test:
  - {{eval_time: 4m, alertname: Down, match: subset, exp_alerts: [{firing}], exp_pending: [{pending}]}}
"
        )
    };
    let holds = |firing, pending| verdict(&body(firing, pending)).failures.is_empty();
    assert!(holds(
        "{exp_labels: {instance: x}}",
        "{exp_labels: {instance: y}}"
    ));
    assert!(holds("{}", "{exp_annotations: {summary: y is down}}"));
    assert!(!holds(
        "{exp_labels: {instance: y}}",
        "{exp_labels: {instance: x}}"
    ));
    // The number counts all the same.
    assert!(!holds("{exp_labels: {instance: x}}", ""));
    assert!(!holds("", "{exp_labels: {instance: y}}"));
}

#[test]
fn a_subset_gives_way_to_a_larger_one() {
    // The first expectation fits both elements, the second only the first of them.
    let report = verdict(&format!(
        "{SERIES}  promql_expr_test:
  - {{expr: up, eval_time: 0, match: subset, exp_samples: [
      {{labels: '{{job=\"a\"}}', value: 1}}, {{labels: '{{instance=\"x\"}}', value: 1}}]}}
  - {{expr: up, eval_time: 0, match: subset, exp_samples: [
      {{labels: '{{instance=\"x\"}}', value: 1}}, {{labels: '{{instance=\"x\"}}', value: 1}}]}}
"
    ));
    assert_eq!((report.passed, report.failures.len()), (1, 1));
}

#[test]
fn samples_behind_the_last_evaluation_are_not_seen() {
    let report = verdict(
        "  interval: 30s
  input_series: [{series: s, values: 1 2 3 4}]
  promql_expr_test:
  - {expr: s, eval_time: 90s, exp_samples: [{labels: s, value: 3}]}
",
    );
    assert_eq!(report.failures, []);
}

#[test]
fn a_rule_that_fails_ends_the_test() {
    let report = verdict(
        "  input_series:
  - {series: 'up{job=\"a\"}', values: '1 1 1'}
  - {series: 'ALERTS{alertname=\"Down\"}', values: '0x5'}
  - {series: 'job:up:sum{job=\"a\"}', values: '_ _ 7'}
  alert_rule_test:
  - {eval_time: 1m, alertname: Down}
  - {eval_time: 2m, alertname: Down}
  promql_expr_test:
  - {expr: vector(1), eval_time: 0, exp_samples: [{value: 1}]}
",
    );
    assert_eq!((report.passed, report.unreached), (1, 2));
    let [failure] = report.failures.as_slice() else {
        panic!("{:?}", report.failures);
    };
    assert_eq!(failure.eval_time_ms, 120_000);
    assert!(matches!(&failure.asked, Asked::Rule { rule, .. } if rule == "job:up:sum"));
}

#[test]
fn strict_data_follows_rules_to_the_series() {
    let strict = Settings {
        strict_data: true,
        ..Settings::default()
    };
    let body = |values: &str, eval_time: &str| {
        format!(
            "  input_series: [{{series: 'up{{job=\"a\"}}', values: '{values}'}}]
  alert_rule_test: [{{eval_time: {eval_time}, alertname: NoneUp}}]
"
        )
    };
    // The alert looks two minutes back.
    assert_eq!(run(&body("1x3", "5m59s"), strict).failures, []);
    assert_eq!(run(&body("1x3", "6m"), Settings::default()).failures, []);
    let report = run(&body("1x3", "6m"), strict);
    assert_eq!(report.passed, 0);
    let [failure] = report.failures.as_slice() else {
        panic!("{:?}", report.failures);
    };
    let Asked::Data { ended, .. } = &failure.asked else {
        panic!("{failure:?}");
    };
    assert_eq!((ended[0].ended_ms, ended[0].needed_ms), (180_000, 240_000));
    // These ends are meant.
    assert_eq!(run(&body("1x3 stale", "6m"), strict).failures, []);
    assert_eq!(run(&body("1x3 _x9", "6m"), strict).failures, []);
}

#[test]
fn limits_of_promtool_are_on_request() {
    let body = "  input_series: [{series: s, values: '1x20000'}]
  promql_expr_test:
  - {expr: 'sum(count_over_time(s[20000m]))', eval_time: 20000m, exp_samples: [{value: 20000}]}
";
    assert_eq!(verdict(body).failures, []);
    let limited = run(
        body,
        Settings {
            promtool_limits: true,
            ..Settings::default()
        },
    );
    assert!(matches!(limited.failures[0].asked, Asked::Query { .. }));
}

#[test]
fn a_test_may_start_at_another_time() {
    let report = verdict(
        "  start_timestamp: 2026-03-01T10:00:00Z
  input_series: [{series: s, values: '1 2 3'}]
  promql_expr_test:
  - {expr: 's + hour()', eval_time: 2m, exp_samples: [{value: 13}]}
  - {expr: 'timestamp(s)', eval_time: 2m, exp_samples: [{value: 1772359320}]}
",
    );
    assert_eq!(report.failures, []);
}
