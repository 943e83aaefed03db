//! From tokens to a tree.

mod pipe;

use std::collections::BTreeMap;

use super::lex::{Kind, Token, error_at, lex};
use super::tree::{Branch, Call, Control, Node, Tree};
use super::{TemplateError, texts};
use crate::engine::Profile;

/// Deepest nesting of blocks and parentheses.
const MAX_DEPTH: usize = 50;

type Result<T> = std::result::Result<T, TemplateError>;

pub(super) fn parse(text: &str, profile: Profile) -> Result<Tree> {
    let tokens = lex(text)?;
    let mut parser = Parser {
        text,
        tokens: &tokens,
        next: 0,
        variables: vec!["$".to_owned()],
        defined: BTreeMap::new(),
        depth: 0,
        ranges: 0,
        profile,
    };
    let (nodes, end) = parser.block(true)?;
    match end {
        Ending::Text => Ok(Tree {
            text: text.to_owned(),
            nodes,
            defined: parser.defined,
        }),
        Ending::Else => parser.fail("{{else}} without {{if}}, {{with}} or {{range}}"),
        Ending::Block => parser.fail("{{end}} without a block to end"),
    }
}

/// How a row of nodes ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ending {
    Text,
    Else,
    Block,
}

struct Parser<'t> {
    text: &'t str,
    tokens: &'t [Token],
    next: usize,
    /// The variables that can be read here.
    variables: Vec<String>,
    defined: BTreeMap<String, Vec<Node>>,
    depth: usize,
    ranges: usize,
    profile: Profile,
}

