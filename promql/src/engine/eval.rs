//! Walks an expression once for all steps of a grid.

use super::binary;
use super::context::{Context, Steps};
use super::grid::{absent, is_absent};
use super::rows::{Datum, Head, Name, Numbers, Rows};
use super::{Profile, QueryError, aggregate, group, invariant, select};
use crate::functions::{self, Run};
use crate::labels::Labels;
use crate::query::ast::{Call, Expr, Type};

/// Evaluates an expression. Range vectors only occur as arguments and are read through
/// [`super::window`].
///
/// What does not depend on the step is evaluated once.
pub(crate) fn eval(context: &Context<'_>, expr: &Expr, steps: Steps) -> Result<Datum, QueryError> {
    let before = context.held();
    let mut datum = if steps.count() > 1 && invariant::is_invariant(expr, steps) {
        node(context, expr, steps.first())?.broadcast(steps.count())
    } else {
        node(context, expr, steps)?
    };
    if context.options.profile == Profile::V2_53
        && takes_unchecked_labels(expr)
        && let Datum::Vector(rows) = &mut datum
    {
        group::merge_equal(rows)?;
    }
    context.release_to(before);
    context.hold(datum.cells())?;
    Ok(datum)
}

/// Says whether an operand may have equal labels: in 2.53 `label_join` did not look for them, but
/// whoever took its elements did.
fn takes_unchecked_labels(expr: &Expr) -> bool {
    let is_joined = |expr: &Expr| match expr.unwrapped() {
        Expr::Call(call) => call.function.name == "label_join",
        _ => false,
    };
    match expr.unwrapped() {
        Expr::Negate(inner) => is_joined(inner),
        Expr::Binary(binary) => is_joined(&binary.left) || is_joined(&binary.right),
        Expr::Call(call) => !is_joined(expr) && call.args.iter().any(is_joined),
        _ => false,
    }
}

fn node(context: &Context<'_>, expr: &Expr, steps: Steps) -> Result<Datum, QueryError> {
    match expr {
        Expr::Number(value) => Ok(Datum::number(*value)),
        Expr::Text(text) => Ok(Datum::Text(text.clone())),
        Expr::Selector(selector) => select::current(context, selector, steps).map(Datum::Vector),
        Expr::Paren(inner) => node(context, inner, steps),
        Expr::Negate(inner) => negate(context, expr, inner, steps),
        Expr::Binary(binary) => binary::eval(context, binary, steps),
        Expr::Aggregate(aggregate) => aggregate::eval(context, aggregate, steps),
        Expr::Call(call) => call_function(context, call, steps),
        Expr::Range { .. } | Expr::Subquery(_) => Err(QueryError::Execution(
            "a range vector can only be an argument of a function".to_owned(),
        )),
    }
}

/// Evaluates an expression that was checked to be an instant vector.
pub(crate) fn eval_vector(
    context: &Context<'_>,
    expr: &Expr,
    steps: Steps,
) -> Result<Rows, QueryError> {
    match eval(context, expr, steps)? {
        Datum::Vector(rows) => Ok(rows),
        Datum::Scalar(_) | Datum::Text(_) => Err(QueryError::Execution(
            "expected an instant vector".to_owned(),
        )),
    }
}

/// Evaluates an expression that was checked to be a scalar.
pub(crate) fn eval_scalar(
    context: &Context<'_>,
    expr: &Expr,
    steps: Steps,
) -> Result<Numbers, QueryError> {
    match eval(context, expr, steps)? {
        Datum::Scalar(numbers) => Ok(numbers),
        Datum::Vector(_) | Datum::Text(_) => {
            Err(QueryError::Execution("expected a scalar".to_owned()))
        }
    }
}

fn negate(
    context: &Context<'_>,
    expr: &Expr,
    inner: &Expr,
    steps: Steps,
) -> Result<Datum, QueryError> {
    Ok(match eval(context, inner, steps)? {
        Datum::Scalar(numbers) => Datum::Scalar(numbers.map(|value| -value)),
        Datum::Vector(mut rows) => {
            let before: Vec<Labels> = rows.heads().iter().map(Head::settled).collect();
            rows.retain_mut(|_, row| {
                for value in row {
                    *value = if is_absent(*value) {
                        absent()
                    } else {
                        present(-*value)
                    };
                }
            });
            doom_names(context, &mut rows);
            context.refuse_equal(expr, &before, &mut rows, steps)?;
            Datum::Vector(rows)
        }
        text @ Datum::Text(_) => text,
    })
}

