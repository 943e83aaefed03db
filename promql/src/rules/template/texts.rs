//! Texts: reading quoted ones, changing case, escaping, cutting host names.

use std::fmt::Write as _;
use std::net::IpAddr;

use regex::Regex;

use super::number;
use crate::duration::{self, DurationError};
use crate::engine::Profile;

/// Reads a text between double quotes or backticks.
pub(super) fn unquote(written: &str) -> Result<String, String> {
    if let Some(raw) = written.strip_prefix('`') {
        return Ok(raw.trim_end_matches('`').replace('\r', ""));
    }
    let mut bytes = Vec::with_capacity(written.len());
    let inside = written.get(1..written.len().max(2) - 1).unwrap_or_default();
    let mut rest = inside;
    while let Some(c) = rest.chars().next() {
        rest = &rest[c.len_utf8()..];
        if c == '\\' {
            let (escape, after) = escape(rest, '"')?;
            match escape {
                Escape::Byte(byte) => bytes.push(byte),
                Escape::Char(c) => bytes.extend(c.encode_utf8(&mut [0; 4]).bytes()),
            }
            rest = after;
        } else {
            bytes.extend(c.encode_utf8(&mut [0; 4]).bytes());
        }
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// Reads a character between single quotes.
pub(super) fn unquote_char(written: &str) -> Result<char, String> {
    let bad = || format!("malformed character constant: {written}");
    let inside = written.get(1..written.len().max(2) - 1).ok_or_else(bad)?;
    let (c, rest) = if let Some(rest) = inside.strip_prefix('\\') {
        match escape(rest, '\'')? {
            (Escape::Byte(byte), rest) => (char::from(byte), rest),
            (Escape::Char(c), rest) => (c, rest),
        }
    } else {
        let c = inside.chars().next().ok_or_else(bad)?;
        (c, &inside[c.len_utf8()..])
    };
    if rest.is_empty() { Ok(c) } else { Err(bad()) }
}

enum Escape {
    Byte(u8),
    Char(char),
}

/// Reads what stands behind a backslash.
fn escape(text: &str, quote: char) -> Result<(Escape, &str), String> {
    let Some(c) = text.chars().next() else {
        return Err("a backslash at the end of a string".to_owned());
    };
    let rest = &text[c.len_utf8()..];
    let plain = |c| Ok((Escape::Char(c), rest));
    match c {
        'a' => plain('\u{7}'),
        'b' => plain('\u{8}'),
        'f' => plain('\u{c}'),
        'n' => plain('\n'),
        'r' => plain('\r'),
        't' => plain('\t'),
        'v' => plain('\u{b}'),
        '\\' => plain('\\'),
        c if c == quote => plain(c),
        'x' => code(text, 1, 2, 16),
        'u' => code(text, 1, 4, 16),
        'U' => code(text, 1, 8, 16),
        '0'..='7' => code(text, 0, 3, 8),
        c => Err(format!("unknown escape `\\{c}` in a string")),
    }
}

fn code(text: &str, start: usize, digits: usize, radix: u32) -> Result<(Escape, &str), String> {
    let bad = || {
        format!(
            "invalid escape `\\{}` in a string",
            text.chars().take(9).collect::<String>()
        )
    };
    let written = text.get(start..start + digits).ok_or_else(bad)?;
    if !written.chars().all(|c| c.is_digit(radix)) {
        return Err(bad());
    }
    let value = u32::from_str_radix(written, radix).map_err(|_| bad())?;
    let escape = if digits < 4 {
        Escape::Byte(u8::try_from(value).map_err(|_| bad())?)
    } else {
        Escape::Char(char::from_u32(value).ok_or_else(bad)?)
    };
    Ok((escape, &text[start + digits..]))
}

/// Replaces every match; `$1` and `${name}` stand for groups. Stops where the text grows beyond
/// all use.
pub(super) fn replace_all(regex: &Regex, text: &str, replacement: &str) -> String {
    let mut out = String::new();
    let mut last = 0;
    for found in regex.captures_iter(text) {
        let Some(whole) = found.get(0) else { continue };
        out.push_str(&text[last..whole.start()]);
        found.expand(replacement, &mut out);
        last = whole.end();
        if out.len() > super::run::MAX_TEXT_BYTES {
            return out;
        }
    }
    out.push_str(&text[last..]);
    out
}

/// Upper-cases letter by letter, as Go does: `ß` stays.
pub(super) fn upper(text: &str) -> String {
    text.chars().map(upper_char).collect()
}

fn upper_char(c: char) -> char {
    single(c, c.to_uppercase())
}

/// Lower-cases letter by letter.
pub(super) fn lower(text: &str) -> String {
    text.chars().map(|c| single(c, c.to_lowercase())).collect()
}

fn single(c: char, mut cased: impl Iterator<Item = char>) -> char {
    match (cased.next(), cased.next()) {
        (Some(cased), None) => cased,
        _ => c,
    }
}

/// Upper-cases the first letter behind every sign that is none (2.x).
pub(super) fn title_letters(text: &str) -> String {
    let mut before = ' ';
    let is_separator = |c: char| {
        if c.is_ascii() {
            !(c.is_ascii_alphanumeric() || c == '_')
        } else {
            !c.is_alphanumeric() && c.is_whitespace()
        }
    };
    text.chars()
        .map(|c| {
            let titled = if is_separator(before) {
                upper_char(c)
            } else {
                c
            };
            before = c;
            titled
        })
        .collect()
}

/// Upper-cases the first letter of each word (3.x); `o'neil`, `a.b` and `a:b` are one word.
pub(super) fn title_words(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let mut out = String::with_capacity(text.len());
    let mut is_titled = false;
    for (index, &c) in chars.iter().enumerate() {
        if is_word(c) {
            let is_letter = c.is_lowercase() || c.is_uppercase();
            out.push(if is_letter && !is_titled {
                upper_char(c)
            } else {
                c
            });
            is_titled |= is_letter;
            continue;
        }
        out.push(c);
        let around = |fits: fn(char) -> bool| {
            let before = index.checked_sub(1).and_then(|at| chars.get(at));
            before.copied().is_some_and(fits) && chars.get(index + 1).copied().is_some_and(fits)
        };
        let joins_letters = matches!(c, '\'' | '.' | ':' | '·' | '’') && around(is_word);
        let joins_digits = matches!(c, '\'' | '.' | ',' | ';' | '’') && around(char::is_numeric);
        if !(joins_letters || joins_digits) {
            is_titled = false;
        }
    }
    out
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Cuts `host:port` and `[host]:port`.
fn split_host_port(text: &str) -> Option<(&str, &str)> {
    let colon = text.rfind(':')?;
    let port = &text[colon + 1..];
    if let Some(inside) = text.strip_prefix('[') {
        let end = inside.find(']')? + 1;
        let host = &text[1..end];
        let is_clean = !host.contains('[') && !text[end + 1..].contains(['[', ']']);
        return (end + 1 == colon && is_clean).then_some((host, port));
    }
    let host = &text[..colon];
    (!host.contains(':') && !text.contains(['[', ']'])).then_some((host, port))
}

/// Returns the host of `host:port`, or the text itself.
pub(super) fn strip_port(text: &str) -> String {
    split_host_port(text)
        .map_or(text, |(host, _)| host)
        .to_owned()
}

/// Returns the host up to its first dot, with its port; addresses stay.
pub(super) fn strip_domain(text: &str) -> String {
    let (host, port) = split_host_port(text).unwrap_or((text, ""));
    if host.parse::<IpAddr>().is_ok() {
        return text.to_owned();
    }
    let host = host.split('.').next().unwrap_or(host);
    match (port, host.contains(':')) {
        ("", _) => host.to_owned(),
        (port, true) => format!("[{host}]:{port}"),
        (port, false) => format!("{host}:{port}"),
    }
}

/// Returns the path to an expression on the page of Prometheus.
pub(in crate::rules) fn graph_link(expr: &str, tab: u8) -> String {
    format!("/graph?g0.expr={}&g0.tab={tab}", query_escape(expr))
}

/// Returns the path of an address.
pub(super) fn url_path(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let path = rest.find('/').map_or("", |at| &rest[at..]);
    path.split(['?', '#']).next().unwrap_or(path)
}

/// Escapes a text for the query of an address.
pub(super) fn query_escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                out.push(char::from(byte));
            }
            b' ' => out.push('+'),
            byte => {
                let _ = write!(out, "%{byte:02X}");
            }
        }
    }
    out
}

