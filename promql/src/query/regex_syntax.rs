//! Go's regular expressions in the words of the `regex` crate.
//!
//! Both are linear-time and nearly the same language. The differences that matter: in Go `\d`,
//! `\w`, `\s` and `\b` are ASCII, `\Q…\E` quotes, a brace that opens no repetition is a literal,
//! and brackets or `&&`, `--`, `~~` inside a class have no meaning.

use std::iter::Peekable;
use std::str::Chars;

use regex::{Error, Regex, RegexBuilder};

use super::ParseError;
use crate::engine::Profile;

/// Largest compiled expression, in bytes.
const SIZE_LIMIT: usize = 1 << 20;

/// Compiles a pattern that must match a whole value; since 3.0 `.` matches line breaks too.
pub(crate) fn anchored(pattern: &str, profile: Profile) -> Result<Regex, ParseError> {
    let flag = if profile >= Profile::V3_5 { "s" } else { "" };
    compile(pattern, &format!("^(?{flag}:{})$", translate(pattern)))
}

/// Compiles a pattern that may match anywhere in a text.
pub(crate) fn unanchored(pattern: &str) -> Result<Regex, ParseError> {
    compile(pattern, &translate(pattern))
}

/// Compiles as [`unanchored`] does and returns the first of some limits that the compiled pattern
/// stays within, or the size that none exceeds.
pub(crate) fn unanchored_sized(
    pattern: &str,
    limits: &[usize],
) -> Result<(Regex, usize), ParseError> {
    let translated = translate(pattern);
    for limit in limits {
        match RegexBuilder::new(&translated).size_limit(*limit).build() {
            Ok(regex) => return Ok((regex, *limit)),
            Err(Error::CompiledTooBig(_)) => {}
            Err(_) => break,
        }
    }
    Ok((compile(pattern, &translated)?, SIZE_LIMIT))
}

fn compile(pattern: &str, translated: &str) -> Result<Regex, ParseError> {
    RegexBuilder::new(translated)
        .size_limit(SIZE_LIMIT)
        .build()
        .map_err(|error| {
            let reason = error.to_string();
            let reason = reason.lines().last().unwrap_or_default();
            ParseError(format!(
                "invalid regular expression {pattern:?}: {}",
                reason.trim_start_matches("error: ")
            ))
        })
}

fn translate(pattern: &str) -> String {
    let mut out = String::with_capacity(pattern.len());
    let mut chars = pattern.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\\' => escape(&mut chars, &mut out, false),
            '[' => class(&mut chars, &mut out),
            '{' if !opens_repetition(&chars) => out.push_str("\\{"),
            _ => out.push(c),
        }
    }
    out
}

/// Translates what follows a backslash.
fn escape(chars: &mut Peekable<Chars<'_>>, out: &mut String, in_class: bool) {
    let Some(c) = chars.next() else {
        out.push('\\');
        return;
    };
    let (set, negated) = match c {
        'd' => ("0-9", false),
        'D' => ("0-9", true),
        'w' => ("0-9A-Za-z_", false),
        'W' => ("0-9A-Za-z_", true),
        's' => ("\\t\\n\\f\\r ", false),
        'S' => ("\\t\\n\\f\\r ", true),
        'b' if !in_class => return out.push_str("(?-u:\\b)"),
        'B' if !in_class => return out.push_str("(?-u:\\B)"),
        'Q' if !in_class => return quoted(chars, out),
        other => {
            out.push('\\');
            out.push(other);
            return;
        }
    };
    match (negated, in_class) {
        (false, true) => out.push_str(set),
        (false, false) => {
            out.push('[');
            out.push_str(set);
            out.push(']');
        }
        (true, _) => {
            out.push_str("[^");
            out.push_str(set);
            out.push(']');
        }
    }
}

/// Copies literally up to `\E` or the end.
fn quoted(chars: &mut Peekable<Chars<'_>>, out: &mut String) {
    let mut literal = String::new();
    while let Some(c) = chars.next() {
        if c == '\\' && chars.peek() == Some(&'E') {
            chars.next();
            break;
        }
        literal.push(c);
    }
    out.push_str(&regex::escape(&literal));
}

fn class(chars: &mut Peekable<Chars<'_>>, out: &mut String) {
    out.push('[');
    if chars.peek() == Some(&'^') {
        chars.next();
        out.push('^');
    }
    let mut first = true;
    while let Some(c) = chars.next() {
        match c {
            ']' if !first => {
                out.push(']');
                return;
            }
            ']' => out.push_str("\\]"),
            '\\' => escape(chars, out, true),
            '[' if chars.peek() == Some(&':') => posix_class(chars, out),
            '[' | '&' | '~' => {
                out.push('\\');
                out.push(c);
            }
            // Two dashes are a difference in the crate; a range `+--` is rare enough to escape.
            '-' if chars.peek() == Some(&'-') => out.push_str("\\-"),
            _ => out.push(c),
        }
        first = false;
    }
}

/// Copies `[:name:]` unchanged.
fn posix_class(chars: &mut Peekable<Chars<'_>>, out: &mut String) {
    out.push('[');
    while let Some(c) = chars.next() {
        out.push(c);
        if c == ':' && chars.peek() == Some(&']') {
            out.push(']');
            chars.next();
            return;
        }
    }
}

/// Says whether what follows an opening brace is `n}`, `n,}` or `n,m}`.
fn opens_repetition(chars: &Peekable<Chars<'_>>) -> bool {
    let mut ahead = chars.clone();
    let mut digits = 0;
    let mut commas = 0;
    loop {
        match ahead.next() {
            Some(c) if c.is_ascii_digit() => digits += 1,
            Some(',') if digits > 0 && commas == 0 => commas = 1,
            Some('}') => return digits > 0,
            _ => return false,
        }
    }
}
