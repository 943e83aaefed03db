//! What is refused before the parser crate sees it.
//!
//! The crate recurses over its tree when it checks types and drops it, and it panics on numbers
//! that are no durations (`x[NaN]`, `x offset 1e300`). A rough scan of the text rules both out:
//! it skips strings and comments, counts what can nest, and looks at numbers where durations go.

use super::super::literal::extent;
use super::super::{MAX_QUERY_BYTES, ParseError};

/// Deepest tree that is built.
pub(super) const MAX_DEPTH: usize = 150;
/// Most operators, brackets and parentheses that an expression may have.
const MAX_NESTING_TOKENS: usize = 2_000;
/// Longest duration: about 300 years, as in Prometheus.
pub(super) const MAX_DURATION_MS: i64 = 9_223_372_036_854;
/// Furthest time from the epoch that `@` accepts.
pub(super) const MAX_TIME_MS: i64 = 9_223_372_036_854;

pub(super) fn check(text: &str) -> Result<(), ParseError> {
    if text.len() > MAX_QUERY_BYTES {
        return Err(ParseError(format!(
            "the expression has {} bytes; at most {MAX_QUERY_BYTES} are read",
            text.len()
        )));
    }
    let mut scan = Scan {
        rest: text,
        brackets: 0,
        nesting: 0,
        after_offset: false,
    };
    while !scan.rest.is_empty() {
        scan.step()?;
    }
    Ok(())
}

struct Scan<'t> {
    rest: &'t str,
    brackets: usize,
    nesting: usize,
    after_offset: bool,
}

impl Scan<'_> {
    fn step(&mut self) -> Result<(), ParseError> {
        let Some(c) = self.rest.chars().next() else {
            return Ok(());
        };
        match c {
            '"' | '\'' | '`' => self.rest = &self.rest[extent(self.rest)..],
            '#' => {
                let end = self.rest.find('\n').unwrap_or(self.rest.len());
                self.rest = &self.rest[end..];
            }
            c if c.is_ascii_alphanumeric() || matches!(c, '.' | '_') => self.word()?,
            _ => {
                self.symbol(c)?;
                self.rest = &self.rest[c.len_utf8()..];
            }
        }
        Ok(())
    }

    fn symbol(&mut self, c: char) -> Result<(), ParseError> {
        match c {
            '[' => self.brackets += 1,
            ']' => self.brackets = self.brackets.saturating_sub(1),
            _ => {}
        }
        if matches!(
            c,
            '(' | '[' | '+' | '-' | '*' | '/' | '%' | '^' | '<' | '>' | '=' | '!'
        ) {
            self.count()?;
        }
        if !c.is_whitespace() && !matches!(c, '+' | '-') {
            self.after_offset = false;
        }
        Ok(())
    }

    fn word(&mut self) -> Result<(), ParseError> {
        let bytes = self.rest.as_bytes();
        let mut end = 0;
        while let Some(byte) = bytes.get(end) {
            let is_exponent_sign = matches!(byte, b'+' | b'-')
                && end > 0
                && bytes[0].is_ascii_digit()
                && matches!(bytes[end - 1], b'e' | b'E');
            if !(byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_') || is_exponent_sign) {
                break;
            }
            end += 1;
        }
        let word = &self.rest[..end];
        self.rest = &self.rest[end..];
        if self.brackets > 0 || self.after_offset {
            check_duration(word)?;
        }
        let lower = word.to_ascii_lowercase();
        self.after_offset = lower == "offset";
        if matches!(lower.as_str(), "and" | "or" | "unless" | "atan2") {
            self.count()?;
        }
        Ok(())
    }

    fn count(&mut self) -> Result<(), ParseError> {
        self.nesting += 1;
        if self.nesting > MAX_NESTING_TOKENS {
            return Err(ParseError(format!(
                "the expression has more than {MAX_NESTING_TOKENS} operators and parentheses"
            )));
        }
        Ok(())
    }
}

/// Refuses numbers that no duration can hold; words and durations with units pass.
fn check_duration(word: &str) -> Result<(), ParseError> {
    let Ok(seconds) = word.parse::<f64>() else {
        return Ok(());
    };
    if seconds.is_finite() && seconds * 1000.0 <= MAX_DURATION_MS as f64 {
        return Ok(());
    }
    Err(ParseError(format!("`{word}` is not a duration")))
}
