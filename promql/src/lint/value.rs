//! What a value measures, as far as an expression shows it.

use super::world::World;
use crate::query::ast::{Arithmetic, Comparison, Expr, Operator, Selector, Set};
use crate::query::matcher::Matcher;
use crate::scale::constant::fold;

/// How many recorded series are looked through, one behind the other.
const MAX_CHAIN: usize = 8;

/// What a value measures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Measure {
    /// A part of a whole: between 0 and 1.
    Share,
    /// A part of a whole times a hundred.
    Percent,
}

/// Returns the expression that a result takes its values from: comparisons, `and` and `unless`
/// only choose among them.
pub(super) fn source(expr: &Expr) -> &Expr {
    match expr {
        Expr::Paren(inner) => source(inner),
        Expr::Binary(binary) => match binary.operator {
            Operator::Comparison(_) if binary.return_bool => expr,
            Operator::Comparison(_) if fold(&binary.left).is_some() => source(&binary.right),
            Operator::Comparison(_) | Operator::Set(_) => source(&binary.left),
            Operator::Arithmetic(_) => expr,
        },
        _ => expr,
    }
}

/// Returns what a value measures if the expression proves it.
pub(super) fn measure<'e>(expr: &'e Expr, world: &World<'e>) -> Option<Measure> {
    of(expr, world, MAX_CHAIN)
}

fn of<'e>(expr: &'e Expr, world: &World<'e>, chain: usize) -> Option<Measure> {
    match source(expr) {
        Expr::Selector(selector) => {
            let rules = world.recording(selector.metric_name());
            let (first, rest) = rules.split_first()?;
            let chain = chain.checked_sub(1)?;
            let measure = of(first.expr.expr(), world, chain)?;
            let agree =
                |rule: &&'e crate::rules::Rule| of(rule.expr.expr(), world, chain) == Some(measure);
            rest.iter().all(agree).then_some(measure)
        }
        Expr::Call(call) => match call.function.name {
            "avg_over_time" | "max_over_time" | "min_over_time" | "last_over_time"
            | "quantile_over_time" => {
                let window = call.args.last()?;
                match window.unwrapped() {
                    Expr::Subquery(subquery) => of(&subquery.expr, world, chain),
                    _ => None,
                }
            }
            _ => None,
        },
        Expr::Aggregate(aggregate) => {
            use crate::query::ast::Aggregator::{Avg, Bottomk, Max, Min, Quantile, Topk};
            match aggregate.operator {
                Avg | Max | Min | Quantile | Topk | Bottomk => of(&aggregate.expr, world, chain),
                _ => None,
            }
        }
        Expr::Binary(binary) => match binary.operator {
            Operator::Arithmetic(Arithmetic::Div)
                if is_part(&binary.left, &binary.right, world) =>
            {
                Some(Measure::Share)
            }
            // `100 * a / b` is `(100 * a) / b`.
            Operator::Arithmetic(Arithmetic::Div) => {
                let part = hundredfold(&binary.left)?;
                is_part(part, &binary.right, world).then_some(Measure::Percent)
            }
            Operator::Arithmetic(Arithmetic::Sub) if fold(&binary.left) == Some(1.0) => {
                of(&binary.right, world, chain).filter(|m| *m == Measure::Share)
            }
            Operator::Arithmetic(Arithmetic::Mul) => {
                let share = of(hundredfold(expr)?, world, chain);
                (share == Some(Measure::Share)).then_some(Measure::Percent)
            }
            _ => None,
        },
        _ => None,
    }
}

/// Returns what is multiplied by 100.
pub(super) fn hundredfold(expr: &Expr) -> Option<&Expr> {
    let Expr::Binary(binary) = source(expr) else {
        return None;
    };
    match (fold(&binary.left), fold(&binary.right)) {
        _ if binary.operator != Operator::Arithmetic(Arithmetic::Mul) => None,
        (Some(100.0), None) => Some(&binary.right),
        (None, Some(100.0)) => Some(&binary.left),
        _ => None,
    }
}

/// Says whether one side counts a part of what the other counts: the same metric with more
/// matchers, or buckets beside their count.
pub(super) fn is_part<'e>(part: &'e Expr, whole: &'e Expr, world: &World<'e>) -> bool {
    let counters = (
        counted(part, world, MAX_CHAIN),
        counted(whole, world, MAX_CHAIN),
    );
    let (Some(part), Some(whole)) = counters else {
        return false;
    };
    let (Some(part_name), Some(whole_name)) = (part.metric_name(), whole.metric_name()) else {
        return false;
    };
    let is_bucket = part_name
        .strip_suffix("_bucket")
        .is_some_and(|base| whole_name.strip_suffix("_count") == Some(base));
    let same = |a: &Matcher, b: &Matcher| {
        a.name == b.name && a.value == b.value && a.operator() == b.operator()
    };
    let narrower = whole
        .matchers
        .iter()
        .filter(|m| m.name != crate::labels::METRIC_NAME)
        .all(|m| part.matchers.iter().any(|other| same(m, other)));
    (part_name == whole_name || is_bucket) && narrower && part.shift == whole.shift
}

/// Returns the counter whose growth is taken, through aggregation and guards against nothing.
fn counted<'e>(expr: &'e Expr, world: &World<'e>, chain: usize) -> Option<&'e Selector> {
    match expr {
        Expr::Paren(inner) => counted(inner, world, chain),
        Expr::Selector(selector) => match world.recording(selector.metric_name()) {
            [rule] => counted(rule.expr.expr(), world, chain.checked_sub(1)?),
            _ => None,
        },
        Expr::Aggregate(aggregate) if aggregate.operator.text() == "sum" => {
            counted(&aggregate.expr, world, chain)
        }
        Expr::Call(call) => match (call.function.name, call.args.first()?) {
            ("rate" | "increase", Expr::Range { selector, .. }) => Some(selector),
            ("clamp_min" | "clamp_max", inner) => counted(inner, world, chain),
            _ => None,
        },
        Expr::Binary(binary) => match binary.operator {
            // `a > 0` and `a or 0 * b`.
            Operator::Comparison(Comparison::Greater) | Operator::Set(Set::Or) => {
                counted(&binary.left, world, chain)
            }
            _ => None,
        },
        _ => None,
    }
}
