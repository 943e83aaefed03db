//! Asks promtool: a unit test with an impossible expectation makes it print what it got.

use std::env;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use promql::script::series::{number, parse_labels};
use promql::{Labels, Profile};

use super::generate::SeriesLine;

/// One query at one time.
#[derive(Debug, Clone)]
pub(crate) struct Case {
    pub(crate) expr: String,
    pub(crate) t_ms: i64,
}

/// What came out.
#[derive(Debug)]
pub(super) enum Answer {
    Vector(Vec<(Labels, f64)>),
    Error(String),
}

pub(super) struct Promtool {
    path: PathBuf,
    pub(super) version: String,
    /// The profile that is nearest to the version.
    pub(super) profile: Profile,
    /// Whether the profile reproduces this very version.
    pub(super) is_exact: bool,
}

impl Promtool {
    /// Returns the program.
    pub(super) fn program(&self) -> &Path {
        &self.path
    }

    /// Finds promtool 3.5. The suite it comes from moves on: another version is no reason to fail.
    pub(super) fn find(test: &str) -> Option<Self> {
        let promtool = Self::find_program(test, "promtool")?;
        if promtool.profile == Profile::V3_5 && promtool.is_exact {
            return Some(promtool);
        }
        let version = &promtool.version;
        let _ = writeln!(
            std::io::stderr(),
            "SKIPPED {test}: needs promtool 3.5, found {version}"
        );
        None
    }

    /// Finds a promtool and asks for its version.
    pub(super) fn find_program(test: &str, program: &str) -> Option<Self> {
        let path = locate(test, program)?;
        let output = Command::new(&path).arg("--version").output().unwrap();
        let printed = String::from_utf8_lossy(&output.stdout).into_owned();
        let version = printed.lines().next().unwrap_or_default().to_owned();
        let (major, minor) = numbers(&version)
            .unwrap_or_else(|| panic!("{test}: {program} does not tell its version: {version:?}"));
        let (profile, is_exact) = match (major, minor) {
            (2, ..=50) => (Profile::V2_42, minor == 42),
            (2, _) => (Profile::V2_53, minor == 53),
            _ => (Profile::V3_5, (major, minor) == (3, 5)),
        };
        Some(Self {
            path,
            version,
            profile,
            is_exact,
        })
    }

    /// Evaluates queries over series with one sample every ten seconds.
    pub(super) fn ask(
        &self,
        features: &[&str],
        lines: &[SeriesLine],
        cases: &[Case],
    ) -> Vec<Answer> {
        self.ask_with_rules(features, None, "1m", lines, cases)
    }

    /// Evaluates rules first; `interval` is that of the rules and of subqueries without a step.
    pub(super) fn ask_with_rules(
        &self,
        features: &[&str],
        rules: Option<&str>,
        interval: &str,
        lines: &[SeriesLine],
        cases: &[Case],
    ) -> Vec<Answer> {
        let folder = tempfile::tempdir().unwrap();
        let mut text = String::new();
        if let Some(rules) = rules {
            std::fs::write(folder.path().join("rules.yml"), rules).unwrap();
            text.push_str("rule_files: [rules.yml]\n");
        }
        let _ = write!(
            text,
            "evaluation_interval: {interval}\ntests:\n- interval: 10s\n"
        );
        text.push_str("  input_series:\n");
        for line in lines {
            let _ = writeln!(
                text,
                "  - {{series: '{}', values: '{}'}}",
                line.name.replace('\'', "''"),
                line.values
            );
        }
        text.push_str("  promql_expr_test:\n");
        for case in cases {
            let _ = writeln!(
                text,
                "  - expr: '{}'\n    eval_time: {}ms\n    exp_samples: [{{labels: 'bogus', value: 1}}]",
                case.expr.replace('\'', "''"),
                case.t_ms
            );
        }
        let file = folder.path().join("test.yml");
        std::fs::write(&file, text).unwrap();
        let output = Command::new(&self.path)
            .args(
                features
                    .iter()
                    .map(|name| format!("--enable-feature={name}")),
            )
            .args(["test", "rules"])
            .arg(&file)
            .output()
            .unwrap();
        let mut all = String::from_utf8_lossy(&output.stdout).into_owned();
        all.push_str(&String::from_utf8_lossy(&output.stderr));
        answers(&all)
    }
}

