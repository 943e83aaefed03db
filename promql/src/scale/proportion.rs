//! How a value grows with the windows it is taken from.
//!
//! `increase(x[5m])` of steady traffic is a tenth of what it was when the window is a tenth;
//! `rate(x[5m])` is what it was. A number that such a value is compared with must shrink alike.

use std::collections::BTreeMap;

use super::Scale;
use super::constant::fold;
use crate::query::ast::{Aggregator, Arithmetic, Call, Expr, Operator, Set};

/// What becomes of a value when windows are scaled.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Proportion {
    /// It is a number that somebody wrote.
    Constant,
    /// It is multiplied by `factor`. 1 means that it stays as it is.
    Times {
        factor: f64,
        /// Whether it counts things, so that only whole numbers occur.
        whole: bool,
    },
    /// It is a moment or an age, of which nobody can tell how it should shrink.
    Age,
    /// Its parts shrink unlike.
    Mixed,
}

use Proportion::{Age, Constant, Mixed, Times};

impl Proportion {
    pub(crate) const SAME: Self = Times {
        factor: 1.0,
        whole: false,
    };

    fn factor(self) -> Option<f64> {
        match self {
            Constant => Some(1.0),
            Times { factor, .. } => Some(factor),
            Age | Mixed => None,
        }
    }

    fn is_scaled(self) -> bool {
        self.factor() != Some(1.0)
    }

    /// What holds for a value that may be either.
    fn or(self, other: Self) -> Self {
        match (self, other) {
            (Constant, other) => other,
            (one, Constant) => one,
            (
                Times {
                    factor: a,
                    whole: w,
                },
                Times {
                    factor: b,
                    whole: v,
                },
            ) if close(a, b) => Times {
                factor: a,
                whole: w && v,
            },
            (Age, Age) => Age,
            _ => Mixed,
        }
    }
}

fn close(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-9 * a.abs().max(b.abs())
}

/// What is known of series that rules of the file record.
#[derive(Debug, Default)]
pub(super) struct Recorded(BTreeMap<String, Proportion>);

impl Recorded {
    /// Notes the proportion of a recorded series; rules of one name that disagree are mixed.
    pub(super) fn learn(&mut self, name: &str, proportion: Proportion) {
        let known = self.0.get(name).copied();
        let both = known.map_or(proportion, |known| known.or(proportion));
        self.0.insert(name.to_owned(), both);
    }

    fn of(&self, name: Option<&str>) -> Proportion {
        name.and_then(|name| self.0.get(name))
            .copied()
            .unwrap_or(Proportion::SAME)
    }
}

/// Returns what becomes of the value of an expression.
pub(super) fn proportion(expr: &Expr, scale: &Scale, recorded: &Recorded) -> Proportion {
    let of = |expr: &Expr| proportion(expr, scale, recorded);
    if fold(expr).is_some() {
        return Constant;
    }
    match expr {
        Expr::Number(_) | Expr::Text(_) => Constant,
        Expr::Selector(selector) | Expr::Range { selector, .. } => {
            recorded.of(selector.metric_name())
        }
        Expr::Subquery(subquery) => of(&subquery.expr),
        Expr::Negate(inner) | Expr::Paren(inner) => of(inner),
        Expr::Aggregate(aggregate) => match aggregate.operator {
            Aggregator::Count | Aggregator::Group | Aggregator::CountValues => Proportion::SAME,
            Aggregator::Stdvar => times(of(&aggregate.expr), of(&aggregate.expr)),
            // A mean of counts is no whole number.
            Aggregator::Avg | Aggregator::Stddev | Aggregator::Quantile => {
                fraction(of(&aggregate.expr))
            }
            _ => of(&aggregate.expr),
        },
        Expr::Call(call) => of_call(call, scale, recorded),
        Expr::Binary(binary) => {
            let (left, right) = (of(&binary.left), of(&binary.right));
            match binary.operator {
                Operator::Comparison(_) if binary.return_bool => Proportion::SAME,
                Operator::Comparison(_) if left == Constant => right,
                Operator::Comparison(_) | Operator::Set(Set::And | Set::Unless) => left,
                Operator::Set(Set::Or) if is_nothing(&binary.right) => left,
                Operator::Set(Set::Or) => left.or(right),
                Operator::Arithmetic(Arithmetic::Mul) => times(left, right),
                Operator::Arithmetic(Arithmetic::Div) => over(left, right),
                Operator::Arithmetic(Arithmetic::Add | Arithmetic::Sub) => sum(left, right),
                Operator::Arithmetic(_) if left.is_scaled() || right.is_scaled() => Mixed,
                Operator::Arithmetic(_) => Proportion::SAME,
            }
        }
    }
}

