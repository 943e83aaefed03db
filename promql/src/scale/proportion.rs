//! How a value grows with the windows it is taken from.
//!
//! `increase(x[5m])` of steady traffic is a tenth of what it was when the window is a tenth;
//! `rate(x[5m])` is what it was. A number that such a value is compared with must shrink alike.

use std::collections::BTreeMap;

use super::Scale;
use super::constant::fold;
use crate::query::Query;
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
            // A number does not shrink along with the other.
            (Constant, other @ Times { factor, .. }) | (other @ Times { factor, .. }, Constant) => {
                if factor == 1.0 {
                    other
                } else {
                    Mixed
                }
            }
            (Constant, other) | (other, Constant) => other,
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
#[derive(Debug, Default, PartialEq)]
pub(super) struct Recorded(BTreeMap<String, Proportion>);

/// How many recorded series may stand on each other.
const LONGEST_CHAIN: usize = 32;

impl Recorded {
    /// Learns what rules record, each a name and its expression, whatever their order. What does
    /// not settle, as a series made of itself may not, is mixed.
    pub(super) fn of_rules(rules: &[(&str, Query)], scale: &Scale) -> Self {
        let mut known = Self::default();
        for pass in 0..2 * LONGEST_CHAIN {
            let mut next = Self::default();
            for (name, query) in rules {
                if !is_nothing(query.expr()) {
                    next.learn(name, proportion(query.expr(), scale, &known));
                }
            }
            if pass >= LONGEST_CHAIN {
                for (name, proportion) in &mut next.0 {
                    if known.0.get(name) != Some(proportion) {
                        *proportion = Mixed;
                    }
                }
            }
            if next == known {
                return known;
            }
            known = next;
        }
        known.0.values_mut().for_each(|known| *known = Mixed);
        known
    }

    /// Notes the proportion of a recorded series; rules of one name that disagree are mixed.
    fn learn(&mut self, name: &str, proportion: Proportion) {
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
                Operator::Set(Set::Or) if is_nothing(&binary.left) => right,
                Operator::Set(Set::Or) => left.or(right),
                Operator::Arithmetic(Arithmetic::Mul) => times(left, right),
                Operator::Arithmetic(Arithmetic::Div) => over(left, right),
                Operator::Arithmetic(Arithmetic::Sub) => {
                    let sum = sum(left, right);
                    match offsets_ratio(&binary.left, &binary.right, scale) {
                        Some(ratio) => times(sum, ratio),
                        None => sum,
                    }
                }
                Operator::Arithmetic(Arithmetic::Add) => sum(left, right),
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

/// What becomes of `x - x offset 1h`, which is the change over an hour: it is multiplied as the time
/// between the two is. None if the two are not the same series at different times.
fn offsets_ratio(left: &Expr, right: &Expr, scale: &Scale) -> Option<Proportion> {
    let (left, right) = (left.unwrapped(), right.unwrapped());
    let (left_ms, right_ms) = (offset(left)?, offset(right)?);
    if left_ms == right_ms {
        return None;
    }
    let (mut now, mut then) = (left.clone(), right.clone());
    clear_offset(&mut now);
    clear_offset(&mut then);
    if now.to_string() != then.to_string() {
        return None;
    }
    let divided = |ms: i64| scale.divided(ms.saturating_abs()) as f64 * ms.signum() as f64;
    let factor = (divided(left_ms) - divided(right_ms)) / (left_ms as f64 - right_ms as f64);
    Some(if factor > 0.0 {
        product(Some(1.0), Some(factor))
    } else {
        Mixed
    })
}

/// The offset of a selector, also below aggregations that keep its unit.
fn offset(expr: &Expr) -> Option<i64> {
    match expr {
        Expr::Selector(selector) => Some(selector.shift.offset_ms),
        Expr::Paren(inner) => offset(inner),
        Expr::Aggregate(aggregate) => match aggregate.operator {
            Aggregator::Sum | Aggregator::Avg | Aggregator::Min | Aggregator::Max => {
                offset(&aggregate.expr)
            }
            _ => None,
        },
        _ => None,
    }
}

fn clear_offset(expr: &mut Expr) {
    match expr {
        Expr::Selector(selector) => selector.shift.offset_ms = 0,
        Expr::Paren(inner) => clear_offset(inner),
        Expr::Aggregate(aggregate) => clear_offset(&mut aggregate.expr),
        _ => {}
    }
}

fn sum(left: Proportion, right: Proportion) -> Proportion {
    match (left, right) {
        (Age, _) | (_, Age) => Age,
        (Mixed, _) | (_, Mixed) => Mixed,
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
        ("clamp" | "clamp_min" | "clamp_max" | "round", _) => {
            // 0 and infinity are the same at any scale.
            let bounds = call.args.iter().skip(1);
            let bounds =
                bounds.filter(|arg| !fold(arg).is_some_and(|n| n == 0.0 || n.is_infinite()));
            let value = call.args.first().map_or(Constant, of);
            bounds.map(of).fold(value, Proportion::or)
        }
        _ => inner().map_or(Proportion::SAME, |inner| match call.function.name {
            "stdvar_over_time" => times(inner, inner),
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
