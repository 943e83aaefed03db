//! From a JSON object to checked values, with every problem found in one pass.
//!
//! A decoder takes the fields it knows and reports the rest as unknown, with a suggestion. A wrong
//! field is reported and decoding goes on, so that a person mends a playbook in one round.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::Share;

/// One field that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldError {
    /// The path of the field, such as `where.service`; empty for the object itself.
    pub field: String,
    /// What is wrong.
    pub message: String,
    /// What to do about it, when there is something better to say than the message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
}

impl fmt::Display for FieldError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.field.is_empty() {
            write!(f, "{}: ", self.field)?;
        }
        f.write_str(&self.message)?;
        match &self.help {
            Some(help) => write!(f, " (help: {help})"),
            None => Ok(()),
        }
    }
}

/// The fields of one object, and where their problems go.
pub(crate) struct Fields<'v, 'e> {
    map: &'v Map<String, Value>,
    prefix: String,
    known: Vec<&'static str>,
    errors: &'e mut Vec<FieldError>,
}

impl<'v, 'e> Fields<'v, 'e> {
    /// Opens `value`, whose own path is `prefix`; anything but an object is a problem.
    pub(crate) fn open(
        value: &'v Value,
        prefix: &str,
        errors: &'e mut Vec<FieldError>,
    ) -> Option<Self> {
        if let Value::Object(map) = value {
            return Some(Self {
                map,
                prefix: prefix.to_owned(),
                known: Vec::new(),
                errors,
            });
        }
        errors.push(FieldError {
            field: prefix.to_owned(),
            message: format!("expected an object, found {}", kind_of(value)),
            help: None,
        });
        None
    }

    /// Opens the object in field `name`.
    pub(crate) fn object(&mut self, name: &'static str) -> Option<Fields<'v, '_>> {
        let value = self.get(name)?;
        let path = self.path(name);
        Fields::open(value, &path, self.errors)
    }

    /// Returns the raw value of field `name`; absent and `null` are the same.
    pub(crate) fn get(&mut self, name: &'static str) -> Option<&'v Value> {
        self.known.push(name);
        self.map.get(name).filter(|value| !value.is_null())
    }

    /// Says whether the field is there, without taking it.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.map.get(name).is_some_and(|value| !value.is_null())
    }

    /// Reports a problem at field `name`.
    pub(crate) fn wrong(
        &mut self,
        name: &str,
        message: impl Into<String>,
        help: impl Into<Option<String>>,
    ) {
        let field = self.path(name);
        self.errors.push(FieldError {
            field,
            message: message.into(),
            help: help.into(),
        });
    }

    /// Returns the path of field `name`.
    pub(crate) fn path(&self, name: &str) -> String {
        match (self.prefix.is_empty(), name.is_empty()) {
            (true, _) => name.to_owned(),
            (false, true) => self.prefix.clone(),
            (false, false) => format!("{}.{name}", self.prefix),
        }
    }

    /// Reports the field as missing when it is, and returns what was read.
    pub(crate) fn required<T>(
        &mut self,
        name: &'static str,
        read: Option<T>,
        help: &str,
    ) -> Option<T> {
        if read.is_none() && !self.has(name) {
            self.wrong(name, "is missing", help.to_owned());
        }
        read
    }

    /// Returns a text without control characters.
    pub(crate) fn text(&mut self, name: &'static str) -> Option<String> {
        let value = self.get(name)?;
        let Value::String(text) = value else {
            self.wrong(
                name,
                format!("expected text, found {}", kind_of(value)),
                None,
            );
            return None;
        };
        if text.is_empty() || text.chars().any(char::is_control) {
            self.wrong(name, "must not be empty or hold control characters", None);
            return None;
        }
        Some(text.clone())
    }

