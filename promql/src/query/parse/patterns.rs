//! Strings and regular expressions, read by us before the parser crate sees them.
//!
//! The crate compiles every pattern with the rules of the `regex` crate and so refuses some that
//! are fine in Go (`\Q…\E`). Each pattern is replaced by the text `~N`; the N-th pattern is
//! compiled by us. Other strings are written anew with the simplest escapes: the crate panics on a
//! backslash before a character beyond ASCII and takes `\xc3\xa9` for two characters.

use std::fmt::Write as _;

use super::ParseError;
use crate::query::literal::{self, quoted, unquote};

/// Most patterns of an expression. Compiled, a pattern of a few bytes can fill a megabyte.
const MAX_PATTERNS: usize = 200;

/// A text whose patterns are numbered, and the patterns.
pub(super) struct Extracted {
    pub(super) text: String,
    patterns: Vec<String>,
}

impl Extracted {
    /// Returns the pattern that a matcher value stands for.
    pub(super) fn pattern<'p>(&'p self, value: &'p str) -> &'p str {
        value
            .strip_prefix('~')
            .and_then(|number| number.parse::<usize>().ok())
            .and_then(|number| self.patterns.get(number))
            .map_or(value, String::as_str)
    }
}

pub(super) fn extract(text: &str) -> Result<Extracted, ParseError> {
    let mut extracted = Extracted {
        text: String::with_capacity(text.len()),
        patterns: Vec::new(),
    };
    let mut rest = text;
    let mut after_operator = false;
    while let Some(c) = rest.chars().next() {
        let is_string = matches!(c, '"' | '\'' | '`');
        let length = match c {
            _ if is_string => literal::extent(rest),
            '#' => rest.find('\n').unwrap_or(rest.len()),
            '=' | '!' if rest[1..].starts_with('~') => 2,
            _ => c.len_utf8(),
        };
        let (token, after) = rest.split_at(length);
        if is_string {
            let string = unquote(token).map_err(ParseError)?;
            if after_operator {
                if extracted.patterns.len() == MAX_PATTERNS {
                    return Err(ParseError(format!(
                        "the expression has more than {MAX_PATTERNS} regular expressions"
                    )));
                }
                let number = extracted.patterns.len();
                let _ = write!(extracted.text, "\"~{number}\"");
                extracted.patterns.push(string);
            } else {
                extracted.text.push_str(&quoted(&string));
            }
        } else {
            extracted.text.push_str(token);
        }
        if token.ends_with('~') && length == 2 {
            after_operator = true;
        } else if !c.is_whitespace() && c != '#' {
            after_operator = false;
        }
        rest = after;
    }
    Ok(extracted)
}
