//! Evaluates one test.

use super::compare::{self, Element, Pairs};
use super::coverage::Coverage;
use super::report::{Asked, Difference, Failure, Report};
use super::series::Loader;
use super::{AlertAssertion, ExpectedAlert, ExprAssertion, Settings, Test, TestFile};
use crate::engine::{Engine, Grid, Options};
use crate::rules::{AlertState, AlertStatus, Config, Evaluator, Redo, RuleFile, RuleKind};
use crate::store::Store;
use crate::value::{Point, Value};

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

    fn check_alerts(&mut self, assertion: &AlertAssertion) {
        let before = self.report.failures.len();
        let active = self.active(&assertion.alertname);
        let mut states = vec![(AlertState::Firing, &assertion.firing)];
        states.extend(
            assertion
                .pending
                .as_ref()
                .map(|pending| (AlertState::Pending, pending)),
        );
        for (state, expected) in states {
            let got: Vec<&AlertStatus> =
                active.iter().filter(|alert| alert.state == state).collect();
            let differences = alert_differences(assertion, expected, &got);
            if !differences.is_empty() {
                self.report.failures.push(Failure {
                    place: assertion.place,
                    eval_time_ms: assertion.eval_time_ms,
                    asked: Asked::Alerts {
                        alertname: assertion.alertname.clone(),
                        state: state.as_str(),
                        counts: (expected.len(), got.len()),
                        differences,
                    },
                });
            }
        }
        if let Some(coverage) = &self.coverage {
            let ended = coverage.alert(&assertion.alertname, assertion.eval_time_ms);
            self.report.failures.extend(ended.map(|ended| Failure {
                place: assertion.place,
                eval_time_ms: assertion.eval_time_ms,
                asked: Asked::Data {
                    what: assertion.alertname.clone(),
                    ended,
                },
            }));
        }
        self.count(before);
    }

    /// Returns the pending and firing alerts of all rules with a name.
    fn active(&self, alertname: &str) -> Vec<AlertStatus> {
        self.evaluator
            .rules()
            .into_iter()
            .filter(|rule| rule.kind == RuleKind::Alerting && rule.name == alertname)
            .flat_map(|rule| rule.alerts)
            .collect()
    }

    fn check_expr(&mut self, assertion: &ExprAssertion) {
        let before = self.report.failures.len();
        let asked = match self.query(assertion) {
            Err(message) => Some(Asked::Query {
                expr: assertion.expr.text().to_owned(),
                message,
            }),
            Ok(points) => {
                let differences = self.sample_differences(assertion, &points);
                (!differences.is_empty()).then(|| Asked::Expr {
                    expr: assertion.expr.text().to_owned(),
                    counts: (assertion.samples.len(), points.len()),
                    differences,
                })
            }
        };
        let ended = self.coverage.as_ref().and_then(|coverage| {
            let ended = coverage.expr(&assertion.expr, assertion.eval_time_ms)?;
            Some(Asked::Data {
                what: assertion.expr.text().to_owned(),
                ended,
            })
        });
        let failures = asked.into_iter().chain(ended).map(|asked| Failure {
            place: assertion.place,
            eval_time_ms: assertion.eval_time_ms,
            asked,
        });
        self.report.failures.extend(failures);
        self.count(before);
    }

    fn query(&self, assertion: &ExprAssertion) -> Result<Vec<Point>, String> {
        let t_ms = self.test.start_ms.saturating_add(assertion.eval_time_ms);
        let evaluated = self
            .engine
            .instant(&self.store, &assertion.expr, t_ms)
            .map_err(|error| error.to_string())?;
        match evaluated.value {
            Value::Vector(points) => Ok(points),
            Value::Scalar(sample) => Ok(vec![Point {
                labels: crate::labels::Labels::default(),
                sample,
            }]),
            Value::String(_) | Value::Matrix(_) => {
                Err("the result is neither an instant vector nor a scalar".to_owned())
            }
        }
    }

    fn sample_differences(&self, assertion: &ExprAssertion, points: &[Point]) -> Vec<Difference> {
        let expected: Vec<Element<'_>> = assertion
            .samples
            .iter()
            .map(|sample| Element {
                place: Some(sample.place),
                labels: sample.labels.iter().collect(),
                annotations: Pairs::new(),
                value: Some(sample.value),
            })
            .collect();
        let got: Vec<Element<'_>> = points
            .iter()
            .map(|point| Element {
                place: None,
                labels: point.labels.iter().collect(),
                annotations: Pairs::new(),
                value: Some(point.sample.value),
            })
            .collect();
        let rule = compare::Rule {
            subset: assertion.subset,
            fuzzy: self.file.fuzzy_compare,
        };
        compare::differences(&expected, &got, rule)
    }

    fn count(&mut self, failures_before: usize) {
        self.checked += 1;
        self.report.passed += usize::from(self.report.failures.len() == failures_before);
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

fn alert_differences(
    assertion: &AlertAssertion,
    expected: &[ExpectedAlert],
    got: &[&AlertStatus],
) -> Vec<Difference> {
    let expected: Vec<Element<'_>> = expected
        .iter()
        .map(|alert| Element {
            place: Some(alert.place),
            labels: borrowed(&alert.labels),
            annotations: borrowed(&alert.annotations),
            value: None,
        })
        .collect();
    let got: Vec<Element<'_>> = got
        .iter()
        .map(|alert| Element {
            place: None,
            labels: alert.labels.iter().collect(),
            annotations: borrowed(&alert.annotations),
            value: None,
        })
        .collect();
    let rule = compare::Rule {
        subset: assertion.subset,
        fuzzy: false,
    };
    compare::differences(&expected, &got, rule)
}

fn borrowed<'a>(pairs: impl IntoIterator<Item = impl PairRef<'a>>) -> Pairs<'a> {
    pairs.into_iter().map(PairRef::texts).collect()
}

/// A borrowed name and value, from a map or from a list.
trait PairRef<'a> {
    fn texts(self) -> (&'a str, &'a str);
}

impl<'a> PairRef<'a> for (&'a String, &'a String) {
    fn texts(self) -> (&'a str, &'a str) {
        (self.0, self.1)
    }
}

impl<'a> PairRef<'a> for &'a (String, String) {
    fn texts(self) -> (&'a str, &'a str) {
        (&self.0, &self.1)
    }
}
