//! `absent` and `absent_over_time`: one element when there is nothing.

use super::{Function, Type};
use crate::engine::context::{Context, Datum, Element};
use crate::engine::eval::eval_vector;
use crate::engine::{QueryError, window};
use crate::labels::{Labels, METRIC_NAME};
use crate::query::ast::{Call, Expr};

pub(super) const ROWS: &[Function] = &[
    Function::whole("absent", &[Type::Vector], absent),
    Function::whole("absent_over_time", &[Type::Matrix], absent_over_time),
];

fn absent(context: &Context<'_>, call: &Call, t_ms: i64) -> Result<Datum, QueryError> {
    let found = !eval_vector(context, &call.args[0], t_ms)?.is_empty();
    Ok(answer(found, &call.args[0]))
}

fn absent_over_time(context: &Context<'_>, call: &Call, t_ms: i64) -> Result<Datum, QueryError> {
    let mut found = false;
    window::for_each(context, &call.args[0], t_ms, &mut |_, _| found = true)?;
    Ok(answer(found, &call.args[0]))
}

fn answer(found: bool, arg: &Expr) -> Datum {
    if found {
        Datum::Vector(Vec::new())
    } else {
        Datum::Vector(vec![Element::new(labels_of(arg), 1.0)])
    }
}

/// The labels that the missing series would surely have: those required by one `=` alone.
fn labels_of(arg: &Expr) -> Labels {
    let (Expr::Selector(selector) | Expr::Range { selector, .. }) = arg.unwrapped() else {
        return Labels::default();
    };
    let mut known: Vec<(&str, Option<&str>)> = Vec::new();
    for matcher in &selector.matchers {
        if matcher.name == METRIC_NAME {
            continue;
        }
        match known.iter_mut().find(|(name, _)| *name == matcher.name) {
            Some((_, value)) => *value = None,
            None => known.push((
                &matcher.name,
                matcher.is_equal().then_some(matcher.value.as_str()),
            )),
        }
    }
    Labels::from_pairs(
        known
            .into_iter()
            .filter_map(|(name, value)| Some((name, value?))),
    )
}
