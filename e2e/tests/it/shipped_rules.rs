//! The shipped rule files: accepted and unit-tested by the real promtool, every alert documented and
//! exercised. That drill.yml is what `rules scale` makes of shop.yml is a test of `tui`.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use e2e::{binaries, needs, repository};
use serde::Deserialize;

use crate::metric_names;

/// Alerts whose fault does not exist yet; CHANGELOG.md lists them under "Known gaps".
const NO_PLAYBOOK_YET: [&str; 1] = ["TargetDown"];

#[derive(Debug, Deserialize)]
struct RuleFile {
    groups: Vec<Group>,
}

#[derive(Debug, Deserialize)]
struct Group {
    rules: Vec<Rule>,
}

#[derive(Debug, Clone, Deserialize)]
struct Rule {
    alert: Option<String>,
    expr: String,
    #[serde(default)]
    labels: BTreeMap<String, String>,
    #[serde(default)]
    annotations: BTreeMap<String, String>,
}

fn yaml_files(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "yml"))
        .collect();
    files.sort();
    assert!(!files.is_empty(), "{}", folder.display());
    files
}

fn read(name: &str) -> RuleFile {
    let text = fs::read_to_string(repository().join("rules").join(name)).unwrap();
    serde_yaml::from_str(&text).unwrap()
}

fn alerts(file: &RuleFile) -> BTreeMap<String, Rule> {
    let rules = file.groups.iter().flat_map(|group| &group.rules);
    rules
        .filter_map(|rule| Some((rule.alert.clone()?, rule.clone())))
        .collect()
}

fn promtool(arguments: &[&str], files: &[PathBuf], program: &Path) {
    let output = Command::new(program)
        .args(arguments)
        .args(files)
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "promtool {}:\n{}{}",
        arguments.join(" "),
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}

#[test]
fn promtool_accepts_the_rules() {
    let program = needs!("promtool_accepts_the_rules", "promtool");
    let files = yaml_files(&repository().join("rules"));
    promtool(
        &["check", "rules", "--lint=all", "--lint-fatal"],
        &files,
        &program,
    );
}

#[test]
fn promtool_passes_the_unit_tests() {
    let program = needs!("promtool_passes_the_unit_tests", "promtool");
    let files = yaml_files(&repository().join("rules/tests"));
    promtool(&["test", "rules"], &files, &program);
}

#[test]
fn rules_test_passes_the_unit_tests() {
    let files = yaml_files(&repository().join("rules/tests"));
    let output = Command::new(binaries::obs_tui())
        .args(["rules", "test", "--strict-data", "--json"])
        .args(&files)
        .output()
        .unwrap();
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let assertions: u64 = report["files"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|file| file["tests"].as_array().unwrap())
        .map(|test| test["assertions"].as_u64().unwrap())
        .sum();
    assert!(output.status.success(), "{report:#}");
    assert!(assertions >= 150, "{assertions}");
}

#[test]
fn every_alert_has_a_unit_test_that_fires_it() {
    #[derive(Deserialize)]
    struct UnitTests {
        tests: Vec<Case>,
    }
    #[derive(Deserialize)]
    struct Case {
        #[serde(default)]
        alert_rule_test: Vec<Check>,
    }
    #[derive(Deserialize)]
    struct Check {
        alertname: String,
        exp_alerts: Vec<serde_json::Value>,
    }
    for name in ["shop.yml", "drill.yml"] {
        let text = fs::read_to_string(repository().join("rules/tests").join(name)).unwrap();
        let tests: UnitTests = serde_yaml::from_str(&text).unwrap();
        let checks: Vec<_> = tests
            .tests
            .into_iter()
            .flat_map(|case| case.alert_rule_test)
            .collect();
        for (alert, rule) in alerts(&read(name)) {
            let of_alert = || checks.iter().filter(|check| check.alertname == alert);
            assert!(
                of_alert().any(|check| !check.exp_alerts.is_empty()),
                "{name}: no test fires {alert}"
            );
            assert!(
                rule.labels.contains_key("obs_tui_expect")
                    || of_alert().any(|check| check.exp_alerts.is_empty()),
                "{name}: no test keeps {alert} silent"
            );
        }
    }
}

#[test]
fn our_own_parser_reads_the_rules() {
    for path in yaml_files(&repository().join("rules")) {
        let text = fs::read_to_string(&path).unwrap();
        if let Err(problems) = promql::rules::RuleFile::parse(&text) {
            panic!("{}: {problems:#?}", path.display());
        }
    }
}

#[test]
fn every_rule_reads_metrics_that_exist() {
    for name in ["shop.yml", "drill.yml"] {
        for rule in read(name).groups.iter().flat_map(|group| &group.rules) {
            metric_names::check(name, &rule.expr);
        }
    }
}

#[test]
fn every_alert_tells_what_it_means_and_what_to_do() {
    let root = repository();
    let alerts = alerts(&read("shop.yml"));
    for (name, rule) in &alerts {
        let severity = rule.labels.get("severity").map(String::as_str);
        assert!(
            matches!(severity, Some("critical" | "warning" | "info" | "none")),
            "{name}: severity"
        );
        for annotation in ["summary", "description"] {
            assert!(
                rule.annotations.contains_key(annotation),
                "{name}: {annotation}"
            );
        }
        let runbook = format!("docs/runbooks/{name}.md");
        assert_eq!(
            rule.annotations.get("runbook_url"),
            Some(&runbook),
            "{name}"
        );
        let text = fs::read_to_string(root.join(&runbook))
            .unwrap_or_else(|_| panic!("{runbook} is missing"));
        for heading in [
            "## What it means",
            "## Impact",
            "## Check first",
            "## Causes",
            "## Mitigation",
        ] {
            assert!(text.contains(heading), "{runbook} has no \"{heading}\"");
        }
    }
    let runbooks: BTreeSet<_> = fs::read_dir(root.join("docs/runbooks"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned())
        .collect();
    let names: BTreeSet<_> = alerts.into_keys().collect();
    assert_eq!(runbooks, names, "a runbook for each alert, and no other");
}

#[test]
fn every_alert_names_a_shipped_playbook_that_expects_it() {
    for (name, rule) in alerts(&read("shop.yml")) {
        let always = rule
            .labels
            .get("obs_tui_expect")
            .is_some_and(|value| value == "always");
        let Some(playbook) = rule.annotations.get("playbook") else {
            assert!(
                always || NO_PLAYBOOK_YET.contains(&name.as_str()),
                "{name} names no playbook"
            );
            continue;
        };
        let text = chaos::library::get(playbook)
            .unwrap_or_else(|| panic!("{name}: there is no shipped playbook {playbook}"));
        let parsed = chaos::Playbook::parse(playbook, text, &BTreeMap::new()).unwrap();
        assert!(
            parsed
                .expect_alerts
                .iter()
                .any(|expected| expected.pattern.alertname == name),
            "{playbook} does not expect {name}"
        );
    }
}
