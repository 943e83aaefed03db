//! Functions that turn a whole vector into another, or into a scalar and back.

use std::cmp::Ordering;

use super::{Function, Type};
use crate::engine::QueryError;
use crate::engine::context::{Context, Datum, Element};
use crate::engine::eval::{drop_names, eval, eval_scalar, eval_vector, for_each_current};
use crate::labels::Labels;
use crate::query::ast::{Call, Expr};

pub(super) const ROWS: &[Function] = &[
    Function::whole("time", &[], |_, _, t_ms| {
        Ok(Datum::Scalar(t_ms as f64 / 1000.0))
    })
    .scalar(),
    Function::whole("pi", &[], |_, _, _| Ok(Datum::Scalar(std::f64::consts::PI))).scalar(),
    Function::whole("scalar", &[Type::Vector], scalar).scalar(),
    Function::whole("vector", &[Type::Scalar], |context, call, t_ms| {
        let value = eval_scalar(context, &call.args[0], t_ms)?;
        Ok(Datum::Vector(vec![Element::new(Labels::default(), value)]))
    }),
    Function::whole("timestamp", &[Type::Vector], timestamp),
    Function::whole("sort", &[Type::Vector], |context, call, t_ms| {
        sorted(context, call, t_ms, |a, b| by_value(a, b, false))
    }),
    Function::whole("sort_desc", &[Type::Vector], |context, call, t_ms| {
        sorted(context, call, t_ms, |a, b| by_value(a, b, true))
    }),
    Function::whole(
        "sort_by_label",
        &[Type::Vector, Type::String],
        |c, call, t_ms| sort_by_label(c, call, t_ms, false),
    )
    .repeated()
    .experimental(),
    Function::whole(
        "sort_by_label_desc",
        &[Type::Vector, Type::String],
        |c, call, t_ms| sort_by_label(c, call, t_ms, true),
    )
    .repeated()
    .experimental(),
];

fn scalar(context: &Context<'_>, call: &Call, t_ms: i64) -> Result<Datum, QueryError> {
    let elements = eval_vector(context, &call.args[0], t_ms)?;
    Ok(Datum::Scalar(match elements.as_slice() {
        [only] => only.value,
        _ => f64::NAN,
    }))
}

/// A bare selector tells when its samples were taken; anything else happened now.
fn timestamp(context: &Context<'_>, call: &Call, t_ms: i64) -> Result<Datum, QueryError> {
    let mut elements = Vec::new();
    if let Expr::Selector(selector) = call.args[0].unwrapped() {
        for_each_current(context, selector, t_ms, |id, sample| {
            let seconds = sample.t_ms as f64 / 1000.0;
            elements.push(Element::new(context.store.labels(id).clone(), seconds));
        });
    } else {
        elements = eval_vector(context, &call.args[0], t_ms)?;
        for element in &mut elements {
            element.value = t_ms as f64 / 1000.0;
        }
    }
    Ok(Datum::Vector(drop_names(context, elements)?))
}

fn sorted(
    context: &Context<'_>,
    call: &Call,
    t_ms: i64,
    compare: impl Fn(&Element, &Element) -> Ordering,
) -> Result<Datum, QueryError> {
    let mut elements = eval_vector(context, &call.args[0], t_ms)?;
    elements.sort_by(compare);
    Ok(Datum::Vector(elements))
}

/// NaN comes last either way.
fn by_value(a: &Element, b: &Element, descending: bool) -> Ordering {
    match (a.value.is_nan(), b.value.is_nan()) {
        (true, true) => Ordering::Equal,
        (true, false) => Ordering::Greater,
        (false, true) => Ordering::Less,
        (false, false) if descending => b.value.total_cmp(&a.value),
        (false, false) => a.value.total_cmp(&b.value),
    }
}

fn sort_by_label(
    context: &Context<'_>,
    call: &Call,
    t_ms: i64,
    descending: bool,
) -> Result<Datum, QueryError> {
    let mut names = Vec::new();
    for arg in &call.args[1..] {
        if let Datum::Text(name) = eval(context, arg, t_ms)? {
            names.push(name);
        }
    }
    sorted(context, call, t_ms, |a, b| {
        let order = names
            .iter()
            .map(|name| {
                natural(
                    a.labels.get(name).unwrap_or(""),
                    b.labels.get(name).unwrap_or(""),
                )
            })
            .find(|order| order.is_ne())
            .unwrap_or_else(|| a.labels.cmp(&b.labels));
        if descending { order.reverse() } else { order }
    })
}

/// Compares texts so that runs of digits count as numbers: `cpu2` before `cpu10`.
fn natural(a: &str, b: &str) -> Ordering {
    let (mut a, mut b) = (a, b);
    loop {
        match (a.is_empty(), b.is_empty()) {
            (true, true) => return Ordering::Equal,
            (true, false) => return Ordering::Less,
            (false, true) => return Ordering::Greater,
            (false, false) => {}
        }
        let (run_a, rest_a) = a.split_at(run(a));
        let (run_b, rest_b) = b.split_at(run(b));
        let order = match (run_a.parse::<u64>(), run_b.parse::<u64>()) {
            (Ok(number_a), Ok(number_b)) => number_a.cmp(&number_b),
            _ => run_a.cmp(run_b),
        };
        if order.is_ne() {
            return order;
        }
        (a, b) = (rest_a, rest_b);
    }
}

/// Returns the length of the leading run of digits or of other characters.
fn run(text: &str) -> usize {
    let is_digit = |c: char| c.is_ascii_digit();
    let first = text.starts_with(is_digit);
    text.find(|c: char| is_digit(c) != first)
        .unwrap_or(text.len())
}
