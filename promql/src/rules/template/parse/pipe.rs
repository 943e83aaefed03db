//! Pipes: what stands inside an action behind its keyword.

use super::super::lex::{Kind, error_at};
use super::super::tree::{Command, Operand, OperandKind, Pipe};
use super::super::{functions, number};
use super::{Parser, Result};

impl Parser<'_> {
    /// Reads a pipe up to and with the token that ends it.
    pub(super) fn pipe(&mut self, context: &str, end: &Kind) -> Result<Pipe> {
        self.descend()?;
        self.skip_space();
        let at = self.peek().at;
        let (variables, assigns) = self.declarations(context)?;
        let mut commands = Vec::new();
        loop {
            self.skip_space();
            let token = self.peek();
            if token.kind == *end {
                self.next += 1;
                break;
            }
            if !starts_operand(&token.kind) {
                return self.unexpected(token, context);
            }
            commands.push(self.command()?);
        }
        if commands.is_empty() {
            return self.fail(format!("missing value for {context}"));
        }
        let inert = |command: &Command| {
            matches!(
                command.words[0].kind,
                OperandKind::Bool(_)
                    | OperandKind::Dot
                    | OperandKind::Nil
                    | OperandKind::Number(_)
                    | OperandKind::Text { .. }
            )
        };
        if commands[1..].iter().any(inert) {
            return self.fail("only a function can take what a pipe hands on");
        }
        self.depth -= 1;
        Ok(Pipe {
            variables,
            assigns,
            commands,
            at,
        })
    }

    /// Reads `$x :=`, `$x =` and, for a range, `$i, $x :=`.
    fn declarations(&mut self, context: &str) -> Result<(Vec<String>, bool)> {
        let mut names = Vec::new();
        let mut assigns = false;
        loop {
            let start = self.next;
            self.skip_space();
            let variable = self.peek();
            if variable.kind != Kind::Variable {
                break;
            }
            self.next += 1;
            self.skip_space();
            match self.peek().kind {
                Kind::Assign | Kind::Declare => {
                    assigns = self.take().kind == Kind::Assign;
                    names.push(variable.text.clone());
                    self.variables.push(variable.text.clone());
                    break;
                }
                Kind::Comma => {
                    self.next += 1;
                    names.push(variable.text.clone());
                    self.variables.push(variable.text.clone());
                    if context != "range" || names.len() >= 2 {
                        return self.fail(format!("too many declarations in {context}"));
                    }
                }
                _ => {
                    self.next = start;
                    break;
                }
            }
        }
        Ok((names, assigns))
    }

    fn command(&mut self) -> Result<Command> {
        self.skip_space();
        let at = self.peek().at;
        let mut words = Vec::new();
        loop {
            self.skip_space();
            if let Some(operand) = self.operand()? {
                words.push(operand);
            }
            let token = self.peek();
            match token.kind {
                Kind::Space => {}
                Kind::Close | Kind::RightParen => break,
                // Go lets a pipe lead nowhere.
                Kind::Pipe => {
                    self.next += 1;
                    break;
                }
                _ => return self.unexpected(token, "operand"),
            }
        }
        if words.is_empty() {
            return self.fail("empty command");
        }
        Ok(Command { words, at })
    }

    fn operand(&mut self) -> Result<Option<Operand>> {
        let Some(mut operand) = self.term()? else {
            return Ok(None);
        };
        let at = self.peek().at;
        let mut fields = Vec::new();
        while self.peek().kind == Kind::Field {
            fields.push(self.take().text[1..].to_owned());
        }
        if fields.is_empty() {
            return Ok(Some(operand));
        }
        match &mut operand.kind {
            OperandKind::Field(names) | OperandKind::Variable(names) => {
                names.extend(fields);
                operand.at = at;
                Ok(Some(operand))
            }
            OperandKind::Pipe(_) | OperandKind::Function(_) | OperandKind::Chain(..) => {
                Ok(Some(Operand {
                    kind: OperandKind::Chain(Box::new(operand), fields),
                    at,
                }))
            }
            _ => self.fail(format!("unexpected . behind `{operand}`")),
        }
    }

    fn term(&mut self) -> Result<Option<Operand>> {
        let token = self.peek();
        if !starts_operand(&token.kind) {
            return Ok(None);
        }
        self.next += 1;
        let kind = match token.kind {
            Kind::Dot => OperandKind::Dot,
            Kind::Nil => OperandKind::Nil,
            Kind::Bool => OperandKind::Bool(token.text == "true"),
            Kind::Field => OperandKind::Field(vec![token.text[1..].to_owned()]),
            Kind::Variable => {
                if !self.variables.contains(&token.text) {
                    return self.fail(format!("undefined variable {:?}", token.text));
                }
                OperandKind::Variable(vec![token.text.clone()])
            }
            Kind::Word => {
                functions::check_known(&token.text, self.profile)
                    .map_err(|message| error_at(self.text, token.at, message))?;
                OperandKind::Function(token.text.clone())
            }
            Kind::Number | Kind::Char => OperandKind::Number(
                number::parse(token).map_err(|message| error_at(self.text, token.at, message))?,
            ),
            Kind::Quoted => OperandKind::Text {
                value: self.unquoted(token)?,
                written: token.text.clone(),
            },
            _ => OperandKind::Pipe(self.pipe("parenthesized pipeline", &Kind::RightParen)?),
        };
        Ok(Some(Operand { kind, at: token.at }))
    }
}

fn starts_operand(kind: &Kind) -> bool {
    matches!(
        kind,
        Kind::Bool
            | Kind::Char
            | Kind::Dot
            | Kind::Field
            | Kind::Word
            | Kind::Number
            | Kind::Nil
            | Kind::Quoted
            | Kind::Variable
            | Kind::LeftParen
    )
}
