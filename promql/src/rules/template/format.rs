//! Numbers and `printf` the way Go writes them.
//!
//! Go's `%g` uses an exponent of at least two digits when the decimal exponent is below −4 or not
//! below the precision; the shortest form, which `%v` prints, takes 6 in place of the precision:
//! 1234567.5 is `1.2345675e+06`.

use std::fmt::Write as _;

use super::run::Value;

/// Writes a float as `%v`: the shortest text that reads back as the same number.
pub(crate) fn go_value(value: f64) -> String {
    match special(value) {
        Some(text) => text.to_owned(),
        None => significant(&format!("{value:e}"), None),
    }
}

/// Writes a float as `%.<digits>g`.
pub(super) fn general(value: f64, digits: usize) -> String {
    let digits = digits.max(1);
    match special(value) {
        Some(text) => text.to_owned(),
        None => significant(&format!("{value:.*e}", digits - 1), Some(digits as i32)),
    }
}

fn special(value: f64) -> Option<&'static str> {
    if value.is_nan() {
        Some("NaN")
    } else if value == f64::INFINITY {
        Some("+Inf")
    } else if value == f64::NEG_INFINITY {
        Some("-Inf")
    } else {
        None
    }
}

/// Turns `1.25e3` into `1250` or `1.25e+03`, without zeros at the end.
fn significant(scientific: &str, precision: Option<i32>) -> String {
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let (sign, mantissa) = match mantissa.strip_prefix('-') {
        Some(rest) => ("-", rest),
        None => ("", mantissa),
    };
    let digits: String = mantissa.chars().filter(char::is_ascii_digit).collect();
    let digits = match digits.trim_end_matches('0') {
        "" => "0",
        trimmed => trimmed,
    };
    let count = digits.len() as i32;
    let limit = match precision {
        None => 6,
        Some(precision) if precision > count && count > exponent => count,
        Some(precision) => precision,
    };
    if exponent < -4 || exponent >= limit {
        let mut text = format!("{sign}{}", &digits[..1]);
        if digits.len() > 1 {
            let _ = write!(text, ".{}", &digits[1..]);
        }
        let exponent_sign = if exponent < 0 { '-' } else { '+' };
        let _ = write!(text, "e{exponent_sign}{:02}", exponent.abs());
        return text;
    }
    plain(sign, digits, exponent)
}

fn plain(sign: &str, digits: &str, exponent: i32) -> String {
    if exponent < 0 {
        let zeros = "0".repeat((-exponent - 1) as usize);
        return format!("{sign}0.{zeros}{digits}");
    }
    let whole = exponent as usize + 1;
    if digits.len() <= whole {
        return format!("{sign}{digits}{}", "0".repeat(whole - digits.len()));
    }
    format!("{sign}{}.{}", &digits[..whole], &digits[whole..])
}

/// Formats like Go's `Sprintf`, wrong uses included: `%!d(float64=1.5)`.
pub(super) fn printf(format: &str, args: &[Value]) -> String {
    let mut out = String::new();
    let mut args_left = args.iter();
    let mut rest = format;
    while let Some(at) = rest.find('%') {
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        let (directive, after) = Directive::read(rest);
        rest = after;
        match directive.verb {
            Some('%') => out.push('%'),
            None => out.push_str("%!(NOVERB)"),
            Some(verb) => match args_left.next() {
                Some(arg) => out.push_str(&directive.write(verb, arg)),
                None => {
                    let _ = write!(out, "%!{verb}(MISSING)");
                }
            },
        }
    }
    out.push_str(rest);
    let extra: Vec<String> = args_left
        .map(|arg| format!("{}={}", go_type(arg), arg.print()))
        .collect();
    if !extra.is_empty() {
        let _ = write!(out, "%!(EXTRA {})", extra.join(", "));
    }
    out
}

fn go_type(value: &Value) -> &'static str {
    match value {
        Value::Text(_) => "string",
        Value::Float(_) => "float64",
        Value::Int(_) => "int",
        Value::Bool(_) => "bool",
        Value::Labels(_) => "map[string]string",
        Value::Dot => "struct",
    }
}

#[derive(Default)]
struct Directive {
    left: bool,
    plus: bool,
    zero: bool,
    width: usize,
    precision: Option<usize>,
    verb: Option<char>,
}

/// Widest field and longest fraction that are written; more is taken as this.
const MAX_WIDTH: usize = 1000;

impl Directive {
    fn read(text: &str) -> (Self, &str) {
        let mut directive = Self::default();
        let mut chars = text.chars().peekable();
        while let Some(flag) = chars.next_if(|c| matches!(c, '-' | '+' | '0' | ' ' | '#')) {
            directive.left |= flag == '-';
            directive.plus |= flag == '+';
            directive.zero |= flag == '0';
        }
        let number = |chars: &mut std::iter::Peekable<std::str::Chars<'_>>| {
            let mut value = 0_usize;
            while let Some(digit) = chars.next_if(char::is_ascii_digit) {
                value = (value * 10 + digit as usize - '0' as usize).min(MAX_WIDTH);
            }
            value
        };
        directive.width = number(&mut chars);
        if chars.next_if_eq(&'.').is_some() {
            directive.precision = Some(number(&mut chars));
        }
        directive.verb = chars.next();
        let left = chars.map(char::len_utf8).sum::<usize>();
        (directive, &text[text.len() - left..])
    }

    fn write(&self, verb: char, arg: &Value) -> String {
        let precision = self.precision.unwrap_or(6);
        let body = match (verb, arg) {
            ('v' | 'g', Value::Float(value)) => match self.precision {
                Some(digits) => general(*value, digits),
                None => go_value(*value),
            },
            ('v', _) => arg.print(),
            ('s', Value::Text(text)) => match self.precision {
                Some(most) => text.chars().take(most).collect(),
                None => text.clone(),
            },
            ('q', Value::Text(text)) => format!("{text:?}"),
            ('d', Value::Int(value)) => value.to_string(),
            ('t', Value::Bool(value)) => value.to_string(),
            ('f' | 'F', Value::Float(value)) => match special(*value) {
                Some(text) => text.to_owned(),
                None => format!("{value:.precision$}"),
            },
            ('e', Value::Float(value)) => match special(*value) {
                Some(text) => text.to_owned(),
                None => exponent_form(&format!("{value:.precision$e}")),
            },
            _ => return format!("%!{verb}({}={})", go_type(arg), arg.print()),
        };
        self.pad(body, matches!(arg, Value::Float(_) | Value::Int(_)))
    }

    fn pad(&self, mut body: String, is_number: bool) -> String {
        if self.plus && is_number && !body.starts_with(['-', '+']) {
            body.insert(0, '+');
        }
        let missing = self.width.saturating_sub(body.chars().count());
        if missing == 0 {
            return body;
        }
        if self.left {
            return body + &" ".repeat(missing);
        }
        if self.zero && is_number {
            let at = usize::from(body.starts_with(['-', '+']));
            body.insert_str(at, &"0".repeat(missing));
            return body;
        }
        " ".repeat(missing) + &body
    }
}

/// `1.5e3` as `1.5e+03`.
fn exponent_form(scientific: &str) -> String {
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{mantissa}e{sign}{:02}", exponent.abs())
}
