//! From text to nodes.

use super::functions::Name;
use super::{Expr, Node, Variable};

const MAX_DEPTH: usize = 50;

pub(super) fn parse(text: &str) -> Result<Vec<Node>, String> {
    let mut parser = Parser {
        pieces: pieces(text)?,
        at: 0,
        depth: 0,
    };
    let (nodes, end) = parser.block()?;
    match end {
        End::Text => Ok(nodes),
        End::Else(_) | End::Condition => Err("unexpected {{else}} or {{end}}".to_owned()),
    }
}

/// A stretch of text or the inside of `{{ … }}`.
enum Piece {
    Text(String),
    Action(Vec<Token>),
}

fn pieces(text: &str) -> Result<Vec<Piece>, String> {
    let mut pieces = Vec::new();
    let mut rest = text;
    let mut trim_start = false;
    while let Some(open) = rest.find("{{") {
        let mut before = &rest[..open];
        let mut inside = &rest[open + 2..];
        if trim_start {
            before = before.trim_start();
        }
        if let Some(trimmed) = inside.strip_prefix('-')
            && trimmed.starts_with(char::is_whitespace)
        {
            before = before.trim_end();
            inside = trimmed;
        }
        pieces.push(Piece::Text(before.to_owned()));
        if let Some(comment) = inside.trim_start().strip_prefix("/*") {
            let (_, after) = comment.split_once("*/").ok_or("unclosed comment")?;
            let after = after.trim_start();
            let (after, trimmed) = match after.strip_prefix('-') {
                Some(after) => (after, true),
                None => (after, false),
            };
            rest = after
                .strip_prefix("}}")
                .ok_or("comment ends before closing delimiter")?;
            trim_start = trimmed;
            continue;
        }
        let (tokens, after) = tokens(inside)?;
        trim_start = matches!(tokens.last(), Some(Token::Trim));
        let tokens = tokens
            .into_iter()
            .filter(|token| !matches!(token, Token::Trim))
            .collect();
        pieces.push(Piece::Action(tokens));
        rest = after;
    }
    pieces.push(Piece::Text(
        if trim_start { rest.trim_start() } else { rest }.to_owned(),
    ));
    Ok(pieces)
}

#[derive(Debug, Clone, PartialEq)]
enum Token {
    Word(String),
    /// `$name`, without the dollar.
    Variable(String),
    /// `.name`, or a lone dot with an empty name.
    Field(String),
    Text(String),
    Number(String),
    Pipe,
    Open,
    Close,
    Space,
    Other(char),
    Trim,
}

/// Reads tokens up to the closing braces and returns what follows them.
fn tokens(text: &str) -> Result<(Vec<Token>, &str), String> {
    let mut tokens = Vec::new();
    let mut rest = text;
    loop {
        if let Some(after) = rest.strip_prefix("}}") {
            return Ok((tokens, after));
        }
        let Some(c) = rest.chars().next() else {
            return Err("unclosed action: `}}` is missing".to_owned());
        };
        let is_name = |c: char| c.is_alphanumeric() || c == '_';
        let name_end = |text: &str| text.find(|c| !is_name(c)).unwrap_or(text.len());
        let (token, length) = match c {
            '-' if rest.starts_with("-}}") => (Token::Trim, 1),
            c if c.is_whitespace() => {
                let end = rest
                    .find(|c: char| !c.is_whitespace())
                    .unwrap_or(rest.len());
                (Token::Space, end)
            }
            '|' => (Token::Pipe, 1),
            '(' => (Token::Open, 1),
            ')' => (Token::Close, 1),
            '"' => quoted(rest)?,
            '`' => {
                let end = rest[1..].find('`').ok_or("unterminated raw string")?;
                (Token::Text(rest[1..=end].to_owned()), end + 2)
            }
            '$' => {
                let end = name_end(&rest[1..]) + 1;
                (Token::Variable(rest[1..end].to_owned()), end)
            }
            '.' if !rest[1..].starts_with(|c: char| c.is_ascii_digit()) => {
                let end = name_end(&rest[1..]) + 1;
                (Token::Field(rest[1..end].to_owned()), end)
            }
            c if c.is_ascii_digit() || matches!(c, '.' | '+' | '-') => number(rest),
            c if is_name(c) => {
                let end = name_end(rest);
                (Token::Word(rest[..end].to_owned()), end)
            }
            other => (Token::Other(other), other.len_utf8()),
        };
        tokens.push(token);
        rest = &rest[length..];
    }
}

