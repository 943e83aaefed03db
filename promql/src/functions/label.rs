//! `label_replace` and `label_join`.

use super::{Function, Type};
use crate::engine::QueryError;
use crate::engine::context::{Context, Datum, Element, Name};
use crate::engine::eval::{ensure_distinct, eval, eval_vector};
use crate::labels::METRIC_NAME;
use crate::query::anchored_regex;
use crate::query::ast::Call;

pub(super) const ROWS: &[Function] = &[
    Function::whole(
        "label_replace",
        &[
            Type::Vector,
            Type::String,
            Type::String,
            Type::String,
            Type::String,
        ],
        label_replace,
    ),
    Function::whole(
        "label_join",
        &[Type::Vector, Type::String, Type::String, Type::String],
        label_join,
    )
    .args(&[Type::Vector, Type::String, Type::String, Type::String], 1)
    .repeated(),
];

fn label_replace(context: &Context<'_>, call: &Call, t_ms: i64) -> Result<Datum, QueryError> {
    let mut elements = eval_vector(context, &call.args[0], t_ms)?;
    let target = text(context, call, 1, t_ms)?;
    let replacement = text(context, call, 2, t_ms)?;
    let source = text(context, call, 3, t_ms)?;
    let pattern = text(context, call, 4, t_ms)?;
    let regex = anchored_regex(&pattern).map_err(|error| {
        QueryError::Execution(format!(
            "invalid regular expression in label_replace(): {pattern}: {error}"
        ))
    })?;
    check_label_name(&target, "label_replace")?;
    for element in &mut elements {
        let labels = element.settled();
        let Some(captures) = regex.captures(labels.get(&source).unwrap_or("")) else {
            continue;
        };
        let mut value = String::new();
        captures.expand(&replacement, &mut value);
        set(element, &target, &value);
    }
    finish(elements)
}

fn label_join(context: &Context<'_>, call: &Call, t_ms: i64) -> Result<Datum, QueryError> {
    let mut elements = eval_vector(context, &call.args[0], t_ms)?;
    let target = text(context, call, 1, t_ms)?;
    let separator = text(context, call, 2, t_ms)?;
    let sources = (3..call.args.len())
        .map(|index| text(context, call, index, t_ms))
        .collect::<Result<Vec<_>, _>>()?;
    check_label_name(&target, "label_join")?;
    for source in &sources {
        check_label_name(source, "label_join")?;
    }
    for element in &mut elements {
        let labels = element.settled();
        let values: Vec<&str> = sources
            .iter()
            .map(|source| labels.get(source).unwrap_or(""))
            .collect();
        set(element, &target, &values.join(&separator));
    }
    finish(elements)
}

fn set(element: &mut Element, target: &str, value: &str) {
    element.labels = element.settled().with(target, value);
    if target == METRIC_NAME || element.name == Name::Gone {
        element.name = Name::Kept;
    }
}

/// Equal labels are an error here at once, even when names are removed late.
fn finish(elements: Vec<Element>) -> Result<Datum, QueryError> {
    ensure_distinct(&elements)?;
    Ok(Datum::Vector(elements))
}

fn text(context: &Context<'_>, call: &Call, index: usize, t_ms: i64) -> Result<String, QueryError> {
    match call.args.get(index) {
        Some(arg) => match eval(context, arg, t_ms)? {
            Datum::Text(text) => Ok(text),
            Datum::Scalar(_) | Datum::Vector(_) => {
                Err(QueryError::Execution("expected a string".to_owned()))
            }
        },
        None => Ok(String::new()),
    }
}

/// Since 3.0 a label name is any text that is not empty.
fn check_label_name(name: &str, function: &str) -> Result<(), QueryError> {
    if name.is_empty() {
        return Err(QueryError::Execution(format!(
            "invalid label name in {function}(): {name}"
        )));
    }
    Ok(())
}
