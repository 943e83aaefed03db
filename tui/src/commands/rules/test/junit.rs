//! How test files went, as JUnit XML: a suite for each file, a case for each test.

use std::fs::File;
use std::path::Path;

use chaos::report::Style;
use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use super::{Outcome, TestOutcome, text};
use crate::stop::Stop;

/// Writes the report to a file.
pub(super) fn write(path: &Path, outcomes: &[Outcome]) -> Result<(), Stop> {
    let fail = |error: &dyn std::fmt::Display| {
        Stop::environment(format!("{}: cannot be written: {error}", path.display()))
    };
    let mut report = Report::new("obs-tui rules test");
    report.add_test_suites(outcomes.iter().map(suite));
    let file = File::create(path).map_err(|error| fail(&error))?;
    report.serialize(file).map_err(|error| fail(&error))
}

fn suite(file: &Outcome) -> TestSuite {
    let mut suite = TestSuite::new(file.name.as_str());
    if !file.invalid.is_empty() {
        let mut status = TestCaseStatus::non_success(NonSuccessKind::Error);
        status.set_message("the file cannot be run");
        status.set_description(file.invalid.join("\n"));
        suite.add_test_case(TestCase::new("file", status));
    }
    suite.add_test_cases(file.tests.iter().map(|test| case(file, test)));
    suite
}

fn case(file: &Outcome, test: &TestOutcome) -> TestCase {
    let failures = &test.report.failures;
    let status = if failures.is_empty() {
        TestCaseStatus::success()
    } else {
        let texts: Vec<String> = failures
            .iter()
            .map(|failure| text::failure(&file.name, test, failure, Style::Plain))
            .collect();
        let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
        status.set_message(format!(
            "{} of {} assertions hold",
            test.report.passed, test.assertions
        ));
        status.set_description(texts.join("\n"));
        status
    };
    let mut case = TestCase::new(test.title.as_str(), status);
    case.set_classname(file.name.as_str());
    case.set_assertions(test.assertions);
    case
}
