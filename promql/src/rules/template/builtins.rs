//! The functions that every Go template has: comparing, indexing, cutting.

use std::cmp::Ordering;
use std::rc::Rc;

use super::functions::Env;
use super::value::Value;
use crate::engine::Profile;

type Answer = Result<Value, String>;

/// Kinds that Go compares; texts of different types are the same kind.
#[derive(Clone, Copy)]
enum Basic<'v> {
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(&'v str),
}

fn basic(value: &Value) -> Option<Basic<'_>> {
    match value {
        Value::Bool(value) => Some(Basic::Bool(*value)),
        Value::Int(value) => Some(Basic::Int(*value)),
        Value::Byte(value) => Some(Basic::Int(i64::from(*value))),
        Value::Float(value) => Some(Basic::Float(*value)),
        Value::Text(text) | Value::Html(text) => Some(Basic::Text(text)),
        _ => None,
    }
}

fn same_kind(a: Basic<'_>, b: Basic<'_>) -> bool {
    std::mem::discriminant(&a) == std::mem::discriminant(&b)
}

/// Go compares only values of the same kind: `gt $value 5` is an error, `gt $value 5.0` is not.
fn incompatible(env: &Env<'_>, a: &Value, b: &Value) -> String {
    let message = "incompatible types for comparison";
    match env.profile {
        Profile::V3_5 => format!("{message}: {} and {}", a.type_name(), b.type_name()),
        Profile::V2_42 | Profile::V2_53 => message.to_owned(),
    }
}

fn not_comparable(value: &Value) -> String {
    format!(
        "non-comparable type {}: {}",
        value.formatted(),
        value.type_name()
    )
}

/// Says whether the first argument equals one of the others.
pub(super) fn eq(env: &mut Env<'_>, args: &[Value]) -> Answer {
    if args.len() < 2 {
        return Err("missing argument for comparison".to_owned());
    }
    for other in &args[1..] {
        if equal(env, &args[0], other)? {
            return Ok(Value::Bool(true));
        }
    }
    Ok(Value::Bool(false))
}

fn equal(env: &Env<'_>, a: &Value, b: &Value) -> Result<bool, String> {
    match (basic(a), basic(b)) {
        (Some(Basic::Bool(a)), Some(Basic::Bool(b))) => Ok(a == b),
        (Some(Basic::Int(a)), Some(Basic::Int(b))) => Ok(a == b),
        (Some(Basic::Float(a)), Some(Basic::Float(b))) => Ok(a == b),
        (Some(Basic::Text(a)), Some(Basic::Text(b))) => Ok(a == b),
        (None, None) => match (a, b) {
            (Value::None, Value::None) => Ok(true),
            // Pointers are the same when they point at the same.
            (Value::Sample(a), Value::Sample(b)) => Ok(Rc::ptr_eq(a, b)),
            (Value::Time(a), Value::Time(b)) => Ok(Rc::ptr_eq(a, b)),
            (Value::None, _) | (_, Value::None | Value::Sample(_) | Value::Time(_)) => Ok(false),
            _ => Err(not_comparable(b)),
        },
        _ if matches!(a, Value::None) || matches!(b, Value::None) => Ok(false),
        _ => Err(incompatible(env, a, b)),
    }
}

pub(super) fn ne(env: &mut Env<'_>, args: &[Value]) -> Answer {
    equal(env, &args[0], &args[1]).map(|equal| Value::Bool(!equal))
}

/// Says whether the first argument is smaller. Go negates this for `ge`, so that `ge` of what is
/// no number is true.
pub(super) fn lt(env: &mut Env<'_>, args: &[Value]) -> Answer {
    let is_less = order(env, &args[0], &args[1])? == Some(Ordering::Less);
    Ok(Value::Bool(is_less))
}

/// Says whether the first argument is smaller or the same; negated it is `gt`.
pub(super) fn le(env: &mut Env<'_>, args: &[Value]) -> Answer {
    let order = order(env, &args[0], &args[1])?;
    Ok(Value::Bool(order.is_some_and(Ordering::is_le)))
}

fn order(env: &Env<'_>, a: &Value, b: &Value) -> Result<Option<Ordering>, String> {
    let invalid = || "invalid type for comparison".to_owned();
    let (x, y) = (basic(a).ok_or_else(invalid)?, basic(b).ok_or_else(invalid)?);
    if !same_kind(x, y) {
        return Err(incompatible(env, a, b));
    }
    match (x, y) {
        (Basic::Int(x), Basic::Int(y)) => Ok(Some(x.cmp(&y))),
        (Basic::Float(x), Basic::Float(y)) => Ok(x.partial_cmp(&y)),
        (Basic::Text(x), Basic::Text(y)) => Ok(Some(x.cmp(y))),
        _ => Err(invalid()),
    }
}

/// Turns an answer round.
pub(super) fn negated(answer: Answer) -> Answer {
    answer.map(|value| Value::Bool(!value.truth()))
}