fn number(text: &str) -> (Token, usize) {
    let mut end = 1;
    let bytes = text.as_bytes();
    while let Some(byte) = bytes.get(end) {
        let sign_of_exponent = matches!(byte, b'+' | b'-') && matches!(bytes[end - 1], b'e' | b'E');
        if !(byte.is_ascii_alphanumeric() || *byte == b'.' || sign_of_exponent) {
            break;
        }
        end += 1;
    }
    (Token::Number(text[..end].to_owned()), end)
}

fn quoted(text: &str) -> Result<(Token, usize), String> {
    let mut value = String::new();
    let mut chars = text.char_indices().skip(1);
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return Ok((Token::Text(value), at + 1)),
            '\n' => break,
            '\\' => match chars.next() {
                Some((_, 'n')) => value.push('\n'),
                Some((_, 't')) => value.push('\t'),
                Some((_, 'r')) => value.push('\r'),
                Some((_, c @ ('"' | '\\' | '\''))) => value.push(c),
                Some((_, c)) => return Err(format!("unknown escape `\\{c}` in a string")),
                None => break,
            },
            c => value.push(c),
        }
    }
    Err("unterminated quoted string".to_owned())
}

/// How a block of nodes ended.
enum End {
    Text,
    /// The tokens behind `else`.
    Else(Vec<Token>),
    Condition,
}

struct Parser {
    pieces: Vec<Piece>,
    at: usize,
    depth: usize,
}

impl Parser {
    fn block(&mut self) -> Result<(Vec<Node>, End), String> {
        let mut nodes = Vec::new();
        while let Some(piece) = self.pieces.get(self.at) {
            self.at += 1;
            let tokens = match piece {
                Piece::Text(text) => {
                    if !text.is_empty() {
                        nodes.push(Node::Text(text.clone()));
                    }
                    continue;
                }
                Piece::Action(tokens) => trimmed(tokens).to_vec(),
            };
            match tokens.first() {
                Some(Token::Word(word)) => match word.as_str() {
                    "end" => return Ok((nodes, End::Condition)),
                    "else" => return Ok((nodes, End::Else(trimmed(&tokens[1..]).to_vec()))),
                    "if" => nodes.push(self.condition(&tokens[1..])?),
                    "range" | "with" | "define" | "template" | "block" | "break" | "continue" => {
                        return Err(format!("the construct `{word}` is not built"));
                    }
                    _ => nodes.push(Node::Action(expression(&tokens)?)),
                },
                Some(_) => nodes.push(Node::Action(expression(&tokens)?)),
                None => return Err("missing value for command".to_owned()),
            }
        }
        Ok((nodes, End::Text))
    }

    fn condition(&mut self, tokens: &[Token]) -> Result<Node, String> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err("conditions are nested too deeply".to_owned());
        }
        let mut arms = Vec::new();
        let mut condition = expression(trimmed(tokens))?;
        let otherwise = loop {
            let (nodes, end) = self.block()?;
            arms.push((condition, nodes));
            match end {
                End::Condition => break Vec::new(),
                End::Text => return Err("unexpected end of text: {{end}} is missing".to_owned()),
                End::Else(tokens) => match tokens.split_first() {
                    None => match self.block()? {
                        (nodes, End::Condition) => break nodes,
                        _ => return Err("{{else}} must be followed by {{end}}".to_owned()),
                    },
                    Some((Token::Word(word), rest)) if word == "if" => {
                        condition = expression(trimmed(rest))?;
                    }
                    Some(_) => return Err("unexpected text behind {{else}}".to_owned()),
                },
            }
        };
        self.depth -= 1;
        Ok(Node::If { arms, otherwise })
    }
}

fn trimmed(mut tokens: &[Token]) -> &[Token] {
    while let [Token::Space, rest @ ..] | [rest @ .., Token::Space] = tokens {
        tokens = rest;
    }
    tokens
}

