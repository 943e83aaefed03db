//! Expands a tree.
//!
//! Errors say where, in the words of Go: operators search their logs for them. The place is that
//! of the node that was looked at last, which [`Run::at`] keeps.

mod eval;

use std::fmt;
use std::rc::Rc;

use super::Data;
use super::functions::Env;
use super::tree::{Branch, Call, Command, Control, Node, Operand, Pipe, Tree};
use super::value::{Root, Value};
use crate::engine::Profile;

/// Longest text that is written, and longest value on the way.
pub(super) const MAX_TEXT_BYTES: usize = 1024 * 1024;
/// Deepest nesting of templates that call templates.
const MAX_CALLS: usize = 50;

/// Expands a template; the error names the place.
pub(super) fn expand(
    tree: &Tree,
    name: &str,
    data: &Data<'_>,
    profile: Profile,
) -> Result<String, String> {
    let dot = Value::Data(Rc::new(Root {
        labels: data.labels.clone(),
        external_labels: data.external_labels.clone(),
        external_url: data.external_url.to_owned(),
        value: data.value,
    }));
    let mut run = Run {
        tree,
        name,
        env: Env::new(data, profile),
        out: String::new(),
        variables: vec![("$", dot.clone())],
        executing: name,
        at: At::Start,
        calls: 0,
    };
    match run.nodes(&tree.nodes, &dot)? {
        Flow::On | Flow::Break | Flow::Continue => Ok(run.out),
    }
}

/// What follows a node.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Flow {
    On,
    Break,
    Continue,
}

/// The node that was looked at last.
#[derive(Clone, Copy)]
enum At<'t> {
    Start,
    Pipe(&'t Pipe),
    Command(&'t Command),
    Operand(&'t Operand),
    Call(&'t Call),
}

impl At<'_> {
    fn byte(self) -> usize {
        match self {
            Self::Start => 0,
            Self::Pipe(pipe) => pipe.at,
            Self::Command(command) => command.at,
            Self::Operand(operand) => operand.at,
            Self::Call(call) => call.at,
        }
    }
}

impl fmt::Display for At<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Start => Ok(()),
            Self::Pipe(pipe) => pipe.fmt(f),
            Self::Command(command) => command.fmt(f),
            Self::Operand(operand) => operand.fmt(f),
            Self::Call(call) => match &call.pipe {
                Some(pipe) => write!(f, "{{{{template {:?} {pipe}}}}}", call.name),
                None => write!(f, "{{{{template {:?}}}}}", call.name),
            },
        }
    }
}

type Result<T, E = String> = std::result::Result<T, E>;

struct Run<'t, 'd> {
    tree: &'t Tree,
    name: &'t str,
    env: Env<'d>,
    out: String,
    variables: Vec<(&'t str, Value)>,
    /// The template whose nodes are expanded.
    executing: &'t str,
    at: At<'t>,
    calls: usize,
}

impl<'t> Run<'t, '_> {
    fn fail<T>(&self, message: impl fmt::Display) -> Result<T> {
        let at = self.at.byte();
        let before = self.tree.text.get(..at).unwrap_or_default();
        let line = 1 + before.bytes().filter(|byte| *byte == b'\n').count();
        let column = at - before.rfind('\n').map_or(0, |newline| newline + 1);
        Err(format!(
            "template: {}:{line}:{column}: executing {:?} at <{}>: {message}",
            self.name, self.executing, self.at
        ))
    }

    fn spend(&mut self, bytes: usize) -> Result<()> {
        let spent = self.env.spend(bytes);
        spent.or_else(|message| self.fail(message))
    }

    fn nodes(&mut self, nodes: &'t [Node], dot: &Value) -> Result<Flow> {
        for node in nodes {
            self.spend(0)?;
            match node {
                Node::Text(text) => self.write(text)?,
                Node::Action(pipe) => {
                    let value = self.pipe(pipe, dot)?;
                    if pipe.variables.is_empty() {
                        self.write(&value.printed())?;
                    }
                }
                Node::Branch(branch) => {
                    let known = self.variables.len();
                    let flow = self.branch(branch, dot)?;
                    self.variables.truncate(known);
                    if flow != Flow::On {
                        return Ok(flow);
                    }
                }
                Node::Break => return Ok(Flow::Break),
                Node::Continue => return Ok(Flow::Continue),
                Node::Call(call) => self.call(call, dot)?,
            }
        }
        Ok(Flow::On)
    }

