//! `obs-tui rules …` as a person runs it: output, exit codes.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Runs `obs-tui rules` in the root of the repository.
fn rules(arguments: &[&str], stdin: &str) -> Output {
    let state = tempfile::tempdir().unwrap();
    let mut child = Command::new(env!("CARGO_BIN_EXE_obs-tui"))
        .arg("rules")
        .args(arguments)
        .current_dir(repository())
        .env("XDG_STATE_HOME", state.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A command that reads no stdin may be gone before everything is written.
    let _ = child.stdin.take().unwrap().write_all(stdin.as_bytes());
    child.wait_with_output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[test]
fn the_drill_profile_is_the_scaled_production_profile() {
    let output = rules(&["scale", "rules/shop.yml", "--by", "30"], "");
    assert!(output.status.success(), "{}", text(&output.stderr));
    let drill = std::fs::read_to_string(repository().join("rules/drill.yml")).unwrap();
    assert!(
        text(&output.stdout) == drill,
        "make it again: obs-tui rules scale rules/shop.yml --by 30 -o rules/drill.yml"
    );
}

#[test]
fn scaling_tells_what_hit_a_floor() {
    let file = "groups:\n- name: g\n  rules:\n  - {alert: A, expr: 'rate(a[1m]) > 1', for: 1h}\n";
    let output = rules(&["scale", "-", "--by", "60", "--no-header"], file);
    assert_eq!(
        text(&output.stdout),
        file.replace("1m", "4s").replace("1h", "1m")
    );
    assert_eq!(
        text(&output.stderr),
        "stdin:4:30: groups[0].rules[0].expr: 1m would become 1s; it is 4s, four scrape intervals\n\
         stdin: 2 values divided by 60, 1 note to look at\n"
    );
}

#[test]
fn what_is_no_rule_file_is_not_scaled() {
    let output = rules(&["scale", "-", "--by", "60"], "groups: [{nam: g}]");
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(text(&output.stdout), "");
    assert!(
        text(&output.stderr).contains("stdin:1:11: error: "),
        "{}",
        text(&output.stderr)
    );
    let output = rules(&["scale", "rules/shop.yml", "--by", "0"], "");
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("greater than 0"));
}

const LINTED: &str = "groups:
- name: g
  rules:
  - alert: Errors
    expr: sum by (job) (rate(errors_total[30s])) > 1 or absent(errors_total)
    for: 1m
    annotations:
      summary: '{{ $labels.instance }} fails'
";

#[test]
fn checking_prints_lints_and_passes() {
    let output = rules(&["check", "-"], LINTED);
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(
        text(&output.stdout),
        "stdin: ok: 1 group, 0 recording rules, 1 alerting rule; 2 findings\n"
    );
    insta::assert_snapshot!(text(&output.stderr));
}

#[test]
fn strict_makes_findings_a_failure() {
    let output = rules(&["check", "--strict", "-"], LINTED);
    assert_eq!(output.status.code(), Some(3));
    let output = rules(&["check", "--strict", "rules/shop.yml"], "");
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let output = rules(
        &[
            "check",
            "--strict",
            "--scrape-interval",
            "1s",
            "rules/drill.yml",
        ],
        "",
    );
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
}

#[test]
fn errors_of_all_files_are_told_at_once() {
    let output = rules(
        &["check", "-", "rules/shop.yml", "/none.yml"],
        "groups: [{nam: g}]",
    );
    assert_eq!(output.status.code(), Some(2));
    assert!(
        text(&output.stdout).starts_with("rules/shop.yml: ok"),
        "{}",
        text(&output.stdout)
    );
    let errors = text(&output.stderr);
    for wanted in [
        "stdin:1:11: error: ",
        "/none.yml: cannot be read",
        "2 of 3 files have errors",
    ] {
        assert!(errors.contains(wanted), "{errors}");
    }
}

#[test]
fn checks_are_a_document_too() {
    let output = rules(&["check", "--json", "-", "/none.yml"], LINTED);
    assert_eq!(output.status.code(), Some(2));
    let document: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let files = &document["files"];
    assert_eq!(files[0]["alerting_rules"], 1);
    assert_eq!(files[0]["findings"][0]["lint"], "short-range");
    assert_eq!(files[0]["findings"][0]["line"], 5);
    assert_eq!(files[0]["errors"].as_array().unwrap().len(), 0);
    assert_eq!(files[1]["errors"].as_array().unwrap().len(), 1);
}

#[test]
fn every_lint_is_documented() {
    let output = rules(&["check", "--list"], "");
    let page = std::fs::read_to_string(repository().join("docs/rules.md")).unwrap();
    for line in text(&output.stdout).lines() {
        let id = line.split_whitespace().next().unwrap();
        assert!(
            page.contains(&format!("| `{id}` |")),
            "docs/rules.md has no row for {id}"
        );
    }
}