    /// Returns a duration such as `800ms` or `1m 30s`.
    pub(crate) fn duration(&mut self, name: &'static str) -> Option<Duration> {
        let value = self.get(name)?;
        let Value::String(text) = value else {
            let help = match value {
                Value::Number(number) => {
                    Some(format!("write the unit: \"{number}s\" or \"{number}ms\""))
                }
                _ => None,
            };
            let found = kind_of(value);
            self.wrong(
                name,
                format!("expected a duration such as \"800ms\", found {found}"),
                help,
            );
            return None;
        };
        match humantime::parse_duration(text) {
            Ok(duration) => Some(duration),
            Err(error) => {
                self.wrong(
                    name,
                    format!("`{text}` is not a duration: {error}"),
                    "write it like \"800ms\", \"90s\" or \"1m 30s\"".to_owned(),
                );
                None
            }
        }
    }

    /// Returns a share: `50%`, `0.1%` or `0.5`.
    pub(crate) fn share(&mut self, name: &'static str) -> Option<Share> {
        let value = self.get(name)?;
        match Share::from_value(value) {
            Ok(share) => Some(share),
            Err(error) => {
                self.wrong(name, error.to_string(), error.help());
                None
            }
        }
    }

    /// Returns a finite number.
    pub(crate) fn number(&mut self, name: &'static str) -> Option<f64> {
        let value = self.get(name)?;
        let number = value.as_f64().filter(|number| number.is_finite());
        if number.is_none() {
            self.wrong(
                name,
                format!("expected a number, found {}", kind_of(value)),
                None,
            );
        }
        number
    }

    /// Returns a whole number of at least zero.
    pub(crate) fn unsigned(&mut self, name: &'static str) -> Option<u64> {
        let value = self.get(name)?;
        let number = value.as_u64();
        if number.is_none() {
            let found = kind_of(value);
            self.wrong(
                name,
                format!("expected a whole number of at least 0, found {found}"),
                None,
            );
        }
        number
    }

    /// Returns one of a closed set of words.
    pub(crate) fn one_of<T: Copy>(
        &mut self,
        name: &'static str,
        words: &[(&'static str, T)],
    ) -> Option<T> {
        let value = self.get(name)?;
        let text = value.as_str().unwrap_or_default();
        if let Some((_, found)) = words.iter().find(|(word, _)| *word == text) {
            return Some(*found);
        }
        let all: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
        let message = match value {
            Value::String(_) => format!("unknown {name} `{text}`"),
            other => format!("expected text, found {}", kind_of(other)),
        };
        let help = suggest(text, &all).map_or_else(
            || format!("one of {}", all.join(", ")),
            |near| format!("did you mean `{near}`?"),
        );
        self.wrong(name, message, help);
        None
    }

    /// Reports every field that nobody asked for.
    pub(crate) fn finish(self) {
        for key in self.map.keys() {
            if self.known.contains(&key.as_str()) {
                continue;
            }
            let help = suggest(key, &self.known).map_or_else(
                || format!("known here: {}", self.known.join(", ")),
                |near| format!("did you mean `{near}`?"),
            );
            self.errors.push(FieldError {
                field: self.path(key),
                message: format!("unknown field `{key}`"),
                help: Some(help),
            });
        }
    }
}

/// Returns the candidate that looks like a typing error of `word`.
pub(crate) fn suggest<'c>(word: &str, candidates: &[&'c str]) -> Option<&'c str> {
    candidates
        .iter()
        .map(|candidate| (strsim::jaro_winkler(word, candidate), *candidate))
        .filter(|(score, _)| *score >= 0.8)
        .max_by(|left, right| left.0.total_cmp(&right.0))
        .map(|(_, candidate)| candidate)
}

fn kind_of(value: &Value) -> String {
    match value {
        Value::Null => "nothing".to_owned(),
        Value::Bool(value) => format!("`{value}`"),
        Value::Number(number) => format!("the number {number}"),
        Value::String(text) => format!("the text {text:?}"),
        Value::Array(_) => "a list".to_owned(),
        Value::Object(_) => "an object".to_owned(),
    }
}
