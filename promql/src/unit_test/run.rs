//! Evaluates one test; `checks` compares what is expected with what there is.

mod checks;

use super::coverage::Coverage;
use super::report::{Asked, Failure, Report};
use super::series::Loader;
use super::{AlertAssertion, Settings, Test, TestFile};
use crate::engine::{Engine, Grid, Options};
use crate::rules::{Config, Evaluator, Redo, RuleFile};
use crate::store::Store;

/// Most samples that a query of promtool may hold.
const PROMTOOL_MAX_SAMPLES: usize = 10_000;

/// Runs one test of a file with the rules of its rule files.
///
/// As promtool does: all groups are evaluated together every evaluation interval from the start to
/// the last assertion; alerts are compared after the last evaluation at or before their time;
/// expressions are evaluated when all rules have been; a rule that fails ends the test.
pub fn run(file: &TestFile, test: &Test, rules: &[RuleFile], settings: Settings) -> Report {
    let mut runner = Runner::new(file, test, rules, settings);
    if let Err(failures) = runner.everything() {
        runner.report.failures.extend(failures);
    }
    let checked = runner.checked;
    runner.report.unreached = test.assertions() - checked;
    runner.report
}

/// Most steps that are evaluated at once; what lies between two rules is held for so many.
const CHUNK_STEPS: i64 = 256;

/// How steps are evaluated.
#[derive(Debug, Clone, Copy)]
enum Pace {
    StepByStep,
    /// Rule by rule, many steps each.
    AtOnce {
        /// Whether anybody reads `ALERTS`.
        writes_alerts: bool,
    },
}

struct Runner<'t> {
    file: &'t TestFile,
    test: &'t Test,
    engine: Engine,
    store: Store,
    loader: Loader<'t>,
    evaluator: Evaluator,
    /// The groups in the order of evaluation.
    order: Vec<usize>,
    coverage: Option<Coverage<'t>>,
    rules: &'t [RuleFile],
    config: Config,
    pace: Pace,
    /// The next evaluation, counted from the start.
    next_step: i64,
    checked: usize,
    report: Report,
}

impl<'t> Runner<'t> {
    fn new(file: &'t TestFile, test: &'t Test, rules: &'t [RuleFile], settings: Settings) -> Self {
        let mut options = Options {
            profile: settings.profile,
            default_subquery_step_ms: file.evaluation_interval_ms,
            ..Options::default()
        };
        if settings.promtool_limits {
            options.max_samples = PROMTOOL_MAX_SAMPLES;
        }
        let config = Config {
            default_interval_ms: test.interval_ms,
            external_labels: test.external_labels.clone(),
            external_url: test.external_url.clone(),
            options: options.clone(),
            ..Config::default()
        };
        let evaluator = Evaluator::new(rules.to_vec(), config.clone());
        let order = ordered(&evaluator, &file.group_eval_order);
        let inputs = test.series.iter().map(|series| &series.labels);
        let exprs = test.exprs.iter().map(|assertion| &assertion.expr);
        // Limits count what one evaluation holds, which many at once do not tell.
        let at_once = !settings.step_by_step
            && !settings.promtool_limits
            && evaluator.is_independent(&order, inputs);
        let pace = if at_once {
            Pace::AtOnce {
                writes_alerts: evaluator.reads_alerts(exprs),
            }
        } else {
            Pace::StepByStep
        };
        Self {
            file,
            test,
            engine: Engine::new(options),
            store: Store::new(i64::MAX),
            loader: Loader::new(&test.series, test.start_ms, test.interval_ms),
            evaluator,
            order,
            rules,
            config,
            pace,
            coverage: settings
                .strict_data
                .then(|| Coverage::new(file, test, rules)),
            next_step: 0,
            checked: 0,
            report: Report::default(),
        }
    }