impl<'t> Parser<'t> {
    fn peek(&self) -> &'t Token {
        &self.tokens[self.next.min(self.tokens.len() - 1)]
    }

    fn take(&mut self) -> &'t Token {
        let token = self.peek();
        self.next += 1;
        token
    }

    fn skip_space(&mut self) {
        while self.peek().kind == Kind::Space {
            self.next += 1;
        }
    }

    fn fail<T>(&self, message: impl Into<String>) -> Result<T> {
        let at = self.tokens[self.next.saturating_sub(1).min(self.tokens.len() - 1)].at;
        Err(error_at(self.text, at, message))
    }

    fn unexpected<T>(&self, token: &Token, context: &str) -> Result<T> {
        let what = match token.kind {
            Kind::End => "the end of the text".to_owned(),
            _ => format!("`{}`", token.text),
        };
        Err(error_at(
            self.text,
            token.at,
            format!("unexpected {what} in {context}"),
        ))
    }

    fn descend(&mut self) -> Result<()> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return self.fail(format!("nested deeper than {MAX_DEPTH} levels"));
        }
        Ok(())
    }

    /// Reads nodes up to `end`, `else` or the end of the text. Only the outermost row may define
    /// templates.
    fn block(&mut self, is_outermost: bool) -> Result<(Vec<Node>, Ending)> {
        let mut nodes = Vec::new();
        loop {
            let token = self.take();
            match token.kind {
                Kind::Text => nodes.push(Node::Text(token.text.clone())),
                Kind::Open => {
                    self.skip_space();
                    let word = self.peek();
                    if word.kind != Kind::Keyword {
                        let pipe = self.pipe("command", &Kind::Close)?;
                        nodes.push(Node::Action(pipe));
                        continue;
                    }
                    self.next += 1;
                    match word.text.as_str() {
                        "end" => {
                            self.expect_close("end")?;
                            return Ok((nodes, Ending::Block));
                        }
                        "else" => {
                            self.skip_space();
                            return Ok((nodes, Ending::Else));
                        }
                        "define" if is_outermost => self.define()?,
                        _ => nodes.push(self.control(word)?),
                    }
                }
                _ => return Ok((nodes, Ending::Text)),
            }
        }
    }

    fn expect_close(&mut self, context: &str) -> Result<()> {
        self.skip_space();
        let token = self.take();
        if token.kind == Kind::Close {
            return Ok(());
        }
        self.unexpected(token, context)
    }

    fn control(&mut self, word: &Token) -> Result<Node> {
        match word.text.as_str() {
            "if" => self.branch(Control::If),
            "with" => self.branch(Control::With),
            "range" => self.branch(Control::Range),
            "break" | "continue" if self.ranges == 0 => {
                self.fail(format!("{{{{{}}}}} outside {{{{range}}}}", word.text))
            }
            "break" => self.expect_close("break").map(|()| Node::Break),
            "continue" => self.expect_close("continue").map(|()| Node::Continue),
            "template" => self.call(),
            "block" => self.block_call(),
            _ => self.unexpected(word, "command"),
        }
    }

    fn branch(&mut self, kind: Control) -> Result<Node> {
        self.descend()?;
        let known = self.variables.len();
        let name = match kind {
            Control::If => "if",
            Control::With => "with",
            Control::Range => "range",
        };
        let pipe = self.pipe(name, &Kind::Close)?;
        let is_range = usize::from(kind == Control::Range);
        self.ranges += is_range;
        let (body, end) = self.block(false)?;
        self.ranges -= is_range;
        let otherwise = match end {
            Ending::Block => Vec::new(),
            Ending::Text => return self.fail(format!("{{{{end}}}} of {{{{{name}}}}} is missing")),
            Ending::Else => self.otherwise(kind)?,
        };
        self.variables.truncate(known);
        self.depth -= 1;
        Ok(Node::Branch(Branch {
            kind,
            at: pipe.at,
            pipe,
            body,
            otherwise,
        }))
    }

    /// Reads what follows `else`: a row of nodes, or another branch that shares the `end`.
    fn otherwise(&mut self, kind: Control) -> Result<Vec<Node>> {
        let token = self.peek();
        if token.kind == Kind::Keyword {
            let chained = match (token.text.as_str(), kind) {
                ("if", Control::If) => Some(Control::If),
                // Go 1.23 brought it.
                ("with", Control::With) if self.profile == Profile::V3_5 => Some(Control::With),
                _ => None,
            };
            let Some(chained) = chained else {
                return self.unexpected(token, "else");
            };
            self.next += 1;
            return Ok(vec![self.branch(chained)?]);
        }
        self.expect_close("else")?;
        match self.block(false)? {
            (nodes, Ending::Block) => Ok(nodes),
            _ => self.fail("{{end}} is missing behind {{else}}"),
        }
    }

    fn name(&mut self, context: &str) -> Result<String> {
        self.skip_space();
        let token = self.take();
        if token.kind != Kind::Quoted {
            return self.unexpected(token, context);
        }
        self.unquoted(token)
    }

    fn unquoted(&self, token: &Token) -> Result<String> {
        texts::unquote(&token.text).map_err(|message| error_at(self.text, token.at, message))
    }

    /// Reads the body of a definition, in which only the dot is known.
    fn definition(&mut self, name: &str) -> Result<()> {
        self.descend()?;
        let outer = std::mem::replace(&mut self.variables, vec!["$".to_owned()]);
        let outer_ranges = std::mem::take(&mut self.ranges);
        let (nodes, end) = self.block(false)?;
        if end != Ending::Block {
            return self.fail(format!("{{{{end}}}} of the template {name:?} is missing"));
        }
        self.variables = outer;
        self.ranges = outer_ranges;
        self.depth -= 1;
        if self.defined.insert(name.to_owned(), nodes).is_some() {
            return self.fail(format!("the template {name:?} is defined twice"));
        }
        Ok(())
    }

    fn define(&mut self) -> Result<()> {
        let name = self.name("define clause")?;
        self.expect_close("define clause")?;
        self.definition(&name)
    }

    fn call(&mut self) -> Result<Node> {
        self.skip_space();
        let at = self.peek().at;
        let name = self.name("template clause")?;
        self.skip_space();
        let pipe = if self.peek().kind == Kind::Close {
            self.next += 1;
            None
        } else {
            Some(self.pipe("template clause", &Kind::Close)?)
        };
        Ok(Node::Call(Call { name, pipe, at }))
    }

    fn block_call(&mut self) -> Result<Node> {
        self.skip_space();
        let at = self.peek().at;
        let name = self.name("block clause")?;
        let pipe = self.pipe("block clause", &Kind::Close)?;
        self.definition(&name)?;
        Ok(Node::Call(Call {
            name,
            pipe: Some(pipe),
            at,
        }))
    }
}
