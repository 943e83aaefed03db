//! The functions of templates: one table.

use std::cmp::Ordering;

use super::format::{general, printf};
use super::run::Value;
use crate::duration;
use crate::query::unanchored_regex;

/// A row of the table.
struct Function {
    name: &'static str,
    least: usize,
    most: usize,
    call: fn(&[Value]) -> Result<Value, String>,
}

const ANY: usize = usize::MAX;

const fn row(
    name: &'static str,
    least: usize,
    most: usize,
    call: fn(&[Value]) -> Result<Value, String>,
) -> Function {
    Function {
        name,
        least,
        most,
        call,
    }
}

static TABLE: [Function; 27] = [
    row("humanize", 1, 1, |a| {
        number(&a[0]).map(|v| Value::Text(humanize(v)))
    }),
    row("humanize1024", 1, 1, |a| {
        number(&a[0]).map(|v| Value::Text(humanize_1024(v)))
    }),
    row("humanizeDuration", 1, 1, |a| {
        number(&a[0]).map(|v| Value::Text(humanize_duration(v)))
    }),
    row("humanizePercentage", 1, 1, |a| {
        number(&a[0]).map(|v| Value::Text(format!("{}%", general(v * 100.0, 4))))
    }),
    row("printf", 1, ANY, |a| {
        Ok(Value::Text(printf(&text(&a[0])?, &a[1..])))
    }),
    row("print", 0, ANY, |a| Ok(Value::Text(joined(a, "")))),
    row("println", 0, ANY, |a| {
        Ok(Value::Text(joined(a, " ") + "\n"))
    }),
    row("title", 1, 1, |a| {
        text(&a[0]).map(|t| Value::Text(title(&t)))
    }),
    row("toUpper", 1, 1, |a| {
        text(&a[0]).map(|t| Value::Text(t.to_uppercase()))
    }),
    row("toLower", 1, 1, |a| {
        text(&a[0]).map(|t| Value::Text(t.to_lowercase()))
    }),
    row("stripPort", 1, 1, |a| {
        text(&a[0]).map(|t| Value::Text(strip_port(&t)))
    }),
    row("stripDomain", 1, 1, |a| {
        text(&a[0]).map(|t| Value::Text(strip_domain(&t)))
    }),
    row("match", 2, 2, |a| {
        let regex = unanchored_regex(&text(&a[0])?).map_err(|error| error.to_string())?;
        Ok(Value::Bool(regex.is_match(&text(&a[1])?)))
    }),
    row("reReplaceAll", 3, 3, |a| {
        let regex = unanchored_regex(&text(&a[0])?).map_err(|error| error.to_string())?;
        let replaced = regex.replace_all(&text(&a[2])?, text(&a[1])?).into_owned();
        Ok(Value::Text(replaced))
    }),
    row("parseDuration", 1, 1, |a| {
        let duration_ms = duration::parse_ms(&text(&a[0])?).map_err(|error| error.to_string())?;
        Ok(Value::Float(duration_ms as f64 / 1000.0))
    }),
    row("safeHtml", 1, 1, |a| text(&a[0]).map(Value::Text)),
    row("index", 2, 2, |a| match &a[0] {
        Value::Labels(labels) => Ok(Value::Text(
            labels.get(&text(&a[1])?).unwrap_or_default().to_owned(),
        )),
        other => Err(format!("can't index {:?}", other.print())),
    }),
    row("len", 1, 1, |a| match &a[0] {
        Value::Text(text) => Ok(Value::Int(text.len() as i64)),
        Value::Labels(labels) => Ok(Value::Int(labels.len() as i64)),
        other => Err(format!("len of {:?}", other.print())),
    }),
    row("not", 1, 1, |a| Ok(Value::Bool(!a[0].truth()))),
    row("and", 1, ANY, |a| {
        let first_false = a.iter().find(|value| !value.truth());
        Ok(first_false.unwrap_or(&a[a.len() - 1]).clone())
    }),
    row("or", 1, ANY, |a| {
        let first_true = a.iter().find(|value| value.truth());
        Ok(first_true.unwrap_or(&a[a.len() - 1]).clone())
    }),
    row("eq", 2, ANY, |a| {
        for other in &a[1..] {
            if compare(&a[0], other)? == Some(Ordering::Equal) {
                return Ok(Value::Bool(true));
            }
        }
        Ok(Value::Bool(false))
    }),
    row("ne", 2, 2, |a| {
        Ok(Value::Bool(compare(&a[0], &a[1])? != Some(Ordering::Equal)))
    }),
    row("lt", 2, 2, |a| {
        Ok(Value::Bool(
            compare(&a[0], &a[1])?.is_some_and(Ordering::is_lt),
        ))
    }),
    row("le", 2, 2, |a| {
        Ok(Value::Bool(
            compare(&a[0], &a[1])?.is_some_and(Ordering::is_le),
        ))
    }),
    row("gt", 2, 2, |a| {
        Ok(Value::Bool(
            compare(&a[0], &a[1])?.is_some_and(Ordering::is_gt),
        ))
    }),
    row("ge", 2, 2, |a| {
        Ok(Value::Bool(
            compare(&a[0], &a[1])?.is_some_and(Ordering::is_ge),
        ))
    }),
];

