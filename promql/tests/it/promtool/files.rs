//! Rule files: what promtool refuses, we refuse.

use std::fmt::Write as _;

use promql::rules::RuleFile;
use promql::{Dialect, Profile};

use super::ask::Promtool;

/// Whole files. Two documents in one file are left out: promtool does not look at the second.
const FILES: [&str; 22] = [
    "",
    "groups:\n",
    "groups: []\n",
    "group: []\n",
    "groups: {}\n",
    "- a\n",
    "groups: [{name: a}]\n",
    "groups: [{name: a, rules: []}]\n",
    "groups: [{rules: []}]\n",
    "groups: [{name: '', rules: []}]\n",
    "groups: [{name: a}, {name: a}]\n",
    "groups: [{name: a}, {name: A}]\n",
    "groups: [{name: a, interval: 1m, limit: 3}]\n",
    "groups: [{name: a, interval: 5}]\n",
    "groups: [{name: a, limit: many}]\n",
    "groups: [{name: a, limit: -1}]\n",
    "groups: [{name: a, query_offset: 1m}]\n",
    "groups: [{name: a, labels: {a: b}}]\n",
    "groups: [{name: a, labels: {__name__: b}}]\n",
    "groups: [{name: a, labels: [a]}]\n",
    "groups: [{name: a, source_tenants: [a]}]\n",
    "groups: [{name: a, rules: [1]}]\n",
];

/// Rules, in a group of their own.
const RULES: [&str; 64] = [
    "{record: a, expr: up}",
    "{record: a}",
    "{expr: up}",
    "{alert: A, record: a, expr: up}",
    "{alert: '', record: a, expr: up}",
    "{alert: A, record: '', expr: up}",
    "{alert: '', expr: up}",
    "{alert: A, expr: ''}",
    "{alert: A, expr: '  '}",
    "{alert: A, expr: '# nothing'}",
    "{alert: A, expr: sum(}",
    "{alert: A, expr: 1}",
    "{alert: A, expr: '\"text\"'}",
    "{alert: A, expr: 'up[5m]'}",
    "{alert: A, expr: up + up[5m]}",
    "{alert: A, expr: nope(up)}",
    "{alert: A, expr: [up]}",
    "{alert: 012, expr: up}",
    "{alert: a b c, expr: up}",
    "{alert: {a: b}, expr: up}",
    "{record: a:b, expr: up}",
    "{record: 1a, expr: up}",
    "{record: a b, expr: up}",
    "{record: a.b, expr: up}",
    "{record: 'a{b=\"c\"}', expr: up}",
    "{record: a, expr: up, for: 1m}",
    "{record: a, expr: up, for: 0s}",
    "{record: a, expr: up, keep_firing_for: 1m}",
    "{record: a, expr: up, annotations: {a: b}}",
    "{record: a, expr: up, annotations: {}}",
    "{record: a, expr: up, labels: {a: '{{ nope }}'}}",
    "{record: a, expr: up, labels: {a: ''}}",
    "{record: a, expr: up, nope: 1}",
    "{alert: A, expr: up, for: 5}",
    "{alert: A, expr: up, for: 0}",
    "{alert: A, expr: up, for: ''}",
    "{alert: A, expr: up, for: -5m}",
    "{alert: A, expr: up, for: 1.5h}",
    "{alert: A, expr: up, for: 1h30m}",
    "{alert: A, expr: up, for: 30m1h}",
    "{alert: A, expr: up, for: 1h1h}",
    "{alert: A, expr: up, for: 1ms}",
    "{alert: A, expr: up, for: 292y}",
    "{alert: A, expr: up, for: 300y}",
    "{alert: A, expr: up, for: 5M}",
    "{alert: A, expr: up, for: 5 m}",
    "{alert: A, expr: up, for: ~}",
    "{alert: A, expr: up, keep_firing_for: 1d}",
    "{alert: A, expr: up, keep_firing_for: soon}",
    "{alert: A, expr: up, labels: {a: b}}",
    "{alert: A, expr: up, labels: {__name__: b}}",
    "{alert: A, expr: up, labels: {'': b}}",
    "{alert: A, expr: up, labels: {a.b: c}}",
    "{alert: A, expr: up, labels: {a-b: c}}",
    "{alert: A, expr: up, labels: {a: {b: c}}}",
    "{alert: A, expr: up, labels: {a: 1.50, b: true, c: ~, d: .inf}}",
    "{alert: A, expr: up, labels: {a: '{{ $value'}}",
    "{alert: A, expr: up, labels: {alertname: b}}",
    "{alert: A, expr: up, annotations: {a: '{{ $labels.a }}'}}",
    "{alert: A, expr: up, annotations: {a: '{{ $nope }}'}}",
    "{alert: A, expr: up, annotations: {'': b}}",
    "{alert: A, expr: up, annotations: {a b: c}}",
    "{alert: A, alert: B, expr: up}",
    "{alert: A, expr: up, labels: {a: b, a: c}}",
];

fn texts() -> Vec<String> {
    let rules = RULES
        .iter()
        .map(|rule| format!("groups:\n- name: g\n  rules:\n  - {rule}\n"));
    FILES
        .iter()
        .map(|text| (*text).to_owned())
        .chain(rules)
        .collect()
}

fn check(test: &str, program: &str) {
    let Some(promtool) = Promtool::find_program(test, program) else {
        return;
    };
    let texts = texts();
    let theirs = promtool.check_rules(&texts);
    assert_eq!(theirs.len(), texts.len());
    let dialect = Dialect {
        profile: promtool.profile,
        experimental: false,
    };
    let mut differences = String::new();
    for (text, accepted) in texts.iter().zip(&theirs) {
        let ours = RuleFile::parse_as(text, dialect);
        if ours.is_ok() != *accepted {
            let _ = writeln!(differences, "{text}  theirs: {accepted}, ours: {ours:?}");
        }
    }
    assert!(
        differences.is_empty(),
        "{}:\n{differences}",
        promtool.version
    );
}

#[test]
fn rule_files_agree_with_promtool() {
    check("rule_files_agree_with_promtool", "promtool");
}

#[test]
fn rule_files_agree_with_promtool_2_53() {
    check("rule_files_agree_with_promtool_2_53", "promtool-2.53");
}

#[test]
fn rule_files_agree_with_promtool_2_42() {
    check("rule_files_agree_with_promtool_2_42", "promtool-2.42");
}

#[test]
fn all_that_is_wrong_is_told_with_its_place() {
    for text in texts() {
        let dialect = Dialect {
            profile: Profile::V3_5,
            experimental: false,
        };
        for problem in RuleFile::parse_as(&text, dialect)
            .err()
            .into_iter()
            .flatten()
        {
            assert!(
                problem.place.line > 0 && problem.place.column > 0,
                "{problem}"
            );
            assert!(!problem.message.is_empty(), "{text}");
        }
    }
}