/// Escapes a text for HTML.
pub(super) fn html(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '"' => out.push_str("&#34;"),
            '\'' => out.push_str("&#39;"),
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '\0' => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

/// Escapes a text for a string of JavaScript.
pub(super) fn js(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\\' => out.push_str("\\\\"),
            '\'' => out.push_str("\\'"),
            '"' => out.push_str("\\\""),
            '<' | '>' | '&' | '=' | '\0'..='\u{1f}' => {
                let _ = write!(out, "\\u{:04X}", u32::from(c));
            }
            c if c.is_control() => {
                let _ = write!(out, "\\u{:04X}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out
}

/// Reads a float as Go does.
pub(super) fn float(text: &str) -> Result<f64, String> {
    let fail = |why: &str| Err(format!("strconv.ParseFloat: parsing {text:?}: {why}"));
    match number::parse_float(text) {
        Some(value) if value.is_infinite() && text.contains(|c: char| c.is_ascii_digit()) => {
            fail("value out of range")
        }
        Some(value) => Ok(value),
        None => fail("invalid syntax"),
    }
}

/// Says why a text is no duration.
pub(super) fn duration_error(text: &str, profile: Profile) -> String {
    let invalid = format!("not a valid duration string: {text:?}");
    if text.is_empty() {
        return "empty duration string".to_owned();
    }
    let is_too_long = matches!(duration::parse_ms(text), Err(DurationError::TooLong(_)));
    if is_too_long {
        return "duration out of range".to_owned();
    }
    if profile == Profile::V2_42 {
        return invalid;
    }
    let mut rest = text;
    while !rest.is_empty() {
        let unit = rest.trim_start_matches(|c: char| c.is_ascii_digit());
        let length = unit
            .find(|c: char| c.is_ascii_digit())
            .unwrap_or(unit.len());
        if unit.len() == rest.len() || length == 0 {
            return invalid;
        }
        let (unit, after) = unit.split_at(length);
        if !["y", "w", "d", "h", "m", "s", "ms"].contains(&unit) {
            return format!("unknown unit {unit:?} in duration {text:?}");
        }
        rest = after;
    }
    invalid
}