/// `vector(0)` and `0 * x` are 0 at any scale.
fn is_nothing(expr: &Expr) -> bool {
    match expr.unwrapped() {
        Expr::Number(value) => *value == 0.0,
        Expr::Call(call) => call.function.name == "vector" && call.args.iter().all(is_nothing),
        Expr::Binary(binary) if binary.operator == Operator::Arithmetic(Arithmetic::Mul) => {
            is_nothing(&binary.left) || is_nothing(&binary.right)
        }
        _ => false,
    }
}

fn sum(left: Proportion, right: Proportion) -> Proportion {
    match (left, right) {
        (Age, _) | (_, Age) => Age,
        (Constant, other) | (other, Constant) if other.is_scaled() => Mixed,
        (Times { .. }, Times { .. }) => left.or(right),
        _ => Proportion::SAME,
    }
}

fn times(left: Proportion, right: Proportion) -> Proportion {
    match (left, right) {
        (Age, _) | (_, Age) => Age,
        _ => product(left.factor(), right.factor()),
    }
}

fn over(left: Proportion, right: Proportion) -> Proportion {
    match (left, right) {
        (Age, _) | (_, Age) => Age,
        _ => product(left.factor(), right.factor().map(f64::recip)),
    }
}

fn product(left: Option<f64>, right: Option<f64>) -> Proportion {
    let (Some(left), Some(right)) = (left, right) else {
        return Mixed;
    };
    let factor = left * right;
    Times {
        factor: if close(factor, 1.0) { 1.0 } else { factor },
        whole: false,
    }
}

fn fraction(value: Proportion) -> Proportion {
    match value {
        Times { factor, .. } => Times {
            factor,
            whole: false,
        },
        other => other,
    }
}

fn of_call(call: &Call, scale: &Scale, recorded: &Recorded) -> Proportion {
    let of = |expr: &Expr| proportion(expr, scale, recorded);
    let windows = call.args.iter().find_map(|arg| windows(arg, scale));
    let inner = || call.args.iter().map(of).find(|p| *p != Constant);
    match (call.function.name, windows) {
        ("increase" | "delta", Some(window)) => times(
            Times {
                factor: window.range,
                whole: false,
            },
            inner().unwrap_or(Proportion::SAME),
        ),
        ("changes" | "resets", Some(window)) => Times {
            factor: window.range,
            whole: true,
        },
        ("count_over_time", Some(window)) => Times {
            factor: window.samples,
            whole: true,
        },
        ("sum_over_time", Some(window)) => times(
            Times {
                factor: window.samples,
                whole: false,
            },
            inner().unwrap_or(Proportion::SAME),
        ),
        ("time" | "timestamp", _) => Age,
        (
            "absent" | "absent_over_time" | "present_over_time" | "histogram_quantile"
            | "histogram_fraction",
            _,
        ) => Proportion::SAME,
        ("vector", _) => call.args.first().map_or(Constant, of),
        _ => inner().map_or(Proportion::SAME, |inner| match call.function.name {
            "avg_over_time" | "stddev_over_time" | "quantile_over_time" => fraction(inner),
            _ => inner,
        }),
    }
}

/// By what a window and the number of samples in it are multiplied.
struct Windows {
    range: f64,
    samples: f64,
}

fn windows(expr: &Expr, scale: &Scale) -> Option<Windows> {
    let (range_ms, step_ms, new_step_ms) = match expr.unwrapped() {
        Expr::Range { range_ms, .. } => (
            *range_ms,
            scale.original_scrape_interval_ms,
            scale.scrape_interval_ms,
        ),
        Expr::Subquery(subquery) => match subquery.step_ms {
            Some(step_ms) => (
                subquery.range_ms,
                step_ms,
                scale.interval(step_ms).becomes_ms,
            ),
            // The default step is the evaluation interval, which is taken to be the scrape's.
            None => (
                subquery.range_ms,
                scale.original_scrape_interval_ms,
                scale.scrape_interval_ms,
            ),
        },
        _ => return None,
    };
    let range = scale.range(range_ms).becomes_ms as f64 / range_ms as f64;
    Some(Windows {
        range,
        samples: range * step_ms as f64 / new_step_ms as f64,
    })
}