/// Functions that Prometheus has and this engine has not.
const NOT_BUILT: [&str; 17] = [
    "query",
    "first",
    "label",
    "value",
    "strvalue",
    "args",
    "sortByLabel",
    "graphLink",
    "tableLink",
    "humanizeTimestamp",
    "toTime",
    "pathPrefix",
    "externalURL",
    "html",
    "js",
    "urlquery",
    "slice",
];

/// A function by its place in the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Name(usize);

impl Name {
    pub(super) fn find(name: &str) -> Result<Self, String> {
        if let Some(at) = TABLE.iter().position(|function| function.name == name) {
            return Ok(Self(at));
        }
        if NOT_BUILT.contains(&name) {
            return Err(format!("the function `{name}` is not built"));
        }
        Err(format!("function {name:?} not defined"))
    }

    pub(super) fn text(self) -> &'static str {
        TABLE[self.0].name
    }

    pub(super) fn check_count(self, count: usize) -> Result<(), String> {
        let function = &TABLE[self.0];
        if count < function.least || count > function.most {
            return Err(format!(
                "wrong number of args for {}: want {}{}, got {count}",
                function.name,
                if function.most == ANY {
                    "at least "
                } else {
                    ""
                },
                function.least,
            ));
        }
        Ok(())
    }

    pub(super) fn call(self, args: &[Value]) -> Result<Value, String> {
        self.check_count(args.len())?;
        (TABLE[self.0].call)(args)
    }
}

fn text(value: &Value) -> Result<String, String> {
    match value {
        Value::Text(text) => Ok(text.clone()),
        other => Err(format!(
            "wrong type for value: expected string, got {:?}",
            other.print()
        )),
    }
}

fn number(value: &Value) -> Result<f64, String> {
    match value {
        Value::Float(value) => Ok(*value),
        Value::Int(value) => Ok(*value as f64),
        Value::Text(text) => text
            .parse()
            .map_err(|_| format!("strconv.ParseFloat: parsing {text:?}: invalid syntax")),
        other => Err(format!("can't convert {:?} to float", other.print())),
    }
}

fn joined(args: &[Value], separator: &str) -> String {
    let parts: Vec<String> = args.iter().map(Value::print).collect();
    parts.join(separator)
}

