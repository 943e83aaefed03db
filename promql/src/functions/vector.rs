//! Functions that turn a whole vector into another, or into a scalar and back.

use std::cmp::Ordering;

use super::{Function, Type};
use crate::engine::context::{Context, Steps};
use crate::engine::eval::{drop_names, eval, eval_scalar, eval_vector};
use crate::engine::grid::{absent, is_absent};
use crate::engine::rows::{Datum, Head, Numbers, Rows};
use crate::engine::{Profile, QueryError, select};
use crate::labels::Labels;
use crate::query::ast::{Call, Expr};

pub(super) const ROWS: &[Function] = &[
    Function::whole("time", &[], |_, _, steps| {
        Ok(Datum::Scalar(Numbers::PerStep(
            steps.times_ms().map(seconds).collect(),
        )))
    })
    .scalar(),
    Function::whole("pi", &[], |_, _, _| Ok(Datum::number(std::f64::consts::PI))).scalar(),
    Function::whole("scalar", &[Type::Vector], scalar).scalar(),
    Function::whole("vector", &[Type::Scalar], vector),
    Function::whole("timestamp", &[Type::Vector], timestamp),
    Function::whole("sort", &[Type::Vector], |context, call, steps| {
        sorted(context, call, steps, |(_, a), (_, b)| by_value(a, b, false))
    }),
    Function::whole("sort_desc", &[Type::Vector], |context, call, steps| {
        sorted(context, call, steps, |(_, a), (_, b)| by_value(a, b, true))
    }),
    Function::whole(
        "sort_by_label",
        &[Type::Vector, Type::String],
        |c, call, steps| sort_by_label(c, call, steps, false),
    )
    .repeated()
    .since(Profile::V2_53)
    .experimental(),
    Function::whole(
        "sort_by_label_desc",
        &[Type::Vector, Type::String],
        |c, call, steps| sort_by_label(c, call, steps, true),
    )
    .repeated()
    .since(Profile::V2_53)
    .experimental(),
];

/// Steps with exactly one element have its value.
fn scalar(context: &Context<'_>, call: &Call, steps: Steps) -> Result<Datum, QueryError> {
    let rows = eval_vector(context, &call.args[0], steps)?;
    let mut only = vec![absent(); steps.count()];
    let mut several = vec![false; steps.count()];
    for (_, row) in rows.iter() {
        for ((only, several), value) in only.iter_mut().zip(&mut several).zip(row) {
            if is_absent(*value) {
                continue;
            }
            *several |= !is_absent(*only);
            *only = *value;
        }
    }
    for (only, several) in only.iter_mut().zip(several) {
        if several || is_absent(*only) {
            *only = f64::NAN;
        }
    }
    Ok(Datum::Scalar(Numbers::PerStep(only)))
}

fn vector(context: &Context<'_>, call: &Call, steps: Steps) -> Result<Datum, QueryError> {
    let values = eval_scalar(context, &call.args[0], steps)?.into_values(steps.count());
    let mut rows = Rows::new(steps.count());
    rows.push(Head::new(Labels::default()), &values);
    Ok(Datum::Vector(rows))
}

fn seconds(t_ms: i64) -> f64 {
    t_ms as f64 / 1000.0
}

/// A bare selector tells when its samples were taken; anything else happened now.
fn timestamp(context: &Context<'_>, call: &Call, steps: Steps) -> Result<Datum, QueryError> {
    let mut rows = if let Expr::Selector(selector) = call.args[0].unwrapped() {
        select::current_times(context, selector, steps)?
    } else {
        let mut rows = eval_vector(context, &call.args[0], steps)?;
        rows.retain_mut(|_, row| {
            for (value, t_ms) in row.iter_mut().zip(steps.times_ms()) {
                if !is_absent(*value) {
                    *value = seconds(t_ms);
                }
            }
        });
        rows
    };
    drop_names(context, &mut rows)?;
    Ok(Datum::Vector(rows))
}

/// Over several steps there is no order of rows.
fn sorted(
    context: &Context<'_>,
    call: &Call,
    steps: Steps,
    compare: impl Fn((&Head, f64), (&Head, f64)) -> Ordering,
) -> Result<Datum, QueryError> {
    let rows = eval_vector(context, &call.args[0], steps)?;
    if steps.count() > 1 {
        return Ok(Datum::Vector(rows));
    }
    let element = |row: usize| (&rows.heads()[row], rows.row(row)[0]);
    let mut order: Vec<usize> = (0..rows.len()).collect();
    order.sort_by(|a, b| compare(element(*a), element(*b)));
    Ok(Datum::Vector(rows.reordered(&order)))
}

/// NaN comes last either way.
fn by_value(a: f64, b: f64, descending: bool) -> Ordering {
    match (a.is_nan(), b.is_nan()) {
        (true, true) => Ordering::Equal,
        (true, false) => Ordering::Greater,
        (false, true) => Ordering::Less,
        (false, false) if descending => b.total_cmp(&a),
        (false, false) => a.total_cmp(&b),
    }
}

fn sort_by_label(
    context: &Context<'_>,
    call: &Call,
    steps: Steps,
    descending: bool,
) -> Result<Datum, QueryError> {
    let mut names = Vec::new();
    for arg in &call.args[1..] {
        if let Datum::Text(name) = eval(context, arg, steps)? {
            names.push(name);
        }
    }
    let profile = context.options.profile;
    sorted(context, call, steps, |(a, left), (b, right)| {
        let order = names
            .iter()
            .map(|name| {
                natural(
                    a.labels.get(name).unwrap_or(""),
                    b.labels.get(name).unwrap_or(""),
                )
            })
            .find(|order| order.is_ne())
            .unwrap_or_else(|| match profile {
                Profile::V3_5 => a.labels.cmp(&b.labels),
                // Before, elements with equal labels stayed in the order of their values.
                Profile::V2_42 | Profile::V2_53 => {
                    let order = by_value(left, right, descending);
                    if descending { order.reverse() } else { order }
                }
            });
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
