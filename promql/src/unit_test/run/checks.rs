//! Compares what a test expects with what there is.

use super::super::compare::{self, Element, Pairs};
use super::super::report::{Asked, Difference, Failure};
use super::super::{AlertAssertion, ExpectedAlert, ExprAssertion};
use super::Runner;
use crate::rules::{AlertState, AlertStatus, RuleKind};
use crate::value::{Point, Value};

impl Runner<'_> {
    pub(super) fn check_alerts(&mut self, assertion: &AlertAssertion) {
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

    pub(super) fn check_expr(&mut self, assertion: &ExprAssertion) {
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