/// Reads `promtool, version 3.5.3+ds1 …`.
fn numbers(version: &str) -> Option<(u32, u32)> {
    let mut parts = version.split_once("version ")?.1.split('.');
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

/// Finds a promtool in `$OBS_TUI_PEERS/bin`, in the cache folder of the peers, or on the path.
/// Without it the test is skipped, or fails when `OBS_TUI_REQUIRE_PEERS=1`.
pub(crate) fn locate(test: &str, program: &str) -> Option<PathBuf> {
    let found = places(program).find(|place| place.is_file());
    found.or_else(|| skipped(test, &format!("needs {program}; run .ci/install-peers")))
}

fn places(program: &str) -> impl Iterator<Item = PathBuf> {
    let folder = |name| env::var_os(name).filter(|value| !value.is_empty());
    let cache = folder("XDG_CACHE_HOME")
        .map(PathBuf::from)
        .or_else(|| folder("HOME").map(|home| Path::new(&home).join(".cache")));
    let peers = [
        folder("OBS_TUI_PEERS").map(PathBuf::from),
        cache.map(|cache| cache.join("obs-tui/peers")),
    ];
    let path: Vec<PathBuf> = env::split_paths(&env::var_os("PATH").unwrap_or_default()).collect();
    let folders = peers.into_iter().flatten().map(|peers| peers.join("bin"));
    folders.chain(path).map(move |folder| folder.join(program))
}

/// Says on stderr, past the capture of the test runner, that a test is skipped.
fn skipped<T>(test: &str, why: &str) -> Option<T> {
    let required = env::var_os("OBS_TUI_REQUIRE_PEERS").is_some_and(|value| value == "1");
    assert!(!required, "{test} {why}");
    let _ = writeln!(std::io::stderr(), "SKIPPED {test}: {why}");
    None
}

fn answers(output: &str) -> Vec<Answer> {
    let mut answers = Vec::new();
    for line in output.lines() {
        let line = line.trim_start();
        if line.starts_with("expr: ") {
            if let Some((_, error)) = line.split_once(", err: ") {
                answers.push(Answer::Error(error.to_owned()));
            }
        } else if let Some(got) = line.strip_prefix("got: ") {
            answers.push(Answer::Vector(vector(got)));
        }
    }
    answers
}

fn vector(text: &str) -> Vec<(Labels, f64)> {
    let mut elements = Vec::new();
    let mut rest = if text == "nil" { "" } else { text };
    while !rest.is_empty() {
        let (labels, after) = parse_labels(rest).unwrap();
        let (value, next) = after.split_once(", ").unwrap_or((after, ""));
        elements.push((labels, number(value.trim()).unwrap()));
        rest = next;
    }
    elements
}

impl Promtool {
    /// Says of each rule file whether it is accepted; lints do not count.
    pub(super) fn check_rules(&self, texts: &[String]) -> Vec<bool> {
        let folder = tempfile::tempdir().unwrap();
        let mut command = Command::new(&self.path);
        command.args(["check", "rules", "--lint=none"]);
        for (index, text) in texts.iter().enumerate() {
            let name = format!("{index}.yml");
            std::fs::write(folder.path().join(&name), text).unwrap();
            command.arg(name);
        }
        let output = command.current_dir(folder.path()).output().unwrap();
        let printed = String::from_utf8_lossy(&output.stdout).into_owned();
        let files = printed.split("Checking ").skip(1);
        files.map(|file| file.contains("SUCCESS: ")).collect()
    }

    /// Runs a unit-test file that reads `rules.yml`, and returns all that is printed.
    pub(super) fn test_rules(&self, rules: &str, tests: &str) -> String {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("rules.yml"), rules).unwrap();
        std::fs::write(folder.path().join("test.yml"), tests).unwrap();
        let output = Command::new(&self.path)
            .args(["test", "rules", "test.yml"])
            .current_dir(folder.path())
            .output()
            .unwrap();
        let mut all = String::from_utf8_lossy(&output.stdout).into_owned();
        all.push_str(&String::from_utf8_lossy(&output.stderr));
        all
    }
}
