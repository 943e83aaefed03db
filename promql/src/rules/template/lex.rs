//! From text to tokens, as Go's lexer cuts it.

use super::TemplateError;

/// What a token is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Kind {
    /// Text between actions; trimmed.
    Text,
    /// `{{`.
    Open,
    /// `}}`.
    Close,
    /// White space inside an action.
    Space,
    /// `if`, `end`, ….
    Keyword,
    /// A function.
    Word,
    Bool,
    Nil,
    /// `.`.
    Dot,
    /// `.name`.
    Field,
    /// `$name`.
    Variable,
    Number,
    /// A character between single quotes.
    Char,
    /// A text between double quotes or backticks, as written.
    Quoted,
    Pipe,
    Declare,
    Assign,
    Comma,
    LeftParen,
    RightParen,
    /// Any other sign, which has no meaning.
    Sign,
    End,
}

/// A piece of the template and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) kind: Kind,
    pub(super) text: String,
    /// First byte.
    pub(super) at: usize,
}

const KEYWORDS: [&str; 10] = [
    "block", "break", "continue", "define", "else", "end", "if", "range", "template", "with",
];

pub(super) fn lex(text: &str) -> Result<Vec<Token>, TemplateError> {
    let mut lexer = Lexer {
        text,
        at: 0,
        tokens: Vec::new(),
        parens: 0,
    };
    lexer.text()?;
    lexer.push(Kind::End, text.len());
    Ok(lexer.tokens)
}

/// Makes an error at a byte of the text.
pub(super) fn error_at(text: &str, at: usize, message: impl Into<String>) -> TemplateError {
    let before = text.get(..at).unwrap_or(text);
    TemplateError {
        message: message.into(),
        line: 1 + before.bytes().filter(|byte| *byte == b'\n').count(),
    }
}

struct Lexer<'t> {
    text: &'t str,
    at: usize,
    tokens: Vec<Token>,
    parens: usize,
}

const WHITE: [char; 4] = [' ', '\t', '\r', '\n'];

