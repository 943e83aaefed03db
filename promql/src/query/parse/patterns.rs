//! Regular expressions taken out of the text before the parser crate sees them.
//!
//! The crate compiles every pattern with the rules of the `regex` crate and so refuses some that
//! are fine in Go (`\Q…\E`). Each pattern is replaced by the text `~N`; the N-th pattern is
//! compiled by us.

use std::fmt::Write as _;

use promql_parser::util::unquote_string;

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

pub(super) fn extract(text: &str) -> Extracted {
    let mut extracted = Extracted {
        text: String::with_capacity(text.len()),
        patterns: Vec::new(),
    };
    let mut rest = text;
    let mut after_operator = false;
    while let Some(c) = rest.chars().next() {
        let length = match c {
            '"' | '\'' | '`' => string_length(rest, c),
            '#' => rest.find('\n').unwrap_or(rest.len()),
            '=' | '!' if rest[1..].starts_with('~') => 2,
            _ => c.len_utf8(),
        };
        let (token, after) = rest.split_at(length);
        let is_string = matches!(c, '"' | '\'' | '`');
        match unquote_string(token) {
            Ok(pattern) if is_string && after_operator => {
                let number = extracted.patterns.len();
                let _ = write!(extracted.text, "\"~{number}\"");
                extracted.patterns.push(pattern);
            }
            _ => extracted.text.push_str(token),
        }
        if token.ends_with('~') && length == 2 {
            after_operator = true;
        } else if !c.is_whitespace() {
            after_operator = false;
        }
        rest = after;
    }
    extracted
}

/// Returns the length of the string at the start of a text, quotes included.
pub(super) fn string_length(text: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        if escaped {
            escaped = false;
        } else if c == '\\' && quote != '`' {
            escaped = true;
        } else if c == quote {
            return at + 1;
        }
    }
    text.len()
}
