//! `label_replace` and `label_join`.

use super::{Function, Type};
use crate::engine::context::{Context, Steps};
use crate::engine::eval::{eval, eval_vector};
use crate::engine::rows::{Datum, Head, Name, Rows};
use crate::engine::{Profile, QueryError, group};
use crate::labels::{Labels, METRIC_NAME, is_label_name};
use crate::query::anchored_regex;
use crate::query::ast::Call;

/// Longest value that a label is set to, in bytes. Calls nest, and a rule reads what it wrote:
/// without a limit a value doubles until memory ends.
const MAX_VALUE_BYTES: usize = 64 * 1024;

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

fn label_replace(context: &Context<'_>, call: &Call, steps: Steps) -> Result<Datum, QueryError> {
    let mut rows = eval_vector(context, &call.args[0], steps)?;
    let target = text(context, call, 1, steps)?;
    let replacement = text(context, call, 2, steps)?;
    let source = text(context, call, 3, steps)?;
    let pattern = text(context, call, 4, steps)?;
    let regex = anchored_regex(&pattern, context.options.profile).map_err(|_| {
        QueryError::Execution(format!(
            "invalid regular expression in label_replace(): {pattern}"
        ))
    })?;
    check_label_name(context, "destination", &target, "label_replace")?;
    let before = settled(&rows);
    for (head, labels) in rows.heads_mut().iter_mut().zip(&before) {
        let read = labels.get(&source).unwrap_or("");
        let Some(captures) = regex.captures(read) else {
            continue;
        };
        // Each reference is at most the whole value; a long list of references is not expanded.
        let references = replacement.matches('$').count();
        let longest = references.saturating_mul(read.len());
        if longest > 16 * MAX_VALUE_BYTES {
            return Err(too_long("label_replace"));
        }
        let mut value = String::new();
        captures.expand(&replacement, &mut value);
        if value.len() > MAX_VALUE_BYTES {
            return Err(too_long("label_replace"));
        }
        set(head, &target, &value);
    }
    finish(context, call, &before, rows, steps)
}

fn label_join(context: &Context<'_>, call: &Call, steps: Steps) -> Result<Datum, QueryError> {
    let mut rows = eval_vector(context, &call.args[0], steps)?;
    let target = text(context, call, 1, steps)?;
    let separator = text(context, call, 2, steps)?;
    let sources = (3..call.args.len())
        .map(|index| text(context, call, index, steps))
        .collect::<Result<Vec<_>, _>>()?;
    for source in &sources {
        check_label_name(context, "source", source, "label_join")?;
    }
    check_label_name(context, "destination", &target, "label_join")?;
    let before = settled(&rows);
    for (head, labels) in rows.heads_mut().iter_mut().zip(&before) {
        let values: Vec<&str> = sources
            .iter()
            .map(|source| labels.get(source).unwrap_or(""))
            .collect();
        let length: usize = values.iter().map(|value| value.len()).sum();
        if length + separator.len() * values.len() > MAX_VALUE_BYTES {
            return Err(too_long("label_join"));
        }
        set(head, &target, &values.join(&separator));
    }
    if context.options.profile == Profile::V2_53 {
        // This version does not look for equal labels; whoever takes the elements may.
        return Ok(Datum::Vector(rows));
    }
    finish(context, call, &before, rows, steps)
}

fn too_long(function: &str) -> QueryError {
    QueryError::Execution(format!(
        "{function}() makes a label value of more than {MAX_VALUE_BYTES} bytes"
    ))
}

fn settled(rows: &Rows) -> Vec<Labels> {
    rows.heads().iter().map(Head::settled).collect()
}

fn set(head: &mut Head, target: &str, value: &str) {
    head.labels = head.settled().with(target, value);
    if target == METRIC_NAME || head.name == Name::Gone {
        head.name = Name::Kept;
    }
}

/// Equal labels are an error here at once, even when names are removed late.
fn finish(
    context: &Context<'_>,
    call: &Call,
    before: &[Labels],
    mut rows: Rows,
    steps: Steps,
) -> Result<Datum, QueryError> {
    if steps.separate {
        group::merge_equal(&mut rows)?;
    } else {
        context.refuse_equal_rows(call, before, &rows)?;
    }
    Ok(Datum::Vector(rows))
}

fn text(
    context: &Context<'_>,
    call: &Call,
    index: usize,
    steps: Steps,
) -> Result<String, QueryError> {
    match call.args.get(index) {
        Some(arg) => match eval(context, arg, steps)? {
            Datum::Text(text) => Ok(text),
            Datum::Scalar(_) | Datum::Vector(_) => {
                Err(QueryError::Execution("expected a string".to_owned()))
            }
        },
        None => Ok(String::new()),
    }
}

fn check_label_name(
    context: &Context<'_>,
    role: &str,
    name: &str,
    function: &str,
) -> Result<(), QueryError> {
    if is_label_name(name, context.options.profile) {
        return Ok(());
    }
    Err(QueryError::Execution(format!(
        "invalid {role} label name in {function}(): {name}"
    )))
}
