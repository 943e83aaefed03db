//! Walks an expression at one time.

use super::binary;
use super::context::{Context, Datum, Element};
use super::{QueryError, aggregate, group};
use crate::functions::{self, Run};
use crate::query::ast::{Call, Expr, Selector, Type};
use crate::store::SeriesId;
use crate::value::{Sample, is_stale};

/// Evaluates an expression. Range vectors only occur as arguments and are read through
/// [`super::window`].
pub(crate) fn eval(context: &Context<'_>, expr: &Expr, t_ms: i64) -> Result<Datum, QueryError> {
    match expr {
        Expr::Number(value) => Ok(Datum::Scalar(*value)),
        Expr::Text(text) => Ok(Datum::Text(text.clone())),
        Expr::Selector(selector) => select(context, selector, t_ms),
        Expr::Paren(inner) => eval(context, inner, t_ms),
        Expr::Negate(inner) => negate(context, inner, t_ms),
        Expr::Binary(binary) => binary::eval(context, binary, t_ms),
        Expr::Aggregate(aggregate) => aggregate::eval(context, aggregate, t_ms),
        Expr::Call(call) => call_function(context, call, t_ms),
        Expr::Range { .. } | Expr::Subquery(_) => Err(QueryError::Execution(
            "a range vector can only be an argument of a function".to_owned(),
        )),
    }
}

/// Evaluates an expression that was checked to be an instant vector.
pub(crate) fn eval_vector(
    context: &Context<'_>,
    expr: &Expr,
    t_ms: i64,
) -> Result<Vec<Element>, QueryError> {
    match eval(context, expr, t_ms)? {
        Datum::Vector(elements) => Ok(elements),
        Datum::Scalar(_) | Datum::Text(_) => Err(QueryError::Execution(
            "expected an instant vector".to_owned(),
        )),
    }
}

/// Evaluates an expression that was checked to be a scalar.
pub(crate) fn eval_scalar(
    context: &Context<'_>,
    expr: &Expr,
    t_ms: i64,
) -> Result<f64, QueryError> {
    match eval(context, expr, t_ms)? {
        Datum::Scalar(value) => Ok(value),
        Datum::Vector(_) | Datum::Text(_) => {
            Err(QueryError::Execution("expected a scalar".to_owned()))
        }
    }
}

/// Returns the newest sample of each series within the lookback. A stale marker ends the series:
/// nothing behind it is looked at.
pub(crate) fn for_each_current(
    context: &Context<'_>,
    selector: &Selector,
    t_ms: i64,
    mut each: impl FnMut(SeriesId, Sample),
) {
    let end_ms = context.shifted(selector.shift, t_ms);
    let after_ms = context.window_start(end_ms, context.options.lookback_ms);
    for id in context.series(selector) {
        if let Some(sample) = context.store.at(*id, end_ms)
            && sample.t_ms > after_ms
            && !is_stale(sample.value)
        {
            each(*id, sample);
        }
    }
}

fn select(context: &Context<'_>, selector: &Selector, t_ms: i64) -> Result<Datum, QueryError> {
    let mut elements = Vec::new();
    for_each_current(context, selector, t_ms, |id, sample| {
        elements.push(Element::new(context.store.labels(id).clone(), sample.value));
    });
    context.hold(elements.len())?;
    Ok(Datum::Vector(elements))
}

fn negate(context: &Context<'_>, inner: &Expr, t_ms: i64) -> Result<Datum, QueryError> {
    Ok(match eval(context, inner, t_ms)? {
        Datum::Scalar(value) => Datum::Scalar(-value),
        Datum::Vector(mut elements) => {
            for element in &mut elements {
                element.value = -element.value;
            }
            Datum::Vector(drop_names(context, elements)?)
        }
        text @ Datum::Text(_) => text,
    })
}

/// Marks the metric names as gone; two elements that were told apart by it alone are an error.
pub(crate) fn drop_names(
    context: &Context<'_>,
    mut elements: Vec<Element>,
) -> Result<Vec<Element>, QueryError> {
    let may_collide = group::names_differ(&elements);
    for element in &mut elements {
        element.name = context.dropped_name();
    }
    if may_collide && !context.options.delayed_name_removal {
        ensure_distinct(&elements)?;
    }
    Ok(elements)
}

/// Fails when two elements have the same labels.
pub(crate) fn ensure_distinct(elements: &[Element]) -> Result<(), QueryError> {
    if elements.len() > 1 && group::duplicate(elements).is_some() {
        return Err(QueryError::Execution(
            "vector cannot contain metrics with the same labelset".to_owned(),
        ));
    }
    Ok(())
}

fn call_function(context: &Context<'_>, call: &Call, t_ms: i64) -> Result<Datum, QueryError> {
    match call.function.run {
        Run::Map(map) => {
            let mut elements = match call.args.first() {
                Some(arg) if arg.type_of() == Type::Vector => eval_vector(context, arg, t_ms)?,
                // `hour()` and its like mean the time of the evaluation.
                _ => vec![Element::new(
                    crate::labels::Labels::default(),
                    t_ms as f64 / 1000.0,
                )],
            };
            let parameters = scalars(context, call, t_ms)?;
            elements.retain_mut(|element| match map(element.value, &parameters) {
                Some(value) => {
                    element.value = value;
                    true
                }
                None => false,
            });
            Ok(Datum::Vector(drop_names(context, elements)?))
        }
        Run::Window(over) => functions::window::eval(context, call, over, t_ms),
        Run::Whole(whole) => whole(context, call, t_ms),
    }
}

/// Evaluates the scalar arguments of a call, in order.
pub(crate) fn scalars(
    context: &Context<'_>,
    call: &Call,
    t_ms: i64,
) -> Result<Vec<f64>, QueryError> {
    call.args
        .iter()
        .filter(|arg| arg.type_of() == Type::Scalar)
        .map(|arg| eval_scalar(context, arg, t_ms))
        .collect()
}