/// Go compares only values of the same kind: `gt $value 5` is an error, `gt $value 5.0` is not.
fn compare(a: &Value, b: &Value) -> Result<Option<Ordering>, String> {
    match (a, b) {
        (Value::Text(a), Value::Text(b)) => Ok(Some(a.cmp(b))),
        (Value::Float(a), Value::Float(b)) => Ok(a.partial_cmp(b)),
        (Value::Int(a), Value::Int(b)) => Ok(Some(a.cmp(b))),
        (Value::Bool(a), Value::Bool(b)) => Ok(Some(a.cmp(b))),
        _ => Err("incompatible types for comparison".to_owned()),
    }
}

const SMALL: [&str; 8] = ["m", "u", "n", "p", "f", "a", "z", "y"];

fn humanize(value: f64) -> String {
    if value == 0.0 || !value.is_finite() {
        return general(value, 4);
    }
    if value.abs() >= 1.0 {
        let (value, prefix) = scale_down(value, 1000.0, ["k", "M", "G", "T", "P", "E", "Z", "Y"]);
        return format!("{}{prefix}", general(value, 4));
    }
    let (value, prefix) = scale_up(value);
    format!("{}{prefix}", general(value, 4))
}

fn humanize_1024(value: f64) -> String {
    if value.abs() <= 1.0 || !value.is_finite() {
        return general(value, 4);
    }
    let prefixes = ["ki", "Mi", "Gi", "Ti", "Pi", "Ei", "Zi", "Yi"];
    let (value, prefix) = scale_down(value, 1024.0, prefixes);
    format!("{}{prefix}", general(value, 4))
}

fn humanize_duration(value: f64) -> String {
    if !value.is_finite() {
        return general(value, 4);
    }
    if value == 0.0 {
        return format!("{}s", general(value, 4));
    }
    if value.abs() < 1.0 {
        let (value, prefix) = scale_up(value);
        return format!("{}{prefix}s", general(value, 4));
    }
    let sign = if value < 0.0 { "-" } else { "" };
    let value = value.abs();
    let total = value as i64;
    let (seconds, minutes) = (total % 60, total / 60 % 60);
    let (hours, days) = (total / 3600 % 24, total / 86_400);
    if days != 0 {
        format!("{sign}{days}d {hours}h {minutes}m {seconds}s")
    } else if hours != 0 {
        format!("{sign}{hours}h {minutes}m {seconds}s")
    } else if minutes != 0 {
        format!("{sign}{minutes}m {seconds}s")
    } else {
        format!("{sign}{}s", general(value, 4))
    }
}

fn scale_down(mut value: f64, base: f64, prefixes: [&'static str; 8]) -> (f64, &'static str) {
    let mut prefix = "";
    for next in prefixes {
        if value.abs() < base {
            break;
        }
        prefix = next;
        value /= base;
    }
    (value, prefix)
}

fn scale_up(mut value: f64) -> (f64, &'static str) {
    let mut prefix = "";
    for next in SMALL {
        if value.abs() >= 1.0 {
            break;
        }
        prefix = next;
        value *= 1000.0;
    }
    (value, prefix)
}

/// Upper-cases the first letter of each word.
fn title(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut in_word = false;
    for c in text.chars() {
        if in_word {
            out.push(c);
        } else {
            out.extend(c.to_uppercase());
        }
        in_word = c.is_alphanumeric() || matches!(c, '_' | '\'');
    }
    out
}

fn strip_port(text: &str) -> String {
    match text.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|b| b.is_ascii_digit()) => host
            .strip_prefix('[')
            .and_then(|host| host.strip_suffix(']'))
            .unwrap_or(host)
            .to_owned(),
        _ => text.to_owned(),
    }
}

fn strip_domain(text: &str) -> String {
    let (host, port) = match text.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|b| b.is_ascii_digit()) => (host, Some(port)),
        _ => (text, None),
    };
    let is_address = host.parse::<std::net::IpAddr>().is_ok();
    let short = if is_address {
        host
    } else {
        host.split('.').next().unwrap_or(host)
    };
    match port {
        Some(port) => format!("{short}:{port}"),
        None => short.to_owned(),
    }
}
