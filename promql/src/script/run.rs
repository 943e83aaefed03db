//! Runs commands against a store.

use std::collections::BTreeSet;

use super::expectation::Difference;
use super::parse::{Command, Eval, When};
use super::{Failure, Report, Settings};
use crate::engine::{Engine, Options};
use crate::labels::Labels;
use crate::query::{Dialect, ParseError, Query};
use crate::store::Store;

const NATIVE: &str = "native histograms are not built";
const DURATIONS: &str = "duration expressions are experimental and not built";
const METADATA: &str = "type and unit labels are experimental and not built";
const MINUTE_MS: i64 = 60_000;
/// Most samples that a query of a script may hold, as in Prometheus' own runner.
const MAX_SAMPLES: usize = 10_000;

struct Runner {
    settings: Settings,
    engine: Engine,
    store: Store,
    /// Names of series that were left out.
    native: BTreeSet<String>,
    /// Whether some series has the labels of the experimental type and unit metadata.
    metadata: bool,
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
        metadata: false,
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
                self.metadata = false;
            }
            Command::Load {
                step_ms,
                series,
                native,
                converts,
            } => {
                self.native.extend(native.iter().map(name));
                for notation in series {
                    let labels = &notation.labels;
                    self.metadata |= labels.get("__type__").or(labels.get("__unit__")).is_some();
                    if *converts {
                        let name = name(&notation.labels);
                        self.native
                            .insert(name.trim_end_matches("_bucket").to_owned());
                    }
                    for (index, sample) in notation.samples.iter().enumerate() {
                        if let Some(value) = sample {
                            let t_ms = step_ms.saturating_mul(index as i64);
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
        if computes_durations(&eval.expression) {
            self.report.skip(DURATIONS);
            return;
        }
        if self.metadata {
            self.report.skip(METADATA);
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
        Query::parse_as(
            expression,
            Dialect {
                profile: self.settings.profile,
                experimental: self.settings.experimental,
            },
        )
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
        let start_ms = t_ms.saturating_sub(MINUTE_MS);
        let end_ms = t_ms.saturating_add(MINUTE_MS);
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

/// Says whether a duration of the expression has to be computed: `[5m+1m]`, `offset (2 * 1m)`.
fn computes_durations(expression: &str) -> bool {
    let mut in_brackets = false;
    let mut after_offset = false;
    let mut quote = None;
    for token in expression.split_inclusive(|c: char| !c.is_alphanumeric()) {
        let word = token.trim_end_matches(|c: char| !c.is_alphanumeric());
        let c = token[word.len()..].chars().next();
        if quote.is_none() && !word.is_empty() {
            after_offset = word.eq_ignore_ascii_case("offset");
        }
        match (quote, c) {
            (Some(open), Some(c)) if c == open => quote = None,
            (None, Some(c @ ('"' | '\'' | '`'))) => quote = Some(c),
            (None, Some('[')) => in_brackets = true,
            (None, Some(']')) => in_brackets = false,
            (None, Some('+' | '-' | '*' | '/' | '%' | '^' | '(')) if in_brackets => return true,
            (None, Some('(')) if after_offset => return true,
            (Some(_) | None, _) => {}
        }
    }
    false
}

fn name(labels: &Labels) -> String {
    labels.metric_name().unwrap_or_default().to_owned()
}
