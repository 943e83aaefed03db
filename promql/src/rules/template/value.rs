//! Values inside a template, and how Go prints them.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::rc::Rc;

use super::number::shortest;
use super::time::Time;
use crate::labels::Labels;

/// One element that a query returned.
#[derive(Debug)]
pub(super) struct Sample {
    pub(super) labels: Labels,
    pub(super) value: f64,
}

/// What a query returned; sorting it changes it for all who hold it.
pub(super) type Vector = Rc<RefCell<Vec<Rc<Sample>>>>;

/// A value inside a template. Cloning is cheap.
#[derive(Debug, Clone)]
pub(super) enum Value {
    /// What is not there; `nil` too.
    None,
    Text(Rc<str>),
    /// What `safeHtml` returns: no text to functions that want one.
    Html(Rc<str>),
    Float(f64),
    Int(i64),
    /// What `index` takes out of a text.
    Byte(u8),
    Bool(bool),
    Labels(Labels),
    /// What `args` returns.
    Args(Rc<BTreeMap<String, Value>>),
    Sample(Rc<Sample>),
    Vector(Vector),
    Time(Rc<Time>),
    /// The dot of a template.
    Data(Rc<Root>),
}

/// The dot at the start.
#[derive(Debug)]
pub(super) struct Root {
    pub(super) labels: Labels,
    pub(super) external_labels: Labels,
    pub(super) external_url: String,
    pub(super) value: f64,
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text.into())
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.into())
    }
}

impl Value {
    /// Returns the name of the value's type in Go.
    pub(super) fn type_name(&self) -> &'static str {
        match self {
            Self::None => "<nil>",
            Self::Text(_) => "string",
            Self::Html(_) => "template.HTML",
            Self::Float(_) => "float64",
            Self::Int(_) => "int",
            Self::Byte(_) => "uint8",
            Self::Bool(_) => "bool",
            Self::Labels(_) => "map[string]string",
            Self::Args(_) => "map[string]interface {}",
            Self::Sample(_) => "*template.sample",
            Self::Vector(_) => "template.queryResult",
            Self::Time(_) => "*time.Time",
            Self::Data(_) => {
                "struct { Labels map[string]string; ExternalLabels map[string]string; ExternalURL \
                 string; Value interface {} }"
            }
        }
    }

    /// Returns the name of the type behind pointers.
    pub(super) fn pointed_type_name(&self) -> &'static str {
        self.type_name().trim_start_matches('*')
    }

    /// Says whether a condition holds: anything but zero, nothing and false.
    pub(super) fn truth(&self) -> bool {
        match self {
            Self::None => false,
            Self::Text(text) | Self::Html(text) => !text.is_empty(),
            Self::Float(value) => *value != 0.0,
            Self::Int(value) => *value != 0,
            Self::Byte(value) => *value != 0,
            Self::Bool(value) => *value,
            Self::Labels(labels) => !labels.is_empty(),
            Self::Args(args) => !args.is_empty(),
            Self::Vector(vector) => !vector.borrow().is_empty(),
            Self::Sample(_) | Self::Time(_) | Self::Data(_) => true,
        }
    }

    /// Writes the value the way an action prints it.
    pub(super) fn printed(&self) -> String {
        match self {
            Self::None => "<no value>".to_owned(),
            Self::Sample(sample) => sample_text(sample),
            other => other.formatted(),
        }
    }

    /// Writes the value the way `%v` does.
    pub(super) fn formatted(&self) -> String {
        match self {
            Self::None => "<nil>".to_owned(),
            Self::Text(text) | Self::Html(text) => text.to_string(),
            Self::Float(value) => shortest(*value),
            Self::Int(value) => value.to_string(),
            Self::Byte(value) => value.to_string(),
            Self::Bool(value) => value.to_string(),
            Self::Labels(labels) => labels_text(labels),
            Self::Args(args) => {
                let pairs: Vec<String> = args
                    .iter()
                    .map(|(name, value)| format!("{name}:{}", value.formatted()))
                    .collect();
                format!("map[{}]", pairs.join(" "))
            }
            Self::Sample(sample) => format!("&{}", sample_text(sample)),
            Self::Vector(vector) => {
                let samples: Vec<String> = vector
                    .borrow()
                    .iter()
                    .map(|sample| format!("&{}", sample_text(sample)))
                    .collect();
                format!("[{}]", samples.join(" "))
            }
            Self::Time(time) => time.to_string(),
            Self::Data(root) => format!(
                "{{{} {} {} {}}}",
                labels_text(&root.labels),
                labels_text(&root.external_labels),
                root.external_url,
                shortest(root.value)
            ),
        }
    }
}

/// Joins values as Go's `Sprint`: a space between two that are both no text.
pub(super) fn sprint(values: &[Value]) -> String {
    joined(values, Value::formatted)
}

/// Joins values as [`sprint`] does, each as an action prints it.
pub(super) fn sprint_printed(values: &[Value]) -> String {
    joined(values, Value::printed)
}

fn joined(values: &[Value], write: fn(&Value) -> String) -> String {
    let mut out = String::new();
    let is_text = |value: &Value| matches!(value, Value::Text(_) | Value::Html(_));
    for (index, value) in values.iter().enumerate() {
        if index > 0 && !is_text(value) && !is_text(&values[index - 1]) {
            out.push(' ');
        }
        out.push_str(&write(value));
    }
    out
}

fn sample_text(sample: &Sample) -> String {
    format!(
        "{{{} {}}}",
        labels_text(&sample.labels),
        shortest(sample.value)
    )
}

fn labels_text(labels: &Labels) -> String {
    let mut out = "map[".to_owned();
    for (index, (name, value)) in labels.iter().enumerate() {
        let space = if index == 0 { "" } else { " " };
        let _ = write!(out, "{space}{name}:{value}");
    }
    out.push(']');
    out
}
