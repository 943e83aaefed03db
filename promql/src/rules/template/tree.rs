//! A template as a tree; its nodes write themselves as Go does, for messages.

use std::collections::BTreeMap;
use std::fmt;

/// A template and those it defines.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Tree {
    /// The text, prefix included, for places in messages.
    pub(super) text: String,
    pub(super) nodes: Vec<Node>,
    pub(super) defined: BTreeMap<String, Vec<Node>>,
}

impl Tree {
    /// Returns the tree of a text without actions.
    pub(super) fn literal(text: &str) -> Self {
        Self {
            text: String::new(),
            nodes: vec![Node::Text(text.to_owned())],
            defined: BTreeMap::new(),
        }
    }
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Node {
    Text(String),
    Action(Pipe),
    Branch(Branch),
    Break,
    Continue,
    /// A call of a defined template.
    Call(Call),
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Branch {
    pub(super) kind: Control,
    pub(super) pipe: Pipe,
    pub(super) body: Vec<Node>,
    pub(super) otherwise: Vec<Node>,
    pub(super) at: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Control {
    If,
    With,
    Range,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Call {
    pub(super) name: String,
    pub(super) pipe: Option<Pipe>,
    pub(super) at: usize,
}

/// Commands whose results flow from one to the next, and the variables that take the last.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Pipe {
    pub(super) variables: Vec<String>,
    /// `=` rather than `:=`.
    pub(super) assigns: bool,
    pub(super) commands: Vec<Command>,
    pub(super) at: usize,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Command {
    /// At least one.
    pub(super) words: Vec<Operand>,
    pub(super) at: usize,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Operand {
    pub(super) kind: OperandKind,
    pub(super) at: usize,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum OperandKind {
    Dot,
    Nil,
    Bool(bool),
    Number(Number),
    /// A text and how it is written.
    Text {
        value: String,
        written: String,
    },
    /// `.a.b`.
    Field(Vec<String>),
    /// `$x.a.b`, the name first.
    Variable(Vec<String>),
    Function(String),
    Pipe(Pipe),
    /// Fields of the result of a pipe or function.
    Chain(Box<Operand>, Vec<String>),
}

/// A number that is whole, or not, or both.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Number {
    pub(super) int: Option<i64>,
    pub(super) float: Option<f64>,
    pub(super) is_char: bool,
    pub(super) written: String,
}

impl fmt::Display for Pipe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.variables.is_empty() {
            let sign = if self.assigns { "=" } else { ":=" };
            write!(f, "{} {sign} ", self.variables.join(", "))?;
        }
        separated(f, &self.commands, " | ")
    }
}

impl fmt::Display for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        separated(f, &self.words, " ")
    }
}

impl fmt::Display for Operand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            OperandKind::Dot => f.write_str("."),
            OperandKind::Nil => f.write_str("nil"),
            OperandKind::Bool(value) => value.fmt(f),
            OperandKind::Number(number) => f.write_str(&number.written),
            OperandKind::Text { written, .. } => f.write_str(written),
            OperandKind::Field(names) => write!(f, ".{}", names.join(".")),
            OperandKind::Variable(names) => f.write_str(&names.join(".")),
            OperandKind::Function(name) => f.write_str(name),
            OperandKind::Pipe(pipe) => write!(f, "({pipe})"),
            OperandKind::Chain(base, names) => write!(f, "{base}.{}", names.join(".")),
        }
    }
}

fn separated<T: fmt::Display>(
    f: &mut fmt::Formatter<'_>,
    list: &[T],
    separator: &str,
) -> fmt::Result {
    for (index, item) in list.iter().enumerate() {
        if index > 0 {
            f.write_str(separator)?;
        }
        item.fmt(f)?;
    }
    Ok(())
}
