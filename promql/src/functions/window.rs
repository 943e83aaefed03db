//! Runs a function over every window of a range vector.

use super::Over;
use crate::engine::context::{Context, Datum, Element, Name};
use crate::engine::eval::{ensure_distinct, scalars};
use crate::engine::{QueryError, group, warn_about_quantile, window};
use crate::query::ast::{Call, Type};

const COUNTER_SUFFIXES: [&str; 4] = ["_total", "_sum", "_count", "_bucket"];

pub(crate) fn eval(
    context: &Context<'_>,
    call: &Call,
    over: Over,
    t_ms: i64,
) -> Result<Datum, QueryError> {
    let parameters = scalars(context, call, t_ms)?;
    if call.function.name == "quantile_over_time" {
        for q in &parameters {
            warn_about_quantile(context, *q);
        }
    }
    let Some(ranges) = call.args.iter().find(|arg| arg.type_of() == Type::Matrix) else {
        return Ok(Datum::Vector(Vec::new()));
    };
    let name = if over.keeps_name {
        Name::Kept
    } else {
        context.dropped_name()
    };
    let mut elements = Vec::new();
    let mut refused = Ok(());
    window::for_each(context, ranges, t_ms, &mut |labels, window| {
        if over.counter {
            remark_on_name(context, labels.metric_name());
        }
        if refused.is_ok() {
            refused = (over.check)(&parameters);
        }
        if let Some(value) = (over.compute)(&window, &parameters) {
            elements.push(Element {
                labels: labels.clone(),
                value,
                name,
            });
        }
    })?;
    refused.map_err(QueryError::Execution)?;
    context.hold(elements.len())?;
    if name == Name::Gone && group::names_differ(&elements) {
        ensure_distinct(&elements)?;
    }
    Ok(Datum::Vector(elements))
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
