//! `obs-tui rules test` from the command line: exit codes, messages, reports.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use e2e::binaries;

const RULES: &str = "groups: [{name: g, rules: [{alert: Down, expr: up == 0}]}]";

const TESTS: &str = "rule_files: ['../*.rules.yml']
tests:
- name: fires
  input_series: [{series: up, values: 0x3}]
  alert_rule_test: [{eval_time: 1m, alertname: Down, exp_alerts: [{}]}]
- name: stays silent
  input_series: [{series: up, values: 0x3}]
  alert_rule_test: [{eval_time: 5m, alertname: Down, exp_alerts: []}]
";

fn rules_test(folder: &Path, arguments: &[&str]) -> (Option<i32>, String, String) {
    let Output {
        status,
        stdout,
        stderr,
    } = Command::new(binaries::obs_tui())
        .current_dir(folder)
        .env("XDG_STATE_HOME", folder)
        .args(["rules", "test"])
        .args(arguments)
        .output()
        .unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (status.code(), text(stdout), text(stderr))
}

#[test]
fn verdicts_become_exit_codes_and_reports() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("tests")).unwrap();
    fs::write(folder.path().join("a.rules.yml"), RULES).unwrap();
    fs::write(folder.path().join("tests/t.yml"), TESTS).unwrap();
    let run = |arguments: &[&str]| rules_test(folder.path(), arguments);

    let (code, out, _) = run(&["tests/t.yml", "--run", "^fires$"]);
    assert_eq!(
        (code, out.as_str()),
        (Some(0), "tests/t.yml: ok: 1 test, 1 assertion\n")
    );

    let (code, out, err) = run(&["tests/t.yml", "--junit", "report.xml"]);
    assert_eq!(code, Some(3), "{out}{err}");
    assert!(
        out.contains("tests/t.yml:8:21: failed: Down at 5m: expected 0 firing alerts, got 1"),
        "{out}"
    );
    assert!(out.contains("test: stays silent"), "{out}");
    assert!(!out.contains('\u{1b}'), "{out}");
    let report = fs::read_to_string(folder.path().join("report.xml")).unwrap();
    assert!(
        report.contains("tests=\"2\"") && report.contains("failures=\"1\""),
        "{report}"
    );

    // Alerts that are silent since their data has ended pass for the wrong reason.
    let (code, out, _) = run(&["tests/t.yml", "--strict-data", "--json", "--run", "silent"]);
    let report: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(code, Some(3));
    let failures = &report["files"][0]["tests"][0]["failures"];
    assert_eq!(failures[1]["kind"], "data", "{report:#}");
    assert_eq!(failures[1]["ended"][0]["ended_ms"], 180_000);

    fs::write(folder.path().join("a.rules.yml"), "groups: [{nam: g}]").unwrap();
    let (code, _, err) = run(&["tests/t.yml", "missing.yml"]);
    assert_eq!(code, Some(2), "{err}");
    assert!(
        err.contains("did you mean `name`?") && err.contains("missing.yml: cannot be read"),
        "{err}"
    );
}
