//! Literals. Strings: `"…"` and `'…'` with escapes, `` `…` `` as it stands.
//!
//! `\x41` and `\101` are bytes, `\u00e9` is a character. A literal whose bytes are not UTF-8 is
//! refused: no label can hold them.

use std::borrow::Cow;
use std::str::Chars;

/// Returns the length in bytes of the literal at the start of a text, quotes included; nothing
/// when there is none or it is not closed.
pub(crate) fn length(text: &str) -> Option<usize> {
    let mut chars = text.char_indices();
    let Some((_, quote @ ('"' | '\'' | '`'))) = chars.next() else {
        return None;
    };
    while let Some((at, c)) = chars.next() {
        match c {
            '\\' if quote != '`' => {
                chars.next();
            }
            '\n' if quote != '`' => return None,
            _ if c == quote => return Some(at + 1),
            _ => {}
        }
    }
    None
}

/// Returns the length of the literal at the start of a text; the whole text when it is not closed.
pub(crate) fn extent(text: &str) -> usize {
    length(text).unwrap_or(text.len())
}

/// Returns what a literal says.
pub(crate) fn unquote(literal: &str) -> Result<String, String> {
    if length(literal) != Some(literal.len()) {
        return Err(format!("the string {literal} is not closed"));
    }
    let inside = &literal[1..literal.len() - 1];
    if literal.starts_with('`') || !inside.contains('\\') {
        return Ok(inside.to_owned());
    }
    let quote = if literal.starts_with('"') { '"' } else { '\'' };
    let mut bytes = Vec::with_capacity(inside.len());
    let mut chars = inside.chars();
    while let Some(c) = chars.next() {
        let piece = match c {
            '\\' => escape(&mut chars, quote)
                .ok_or_else(|| format!("a backslash in {literal} begins no escape"))?,
            _ => Piece::Char(c),
        };
        match piece {
            Piece::Byte(byte) => bytes.push(byte),
            Piece::Char(c) => bytes.extend(c.encode_utf8(&mut [0; 4]).bytes()),
        }
    }
    String::from_utf8(bytes).map_err(|_| format!("the string {literal} is not UTF-8"))
}

enum Piece {
    Byte(u8),
    Char(char),
}

fn escape(chars: &mut Chars<'_>, quote: char) -> Option<Piece> {
    let c = chars.next()?;
    Some(match c {
        'a' => Piece::Byte(0x07),
        'b' => Piece::Byte(0x08),
        'f' => Piece::Byte(0x0c),
        'n' => Piece::Byte(b'\n'),
        'r' => Piece::Byte(b'\r'),
        't' => Piece::Byte(b'\t'),
        'v' => Piece::Byte(0x0b),
        '\\' => Piece::Byte(b'\\'),
        '0'..='7' => {
            let first = c.to_digit(8)?;
            Piece::Byte(u8::try_from(first * 64 + digits(chars, 2, 8)?).ok()?)
        }
        'x' => Piece::Byte(u8::try_from(digits(chars, 2, 16)?).ok()?),
        'u' => Piece::Char(char::from_u32(digits(chars, 4, 16)?)?),
        'U' => Piece::Char(char::from_u32(digits(chars, 8, 16)?)?),
        _ if c == quote => Piece::Char(c),
        _ => return None,
    })
}

/// Reads a number of exactly `count` digits.
fn digits(chars: &mut Chars<'_>, count: usize, radix: u32) -> Option<u32> {
    let mut number: u32 = 0;
    for _ in 0..count {
        let digit = chars.next()?.to_digit(radix)?;
        number = number.checked_mul(radix)?.checked_add(digit)?;
    }
    Some(number)
}

/// Writes a text as a literal.
pub(crate) fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '\\' => out.push_str("\\\\"),
            '"' => out.push_str("\\\""),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            _ => out.push(c),
        }
    }
    out.push('"');
    out
}

/// Returns a number without the underscores that separate its digits; nothing when one of them
/// stands elsewhere.
pub(crate) fn without_underscores(number: &str) -> Option<Cow<'_, str>> {
    if !number.contains('_') {
        return Some(Cow::Borrowed(number));
    }
    underscores_separate_digits(number).then(|| Cow::Owned(number.replace('_', "")))
}

fn underscores_separate_digits(token: &str) -> bool {
    let (digits, is_digit): (&str, fn(char) -> bool) =
        match token.strip_prefix("0x").or(token.strip_prefix("0X")) {
            Some(hex) => (hex.strip_prefix('_').unwrap_or(hex), |c| {
                c.is_ascii_hexdigit()
            }),
            None => (token, |c| c.is_ascii_digit()),
        };
    let is_number = digits
        .chars()
        .all(|c| is_digit(c) || matches!(c, '_' | '.' | 'e' | 'E' | '+' | '-'));
    let chars: Vec<char> = digits.chars().collect();
    let separated = chars.iter().enumerate().all(|(at, c)| {
        let digit_at = |at: Option<usize>| {
            at.and_then(|at| chars.get(at))
                .is_some_and(|c| is_digit(*c))
        };
        *c != '_' || (digit_at(at.checked_sub(1)) && digit_at(at.checked_add(1)))
    });
    is_number && separated
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_bytes_or_characters() {
        for (literal, text) in [
            (r#""a\"b'c""#, "a\"b'c"),
            (r#"'a"b\'c'"#, "a\"b'c"),
            (r"`a\n`", "a\\n"),
            (r#""\a\b\f\n\r\t\v\\""#, "\x07\x08\x0c\n\r\t\x0b\\"),
            (r#""\x41\101\u00e9\U0001f600""#, "AA\u{e9}\u{1f600}"),
            (r#""\xc3\xa9\303\251""#, "\u{e9}\u{e9}"),
        ] {
            assert_eq!(unquote(literal).as_deref(), Ok(text), "{literal}");
            assert_eq!(length(&format!("{literal} \"x\"")), Some(literal.len()));
            assert_eq!(unquote(&quoted(text)).as_deref(), Ok(text));
        }
    }

    #[test]
    fn what_is_no_literal_is_refused() {
        for text in [
            "",
            "\"",
            "'",
            "`",
            "a",
            "\"a",
            "\"a\\\"",
            "\"a\nb\"",
            "\"a\"b\"",
            r#""\q""#,
            r#""\'""#,
            r#""\x4""#,
            r#""\xff""#,
            r#""\400""#,
            r#""\ud800""#,
            r#""\U00110000""#,
            "\"\\\u{90}\"",
            "\"\\",
        ] {
            assert!(unquote(text).is_err(), "{text:?}");
        }
    }
}