impl<'t> Lexer<'t> {
    fn rest(&self) -> &'t str {
        &self.text[self.at..]
    }

    fn fail<T>(&self, message: impl Into<String>) -> Result<T, TemplateError> {
        Err(error_at(self.text, self.at, message))
    }

    /// Takes the text up to a byte as a token.
    fn push(&mut self, kind: Kind, end: usize) {
        self.tokens.push(Token {
            kind,
            text: self.text[self.at..end].to_owned(),
            at: self.at,
        });
        self.at = end;
    }

    fn text(&mut self) -> Result<(), TemplateError> {
        loop {
            let Some(open) = self.rest().find("{{") else {
                if !self.rest().is_empty() {
                    self.push(Kind::Text, self.text.len());
                }
                return Ok(());
            };
            let open = self.at + open;
            let inside = &self.text[open + 2..];
            let trims = inside.starts_with('-') && inside[1..].starts_with(WHITE);
            let before = &self.text[self.at..open];
            let kept = if trims {
                before.trim_end_matches(WHITE).len()
            } else {
                before.len()
            };
            if kept > 0 {
                self.push(Kind::Text, self.at + kept);
            }
            self.at = open;
            let marker = if trims { 4 } else { 2 };
            if self.text[open + marker..].starts_with("/*") {
                self.comment(open + marker)?;
            } else {
                self.push(Kind::Open, open + 2);
                self.at = open + marker;
                self.action()?;
            }
        }
    }

    fn comment(&mut self, start: usize) -> Result<(), TemplateError> {
        let Some(length) = self.text[start..].find("*/") else {
            return self.fail("unclosed comment");
        };
        self.at = start + length + 2;
        let Some((length, trims)) = self.close() else {
            return self.fail("comment ends before closing delimiter");
        };
        self.leave(length, trims);
        Ok(())
    }

    /// Returns the length of a closing delimiter and whether it trims.
    fn close(&self) -> Option<(usize, bool)> {
        let rest = self.rest();
        if rest.starts_with("}}") {
            return Some((2, false));
        }
        (rest.starts_with(WHITE) && rest[1..].starts_with("-}}")).then_some((4, true))
    }

    fn leave(&mut self, length: usize, trims: bool) {
        self.at += length;
        if trims {
            self.at = self.text.len() - self.rest().trim_start_matches(WHITE).len();
        }
    }

    /// Reads tokens up to the closing delimiter.
    fn action(&mut self) -> Result<(), TemplateError> {
        loop {
            if let Some((length, trims)) = self.close() {
                if self.parens > 0 {
                    return self.fail("unclosed left paren");
                }
                self.tokens.push(Token {
                    kind: Kind::Close,
                    text: "}}".to_owned(),
                    at: self.at,
                });
                self.leave(length, trims);
                return Ok(());
            }
            let Some(c) = self.rest().chars().next() else {
                return self.fail("unclosed action: `}}` is missing");
            };
            self.token(c)?;
        }
    }

    fn token(&mut self, c: char) -> Result<(), TemplateError> {
        let one = self.at + c.len_utf8();
        match c {
            c if WHITE.contains(&c) => self.space(),
            '=' => self.push(Kind::Assign, one),
            ':' if self.rest().starts_with(":=") => self.push(Kind::Declare, one + 1),
            ':' => return self.fail("`:` without `=`: a variable is declared with `:=`"),
            '|' => self.push(Kind::Pipe, one),
            ',' => self.push(Kind::Comma, one),
            '"' => return self.quoted('"', Kind::Quoted),
            '\'' => return self.quoted('\'', Kind::Char),
            '`' => {
                let Some(length) = self.rest()[1..].find('`') else {
                    return self.fail("unterminated raw quoted string");
                };
                self.push(Kind::Quoted, self.at + length + 2);
            }
            '$' => return self.name(Kind::Variable),
            '.' if !self.rest()[1..].starts_with(|c: char| c.is_ascii_digit()) => {
                return self.name(Kind::Field);
            }
            c if c.is_ascii_digit() || matches!(c, '.' | '+' | '-') => self.number(),
            c if is_alphanumeric(c) => return self.word(),
            '(' => {
                self.parens += 1;
                self.push(Kind::LeftParen, one);
            }
            ')' => {
                let Some(parens) = self.parens.checked_sub(1) else {
                    return self.fail("unexpected right paren");
                };
                self.parens = parens;
                self.push(Kind::RightParen, one);
            }
            c if c.is_ascii_graphic() => self.push(Kind::Sign, one),
            c => return self.fail(format!("{c:?} has no meaning in an action")),
        }
        Ok(())
    }

    /// Takes white space, but leaves what belongs to a closing delimiter that trims.
    fn space(&mut self) {
        let rest = self.rest();
        let mut length = rest.len() - rest.trim_start_matches(WHITE).len();
        if rest[length..].starts_with("-}}") {
            length -= 1;
        }
        if length > 0 {
            self.push(Kind::Space, self.at + length);
        }
    }

    /// Takes `.name` or `$name`; a lone `.` or `$` too.
    fn name(&mut self, kind: Kind) -> Result<(), TemplateError> {
        let rest = &self.rest()[1..];
        let length = rest.find(|c| !is_alphanumeric(c)).unwrap_or(rest.len());
        let end = self.at + 1 + length;
        self.require_terminator(end)?;
        let kind = match kind {
            Kind::Field if length == 0 => Kind::Dot,
            kind => kind,
        };
        self.push(kind, end);
        Ok(())
    }

    fn word(&mut self) -> Result<(), TemplateError> {
        let rest = self.rest();
        let length = rest.find(|c| !is_alphanumeric(c)).unwrap_or(rest.len());
        let end = self.at + length;
        self.require_terminator(end)?;
        let kind = match &rest[..length] {
            "true" | "false" => Kind::Bool,
            "nil" => Kind::Nil,
            word if KEYWORDS.contains(&word) => Kind::Keyword,
            _ => Kind::Word,
        };
        self.push(kind, end);
        Ok(())
    }

    /// Names end at a space or a sign that may follow them.
    fn require_terminator(&self, end: usize) -> Result<(), TemplateError> {
        let rest = &self.text[end..];
        match rest.chars().next() {
            None | Some(' ' | '\t' | '\r' | '\n' | '.' | ',' | '|' | ':' | ')' | '(') => Ok(()),
            Some(_) if rest.starts_with("}}") => Ok(()),
            Some(c) => Err(error_at(
                self.text,
                end,
                format!("bad character {c:?} behind a name"),
            )),
        }
    }

    fn number(&mut self) {
        let rest = self.rest();
        let mut end = 1;
        let bytes = rest.as_bytes();
        let is_hex = rest.trim_start_matches(['+', '-']).starts_with(['0'])
            && matches!(
                rest.trim_start_matches(['+', '-']).as_bytes().get(1),
                Some(b'x' | b'X')
            );
        while let Some(byte) = bytes.get(end) {
            let exponent = if is_hex { [b'p', b'P'] } else { [b'e', b'E'] };
            let is_sign = matches!(byte, b'+' | b'-') && exponent.contains(&bytes[end - 1]);
            if !(byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_') || is_sign) {
                break;
            }
            end += 1;
        }
        self.push(Kind::Number, self.at + end);
    }

    fn quoted(&mut self, quote: char, kind: Kind) -> Result<(), TemplateError> {
        let mut chars = self.rest().char_indices().skip(1);
        while let Some((at, c)) = chars.next() {
            match c {
                '\\' => match chars.next() {
                    Some((_, '\n')) | None => break,
                    Some(_) => {}
                },
                '\n' => break,
                c if c == quote => {
                    self.push(kind, self.at + at + 1);
                    return Ok(());
                }
                _ => {}
            }
        }
        self.fail("unterminated quoted string")
    }
}

fn is_alphanumeric(c: char) -> bool {
    c == '_' || c.is_alphanumeric()
}
