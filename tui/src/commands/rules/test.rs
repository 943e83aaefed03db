//! `rules test`: unit tests of rules, in the format of promtool.
//!
//! Files in reading order: `files` finds the rule files, `text` prints what failed, `json` and
//! `junit` are for machines. What a test means is `promql::unit_test`'s business.

mod files;
mod json;
mod junit;
mod text;

use std::path::Path;

use promql::Dialect;
use promql::unit_test::{self, Report, Settings, TestFile};
use promql::yaml::decode::Problem;
use regex::Regex;

use super::input::{self, Input};
use crate::cli::TestArgs;
use crate::output;
use crate::stop::{Stop, USAGE};

/// Exit code when an assertion does not hold.
const FAILED: u8 = 3;

/// One test file and how it went.
struct Outcome {
    /// The file as the person named it.
    name: String,
    /// Why it could not be run, ready to print; empty if it was.
    invalid: Vec<String>,
    /// Its tests that were run.
    tests: Vec<TestOutcome>,
}

struct TestOutcome {
    /// The name for people.
    title: String,
    place: promql::yaml::Place,
    assertions: usize,
    report: Report,
}

impl Outcome {
    fn failed_tests(&self) -> usize {
        let failed = |test: &&TestOutcome| !test.report.failures.is_empty();
        self.tests.iter().filter(failed).count()
    }
}

/// Runs the tests of all files and says of each how it went.
pub(crate) fn run(args: &TestArgs) -> Result<(), Stop> {
    let filter = filter(&args.run)?;
    let settings = Settings {
        profile: args.profile.into(),
        promtool_limits: args.promtool_limits,
        strict_data: args.strict_data,
        step_by_step: false,
    };
    let style = output::style();
    let mut outcomes = Vec::new();
    for path in &args.files {
        let outcome = test_file(path, filter.as_ref(), settings);
        if !args.json {
            for message in &outcome.invalid {
                output::progress(message);
            }
            output::result(&text::outcome(&outcome, style))?;
        }
        outcomes.push(outcome);
    }
    if args.json {
        output::result(&json::document(&outcomes).to_string())?;
    }
    if let Some(path) = &args.junit {
        junit::write(path, &outcomes)?;
    }
    verdict(&outcomes)
}

fn verdict(outcomes: &[Outcome]) -> Result<(), Stop> {
    let invalid = outcomes.iter().filter(|file| !file.invalid.is_empty());
    let (invalid, failed) = (
        invalid.count(),
        outcomes.iter().map(Outcome::failed_tests).sum::<usize>(),
    );
    let tests: usize = outcomes.iter().map(|file| file.tests.len()).sum();
    let mut said = Vec::new();
    if invalid > 0 {
        said.push(format!(
            "{invalid} of {} files cannot be run",
            outcomes.len()
        ));
    }
    if failed > 0 {
        said.push(format!("{failed} of {tests} tests failed"));
    }
    let code = match (invalid, failed) {
        (0, 0) => return Ok(()),
        (0, _) => FAILED,
        _ => USAGE,
    };
    Err(Stop {
        code,
        text: said.join("; "),
    })
}

/// Joins the patterns for names of tests; any of them suffices.
fn filter(patterns: &[String]) -> Result<Option<Regex>, Stop> {
    if patterns.is_empty() {
        return Ok(None);
    }
    Regex::new(&patterns.join("|"))
        .map(Some)
        .map_err(|error| Stop::usage(format!("--run: {error}")))
}

fn test_file(path: &Path, filter: Option<&Regex>, settings: Settings) -> Outcome {
    let mut outcome = Outcome {
        name: input::name(path),
        invalid: Vec::new(),
        tests: Vec::new(),
    };
    let input = match input::read(path) {
        Ok(input) => input,
        Err(message) => {
            outcome.invalid.push(message);
            return outcome;
        }
    };
    let dialect = Dialect {
        profile: settings.profile,
        ..Dialect::default()
    };
    let file = match TestFile::parse_as(&input.text, dialect) {
        Ok(file) => file,
        Err(problems) => {
            outcome.invalid = diagnostics(&input, &problems);
            return outcome;
        }
    };
    let rules = match files::load(path, &input, &file, dialect) {
        Ok(rules) => rules,
        Err(messages) => {
            outcome.invalid = messages;
            return outcome;
        }
    };
    for (index, test) in file.tests.iter().enumerate() {
        if filter.is_some_and(|filter| !filter.is_match(&test.name)) {
            continue;
        }
        outcome.tests.push(TestOutcome {
            title: test.title(index),
            place: test.place,
            assertions: test.assertions(),
            report: unit_test::run(&file, test, &rules, settings),
        });
    }
    outcome
}

/// Prints the problems of a file with their lines.
fn diagnostics(input: &Input, problems: &[Problem]) -> Vec<String> {
    problems
        .iter()
        .map(|problem| super::check::error(input, problem))
        .collect()
}
