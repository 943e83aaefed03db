//! The shipped rule files: accepted and unit-tested by the real promtool, every alert documented and, where
//! a fault for it exists, exercised. That drill.yml is what `rules scale` makes of shop.yml is a test of `tui`.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use e2e::{binaries, needs, repository};
use serde::Deserialize;

use crate::metric_names::{self, RULE_FILES};

/// Alerts of shop.yml that no shipped playbook fires yet, with the faults they wait for. A playbook that
/// expects one of them takes it off this list.
const NO_PLAYBOOK_YET: [(&str, &str); 32] = [
    (
        "AbandonedCartsHigh",
        "mix (traffic): many who fill carts and leave",
    ),
    ("AuthFailureRateHigh", "bad_password (traffic)"),
    ("CacheMissStorm", "cache_bypass or cache_flush"),
    ("CardinalityExplosion", "telemetry_cardinality"),
    (
        "ChaosLeftRunning",
        "any fault, for longer than two minutes of a drill",
    ),
    (
        "CheckoutConversionLow",
        "error on payments, for a minute of a drill",
    ),
    ("CircuitBreakerOpen", "blackhole of a dependency"),
    ("CpuSaturated", "cpu_burn"),
    ("CrashLoop", "crash, again and again"),
    ("DbPoolSaturated", "db_stall: a playbook that expects it"),
    ("DbPoolTimeouts", "db_stall: a playbook that expects it"),
    ("DbQueryLatencyHigh", "db_latency"),
    (
        "ErrorBudgetBurn",
        "latency at the edge and error on payments, for two minutes of a drill",
    ),
    ("ExternalServiceFailing", "blackhole of a dependency"),
    ("FdExhaustion", "fd_leak"),
    ("HighConnectionCount", "latency with more traffic"),
    (
        "HighLatencyP99",
        "latency: a playbook with a small share of +4s",
    ),
    ("InventoryDepleted", "inventory_set"),
    ("InventoryLow", "inventory_drain"),
    (
        "MemoryGrowth",
        "memory_leak, at 2 MiB a second or more in a drill",
    ),
    ("MetricsMissing", "telemetry_drop of a metric"),
    (
        "OrdersStalled",
        "error on /order and /checkout: needs traffic with carts",
    ),
    ("PaymentFailureRateByCountry", "decline, where country=BR"),
    ("QueueBacklog", "worker_pause"),
    ("QueueOldestMessage", "worker_pause"),
    ("RateLimitViolations", "flood (traffic)"),
    ("ReadinessFailing", "readiness_fail"),
    ("ReservationFailures", "inventory_set on a popular product"),
    (
        "RetryStorm",
        "error of a dependency, below what opens its breaker",
    ),
    ("SuspiciousActivity", "scanner or bad_password (traffic)"),
    ("TargetDown", "kill or pause of the process"),
    ("TrafficSpike", "surge: a playbook with a factor of five"),
];

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

/// Returns the alerting rules with their names; several may share one.
fn alerts(file: &RuleFile) -> Vec<(String, Rule)> {
    let rules = file.groups.iter().flat_map(|group| &group.rules);
    rules
        .filter_map(|rule| Some((rule.alert.clone()?, rule.clone())))
        .collect()
}

/// Returns the alerting rules of all files but the drill's, which are those of shop.yml.
fn all_alerts() -> Vec<(String, Rule)> {
    RULE_FILES
        .iter()
        .flat_map(|name| alerts(&read(name)))
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
    assert!(assertions >= 550, "{assertions}");
}

#[derive(Deserialize)]
struct UnitTests {
    rule_files: Vec<String>,
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
    exp_alerts: Vec<Expected>,
}

#[derive(Deserialize)]
struct Expected {
    #[serde(default)]
    exp_labels: BTreeMap<String, String>,
}

/// Returns what the unit tests say about the alerts of a rule file.
fn checks_of(rules: &str) -> Vec<Check> {
    yaml_files(&repository().join("rules/tests"))
        .iter()
        .map(|path| fs::read_to_string(path).unwrap())
        .map(|text| serde_yaml::from_str::<UnitTests>(&text).unwrap())
        .filter(|file| file.rule_files == [format!("../{rules}")])
        .flat_map(|file| file.tests)
        .flat_map(|case| case.alert_rule_test)
        .collect()
}

#[test]
fn every_alert_has_a_unit_test_that_fires_it() {
    for name in RULE_FILES.into_iter().chain(["drill.yml"]) {
        let checks = checks_of(name);
        for (alert, rule) in alerts(&read(name)) {
            let of_alert = || checks.iter().filter(|check| check.alertname == alert);
            let fires = |expected: &Expected| {
                let labels = rule.labels.iter();
                labels
                    .filter(|(_, value)| !value.contains("{{"))
                    .all(|(label, value)| expected.exp_labels.get(label) == Some(value))
            };
            assert!(
                of_alert().any(|check| check.exp_alerts.iter().any(fires)),
                "{name}: no test fires {alert} {:?}",
                rule.labels
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
    for name in RULE_FILES.into_iter().chain(["drill.yml"]) {
        for rule in read(name).groups.iter().flat_map(|group| &group.rules) {
            metric_names::check(name, &rule.expr);
        }
    }
}

#[test]
fn every_alert_tells_what_it_means_and_what_to_do() {
    let root = repository();
    let alerts = all_alerts();
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
    let names: BTreeSet<_> = alerts.into_iter().map(|(name, _)| name).collect();
    assert_eq!(runbooks, names, "a runbook for each alert, and no other");
}

/// Queries of runbooks are copied in the night: they stand on lines of their own, indented.
#[test]
fn queries_of_runbooks_read_what_exists() {
    let mut checked = 0;
    for entry in fs::read_dir(repository().join("docs/runbooks")).unwrap() {
        let path = entry.unwrap().path();
        let text = fs::read_to_string(&path).unwrap();
        let lines = text
            .lines()
            .filter_map(|line| line.strip_prefix("    obs-tui query '"));
        for query in lines.map(|line| line.strip_suffix('\'').unwrap()) {
            // The reader puts the name in.
            if !query.contains("__name__") {
                metric_names::check(&path.display().to_string(), query);
            }
            checked += 1;
        }
    }
    assert!(checked >= 100, "only {checked} queries were found");
}

#[test]
fn every_alert_names_a_shipped_playbook_that_expects_it() {
    let mut without = BTreeSet::new();
    for (name, rule) in alerts(&read("shop.yml")) {
        let always = rule
            .labels
            .get("obs_tui_expect")
            .is_some_and(|value| value == "always");
        let Some(playbook) = rule.annotations.get("playbook") else {
            if !always {
                without.insert(name);
            }
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
    let listed: BTreeSet<_> = NO_PLAYBOOK_YET
        .iter()
        .map(|(name, _)| (*name).to_owned())
        .collect();
    assert_eq!(
        without, listed,
        "alerts without a playbook, and the list of them"
    );
}
