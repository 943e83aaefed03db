//! Numbers that the parser crate reads otherwise than Prometheus: underscores between digits, and
//! values beyond the largest float, which Prometheus refuses.

use super::super::ParseError;
use super::super::literal::{extent, without_underscores};
use crate::engine::Profile;

/// Takes the underscores out of the numbers of a text.
pub(super) fn normalize(text: &str, profile: Profile) -> Result<String, ParseError> {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    let mut after_offset = false;
    while let Some(c) = rest.chars().next() {
        let length = match c {
            '"' | '\'' | '`' => extent(rest),
            '#' => rest.find('\n').unwrap_or(rest.len()),
            _ if is_word(c) => word_length(rest),
            _ => c.len_utf8(),
        };
        let (token, after) = rest.split_at(length);
        if token.starts_with(|c: char| c.is_ascii_digit() || c == '.') {
            let plain = number(token)?;
            // `offset 0s` shifts by nothing, but the crate takes no duration of 0.
            let is_nothing = after_offset && profile >= Profile::V3_5 && is_zero(&plain);
            out.push_str(if is_nothing { "0" } else { &plain });
        } else {
            out.push_str(token);
        }
        if !token.trim().is_empty() && !matches!(token, "+" | "-") && !token.starts_with('#') {
            after_offset = token.eq_ignore_ascii_case("offset");
        }
        rest = after;
    }
    Ok(out)
}

/// Says whether a duration is one of nothing: `0s`, `0h0m`.
fn is_zero(duration: &str) -> bool {
    duration
        .chars()
        .all(|c| c == '0' || matches!(c, 'y' | 'w' | 'd' | 'h' | 'm' | 's'))
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '.' | ':')
}

/// Returns the length of a name or a number, the sign of an exponent included. A colon belongs to
/// names only: in `5m:1m` it separates.
fn word_length(text: &str) -> usize {
    let is_number = text.starts_with(|c: char| c.is_ascii_digit() || c == '.');
    let is_hex = text.starts_with("0x") || text.starts_with("0X");
    let mut before = ' ';
    for (at, c) in text.char_indices() {
        let is_sign = is_number && !is_hex && matches!(c, '+' | '-') && matches!(before, 'e' | 'E');
        if !(is_word(c) || is_sign) || (is_number && c == ':') {
            return at;
        }
        before = c;
    }
    text.len()
}

fn number(token: &str) -> Result<String, ParseError> {
    let plain = without_underscores(token)
        .ok_or_else(|| ParseError(format!("bad number or duration syntax: {token:?}")))?
        .into_owned();
    if plain.parse::<f64>().is_ok_and(f64::is_infinite) {
        return Err(ParseError(format!(
            "the number {token} is beyond the largest float"
        )));
    }
    Ok(plain)
}