    fn write(&mut self, text: &str) -> Result<()> {
        self.spend(text.len())?;
        self.out.push_str(text);
        if self.out.len() > MAX_TEXT_BYTES {
            return self.fail(format!("the text is longer than {MAX_TEXT_BYTES} bytes"));
        }
        Ok(())
    }

    fn branch(&mut self, branch: &'t Branch, dot: &Value) -> Result<Flow> {
        self.at = At::Pipe(&branch.pipe);
        let value = self.pipe(&branch.pipe, dot)?;
        match branch.kind {
            Control::Range => self.range(branch, &value, dot),
            _ if !value.truth() => self.nodes(&branch.otherwise, dot),
            Control::If => self.nodes(&branch.body, dot),
            Control::With => self.nodes(&branch.body, &value),
        }
    }

    fn range(&mut self, branch: &'t Branch, value: &Value, dot: &Value) -> Result<Flow> {
        let items: Vec<(Value, Value)> = match value {
            Value::None => Vec::new(),
            Value::Vector(vector) => {
                let samples = vector.borrow();
                let samples = samples.iter().cloned().map(Value::Sample);
                (0..).map(Value::Int).zip(samples).collect()
            }
            Value::Labels(labels) => labels
                .iter()
                .map(|(name, value)| (Value::from(name), Value::from(value)))
                .collect(),
            Value::Args(args) => args
                .iter()
                .map(|(name, value)| (Value::from(name.as_str()), value.clone()))
                .collect(),
            Value::Int(count) if self.env.profile == Profile::V3_5 => {
                return self.count(branch, *count, dot);
            }
            other => {
                let shown = other.formatted();
                return self.fail(format!("range can't iterate over {shown}"));
            }
        };
        if items.is_empty() {
            return self.nodes(&branch.otherwise, dot);
        }
        for (index, item) in items {
            if self.turn(branch, index, &item)? == Flow::Break {
                break;
            }
        }
        Ok(Flow::On)
    }

    /// Ranges over the numbers from zero, as Go does since 1.24.
    fn count(&mut self, branch: &'t Branch, count: i64, dot: &Value) -> Result<Flow> {
        if branch.pipe.variables.len() > 1 {
            return self.fail(format!(
                "can't use {count} to iterate over more than one variable"
            ));
        }
        if count <= 0 {
            return self.nodes(&branch.otherwise, dot);
        }
        for number in 0..count {
            if self.turn(branch, Value::Int(number), &Value::Int(number))? == Flow::Break {
                break;
            }
        }
        Ok(Flow::On)
    }

    fn turn(&mut self, branch: &'t Branch, index: Value, item: &Value) -> Result<Flow> {
        self.spend(0)?;
        let pipe = &branch.pipe;
        let known = self.variables.len();
        let values = match pipe.variables.as_slice() {
            [_] => vec![item.clone()],
            [_, _] => vec![index, item.clone()],
            _ => Vec::new(),
        };
        for (name, value) in pipe.variables.iter().zip(values) {
            if pipe.assigns {
                self.assign(name, value)?;
            } else {
                self.variables.push((name, value));
            }
        }
        let flow = self.nodes(&branch.body, item)?;
        self.variables.truncate(known);
        Ok(flow)
    }

    fn assign(&mut self, name: &str, value: Value) -> Result<()> {
        let mut known = self.variables.iter_mut().rev();
        match known.find(|(other, _)| *other == name) {
            Some((_, held)) => {
                *held = value;
                Ok(())
            }
            None => self.fail(format!("undefined variable: {name}")),
        }
    }

    fn call(&mut self, call: &'t Call, dot: &Value) -> Result<()> {
        self.at = At::Call(call);
        let Some((name, nodes)) = self.tree.defined.get_key_value(&call.name) else {
            return self.fail(format!("template {:?} not defined", call.name));
        };
        if self.calls == MAX_CALLS {
            return self.fail(format!("exceeded maximum template depth ({MAX_CALLS})"));
        }
        let dot = match &call.pipe {
            Some(pipe) => self.pipe(pipe, dot)?,
            None => Value::None,
        };
        let variables = std::mem::replace(&mut self.variables, vec![("$", dot.clone())]);
        let executing = std::mem::replace(&mut self.executing, name);
        self.calls += 1;
        self.nodes(nodes, &dot)?;
        self.calls -= 1;
        self.variables = variables;
        self.executing = executing;
        Ok(())
    }
}
