//! Templates: what promtool makes of them, and what we make of them.
//!
//! An alert whose annotation is the template is expected to say something impossible, so promtool
//! prints what it says.

mod grammar;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::ops::Range;

use promql::rules::{Config, Evaluator, RuleFile, Template};
use promql::script::series;
use promql::{Labels, Options, Profile, Store};

use super::ask::Promtool;
use grammar::Grammar;

/// The series that templates query.
const QUERIED: [&str; 4] = [
    "q{a=\"2\",b=\"y z\"} 6.5",
    "q{a=\"1\",b=\"x\"} 5",
    "q{a=\"3\",b=\"\"} -1e9",
    "single{only=\"one\",__value__=\"text\"} 1234567.891",
];

/// An element, and the template of its alert.
struct Case {
    element: String,
    template: String,
}

fn rules(cases: &[Case]) -> String {
    let mut text = "groups:\n- name: g\n  rules:\n".to_owned();
    for (index, case) in cases.iter().enumerate() {
        let _ = writeln!(
            text,
            "  - {{alert: T{index}, expr: 'm{{id=\"{index}\"}}', annotations: {{t: {}}}}}",
            yaml(&case.template)
        );
    }
    text
}

fn yaml(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

fn tests(cases: &[Case]) -> String {
    let mut text = "rule_files: [rules.yml]\nevaluation_interval: 1m\ntests:\n- interval: 1m\n  \
                    external_labels: {region: eu}\n  external_url: 'http://p.example/x'\n  \
                    input_series:\n"
        .to_owned();
    let elements = cases.iter().map(|case| case.element.as_str());
    for line in elements.chain(QUERIED) {
        let (series, value) = line.rsplit_once(' ').unwrap();
        let _ = writeln!(text, "  - {{series: {}, values: '{value}'}}", yaml(series));
    }
    text.push_str("  alert_rule_test:\n");
    for index in 0..cases.len() {
        let _ = writeln!(
            text,
            "  - {{eval_time: 0m, alertname: T{index}, exp_alerts: [{{exp_labels: {{no: no}}}}]}}"
        );
    }
    text
}

/// Reads the annotation of each alert out of what promtool printed.
fn annotations(output: &str) -> BTreeMap<usize, String> {
    let mut found = BTreeMap::new();
    let mut current = None;
    let mut has_come = false;
    for line in output.lines().map(str::trim_start) {
        if let Some(name) = line.strip_prefix("alertname: T") {
            current = name
                .split(',')
                .next()
                .and_then(|number| number.parse().ok());
            has_come = false;
        } else if line.starts_with("got:") {
            has_come = true;
        } else if let (true, Some(index), Some(rest)) =
            (has_come, current, line.strip_prefix("Annotations:"))
        {
            // Half a character cannot be read back.
            let text = match series::parse_labels(rest) {
                Ok((labels, _)) => labels.get("t").unwrap_or_default().to_owned(),
                Err(_) => "\u{fffd}".to_owned(),
            };
            found.insert(index, text);
            current = None;
        }
    }
    found
}

fn ours(cases: &[Case], profile: Profile) -> BTreeMap<usize, String> {
    let file = RuleFile::parse(&rules(cases)).unwrap_or_else(|problems| panic!("{problems:?}"));
    let options = Options {
        profile,
        ..Options::default()
    };
    let config = Config {
        external_labels: Labels::from_pairs([("region", "eu")]),
        external_url: "http://p.example/x".to_owned(),
        options,
        ..Config::default()
    };
    let mut store = Store::new(i64::MAX);
    let elements = cases.iter().map(|case| case.element.as_str());
    for line in elements.chain(QUERIED) {
        let notation = series::parse(line).unwrap();
        let value = notation.samples[0].unwrap();
        store.append(&notation.labels, 0, value).unwrap();
    }
    let mut evaluator = Evaluator::new(vec![file], config);
    let outcome = evaluator.evaluate(0, &mut store, 0);
    assert_eq!(outcome.errors, []);
    // Every alert goes to firing at once.
    outcome
        .transitions
        .into_iter()
        .map(|transition| {
            let index = transition.alert[1..].parse().unwrap();
            (index, transition.annotations[0].1.clone())
        })
        .collect()
}

/// What stands behind a failing regex or query is said in other words.
fn comparable(text: &str) -> &str {
    let worded = ["error parsing regexp: ", "error calling query: "];
    let end = worded
        .iter()
        .filter_map(|words| Some(text.find(words)? + words.len()))
        .min();
    end.map_or(text, |end| &text[..end])
}

const BATCH: usize = 250;

/// Compares as many templates as there are seeds × [`BATCH`].
fn compare(promtool: &Promtool, seeds: Range<u64>) {
    let profile = promtool.profile;
    let (mut compared, mut failed, mut cut) = (0, 0, 0);
    let mut differences = Vec::new();
    for seed in seeds {
        let mut grammar = Grammar::new(seed, profile);
        let cases: Vec<Case> = (0..BATCH)
            .map(|index| Case {
                element: grammar.element(index),
                template: grammar.template(),
            })
            .collect();
        let output = promtool.test_rules(&rules(&cases), &tests(&cases));
        let theirs = annotations(&output);
        assert_eq!(theirs.len(), cases.len(), "seed {seed}:\n{output}");
        let ours = ours(&cases, profile);
        for (index, case) in cases.iter().enumerate() {
            let (ours, theirs) = (&ours[&index], &theirs[&index]);
            compared += 1;
            failed += usize::from(theirs.starts_with("<error"));
            if ours.contains('\u{fffd}') {
                // Half a character is no text here.
                cut += 1;
            } else if comparable(ours) != comparable(theirs) {
                differences.push(format!(
                    "seed {seed}, {} with {}\n  ours:   {ours:?}\n  theirs: {theirs:?}",
                    case.template, case.element
                ));
            }
        }
    }
    println!(
        "{compared} templates against {}, {failed} of them fail on both sides, {cut} cut a \
         character in half",
        promtool.version
    );
    let shown: Vec<&str> = differences.iter().take(20).map(String::as_str).collect();
    assert!(
        differences.is_empty(),
        "{} of {compared} differ:\n{}",
        differences.len(),
        shown.join("\n")
    );
}

/// How many batches are compared: `OBS_TUI_TEMPLATE_BATCHES` for a long run.
fn seeds(start: u64) -> Range<u64> {
    let batches = std::env::var("OBS_TUI_TEMPLATE_BATCHES").ok();
    let batches = batches.and_then(|text| text.parse().ok()).unwrap_or(2);
    start..start + batches
}

fn check(test: &str, program: &str, start: u64) {
    if let Some(promtool) = Promtool::find_program(test, program) {
        compare(&promtool, seeds(start));
    }
}

#[test]
fn random_templates_agree_with_promtool() {
    check("random_templates_agree_with_promtool", "promtool", 0);
}

#[test]
fn random_templates_agree_with_promtool_2_53() {
    let test = "random_templates_agree_with_promtool_2_53";
    check(test, "promtool-2.53", 1_000_000);
}

#[test]
fn random_templates_agree_with_promtool_2_42() {
    let test = "random_templates_agree_with_promtool_2_42";
    check(test, "promtool-2.42", 2_000_000);
}

#[test]
fn what_promtool_refuses_is_refused() {
    // Each with whether it loads.
    let cases = [
        ("{{ humanize }}", true),
        ("{{ $x := 1 }}{{ $x }}", true),
        ("{{ $x }}", false),
        ("{{ if true }}{{ $x := 1 }}{{ end }}{{ $x }}", false),
        ("{{ nope }}", false),
        ("{{ now }}", false),
        ("{{ toDuration 1 }}", false),
        ("{{ urlQueryEscape \"a\" }}", false),
        ("{{ tmpl \"a\" . }}", false),
        ("{{ . | 1 }}", false),
        ("{{ 1 | print }}", true),
        ("{{ true.x }}", false),
        ("{{ print.x }}", true),
        ("{{ (print).x }}", true),
        ("{{ \"a\" \"b\" }}", true),
        ("{{ 1e400 }}", false),
        ("{{ 08 }}", false),
        (
            "{{ 1_000 }} {{ 0x_1f }} {{ 0b11 }} {{ 0o17 }} {{ 017 }}",
            true,
        ),
        ("{{ 1__0 }}", false),
        ("{{ 'a' }} {{ '\\n' }} {{ '\\x41' }}", true),
        ("{{ 'ab' }}", false),
        ("{{ \"\\'\" }}", false),
        ("{{ \"\\u00e9 \\101 \\x41\" }}", true),
        ("{{ \"\\z\" }}", false),
        ("{{ \"a\n\" }}", false),
        ("{{ `a\n` }}", true),
        ("{{ /* c */ }}", false),
        ("{{/* c */}}", true),
        ("{{- /* c */ -}}", true),
        ("{{/* c }}", false),
        ("{{-1}}", true),
        ("{{- 1 -}}", true),
        ("{{1-}}", false),
        ("{{ 1 -}}", true),
        ("{{{ 1 }}", false),
        ("{{}}", false),
        ("{{ }}", false),
        ("{{ | print }}", false),
        ("{{ print | }}", true),
        ("{{ print | | print }}", false),
        ("{{ (print }}", false),
        ("{{ print) }}", false),
        ("{{ () }}", false),
        ("{{ $value", false),
        ("}}", true),
        ("{{ end }}", false),
        ("{{ else }}", false),
        ("{{ if }}{{ end }}", false),
        ("{{ if true }}", false),
        ("{{ if true }}{{ else }}", false),
        ("{{ if true }}{{ else }}{{ else }}{{ end }}", false),
        ("{{ if true }}{{ else if false }}{{ else }}{{ end }}", true),
        ("{{ if true }}{{ else with 1 }}{{ end }}", false),
        ("{{ with 1 }}{{ else if 1 }}{{ end }}", false),
        ("{{ with 1 }}{{ else with 2 }}{{ end }}", true),
        ("{{ with $x := 1 }}{{ $x }}{{ end }}", true),
        ("{{ with $x, $y := 1 }}{{ end }}", false),
        ("{{ range $x, $y := $labels }}{{ $x }}{{ end }}", true),
        ("{{ range $x, $y, $z := $labels }}{{ end }}", false),
        ("{{ range $x, 1 := $labels }}{{ end }}", false),
        ("{{ break }}", false),
        ("{{ if true }}{{ continue }}{{ end }}", false),
        ("{{ range $labels }}{{ break }}{{ else }}x{{ end }}", true),
        ("{{ range $labels }}{{ else }}{{ break }}{{ end }}", false),
        ("{{ range $labels }}{{ break 1 }}{{ end }}", false),
        ("{{ define \"a\" }}x{{ end }}{{ template \"a\" }}", true),
        ("{{ define \"a\" }}{{ $value }}{{ end }}", false),
        (
            "{{ define \"a\" }}x{{ end }}{{ define \"a\" }}y{{ end }}",
            false,
        ),
        ("{{ define a }}x{{ end }}", false),
        ("{{ if true }}{{ define \"a\" }}x{{ end }}{{ end }}", false),
        ("{{ block \"a\" . }}{{ . }}{{ end }}", true),
        ("{{ block \"a\" }}{{ end }}", false),
        ("{{ template \"nope\" }}", true),
        ("{{ template $value }}", false),
        ("{{ $labels.a.b.c }}", true),
        ("{{ $labels. }}", false),
        ("{{ .Labels.a-b }}", false),
        ("{{ $x := }}", false),
        ("{{ $value = 3.0 }}{{ $value }}", true),
        ("{{ $x = 3.0 }}", true),
        ("{{ $x := $y := 1 }}", false),
        ("{{ (1).x }}", true),
        ("{{ \"a\".x }}", false),
        ("{{ .x.y }}", true),
        ("{{ @ }}", false),
        ("{{ ; }}", false),
        ("{{ é }}", false),
        ("{{ $é := 1 }}{{ $é }}", true),
        ("{{ 1 : 2 }}", false),
        ("{{ nil }}", true),
        ("{{ print nil }}", true),
        ("{{ if nil }}{{ end }}", true),
        ("{{ 1i }}", true),
        ("{{ print 1.5.2 }}", false),
        ("{{ print \"a\"\"b\" }}", false),
        ("{{ print (1)(2) }}", false),
        ("{{ print 1,2 }}", false),
        ("{{ print $value.x.y }}", true),
    ];
    for (template, loads) in cases {
        // Complex numbers are not built; nobody misses them in an alert.
        if template != "{{ 1i }}" {
            let parsed = Template::parse(template);
            assert_eq!(parsed.is_ok(), loads, "{template}: {parsed:?}");
        }
    }
    let Some(promtool) = Promtool::find("what_promtool_refuses_is_refused") else {
        return;
    };
    // All at once: what does not load is listed.
    let all: Vec<Case> = cases
        .iter()
        .map(|(template, _)| Case {
            element: "m 1".to_owned(),
            template: template.replace('\n', "\n\n    "),
        })
        .collect();
    let output = promtool.test_rules(&rules(&all), &tests(&all[..1]));
    for (index, (template, loads)) in cases.iter().enumerate() {
        let is_listed = output.contains(&format!("\"T{index}\": annotation"));
        assert_eq!(!is_listed, *loads, "{template}: {output}");
    }
}
