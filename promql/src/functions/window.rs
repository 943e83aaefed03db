//! Runs a function over every window of a range vector.

use super::Over;
use crate::engine::context::{Context, Steps};
use crate::engine::eval::{Parameters, present};
use crate::engine::rows::{Datum, Head, Name, Rows};
use crate::engine::window::{self, Track};
use crate::engine::{QueryError, warn_about_quantile};
use crate::query::ast::{Call, Type};

const COUNTER_SUFFIXES: [&str; 4] = ["_total", "_sum", "_count", "_bucket"];

/// Fewest steps for which a sweep over the windows is worth its preparation.
const SWEEP_STEPS: usize = 4;

pub(crate) fn eval(
    context: &Context<'_>,
    call: &Call,
    over: Over,
    steps: Steps,
) -> Result<Datum, QueryError> {
    let parameters = Parameters::of(context, call, steps)?;
    if call.function.name == "quantile_over_time" {
        for q in parameters.numbers() {
            warn_about_quantile(context, q);
        }
    }
    let Some(ranges) = call.args.iter().find(|arg| arg.type_of() == Type::Matrix) else {
        return Ok(Datum::Vector(Rows::new(steps.count())));
    };
    let name = if over.keeps_name {
        Name::Kept
    } else {
        context.dropped_name()
    };
    let mut rows = Rows::new(steps.count());
    let mut before = Vec::new();
    window::for_each(context, ranges, steps, &mut |labels, track| {
        if over.counter && track.spans.iter().any(|span| span.from < span.to) {
            remark_on_name(context, labels.metric_name());
        }
        check(over, &parameters, &track)?;
        let head = || {
            before.push(labels.clone());
            Head {
                labels: labels.clone(),
                name,
            }
        };
        rows.add(head, |row| fill(over, &parameters, &track, row));
        context.check(rows.cells())
    })?;
    if name != Name::Kept {
        context.refuse_equal(call, &before, &mut rows, steps)?;
    }
    Ok(Datum::Vector(rows))
}

/// Refuses scalar arguments where there is something to compute.
fn check(over: Over, parameters: &Parameters, track: &Track<'_>) -> Result<(), QueryError> {
    let mut current = parameters.first();
    for (step, span) in track.spans.iter().enumerate() {
        if span.from < span.to {
            parameters.read(step, &mut current);
            (over.check)(&current).map_err(QueryError::Execution)?;
            if !parameters.vary() {
                return Ok(());
            }
        }
    }
    Ok(())
}

fn fill(over: Over, parameters: &Parameters, track: &Track<'_>, row: &mut [f64]) {
    if let Some(sweep) = over.sweep
        && row.len() >= SWEEP_STEPS
    {
        sweep(track, row);
        return;
    }
    let mut current = parameters.first();
    for (step, value) in row.iter_mut().enumerate() {
        if let Some(window) = track.window(step) {
            parameters.read(step, &mut current);
            if let Some(result) = (over.compute)(&window, &current) {
                *value = present(result);
            }
        }
    }
}

fn remark_on_name(context: &Context<'_>, name: Option<&str>) {
    if let Some(name) = name
        && !COUNTER_SUFFIXES.iter().any(|suffix| name.ends_with(suffix))
    {
        context.inform(format!(
            "metric might not be a counter, name does not end in \
             _total/_sum/_count/_bucket: {name:?}"
        ));
    }
}
