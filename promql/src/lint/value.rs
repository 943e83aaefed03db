//! What a value measures, as far as an expression shows it.

use super::world::World;
use crate::query::ast::{
    Aggregator, Arithmetic, Binary, Cardinality, Comparison, Expr, Grouping, Operator, Selector,
    Set, Shift,
};
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
            Operator::Arithmetic(Arithmetic::Div) if is_part(&binary.left, binary, world) => {
                Some(Measure::Share)
            }
            // `100 * a / b` is `(100 * a) / b`.
            Operator::Arithmetic(Arithmetic::Div) => {
                let part = hundredfold(&binary.left)?;
                is_part(part, binary, world).then_some(Measure::Percent)
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

/// Says whether the quotient of two sides is at most 1, because one counts a part of what the
/// other counts: the growth over the same window of the same metric with more matchers, or of one
/// bucket beside its count. `part` stands on the left of `binary`.
pub(super) fn is_part<'e>(part: &'e Expr, binary: &'e Binary, world: &World<'e>) -> bool {
    let sides = (
        counted(part, Side::Part, world, MAX_CHAIN),
        counted(&binary.right, Side::Whole, world, MAX_CHAIN),
    );
    let (Some(part), Some(whole)) = sides else {
        return false;
    };
    let names = (part.selector.metric_name(), whole.selector.metric_name());
    let (Some(part_name), Some(whole_name)) = names else {
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
    // Otherwise the part can meet another element than the one that it is a part of.
    let meets_its_whole = is_subset(&whole.labels, &binary.matching)
        || (!whole.is_filtered && !matches!(binary.cardinality, Cardinality::OneToMany(_)));
    (part_name == whole_name || is_bucket)
        && narrower
        && part.selector.shift == whole.selector.shift
        && (part.function, part.range_ms) == (whole.function, whole.range_ms)
        && is_subset(&whole.labels, &part.labels)
        && meets_its_whole
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Part,
    Whole,
}

/// The growth of a counter.
struct Counted<'e> {
    selector: &'e Selector,
    /// Those of the selector, and of recorded series on the way.
    matchers: Vec<&'e Matcher>,
    function: &'static str,
    range_ms: i64,
    /// The labels that sums left.
    labels: Grouping,
    /// Elements can be missing, or stand in for missing ones.
    is_filtered: bool,
}

/// Returns the counter whose growth is taken, through sums and guards against nothing. What makes
/// a part greater or a whole smaller is none of these.
fn counted<'e>(expr: &'e Expr, side: Side, world: &World<'e>, chain: usize) -> Option<Counted<'e>> {
    match expr {
        Expr::Paren(inner) => counted(inner, side, world, chain),
        Expr::Selector(selector) => match world.recording(selector.metric_name()) {
            [rule] if selector.shift == Shift::default() => {
                let mut counted = counted(rule.expr.expr(), side, world, chain.checked_sub(1)?)?;
                counted.matchers.extend(&selector.matchers);
                Some(counted)
            }
            _ => None,
        },
        Expr::Aggregate(aggregate) if aggregate.operator == Aggregator::Sum => {
            let mut counted = counted(&aggregate.expr, side, world, chain)?;
            counted.labels = both(&counted.labels, &aggregate.grouping);
            (side == Side::Part || !counted.is_filtered).then_some(counted)
        }
        Expr::Call(call) => match (call.function.name, call.args.first()?) {
            ("rate" | "increase", Expr::Range { selector, range_ms }) => Some(Counted {
                selector,
                matchers: selector.matchers.iter().collect(),
                function: call.function.name,
                range_ms: *range_ms,
                labels: Grouping::Except(Vec::new()),
                is_filtered: false,
            }),
            ("clamp_max", inner) if side == Side::Part => counted(inner, side, world, chain),
            ("clamp_min", inner) if side == Side::Whole => counted(inner, side, world, chain),
            _ => None,
        },
        Expr::Binary(binary) => {
            let is_guard = match binary.operator {
                // `a > 0` and `a or 0 * b`.
                Operator::Comparison(Comparison::Greater) => {
                    !binary.return_bool && fold(&binary.right).is_some()
                }
                Operator::Set(Set::Or) => is_zero(&binary.right),
                _ => false,
            };
            if !is_guard {
                return None;
            }
            let mut counted = counted(&binary.left, side, world, chain)?;
            // Nothing is lost with a 0.
            counted.is_filtered |= fold(&binary.right).is_none_or(|number| number > 0.0);
            Some(counted)
        }
        _ => None,
    }
}

/// Says whether an expression gives nothing but 0: `0 * a` and `vector(0)`.
fn is_zero(expr: &Expr) -> bool {
    let is_0 = |expr: &Expr| fold(expr) == Some(0.0);
    match expr.unwrapped() {
        Expr::Binary(binary) => {
            binary.operator == Operator::Arithmetic(Arithmetic::Mul)
                && (is_0(&binary.left) || is_0(&binary.right))
        }
        Expr::Call(call) => call.function.name == "vector" && call.args.iter().all(is_0),
        _ => false,
    }
}

/// Returns the labels that are left by one grouping after another.
fn both(a: &Grouping, b: &Grouping) -> Grouping {
    use Grouping::{Except, Only};
    let chosen = |names: &[String], others: &[String], in_others: bool| {
        let chosen = names.iter().filter(|n| others.contains(n) == in_others);
        chosen.cloned().collect()
    };
    match (a, b) {
        (Only(a), Only(b)) => Only(chosen(a, b, true)),
        (Only(only), Except(except)) | (Except(except), Only(only)) => {
            Only(chosen(only, except, false))
        }
        (Except(a), Except(b)) => Except(a.iter().chain(b).cloned().collect()),
    }
}

/// Says whether all labels of one grouping are among those of another.
fn is_subset(inner: &Grouping, outer: &Grouping) -> bool {
    use Grouping::{Except, Only};
    match (inner, outer) {
        (Only(a), Only(b)) | (Except(b), Except(a)) => a.iter().all(|name| b.contains(name)),
        (Only(a), Except(b)) => !a.iter().any(|name| b.contains(name)),
        (Except(_), Only(_)) => false,
    }
}