pub(super) fn len(_: &mut Env<'_>, args: &[Value]) -> Answer {
    let length = match &args[0] {
        Value::Text(text) | Value::Html(text) => text.len(),
        Value::Labels(labels) => labels.len(),
        Value::Args(args) => args.len(),
        Value::Vector(vector) => vector.borrow().len(),
        Value::None => return Err("len of nil pointer".to_owned()),
        other => return Err(format!("len of type {}", other.pointed_type_name())),
    };
    Ok(Value::Int(length as i64))
}

pub(super) fn index(_: &mut Env<'_>, args: &[Value]) -> Answer {
    let mut value = args[0].clone();
    if matches!(value, Value::None) {
        return Err("index of untyped nil".to_owned());
    }
    for key in &args[1..] {
        value = one_index(&value, key)?;
    }
    Ok(value)
}

fn one_index(value: &Value, key: &Value) -> Answer {
    match value {
        Value::None => Err("index of nil pointer".to_owned()),
        Value::Labels(labels) => {
            let key = map_key(key)?;
            Ok(Value::from(labels.get(key).unwrap_or_default()))
        }
        Value::Args(args) => Ok(args.get(map_key(key)?).cloned().unwrap_or(Value::None)),
        Value::Vector(vector) => {
            let vector = vector.borrow();
            let at = position(key, vector.len())?;
            let sample = vector.get(at).cloned().map(Value::Sample);
            sample.ok_or_else(|| "reflect: slice index out of range".to_owned())
        }
        Value::Text(text) | Value::Html(text) => {
            let at = position(key, text.len())?;
            let byte = text.as_bytes().get(at);
            byte.map(|byte| Value::Byte(*byte))
                .ok_or_else(|| "reflect: string index out of range".to_owned())
        }
        other => Err(format!(
            "can't index item of type {}",
            other.pointed_type_name()
        )),
    }
}

fn map_key(key: &Value) -> Result<&str, String> {
    match key {
        Value::Text(text) => Ok(text),
        Value::None => Err("value is nil; should be of type string".to_owned()),
        other => Err(format!(
            "value has type {}; should be string",
            other.type_name()
        )),
    }
}

fn position(key: &Value, length: usize) -> Result<usize, String> {
    match key {
        Value::Byte(at) if usize::from(*at) <= length => Ok(usize::from(*at)),
        Value::Byte(at) => Err(format!("index out of range: {at}")),
        Value::Int(at) => match usize::try_from(*at) {
            Ok(at) if at <= length => Ok(at),
            _ => Err(format!("index out of range: {at}")),
        },
        Value::None => Err("cannot index slice/array with nil".to_owned()),
        other => Err(format!(
            "cannot index slice/array with type {}",
            other.type_name()
        )),
    }
}

pub(super) fn slice(env: &mut Env<'_>, args: &[Value]) -> Answer {
    let bounds = &args[1..];
    if matches!(args[0], Value::None) {
        return Err("slice of untyped nil".to_owned());
    }
    if bounds.len() > 3 {
        return Err(format!("too many slice indexes: {}", bounds.len()));
    }
    let length = match &args[0] {
        Value::Text(_) | Value::Html(_) if bounds.len() == 3 => {
            return Err("cannot 3-index slice a string".to_owned());
        }
        Value::Text(text) | Value::Html(text) => text.len(),
        Value::Vector(vector) => vector.borrow().len(),
        other => {
            // Older versions of Go look at the pointer itself.
            let type_name = match env.profile {
                Profile::V2_42 | Profile::V2_53 => other.type_name(),
                Profile::V3_5 => other.pointed_type_name(),
            };
            return Err(format!("can't slice item of type {type_name}"));
        }
    };
    let mut at = [0, length, length];
    for (bound, at) in bounds.iter().zip(&mut at) {
        *at = position(bound, length)?;
    }
    let [start, end, limit] = at;
    if start > end {
        return Err(format!("invalid slice index: {start} > {end}"));
    }
    if bounds.len() == 3 && end > limit {
        return Err(format!("invalid slice index: {end} > {limit}"));
    }
    Ok(match &args[0] {
        Value::Vector(vector) => {
            let part = vector.borrow()[start..end].to_vec();
            Value::Vector(Rc::new(part.into()))
        }
        Value::Html(text) => Value::Html(cut(text, start, end).into()),
        Value::Text(text) => cut(text, start, end).into(),
        _ => Value::None,
    })
}

/// Cuts bytes, as Go does; half a character becomes the mark for one.
fn cut(text: &str, start: usize, end: usize) -> String {
    String::from_utf8_lossy(&text.as_bytes()[start..end]).into_owned()
}

/// There are no functions to call among the values.
pub(super) fn call(env: &mut Env<'_>, args: &[Value]) -> Answer {
    Err(match &args[0] {
        Value::None => "call of nil".to_owned(),
        other if env.profile == Profile::V2_42 => {
            format!("non-function of type {}", other.type_name())
        }
        other => format!(
            "non-function {} of type {}",
            other.formatted(),
            other.type_name()
        ),
    })
}
