//! Expands nodes.

use super::format::go_value;
use super::{Data, Expr, Node, Variable};
use crate::labels::Labels;

/// A value inside a template.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    Text(String),
    Float(f64),
    Int(i64),
    Bool(bool),
    Labels(Labels),
    Dot,
}

impl Value {
    /// Writes the value the way Go prints it.
    pub(super) fn print(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Float(value) => go_value(*value),
            Self::Int(value) => value.to_string(),
            Self::Bool(value) => value.to_string(),
            Self::Labels(labels) => {
                let pairs: Vec<String> = labels
                    .iter()
                    .map(|(name, value)| format!("{name}:{value}"))
                    .collect();
                format!("map[{}]", pairs.join(" "))
            }
            Self::Dot => "{}".to_owned(),
        }
    }

    /// Says whether a condition holds: anything but zero, nothing and false.
    pub(super) fn truth(&self) -> bool {
        match self {
            Self::Text(text) => !text.is_empty(),
            Self::Float(value) => *value != 0.0,
            Self::Int(value) => *value != 0,
            Self::Bool(value) => *value,
            Self::Labels(labels) => !labels.is_empty(),
            Self::Dot => true,
        }
    }
}

pub(super) fn expand(nodes: &[Node], data: &Data<'_>) -> Result<String, String> {
    let mut out = String::new();
    write_nodes(nodes, data, &mut out)?;
    Ok(out)
}

fn write_nodes(nodes: &[Node], data: &Data<'_>, out: &mut String) -> Result<(), String> {
    for node in nodes {
        match node {
            Node::Text(text) => out.push_str(text),
            Node::Action(expr) => out.push_str(&eval(expr, data)?.print()),
            Node::If { arms, otherwise } => {
                let mut chosen = otherwise;
                for (condition, nodes) in arms {
                    if eval(condition, data)?.truth() {
                        chosen = nodes;
                        break;
                    }
                }
                write_nodes(chosen, data, out)?;
            }
        }
    }
    Ok(())
}

fn eval(expr: &Expr, data: &Data<'_>) -> Result<Value, String> {
    Ok(match expr {
        Expr::Dot => Value::Dot,
        Expr::Text(text) => Value::Text(text.clone()),
        Expr::Int(value) => Value::Int(*value),
        Expr::Float(value) => Value::Float(*value),
        Expr::Bool(value) => Value::Bool(*value),
        Expr::Variable(variable) => read(*variable, data),
        Expr::Field(base, name) => match eval(base, data)? {
            Value::Dot => match name.as_str() {
                "Labels" => read(Variable::Labels, data),
                "Value" => read(Variable::Value, data),
                "ExternalLabels" => read(Variable::ExternalLabels, data),
                "ExternalURL" => read(Variable::ExternalUrl, data),
                _ => return Err(format!("can't evaluate field {name}")),
            },
            // A label that is not there is empty.
            Value::Labels(labels) => Value::Text(labels.get(name).unwrap_or_default().to_owned()),
            other => {
                return Err(format!(
                    "can't evaluate field {name} of {:?}",
                    other.print()
                ));
            }
        },
        Expr::Call(name, args) => {
            let args = args
                .iter()
                .map(|arg| eval(arg, data))
                .collect::<Result<Vec<_>, _>>()?;
            name.call(&args)
                .map_err(|error| format!("error calling {}: {error}", name.text()))?
        }
    })
}

fn read(variable: Variable, data: &Data<'_>) -> Value {
    match variable {
        Variable::Labels => Value::Labels(data.labels.clone()),
        Variable::Value => Value::Float(data.value),
        Variable::ExternalLabels => Value::Labels(data.external_labels.clone()),
        Variable::ExternalUrl => Value::Text(data.external_url.to_owned()),
    }
}