/// Keeps a computed NaN from looking like an absent value: flipping or clearing the sign of a NaN
/// can make any bits.
pub(crate) fn present(value: f64) -> f64 {
    if is_absent(value) { f64::NAN } else { value }
}

fn doom_names(context: &Context<'_>, rows: &mut Rows) {
    let name = context.dropped_name();
    for head in rows.heads_mut() {
        // A name that is gone already must not come back.
        if head.name != Name::Gone {
            head.name = name;
        }
    }
}

/// Marks the metric names as gone; two rows that were told apart by it alone become one, or are
/// an error where both are there.
pub(crate) fn drop_names(context: &Context<'_>, rows: &mut Rows) -> Result<(), QueryError> {
    let may_collide = group::names_differ(rows.heads());
    doom_names(context, rows);
    if may_collide && !context.options.delayed_name_removal {
        group::merge_equal(rows)?;
    }
    Ok(())
}

fn call_function(context: &Context<'_>, call: &Call, steps: Steps) -> Result<Datum, QueryError> {
    match call.function.run {
        Run::Map(map) => map_rows(context, call, map, steps),
        Run::Window(over) => functions::window::eval(context, call, over, steps),
        Run::Whole(whole) => whole(context, call, steps),
    }
}

fn map_rows(
    context: &Context<'_>,
    call: &Call,
    map: fn(f64, &[f64]) -> Option<f64>,
    steps: Steps,
) -> Result<Datum, QueryError> {
    let mut rows = match call.args.first() {
        Some(arg) if arg.type_of() == Type::Vector => eval_vector(context, arg, steps)?,
        _ => times(steps),
    };
    let parameters = Parameters::of(context, call, steps)?;
    let mut current = parameters.first();
    rows.retain_mut(|_, row| {
        for (step, value) in row.iter_mut().enumerate() {
            if is_absent(*value) {
                continue;
            }
            parameters.read(step, &mut current);
            *value = map(*value, &current).map_or_else(absent, present);
        }
    });
    drop_names(context, &mut rows)?;
    Ok(Datum::Vector(rows))
}

/// `hour()` and its like mean the time of the evaluation.
fn times(steps: Steps) -> Rows {
    let seconds: Vec<f64> = steps.times_ms().map(|t_ms| t_ms as f64 / 1000.0).collect();
    let mut rows = Rows::new(steps.count());
    rows.push(Head::new(Labels::default()), &seconds);
    rows
}

/// The scalar arguments of a call, in order.
pub(crate) struct Parameters {
    numbers: Vec<Numbers>,
    vary: bool,
}

impl Parameters {
    pub(crate) fn of(context: &Context<'_>, call: &Call, steps: Steps) -> Result<Self, QueryError> {
        let numbers = call
            .args
            .iter()
            .filter(|arg| arg.type_of() == Type::Scalar)
            .map(|arg| eval_scalar(context, arg, steps))
            .collect::<Result<Vec<_>, _>>()?;
        let vary = numbers
            .iter()
            .any(|numbers| matches!(numbers, Numbers::PerStep(_)));
        Ok(Self { numbers, vary })
    }

    pub(crate) fn numbers(&self) -> &[Numbers] {
        &self.numbers
    }

    pub(crate) fn vary(&self) -> bool {
        self.vary
    }

    /// Returns the arguments at the first step.
    pub(crate) fn first(&self) -> Vec<f64> {
        self.numbers.iter().map(|numbers| numbers.at(0)).collect()
    }

    /// Puts the arguments at a step into `current`, which holds those of some other step.
    pub(crate) fn read(&self, step: usize, current: &mut [f64]) {
        if self.vary {
            for (into, numbers) in current.iter_mut().zip(&self.numbers) {
                *into = numbers.at(step);
            }
        }
    }
}
