//! A cursor over one line: names, quoted texts, numbers. It knows no metric types.

use std::borrow::Cow;

use super::ParseError;
use super::float::parse_float;

/// A place in a line.
#[derive(Debug, Clone)]
pub(super) struct Line<'a> {
    text: &'a str,
    at: usize,
    number: usize,
}

impl<'a> Line<'a> {
    pub(super) fn new(text: &'a str, number: usize) -> Self {
        Self {
            text,
            at: 0,
            number,
        }
    }

    pub(super) fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    pub(super) fn is_at_end(&self) -> bool {
        self.at == self.text.len()
    }

    /// Returns the text from a mark up to here.
    pub(super) fn since(&self, mark: usize) -> &'a str {
        &self.text[mark..self.at]
    }

    pub(super) fn mark(&self) -> usize {
        self.at
    }

    pub(super) fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    /// Steps over a character if it is next; it must be ASCII.
    pub(super) fn eat(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    /// Steps over a word if it is next.
    pub(super) fn eat_word(&mut self, word: &str) -> bool {
        let found = self.rest().starts_with(word);
        if found {
            self.at += word.len();
        }
        found
    }

    /// Steps over blanks and tabs and says whether there were any.
    pub(super) fn skip_blanks(&mut self) -> bool {
        let start = self.at;
        while matches!(self.peek(), Some(b' ' | b'\t')) {
            self.at += 1;
        }
        self.at > start
    }

    /// Returns an error at this place.
    pub(super) fn error(&self, message: impl Into<String>) -> ParseError {
        self.error_at(self.at, message)
    }

    /// Returns an error at a mark.
    pub(super) fn error_at(&self, mark: usize, message: impl Into<String>) -> ParseError {
        ParseError {
            line: self.number,
            column: self.text[..mark].chars().count() + 1,
            message: message.into(),
        }
    }

    pub(super) fn expect(&mut self, byte: u8, what: &str) -> Result<(), ParseError> {
        if self.eat(byte) {
            Ok(())
        } else {
            Err(self.expected(what))
        }
    }

    /// Returns the error for something else than `what` at this place.
    pub(super) fn expected(&self, what: &str) -> ParseError {
        let found = match self.rest().chars().next() {
            Some(c) => format!("found {c:?}"),
            None => "the line ends".to_owned(),
        };
        self.error(format!("{what} expected, {found}"))
    }

    /// Reads `[a-zA-Z_][a-zA-Z0-9_]*`, colons included for metric names; empty when there is none.
    pub(super) fn name(&mut self, colons: bool) -> &'a str {
        let fits = |(index, byte): (usize, u8)| {
            byte.is_ascii_alphabetic()
                || byte == b'_'
                || (colons && byte == b':')
                || (index > 0 && byte.is_ascii_digit())
        };
        let bytes = self.rest().bytes().enumerate();
        let length = bytes.take_while(|pair| fits(*pair)).count();
        let name = &self.rest()[..length];
        self.at += length;
        name
    }

    /// Reads a quoted text and undoes `\\`, `\"` and `\n`; other backslashes stand for themselves.
    pub(super) fn quoted(&mut self) -> Result<Cow<'a, str>, ParseError> {
        let open = self.at;
        self.expect(b'"', "a quoted text")?;
        let body = self.rest();
        let bytes = body.as_bytes();
        let mut escaped = false;
        let mut index = 0;
        while let Some(byte) = bytes.get(index) {
            match byte {
                b'"' => {
                    self.at += index + 1;
                    let raw = &body[..index];
                    return Ok(if escaped {
                        Cow::Owned(unescape(raw))
                    } else {
                        Cow::Borrowed(raw)
                    });
                }
                b'\\' => {
                    escaped = true;
                    index += 2;
                }
                _ => index += 1,
            }
        }
        Err(self.error_at(open, "this quoted text does not end on its line"))
    }

    /// Reads up to the next blank, tab or end.
    pub(super) fn word(&mut self) -> &'a str {
        let rest = self.rest();
        let length = rest.find([' ', '\t']).unwrap_or(rest.len());
        self.at += length;
        &rest[..length]
    }

    pub(super) fn number(&mut self, what: &str) -> Result<f64, ParseError> {
        let mark = self.at;
        let word = self.word();
        if word.is_empty() {
            return Err(self.expected(what));
        }
        parse_float(word).ok_or_else(|| self.error_at(mark, format!("{word:?} is not {what}")))
    }
}

fn unescape(raw: &str) -> String {
    let mut out = String::with_capacity(raw.len());
    let mut chars = raw.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            out.push(c);
            continue;
        }
        match chars.next() {
            Some('n') => out.push('\n'),
            Some(c @ ('\\' | '"')) => out.push(c),
            other => {
                out.push('\\');
                out.extend(other);
            }
        }
    }
    out
}
