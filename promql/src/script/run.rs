//! Runs commands against a store.

use std::collections::BTreeSet;

use super::expectation::Difference;
use super::parse::{Command, Eval, When};
use super::{Failure, Report, Settings};
use crate::engine::{Engine, Options};
use crate::labels::Labels;
use crate::query::{ParseError, Query};
use crate::store::Store;

const NATIVE: &str = "native histograms are not built";
const MINUTE_MS: i64 = 60_000;
/// Most samples that a query of a script may hold, as in Prometheus' own runner.
const MAX_SAMPLES: usize = 10_000;

struct Runner {
    settings: Settings,
    engine: Engine,
    store: Store,
    /// Names of series that were left out.
    native: BTreeSet<String>,
    report: Report,
}

pub(super) fn run(commands: &[Command], settings: Settings) -> Report {
    let mut runner = Runner {
        settings,
        engine: Engine::new(Options {
            profile: settings.profile,
            delayed_name_removal: settings.delayed_name_removal,
            max_samples: MAX_SAMPLES * 100,
            ..Options::default()
        }),
        store: Store::new(i64::MAX),
        native: BTreeSet::new(),
        report: Report::default(),
    };
    for command in commands {
        runner.step(command);
    }
    runner.report
}

impl Runner {
    fn step(&mut self, command: &Command) {
        match command {
            Command::Clear => {
                self.store = Store::new(i64::MAX);
                self.native.clear();
            }
            Command::Load {
                step_ms,
                series,
                native,
                converts,
            } => {
                self.native.extend(native.iter().map(name));
                for notation in series {
                    if *converts {
                        let name = name(&notation.labels);
                        self.native
                            .insert(name.trim_end_matches("_bucket").to_owned());
                    }
                    for (index, sample) in notation.samples.iter().enumerate() {
                        if let Some(value) = sample {
                            let t_ms = index as i64 * step_ms;
                            // A script may load a series twice; the first sample stays.
                            let _ = self.store.append(&notation.labels, t_ms, *value);
                        }
                    }
                }
            }
            Command::Eval(eval) => self.eval(eval),
        }
    }

    fn eval(&mut self, eval: &Eval) {
        if eval.expectation.native || self.touches_native(&eval.expression) {
            self.report.skip(NATIVE);
            return;
        }
        match self.check(eval) {
            Ok(()) => self.report.passed += 1,
            Err((expected, got)) => self.report.failures.push(Failure {
                line: eval.line,
                expression: eval.expression.clone(),
                expected,
                got,
            }),
        }
    }

    fn parse(&self, expression: &str) -> Result<Query, ParseError> {
        if self.settings.experimental {
            Query::parse_experimental(expression)
        } else {
            Query::parse(expression)
        }
    }

    fn touches_native(&self, expression: &str) -> bool {
        match self.parse(expression) {
            Ok(query) => {
                let names = query.metric_names();
                names.iter().any(|name| self.native.contains(name))
                    || (query.selectors() > names.len() && !self.native.is_empty())
            }
            Err(_) => self
                .native
                .iter()
                .any(|name| expression.contains(name.as_str())),
        }
    }

    fn check(&self, eval: &Eval) -> Result<(), Difference> {
        let query = match self.parse(&eval.expression) {
            Ok(query) => query,
            Err(error) => return eval.expectation.check_failure(&error.to_string()),
        };
        match eval.when {
            When::Range {
                start_ms,
                end_ms,
                step_ms,
            } => {
                let result = self
                    .engine
                    .range(&self.store, &query, start_ms, end_ms, step_ms);
                match result {
                    Ok(evaluated) => eval.expectation.check_range(&evaluated, start_ms, step_ms),
                    Err(error) => eval.expectation.check_failure(&error.to_string()),
                }
            }
            When::At(t_ms) => match self.engine.instant(&self.store, &query, t_ms) {
                Ok(evaluated) => {
                    eval.expectation.check_instant(&evaluated)?;
                    self.check_as_range(eval, &query, t_ms)
                }
                Err(error) => eval.expectation.check_failure(&error.to_string()),
            },
        }
    }

    /// Repeats an instant evaluation as the middle of a range query. Orders and range vectors mean
    /// nothing there.
    fn check_as_range(&self, eval: &Eval, query: &Query, t_ms: i64) -> Result<(), Difference> {
        let expectation = &eval.expectation;
        if expectation.ordered || expectation.string.is_some() || expectation.range.is_some() {
            return Ok(());
        }
        let (start_ms, end_ms) = (t_ms - MINUTE_MS, t_ms + MINUTE_MS);
        match self
            .engine
            .range(&self.store, query, start_ms, end_ms, MINUTE_MS)
        {
            Ok(evaluated) => expectation.check_middle(&evaluated.value, t_ms),
            Err(error) => Err((
                "the same as at one time".to_owned(),
                format!("as a range query: error: {error}"),
            )),
        }
    }
}

fn name(labels: &Labels) -> String {
    labels.metric_name().unwrap_or_default().to_owned()
}