    fn everything(&mut self) -> Result<(), Vec<Failure>> {
        let mut alerts: Vec<&AlertAssertion> = self.test.alerts.iter().collect();
        alerts.sort_by_key(|alert| alert.eval_time_ms);
        for alert in alerts {
            self.advance(alert.eval_time_ms)?;
            self.check_alerts(alert);
        }
        self.advance(self.test.end_ms())?;
        for expr in &self.test.exprs {
            self.check_expr(expr);
        }
        Ok(())
    }

    /// Evaluates all groups up to a time.
    fn advance(&mut self, eval_time_ms: i64) -> Result<(), Vec<Failure>> {
        let end = eval_time_ms / self.file.evaluation_interval_ms + 1;
        while self.next_step < end {
            if let Pace::AtOnce { writes_alerts } = self.pace {
                if self.evaluate_chunk(end, writes_alerts).is_err() {
                    self.start_over()?;
                }
                continue;
            }
            let passed_ms = self.next_step * self.file.evaluation_interval_ms;
            self.next_step += 1;
            self.evaluate(passed_ms)?;
        }
        Ok(())
    }

    /// Evaluates some steps at once.
    fn evaluate_chunk(&mut self, end: i64, writes_alerts: bool) -> Result<(), Redo> {
        let steps = (end - self.next_step).min(CHUNK_STEPS);
        let step_ms = self.file.evaluation_interval_ms;
        let grid = Grid {
            start_ms: self.test.start_ms.saturating_add(self.next_step * step_ms),
            step_ms,
            steps: usize::try_from(steps).unwrap_or(0),
        };
        let last_ms = grid.at(grid.steps.saturating_sub(1));
        self.loader
            .load(&mut self.store, last_ms)
            .map_err(|_| Redo)?;
        self.evaluator
            .evaluate_grid(&self.order, &mut self.store, grid, writes_alerts)?;
        self.next_step += steps;
        Ok(())
    }

    /// Goes back to the start and comes step by step to where the test was. What has been compared
    /// so far stays: both ways come to the same as long as nothing fails.
    fn start_over(&mut self) -> Result<(), Vec<Failure>> {
        let reached = std::mem::take(&mut self.next_step);
        self.pace = Pace::StepByStep;
        self.store = Store::new(i64::MAX);
        self.loader = Loader::new(&self.test.series, self.test.start_ms, self.test.interval_ms);
        self.evaluator = Evaluator::new(self.rules.to_vec(), self.config.clone());
        while self.next_step < reached {
            let passed_ms = self.next_step * self.file.evaluation_interval_ms;
            self.next_step += 1;
            self.evaluate(passed_ms)?;
        }
        Ok(())
    }

    fn evaluate(&mut self, passed_ms: i64) -> Result<(), Vec<Failure>> {
        let t_ms = self.test.start_ms.saturating_add(passed_ms);
        let failure = |asked| Failure {
            place: self.test.place,
            eval_time_ms: passed_ms,
            asked,
        };
        if let Err(error) = self.loader.load(&mut self.store, t_ms) {
            let message = error.to_string();
            return Err(vec![failure(Asked::Load { message })]);
        }
        let groups = self.evaluator.groups();
        let mut failures = Vec::new();
        for index in &self.order {
            let outcome = self.evaluator.evaluate(*index, &mut self.store, t_ms);
            failures.extend(outcome.errors.into_iter().map(|error| {
                failure(Asked::Rule {
                    group: groups[*index].name.clone(),
                    rule: error.rule,
                    message: error.message,
                })
            }));
        }
        if failures.is_empty() {
            Ok(())
        } else {
            Err(failures)
        }
    }
}

/// Returns the groups in the order of evaluation: as in the files, but those that are named in
/// `names` one after the other. A group that is not named counts as the first, as in promtool.
fn ordered(evaluator: &Evaluator, names: &[String]) -> Vec<usize> {
    let groups = evaluator.groups();
    let mut order: Vec<usize> = (0..groups.len()).collect();
    order.sort_by_key(|index| {
        let name = &groups[*index].name;
        names.iter().position(|other| other == name).unwrap_or(0)
    });
    order
}
