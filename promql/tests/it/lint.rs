//! Lints: for each a file with rules it must find and rules it must leave alone.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use promql::lint::{Finding, Settings, Source, check, lints};
use promql::rules::RuleFile;

const SETTINGS: Settings = Settings {
    scrape_interval_ms: 15_000,
};

fn findings(text: &str) -> Vec<Finding> {
    let rules = RuleFile::parse(text).unwrap();
    let source = Source {
        text,
        rules: &rules,
    };
    check(&[source], SETTINGS)
}

/// Shows findings as a person reads them, with the place marked in its line.
fn shown(text: &str, findings: &[Finding]) -> String {
    let mut shown = String::new();
    for finding in findings {
        let line = text.lines().nth(finding.place.line as usize - 1).unwrap();
        let mark = " ".repeat(finding.place.column as usize - 1);
        let _ = write!(
            shown,
            "{}\n{mark}^ {}\n{mark}  {}\n",
            line, finding.message, finding.remedy
        );
    }
    shown
}

#[test]
fn every_lint_finds_the_bad_and_leaves_the_good() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/lint");
    let mut wrong = String::new();
    for lint in lints() {
        let path = folder.join(format!("{}.yml", lint.id));
        let text = fs::read_to_string(&path).unwrap_or_else(|_| panic!("{}", path.display()));
        let file = RuleFile::parse(&text).unwrap_or_else(|error| panic!("{}: {error:#?}", lint.id));
        let mut found = findings(&text);
        found.retain(|finding| finding.lint == lint.id);
        let rules = file.groups.iter().flat_map(|group| {
            let is_bad = group.name == "bad";
            group.rules.iter().map(move |rule| (is_bad, rule))
        });
        let rules: Vec<_> = rules.collect();
        for (number, (is_bad, rule)) in rules.iter().enumerate() {
            let next = rules.get(number + 1);
            let end = next.map_or(u32::MAX, |(_, rule)| rule.place.line);
            let is_found = found
                .iter()
                .any(|one| (rule.place.line..end).contains(&one.place.line));
            if is_found != *is_bad && !is_helper(&rule.name, lint.id) {
                let _ = writeln!(wrong, "{}: {}: found: {is_found}", lint.id, rule.name);
            }
        }
        insta::with_settings!({ omit_expression => true, prepend_module_to_snapshot => false }, {
            insta::assert_snapshot!(format!("lint__{}", lint.id), shown(&text, &found));
        });
    }
    assert!(wrong.is_empty(), "{wrong}");
}

/// Recorded series that stand among the bad rules only because those read them.
fn is_helper(rule: &str, lint: &str) -> bool {
    matches!(
        (rule, lint),
        ("a:now", "missing-for")
            | ("job:ok:ratio", "share-threshold")
            | ("a:ratio", "missing-absent")
    )
}

#[test]
fn comments_silence_lints() {
    let bad = "rate(a_total[30s]) > 1";
    let text = format!(
        "groups:\n- name: g\n  rules:\n  - alert: A # obs-tui: allow short-range\n    expr: {bad}\n    for: 1m\n  \
         # why: it is scraped every second\n  # obs-tui: allow short-range, missing-absent\n  - alert: B\n    \
         expr: |\n      {bad}\n    for: 1m\n  - alert: C\n    expr: {bad}\n    for: 1m\n    # obs-tui: allow nonsense\n"
    );
    let found: Vec<_> = findings(&text)
        .into_iter()
        .map(|finding| (finding.rule, finding.lint))
        .collect();
    let found: Vec<_> = found
        .iter()
        .map(|(rule, lint)| (rule.as_str(), *lint))
        .collect();
    assert_eq!(
        found,
        [
            ("A", "missing-absent"),
            ("C", "missing-absent"),
            ("C", "short-range"),
            ("", "unknown-lint"),
        ]
    );
    let whole = format!("# obs-tui: allow short-range missing-absent\n{text}");
    let found = findings(&whole);
    assert_eq!(found.len(), 1, "{found:#?}");
}

#[test]
fn a_rule_of_another_file_watches_over() {
    let alert =
        "groups: [{name: a, rules: [{alert: A, expr: 'sum(rate(a_total[5m])) > 1', for: 1m}]}]";
    let watch = "groups: [{name: b, rules: [{alert: B, expr: absent(a_total), for: 1m}]}]";
    assert_eq!(findings(alert).len(), 1);
    let (alert_rules, watch_rules) = (
        RuleFile::parse(alert).unwrap(),
        RuleFile::parse(watch).unwrap(),
    );
    let sources = [
        Source {
            text: alert,
            rules: &alert_rules,
        },
        Source {
            text: watch,
            rules: &watch_rules,
        },
    ];
    assert_eq!(check(&sources, SETTINGS), []);
}

#[test]
fn the_shipped_rules_are_clean() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../rules");
    for (name, scrape_interval_ms) in [("shop.yml", 15_000), ("drill.yml", 1000)] {
        let text = fs::read_to_string(folder.join(name)).unwrap();
        let rules = RuleFile::parse(&text).unwrap();
        let source = Source {
            text: &text,
            rules: &rules,
        };
        let found = check(&[source], Settings { scrape_interval_ms });
        assert!(found.is_empty(), "{name}: {found:#?}");
    }
}
