//! The words of an expression and where they stand.
//!
//! The parser crate gives no positions. This scan knows just enough of the notation to say where
//! each word, number, string and sign begins and ends; what they mean is the parser's. It is only
//! run over text that the parser has accepted.

use super::literal::extent;

/// A range of bytes.
pub(crate) type Span = std::ops::Range<usize>;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A name or keyword.
    Word,
    /// A number or a duration.
    Number,
    /// A string with its quotes.
    Text,
    /// An operator, bracket or comma.
    Sign,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Token {
    pub(crate) kind: Kind,
    pub(crate) span: Span,
}

/// Splits an expression into tokens; white space and comments are dropped.
pub(crate) fn tokens(text: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut at = 0;
    // A colon between brackets parts the range from the step; elsewhere it belongs to a name.
    let mut in_brackets = false;
    while let Some(c) = text[at..].chars().next() {
        let rest = &text[at..];
        let (kind, length) = match c {
            '#' => (None, rest.find(['\n', '\r']).unwrap_or(rest.len())),
            c if c.is_whitespace() => (None, c.len_utf8()),
            '"' | '\'' | '`' => (Some(Kind::Text), extent(rest)),
            c if c.is_ascii_digit() => (Some(Kind::Number), number_length(rest)),
            '.' => (Some(Kind::Number), number_length(rest).max(1)),
            c if is_name_start(c, in_brackets) => (Some(Kind::Word), word_length(rest)),
            _ => (Some(Kind::Sign), sign_length(rest, c)),
        };
        match c {
            '[' => in_brackets = true,
            ']' => in_brackets = false,
            _ => {}
        }
        if let Some(kind) = kind {
            let span = at..at + length;
            tokens.push(Token { kind, span });
        }
        at += length;
    }
    tokens
}

fn is_name_start(c: char, in_brackets: bool) -> bool {
    c.is_ascii_alphabetic() || c == '_' || (c == ':' && !in_brackets)
}

fn word_length(text: &str) -> usize {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == ':';
    text.find(|c| !is_part(c)).unwrap_or(text.len())
}

fn sign_length(text: &str, first: char) -> usize {
    const PAIRS: [&str; 6] = ["==", "!=", ">=", "<=", "=~", "!~"];
    if PAIRS.iter().any(|pair| text.starts_with(pair)) {
        2
    } else {
        first.len_utf8()
    }
}

/// Numbers may hold a sign only behind an exponent: `1e-3`, but not `5m-3`.
fn number_length(text: &str) -> usize {
    let bytes = text.as_bytes();
    let is_hex = text.starts_with("0x") || text.starts_with("0X");
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let after_exponent = at > 0 && !is_hex && matches!(bytes[at - 1], b'e' | b'E');
        let is_part = byte.is_ascii_alphanumeric()
            || byte == b'.'
            || byte == b'_'
            || (after_exponent && matches!(byte, b'+' | b'-'));
        if !is_part {
            break;
        }
        at += 1;
    }
    at
}

#[cfg(test)]
mod tests {
    use super::tokens;

    fn words(text: &str) -> Vec<&str> {
        tokens(text)
            .iter()
            .map(|token| &text[token.span.clone()])
            .collect()
    }

    #[test]
    fn tokens_are_what_a_reader_sees() {
        assert_eq!(
            words("sum by (a) (rate(x{b=~\"[1m]#\"}[5m:1m] offset -1h)) >= 1e-3 # [2m]\n- .5"),
            [
                "sum",
                "by",
                "(",
                "a",
                ")",
                "(",
                "rate",
                "(",
                "x",
                "{",
                "b",
                "=~",
                "\"[1m]#\"",
                "}",
                "[",
                "5m",
                ":",
                "1m",
                "]",
                "offset",
                "-",
                "1h",
                ")",
                ")",
                ">=",
                "1e-3",
                "-",
                ".5"
            ]
        );
        assert_eq!(
            words("job:x:rate5m-0x1e-5"),
            ["job:x:rate5m", "-", "0x1e", "-", "5"]
        );
        assert_eq!(words(r"'a\'b' + `c\`"), [r"'a\'b'", "+", r"`c\`"]);
    }
}
