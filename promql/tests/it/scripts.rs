//! The scripts under `tests/scripts`, one topic each.
//!
//! Prometheus' own runner reads them too, so they are run as it does: with experimental functions
//! and delayed name removal. What must not parse cannot stand in a script and is tested here.

use std::path::PathBuf;

use promql::script::{self, Settings};
use promql::{Dialect, Profile, Query};

fn scripts() -> Vec<(String, String)> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/scripts");
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "test")
        })
        .collect();
    files.sort();
    assert!(files.len() >= 24, "the scripts are there");
    files
        .iter()
        .map(|file| {
            let name = file.file_name().unwrap().to_string_lossy().into_owned();
            (name, std::fs::read_to_string(file).unwrap())
        })
        .collect()
}

fn run_all(settings: Settings, take: impl Fn(&str) -> bool) {
    let mut passed = 0;
    let mut wrong = Vec::new();
    for (name, text) in scripts() {
        if !take(&name) {
            continue;
        }
        let report = script::run(&text, settings).unwrap_or_else(|e| panic!("{name}: {e}"));
        passed += report.passed;
        assert_eq!(report.skipped_count(), 0, "{name} skips something");
        for failure in report.failures {
            wrong.push(format!(
                "{name}:{}: {}\n  expected: {}\n  got: {}",
                failure.line, failure.expression, failure.expected, failure.got
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    println!("{passed} evaluations");
}

#[test]
fn every_script_passes() {
    let settings = Settings {
        experimental: true,
        delayed_name_removal: true,
        ..Settings::default()
    };
    run_all(settings, |_| true);
}

/// Names are dropped by default where a function drops them.
#[test]
fn scripts_pass_with_the_names_dropped_at_once() {
    let settings = Settings {
        experimental: true,
        ..Settings::default()
    };
    run_all(settings, |name| name != "delayed_names.test");
}

/// The words and operators of all expressions that are evaluated.
fn expressions() -> Vec<String> {
    scripts()
        .iter()
        .flat_map(|(_, text)| text.lines())
        .filter(|line| line.starts_with("eval"))
        .map(str::to_owned)
        .collect()
}

#[test]
fn every_function_and_operator_occurs_in_a_script() {
    let expressions = expressions();
    let occurs = |word: &str| {
        expressions.iter().any(|text| {
            text.match_indices(word).any(|(at, _)| {
                let is_part = |c: char| c.is_alphanumeric() || c == '_';
                let symbol = !word.starts_with(is_part);
                symbol
                    || !(text[..at].ends_with(is_part)
                        || text[at + word.len()..].starts_with(is_part))
            })
        })
    };
    let missing: Vec<&str> = promql::function_names(Profile::V3_5)
        .into_iter()
        .chain([
            "+",
            "-",
            "*",
            "/",
            "%",
            "^",
            "atan2",
            "==",
            "!=",
            ">",
            "<",
            ">=",
            "<=",
            "bool",
            "and",
            "or",
            "unless",
            "on",
            "ignoring",
            "group_left",
            "group_right",
            "by",
            "without",
            "offset",
            "@",
            "start",
            "end",
            "=~",
            "!~",
            "sum",
            "avg",
            "min",
            "max",
            "count",
            "group",
            "stddev",
            "stdvar",
            "topk",
            "bottomk",
            "quantile",
            "count_values",
            "limitk",
            "limit_ratio",
        ])
        .filter(|word| !occurs(word))
        .collect();
    assert!(missing.is_empty(), "in no script: {missing:?}");
}

#[test]
fn the_stable_functions_are_those_of_prometheus() {
    let stable = |profile| {
        promql::function_names(profile)
            .into_iter()
            .filter(|name| {
                let arguments = [
                    "", "m", "m[1m]", "m, 1", "m, 1, 1", "m[1m], 1", "1, m[1m]", "1",
                ];
                let more = [
                    "1, m",
                    "1, 1, m",
                    "m[1m], 0.5, 0.5",
                    "m, \"a\", \"b\", \"c\", \"d\"",
                    "m, \"a\", \"b\", \"c\"",
                ];
                let dialect = Dialect {
                    profile,
                    experimental: false,
                };
                arguments
                    .iter()
                    .chain(&more)
                    .any(|args| Query::parse_as(&format!("{name}({args})"), dialect).is_ok())
            })
            .count()
    };
    // 3.5 has moved holt_winters, renamed, among the experimental ones.
    assert_eq!(
        [Profile::V2_42, Profile::V2_53, Profile::V3_5].map(stable),
        [70, 73, 72]
    );
}

/// Read by no version.
const REFUSED: [&str; 24] = [
    "",
    "sum(",
    "m)",
    "{}",
    "{a=~\".*\"}",
    "m{a=~\"(\"}",
    "m[0s]",
    "m[5m] + 1",
    "rate(m)",
    "abs(m[5m])",
    "abs(1)",
    "nonsense(m)",
    "1 > 2",
    "m and 1",
    "m + bool m",
    "m and on (a) group_left m",
    "m * on (a) group_left (a) m",
    "\"x\" + \"y\"",
    "m offset 1m offset 1m",
    "m @ m",
    "(m + m) offset 1m",
    "(m + m)[5m]",
    "topk(m, m)",
    "1__0",
];

#[test]
fn what_no_version_reads_is_refused() {
    for profile in [Profile::V2_42, Profile::V2_53, Profile::V3_5] {
        let dialect = Dialect {
            profile,
            experimental: true,
        };
        for text in REFUSED {
            let read = Query::parse_as(text, dialect);
            assert!(read.is_err(), "{text:?} is read as {read:?}");
        }
    }
}

#[test]
fn each_version_reads_its_own_notations() {
    let reads = |text: &str| {
        [Profile::V2_42, Profile::V2_53, Profile::V3_5].map(|profile| {
            let dialect = Dialect {
                profile,
                experimental: false,
            };
            Query::parse_as(text, dialect).is_ok()
        })
    };
    for (text, expected) in [
        ("rate(m[5m] offset 5m)", [true; 3]),
        ("rate(m[300])", [false, false, true]),
        ("m offset 60", [false, false, true]),
        ("m offset 0s", [false, false, true]),
        ("1m + m", [false, false, true]),
        ("1_000", [false, false, true]),
        ("{\"m\"}", [false, true, true]),
        ("m{\"a\"=\"b\"}", [false, true, true]),
        ("sum by (\"a\") (m)", [false, false, true]),
        ("holt_winters(m[5m], 0.5, 0.5)", [true, true, false]),
        ("histogram_avg(m)", [false, true, true]),
        ("mad_over_time(m[5m])", [false; 3]),
        ("m{a=\"\\xff\"}", [false; 3]),
        ("1e400", [false; 3]),
    ] {
        assert_eq!(reads(text), expected, "{text}");
    }
}
