//! Evaluates what stands inside actions: pipes, commands, operands.

use super::super::functions::{self, Function, Param};
use super::super::time::Time;
use super::super::tree::{Command, Number, Operand, OperandKind, Pipe};
use super::super::value::Value;
use super::{At, MAX_TEXT_BYTES, Result, Run};
use crate::engine::Profile;

impl<'t> Run<'t, '_> {
    /// Evaluates a pipe and sets its variables.
    pub(super) fn pipe(&mut self, pipe: &'t Pipe, dot: &Value) -> Result<Value> {
        self.at = At::Pipe(pipe);
        let mut value = None;
        for command in &pipe.commands {
            value = Some(self.command(command, dot, value)?);
        }
        let value = value.unwrap_or(Value::None);
        for name in &pipe.variables {
            if pipe.assigns {
                self.assign(name, value.clone())?;
            } else {
                self.variables.push((name, value.clone()));
            }
        }
        Ok(value)
    }

    /// Evaluates a command; `last` is what the one before it in the pipe handed on.
    fn command(&mut self, command: &'t Command, dot: &Value, last: Option<Value>) -> Result<Value> {
        self.spend(0)?;
        let first = &command.words[0];
        let rest = &command.words[1..];
        match &first.kind {
            OperandKind::Field(_) | OperandKind::Variable(_) | OperandKind::Chain(..) => {
                self.read(first, dot, rest, last)
            }
            OperandKind::Function(name) => {
                self.at = At::Operand(first);
                let function = self.function(name)?;
                self.invoke(function, At::Command(command), rest, dot, last)
            }
            OperandKind::Pipe(pipe) => {
                self.refuse_arguments(first, rest, last.as_ref())?;
                self.pipe(pipe, dot)
            }
            _ => {
                self.at = At::Operand(first);
                self.refuse_arguments(first, rest, last.as_ref())?;
                match &first.kind {
                    OperandKind::Nil => self.fail("nil is not a command"),
                    _ => Ok(literal(first, dot)),
                }
            }
        }
    }

    fn function(&self, name: &str) -> Result<&'static Function> {
        match functions::find(name, self.env.profile) {
            Some(function) => Ok(function),
            None => self.fail(format!("{name:?} is not a defined function")),
        }
    }

    fn refuse_arguments(
        &self,
        operand: &Operand,
        rest: &[Operand],
        last: Option<&Value>,
    ) -> Result<()> {
        if rest.is_empty() && last.is_none() {
            return Ok(());
        }
        self.fail(format!("can't give argument to non-function {operand}"))
    }

    /// Reads a variable or fields.
    fn read(
        &mut self,
        operand: &'t Operand,
        dot: &Value,
        rest: &'t [Operand],
        last: Option<Value>,
    ) -> Result<Value> {
        self.at = At::Operand(operand);
        let (base, names): (Value, &[String]) = match &operand.kind {
            OperandKind::Field(names) => (dot.clone(), names),
            OperandKind::Variable(names) => {
                let value = self.variable(&names[0]);
                if names.len() == 1 {
                    self.refuse_arguments(operand, rest, last.as_ref())?;
                    return Ok(value);
                }
                (value, &names[1..])
            }
            OperandKind::Chain(base, names) => {
                // What goes wrong from here is told at the place of the base, as in Go.
                (self.argument(base, Param::Any, dot)?, names)
            }
            _ => (Value::None, &[]),
        };
        let mut value = base;
        // A field of no fixed type hides the type of its value from messages.
        let mut hidden = false;
        for (index, name) in names.iter().enumerate() {
            let is_last = index + 1 == names.len();
            if let (Value::Time(time), true) = (&value, is_last) {
                let time = **time;
                return self.method(time, name, rest, dot, last);
            }
            let has_arguments = is_last && !(rest.is_empty() && last.is_none());
            (value, hidden) = self.field(&value, name, hidden, has_arguments)?;
        }
        Ok(value)
    }

    fn variable(&self, name: &str) -> Value {
        let mut known = self.variables.iter().rev();
        known
            .find(|(other, _)| *other == name)
            .map_or(Value::None, |(_, value)| value.clone())
    }

    fn field(
        &self,
        value: &Value,
        name: &str,
        hidden: bool,
        has_arguments: bool,
    ) -> Result<(Value, bool)> {
        let is_open = self.env.profile != Profile::V2_42;
        let found = match (value, name) {
            (Value::None, _) => return Ok((Value::None, false)),
            (Value::Labels(labels), _) => {
                // A label that is not there is empty.
                let value = Value::from(labels.get(name).unwrap_or_default());
                Some((value, false))
            }
            (Value::Args(args), _) => {
                let value = args.get(name).cloned().unwrap_or(Value::None);
                Some((value, true))
            }
            (Value::Data(root), "Labels") => Some((Value::Labels(root.labels.clone()), false)),
            (Value::Data(root), "ExternalLabels") => {
                Some((Value::Labels(root.external_labels.clone()), false))
            }
            (Value::Data(root), "ExternalURL") => {
                Some((Value::from(root.external_url.as_str()), false))
            }
            (Value::Data(root), "Value") => Some((Value::Float(root.value), is_open)),
            (Value::Sample(sample), "Labels") => {
                Some((Value::Labels(sample.labels.clone()), false))
            }
            (Value::Sample(sample), "Value") => Some((Value::Float(sample.value), is_open)),
            _ => None,
        };
        match (found, value) {
            (Some(_), Value::Labels(_) | Value::Args(_)) if has_arguments => {
                self.fail(format!("{name} is not a method but has arguments"))
            }
            (Some(_), _) if has_arguments => self.fail(format!(
                "{name} has arguments but cannot be invoked as function"
            )),
            (Some(found), _) => Ok(found),
            (None, _) => {
                let type_name = if hidden {
                    "interface {}"
                } else {
                    value.type_name()
                };
                self.fail(format!("can't evaluate field {name} in type {type_name}"))
            }
        }
    }

    fn method(
        &mut self,
        time: Time,
        name: &str,
        rest: &'t [Operand],
        dot: &Value,
        last: Option<Value>,
    ) -> Result<Value> {
        let mut args = Vec::new();
        for operand in rest {
            args.push(self.argument(operand, Param::Text, dot)?);
        }
        args.extend(last);
        match time.method(name, &args) {
            Some(Ok(value)) => Ok(value),
            Some(Err(message)) => self.fail(message),
            None => self.fail(format!("can't evaluate field {name} in type *time.Time")),
        }
    }

    fn invoke(
        &mut self,
        function: &'static Function,
        at: At<'t>,
        rest: &'t [Operand],
        dot: &Value,
        last: Option<Value>,
    ) -> Result<Value> {
        let count = rest.len() + usize::from(last.is_some());
        let wanted = function.params.len();
        if count < wanted || (count > wanted && function.more.is_none()) {
            let bound = if function.more.is_some() {
                "at least "
            } else {
                ""
            };
            // Go forgets the piped value here where the function takes any number.
            let got = if function.more.is_some() {
                rest.len()
            } else {
                count
            };
            return self.fail(format!(
                "wrong number of args for {}: want {bound}{wanted} got {got}",
                function.name
            ));
        }
        let param = |index: usize| {
            let fixed = function.params.get(index).copied();
            fixed.or(function.more).unwrap_or(Param::Any)
        };
        if let Some(decides) = function.short_circuit {
            return self.short_circuit(decides, rest, dot, last);
        }
        let mut args = Vec::with_capacity(count);
        for (index, operand) in rest.iter().enumerate() {
            args.push(self.argument(operand, param(index), dot)?);
        }
        if let Some(last) = last {
            let last = self.checked(last, param(count - 1))?;
            args.push(last);
        }
        let bytes: usize = args.iter().map(size).sum();
        self.spend(bytes + function.cost * 16)?;
        match (function.call)(&mut self.env, &args) {
            Ok(value) if size(&value) > MAX_TEXT_BYTES => {
                self.at = at;
                self.fail(format!("the text is longer than {MAX_TEXT_BYTES} bytes"))
            }
            Ok(value) => {
                self.spend(size(&value))?;
                Ok(value)
            }
            Err(message) => {
                self.at = at;
                self.fail(format!("error calling {}: {message}", function.name))
            }
        }
    }

    /// `and` and `or` look no further than the argument that decides.
    fn short_circuit(
        &mut self,
        decides: bool,
        rest: &'t [Operand],
        dot: &Value,
        last: Option<Value>,
    ) -> Result<Value> {
        let mut value = Value::None;
        for operand in rest {
            value = self.argument(operand, Param::Any, dot)?;
            if value.truth() == decides {
                return Ok(value);
            }
        }
        Ok(last.unwrap_or(value))
    }

    fn argument(&mut self, operand: &'t Operand, param: Param, dot: &Value) -> Result<Value> {
        self.spend(0)?;
        self.at = At::Operand(operand);
        let value = match &operand.kind {
            OperandKind::Dot => dot.clone(),
            OperandKind::Nil if matches!(param, Param::Text) => {
                return self.fail("cannot assign nil to string");
            }
            OperandKind::Nil => return Ok(Value::None),
            OperandKind::Field(_) | OperandKind::Variable(_) | OperandKind::Chain(..) => {
                self.read(operand, dot, &[], None)?
            }
            OperandKind::Pipe(pipe) => self.pipe(pipe, dot)?,
            OperandKind::Function(name) => {
                let function = self.function(name)?;
                self.invoke(function, At::Operand(operand), &[], dot, None)?
            }
            OperandKind::Bool(_) | OperandKind::Number(_) | OperandKind::Text { .. } => {
                return self.constant(operand, param, dot);
            }
        };
        self.checked(value, param)
    }

    fn constant(&mut self, operand: &'t Operand, param: Param, dot: &Value) -> Result<Value> {
        match (param, &operand.kind) {
            (Param::Any, _) | (Param::Text, OperandKind::Text { .. }) => Ok(literal(operand, dot)),
            (Param::Text, _) => self.fail(format!("expected string; found {operand}")),
            (Param::Sample | Param::Vector, _) => self.fail(format!(
                "can't handle {operand} for arg of type {}",
                param.type_name()
            )),
        }
    }

    /// Says whether a value fits where it goes.
    fn checked(&self, value: Value, param: Param) -> Result<Value> {
        match (param, &value) {
            (Param::Any, _)
            | (Param::Text, Value::Text(_))
            | (Param::Sample, Value::Sample(_) | Value::None)
            | (Param::Vector, Value::Vector(_) | Value::None) => Ok(value),
            (Param::Text, Value::None) => self.fail("invalid value; expected string"),
            _ => self.fail(format!(
                "wrong type for value; expected {}; got {}",
                param.type_name(),
                value.type_name()
            )),
        }
    }
}

/// Returns a value that stands in the template.
fn literal(operand: &Operand, dot: &Value) -> Value {
    match &operand.kind {
        OperandKind::Dot => dot.clone(),
        OperandKind::Bool(value) => Value::Bool(*value),
        OperandKind::Number(number) => ideal(number),
        OperandKind::Text { value, .. } => Value::from(value.as_str()),
        _ => Value::None,
    }
}

/// A number without a type is whole unless it is written otherwise.
fn ideal(number: &Number) -> Value {
    let is_float = number.int.is_none()
        || (!number.is_char
            && number.written.contains(['.', 'e', 'E', 'p', 'P'])
            && !number.written.to_ascii_lowercase().contains("0x"));
    match (is_float, number.int, number.float) {
        (false, Some(int), _) => Value::Int(int),
        (_, _, Some(float)) => Value::Float(float),
        (_, int, None) => Value::Int(int.unwrap_or(0)),
    }
}

fn size(value: &Value) -> usize {
    match value {
        Value::Text(text) | Value::Html(text) => text.len(),
        Value::Args(args) => args.values().map(size).sum(),
        Value::Labels(labels) => labels.len() * 16,
        _ => 0,
    }
}
