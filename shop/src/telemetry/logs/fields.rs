//! The fields of one event, written as they come: JSON members, or text for people.

use std::{cell::RefCell, fmt::Write as _};

use opentelemetry::{Key, logs::AnyValue};
use tracing::field::{Field, Visit};

use super::LOAD_SERVICE;
use crate::config::Role;

/// How fields are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Form {
    /// `,"name":value` each.
    #[default]
    Json,
    /// ` name=value` each.
    Human,
}

/// Scratch space of a line; reused by its thread.
#[derive(Debug, Default)]
pub(super) struct Fields {
    pub(super) form: Form,
    pub(super) message: String,
    pub(super) service: Option<&'static str>,
    /// Every other field, in its form.
    pub(super) rest: String,
    /// Every other field as an attribute, when lines are exported.
    pub(super) attributes: Option<Vec<(Key, AnyValue)>>,
    pub(super) line: String,
    scratch: String,
}

thread_local! {
    static FIELDS: RefCell<Fields> = RefCell::default();
}

/// Lends the thread's scratch space, emptied.
pub(super) fn lend(form: Form, exported: bool, work: impl FnOnce(&mut Fields)) {
    // A field that logs while it is formatted gets a space of its own.
    let mut fields = FIELDS.try_with(RefCell::take).unwrap_or_default();
    fields.form = form;
    fields.message.clear();
    fields.service = None;
    fields.rest.clear();
    fields.line.clear();
    fields.attributes = exported.then(|| Vec::with_capacity(8));
    work(&mut fields);
    let _ = FIELDS.try_with(|own| own.replace(fields));
}

impl Fields {
    fn text(&mut self, field: &Field, text: &str) {
        match field.name() {
            "message" => self.message.push_str(text),
            "service" => self.service = known_service(text),
            name => {
                self.name(name);
                match self.form {
                    Form::Json => push_json(&mut self.rest, text),
                    Form::Human => self.rest.push_str(text),
                }
                self.attribute(name, || text.to_owned().into());
            }
        }
    }

    fn plain(
        &mut self,
        field: &Field,
        value: impl std::fmt::Display,
        any: impl FnOnce() -> AnyValue,
    ) {
        self.name(field.name());
        // Writing to a String cannot fail.
        let _ = write!(self.rest, "{value}");
        self.attribute(field.name(), any);
    }

    fn name(&mut self, name: &str) {
        match self.form {
            Form::Json => {
                self.rest.push(',');
                push_json(&mut self.rest, name);
                self.rest.push(':');
            }
            Form::Human => {
                self.rest.push(' ');
                self.rest.push_str(name);
                self.rest.push('=');
            }
        }
    }

    fn attribute(&mut self, name: &'static str, any: impl FnOnce() -> AnyValue) {
        if let Some(attributes) = &mut self.attributes {
            attributes.push((Key::from_static_str(name), any()));
        }
    }
}

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        let mut text = std::mem::take(&mut self.scratch);
        text.clear();
        let _ = write!(text, "{value:?}");
        self.text(field, &text);
        self.scratch = text;
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.text(field, value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.plain(field, value, || value.into());
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.plain(field, value, || {
            i64::try_from(value).map_or_else(|_| value.to_string().into(), AnyValue::from)
        });
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.plain(field, value, || value.into());
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        // JSON has no infinity.
        if value.is_finite() {
            self.plain(field, value, || value.into());
        } else {
            self.text(field, &value.to_string());
        }
    }
}

/// Finds the service that a span names, and formats nothing else.
#[derive(Debug, Default)]
pub(super) struct ServiceOnly(pub(super) Option<&'static str>);

impl Visit for ServiceOnly {
    fn record_debug(&mut self, _: &Field, _: &dyn std::fmt::Debug) {}

    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "service" {
            self.0 = known_service(value);
        }
    }
}

fn known_service(name: &str) -> Option<&'static str> {
    let roles = Role::ALL.into_iter().map(Role::name);
    roles.chain([LOAD_SERVICE]).find(|known| *known == name)
}

/// Appends `text` as a JSON string.
pub(super) fn push_json(line: &mut String, text: &str) {
    let plain = |byte: u8| byte >= 0x20 && byte != b'"' && byte != b'\\';
    if text.bytes().all(plain) {
        line.push('"');
        line.push_str(text);
        line.push('"');
        return;
    }
    match serde_json::to_string(text) {
        Ok(quoted) => line.push_str(&quoted),
        Err(_) => line.push_str("\"\""),
    }
}

#[cfg(test)]
mod tests {
    use super::push_json;

    #[test]
    fn text_of_any_kind_is_a_json_string() {
        for text in ["plain", "a \"b\" \\ c", "line\nbreak", "\u{7f}ü\u{0}", ""] {
            let mut line = String::new();
            push_json(&mut line, text);
            assert_eq!(serde_json::from_str::<String>(&line).unwrap(), text);
        }
    }
}