fn expression(tokens: &[Token]) -> Result<Expr, String> {
    let mut reader = Reader {
        tokens,
        at: 0,
        depth: 0,
    };
    let expr = reader.pipeline()?;
    match reader.peek() {
        None => Ok(expr),
        Some(token) => Err(format!("unexpected {token:?}")),
    }
}

struct Reader<'t> {
    tokens: &'t [Token],
    at: usize,
    depth: usize,
}

impl Reader<'_> {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at)
    }

    fn skip_spaces(&mut self) {
        while self.peek() == Some(&Token::Space) {
            self.at += 1;
        }
    }

    fn pipeline(&mut self) -> Result<Expr, String> {
        let mut value = self.command(None)?;
        self.skip_spaces();
        while self.peek() == Some(&Token::Pipe) {
            self.at += 1;
            value = self.command(Some(value))?;
            self.skip_spaces();
        }
        Ok(value)
    }

    /// Reads operands up to a pipe; the value that was piped in becomes the last argument.
    fn command(&mut self, piped: Option<Expr>) -> Result<Expr, String> {
        self.skip_spaces();
        if let Some(Token::Word(word)) = self.peek()
            && !matches!(word.as_str(), "true" | "false" | "nil")
        {
            let name = Name::find(word)?;
            self.at += 1;
            let mut args = Vec::new();
            while let Some(operand) = self.operand()? {
                args.push(operand);
            }
            args.extend(piped);
            name.check_count(args.len())?;
            return Ok(Expr::Call(name, args));
        }
        let Some(operand) = self.operand()? else {
            return Err("missing value for command".to_owned());
        };
        if piped.is_some() {
            return Err("non executable command in pipeline: a function is needed".to_owned());
        }
        if self.operand()?.is_some() {
            return Err("can't give argument to non-function".to_owned());
        }
        Ok(operand)
    }

    fn operand(&mut self) -> Result<Option<Expr>, String> {
        self.skip_spaces();
        let Some(token) = self.peek().cloned() else {
            return Ok(None);
        };
        let mut expr = match token {
            Token::Pipe | Token::Close => return Ok(None),
            Token::Open => {
                self.depth += 1;
                if self.depth > MAX_DEPTH {
                    return Err("parentheses are nested too deeply".to_owned());
                }
                self.at += 1;
                let inner = self.pipeline()?;
                if self.peek() != Some(&Token::Close) {
                    return Err("unclosed parenthesis".to_owned());
                }
                self.depth -= 1;
                inner
            }
            Token::Variable(name) => Expr::Variable(variable(&name)?),
            Token::Field(name) if name.is_empty() => Expr::Dot,
            Token::Field(name) => Expr::Field(Box::new(Expr::Dot), name),
            Token::Text(text) => Expr::Text(text),
            Token::Number(text) => literal(&text)?,
            Token::Word(word) => match word.as_str() {
                "true" => Expr::Bool(true),
                "false" => Expr::Bool(false),
                _ => Expr::Call(Name::find(&word)?, Vec::new()),
            },
            Token::Other(':' | '=') => {
                return Err("declaring variables is not built".to_owned());
            }
            Token::Space | Token::Trim | Token::Other(_) => {
                return Err(format!("unexpected {token:?}"));
            }
        };
        self.at += 1;
        while let Some(Token::Field(name)) = self.peek() {
            if name.is_empty() {
                return Err("unexpected . after a value".to_owned());
            }
            expr = Expr::Field(Box::new(expr), name.clone());
            self.at += 1;
        }
        Ok(Some(expr))
    }
}

fn variable(name: &str) -> Result<Variable, String> {
    match name {
        "labels" => Ok(Variable::Labels),
        "value" => Ok(Variable::Value),
        "externalLabels" => Ok(Variable::ExternalLabels),
        "externalURL" => Ok(Variable::ExternalUrl),
        _ => Err(format!(
            "undefined variable \"${name}\" (declaring variables is not built)"
        )),
    }
}

fn literal(text: &str) -> Result<Expr, String> {
    if let Ok(value) = text.parse::<i64>() {
        return Ok(Expr::Int(value));
    }
    text.parse::<f64>()
        .map(Expr::Float)
        .map_err(|_| format!("bad number syntax: {text:?}"))
}
