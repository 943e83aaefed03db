//! Numbers: how templates write them and how Go prints them.
//!
//! Go's `%g` uses an exponent of at least two digits when the decimal exponent is below −4 or not
//! below the precision; the shortest form, which `%v` prints, takes 6 in place of the precision:
//! 1234567.5 is `1.2345675e+06`.

use std::fmt::Write as _;

use super::lex::{Kind, Token};
use super::texts;
use super::tree::Number;

/// Reads a number or a character between single quotes.
pub(super) fn parse(token: &Token) -> Result<Number, String> {
    let written = token.text.clone();
    if token.kind == Kind::Char {
        let value = i64::from(u32::from(texts::unquote_char(&written)?));
        return Ok(Number {
            int: Some(value),
            float: Some(value as f64),
            is_char: true,
            written,
        });
    }
    let bad = || format!("`{written}` is not a number");
    let int = parse_int(&written);
    let looks_whole = !written.contains(['.', 'e', 'E', 'p', 'P']) || is_hex(&written);
    let float = match int {
        Some(int) => Some(int as f64),
        None if looks_whole => return Err(bad()),
        None => parse_float(&written).filter(|value| value.is_finite()),
    };
    let Some(value) = float else {
        return Err(bad());
    };
    let whole = value as i64;
    Ok(Number {
        int: int.or((whole as f64 == value).then_some(whole)),
        float,
        is_char: false,
        written,
    })
}

fn is_hex(text: &str) -> bool {
    let digits = text.trim_start_matches(['+', '-']);
    digits.starts_with("0x") || digits.starts_with("0X")
}

/// Reads a whole number: decimal, `0x1f`, `0o17`, `017`, `0b11`, with `_` between digits.
fn parse_int(text: &str) -> Option<i64> {
    let (sign, digits) = match text.as_bytes().first()? {
        b'-' => ("-", &text[1..]),
        b'+' => ("", &text[1..]),
        _ => ("", text),
    };
    let lower = digits.to_ascii_lowercase();
    let (radix, body) = match lower.as_bytes() {
        [b'0', b'x', ..] => (16, &lower[2..]),
        [b'0', b'o', ..] => (8, &lower[2..]),
        [b'0', b'b', ..] => (2, &lower[2..]),
        [b'0', _, ..] => (8, &lower[1..]),
        _ => (10, lower.as_str()),
    };
    if body.ends_with('_') || body.contains("__") || (radix == 10 && body.starts_with('_')) {
        return None;
    }
    let body: String = body.chars().filter(|c| *c != '_').collect();
    if body.starts_with(['+', '-']) {
        return None;
    }
    i64::from_str_radix(&format!("{sign}{body}"), radix).ok()
}

/// Reads a decimal number as Go's `ParseFloat`: infinite where it is too large.
pub(super) fn parse_float(text: &str) -> Option<f64> {
    let body = text.trim_start_matches(['+', '-']);
    if text.len() > body.len() + 1 {
        return None;
    }
    text.parse().ok()
}

/// Writes a float as `%v`: the shortest text that reads back as the same number.
pub(super) fn shortest(value: f64) -> String {
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

/// Returns how Go writes what is no finite number.
pub(super) fn special(value: f64) -> Option<&'static str> {
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

/// Writes `1.5e3` as `1.5e+03`.
pub(super) fn exponent_form(scientific: &str) -> String {
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{mantissa}e{sign}{:02}", exponent.abs())
}

/// Returns the 53 bits of a finite number and the exponent of the last, and the sign.
fn parts(value: f64) -> (&'static str, u64, i64) {
    let bits = value.to_bits();
    let sign = if value.is_sign_negative() { "-" } else { "" };
    let fraction = bits & ((1 << 52) - 1);
    match (bits >> 52) & 0x7ff {
        0 => (sign, fraction, -1074),
        exponent => (sign, fraction | 1 << 52, exponent as i64 - 1075),
    }
}

/// Writes a finite float as `%b`: `4503599627370496p-52`.
pub(super) fn binary(value: f64) -> String {
    let (sign, mantissa, exponent) = parts(value);
    format!("{sign}{mantissa}p{exponent:+}")
}

/// Writes a finite float as `%x`: `0x1.8p+01`; `digits` behind the point, or as many as it takes.
pub(super) fn hexadecimal(value: f64, digits: Option<usize>) -> String {
    let (sign, mut mantissa, mut exponent) = parts(value);
    if mantissa == 0 {
        exponent = -52;
    }
    // The first bit stands alone before the point.
    while mantissa != 0 && mantissa < 1 << 52 {
        mantissa <<= 1;
        exponent -= 1;
    }
    if let Some(kept) = digits.filter(|digits| *digits < 13) {
        let cut = 4 * (13 - kept);
        let (half, rest) = (1_u64 << (cut - 1), mantissa & ((1 << cut) - 1));
        mantissa >>= cut;
        if rest > half || (rest == half && mantissa & 1 == 1) {
            mantissa += 1;
        }
        mantissa <<= cut;
        if mantissa >= 1 << 53 {
            mantissa >>= 1;
            exponent += 1;
        }
    }
    let fraction = format!("{:013x}", mantissa & ((1 << 52) - 1));
    let fraction = match digits {
        None => fraction.trim_end_matches('0').to_owned(),
        Some(digits) => format!("{fraction:0<digits$}")[..digits].to_owned(),
    };
    let point = if fraction.is_empty() { "" } else { "." };
    let exponent = exponent + 52;
    let exponent_sign = if exponent < 0 { '-' } else { '+' };
    format!(
        "{sign}0x{}{point}{fraction}p{exponent_sign}{:02}",
        mantissa >> 52,
        exponent.abs()
    )
}
