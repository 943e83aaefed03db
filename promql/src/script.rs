//! Test scripts for PromQL, in the language of Prometheus' own `promqltest`.
//!
//! A script loads series, evaluates expressions and says what must come out. Each instant
//! evaluation is repeated as a range query around the same time, which must agree. Lines that
//! need native histograms are skipped and counted. [`series`] reads the series notation alone.

mod expectation;
mod parse;
mod run;
pub mod series;

use crate::engine::Profile;

/// How scripts are run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Settings {
    /// Which Prometheus is reproduced.
    pub profile: Profile,
    /// Accepts experimental functions.
    pub experimental: bool,
    /// Removes metric names at the end of a query.
    pub delayed_name_removal: bool,
}

/// One evaluation that did not come out as the script says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// Line of the evaluation, starting at 1.
    pub line: usize,
    /// The expression.
    pub expression: String,
    /// What the script expects.
    pub expected: String,
    /// What came out.
    pub got: String,
}

/// How a script went.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Report {
    /// Evaluations that came out as expected.
    pub passed: usize,
    /// Those that did not.
    pub failures: Vec<Failure>,
    /// Reasons for skipping and how often.
    pub skipped: Vec<(String, usize)>,
}

impl Report {
    /// Returns how many evaluations were skipped.
    pub fn skipped_count(&self) -> usize {
        self.skipped.iter().map(|(_, count)| count).sum()
    }

    fn skip(&mut self, why: &str) {
        match self.skipped.iter_mut().find(|(other, _)| other == why) {
            Some((_, count)) => *count += 1,
            None => self.skipped.push((why.to_owned(), 1)),
        }
    }
}

/// Why a script cannot be run at all.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {message}")]
pub struct ScriptError {
    /// Line, starting at 1.
    pub line: usize,
    /// What is wrong with it.
    pub message: String,
}

/// Runs a script.
pub fn run(text: &str, settings: Settings) -> Result<Report, ScriptError> {
    Ok(run::run(&parse::parse(text)?, settings))
}
