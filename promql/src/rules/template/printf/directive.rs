//! One value as a directive such as `%-6.2f` writes it.

use std::fmt::Write as _;

use super::super::number::{binary, exponent_form, general, hexadecimal, shortest, special};
use super::super::value::Value;
use crate::labels::Labels;

#[expect(
    clippy::struct_excessive_bools,
    reason = "the five flags of the language, each on or off"
)]
#[derive(Default)]
pub(super) struct Directive {
    pub(super) left: bool,
    pub(super) plus: bool,
    pub(super) space: bool,
    pub(super) sharp: bool,
    pub(super) zero: bool,
    pub(super) width: Option<usize>,
    pub(super) precision: Option<usize>,
}

impl Directive {
    pub(super) fn written(&self, verb: char, arg: &Value) -> String {
        if let Some(text) = self.formatted(verb, arg) {
            return text;
        }
        // A verb that does not fit is shown with the value, formatted all the same.
        let shown = self.formatted('v', arg).unwrap_or_default();
        format!("%!{verb}({}={shown})", arg.type_name())
    }

    fn formatted(&self, verb: char, arg: &Value) -> Option<String> {
        match (verb, arg) {
            ('T', arg) => Some(self.pad(arg.type_name().to_owned())),
            ('v', Value::None) => Some(self.pad("<nil>".to_owned())),
            (_, Value::None) => Some(format!("%!{verb}(<nil>)")),
            (_, Value::Text(text) | Value::Html(text)) => self.text(verb, text),
            (_, Value::Float(value)) => self.float(verb, *value),
            (_, Value::Int(value)) => self.int(verb, *value),
            (_, Value::Byte(value)) => self.int(verb, i64::from(*value)),
            ('t' | 'v', Value::Bool(value)) => Some(self.pad(value.to_string())),
            (_, Value::Bool(_)) => None,
            ('d', Value::Time(time)) => {
                let (nanoseconds, seconds) = time.fields();
                let int = |value| self.int(verb, value).unwrap_or_default();
                Some(format!(
                    "&{{{} {} {}}}",
                    int(nanoseconds),
                    int(seconds),
                    int(0)
                ))
            }
            (_, Value::Time(time)) => self.text(verb, &time.to_string()),
            (verb, arg) => Some(self.composed(verb, arg)),
        }
    }

    /// Writes what is made of values; the verb and its flags go to each of them.
    fn composed(&self, verb: char, arg: &Value) -> String {
        let text = |text: &str| self.written(verb, &Value::from(text));
        let map = |labels: &Labels| {
            let pairs = labels.iter();
            let pairs = pairs.map(|(name, value)| format!("{}:{}", text(name), text(value)));
            format!("map[{}]", pairs.collect::<Vec<_>>().join(" "))
        };
        let float = |value: f64| self.written(verb, &Value::Float(value));
        match arg {
            Value::Labels(labels) => map(labels),
            Value::Sample(sample) => {
                format!("&{{{} {}}}", map(&sample.labels), float(sample.value))
            }
            Value::Args(args) => {
                let pairs = args.iter();
                let pairs = pairs
                    .map(|(name, value)| format!("{}:{}", text(name), self.written(verb, value)));
                format!("map[{}]", pairs.collect::<Vec<_>>().join(" "))
            }
            Value::Data(root) => format!(
                "{{{} {} {} {}}}",
                map(&root.labels),
                map(&root.external_labels),
                text(&root.external_url),
                float(root.value)
            ),
            other => other.formatted(),
        }
    }

    fn pad(&self, text: String) -> String {
        let missing = self.missing(&text);
        if self.left {
            return text + &" ".repeat(missing);
        }
        let fill = if self.zero { "0" } else { " " };
        fill.repeat(missing) + &text
    }

    fn missing(&self, text: &str) -> usize {
        self.width.unwrap_or(0).saturating_sub(text.chars().count())
    }

    fn text(&self, verb: char, text: &str) -> Option<String> {
        let cut: String = match self.precision {
            Some(most) => text.chars().take(most).collect(),
            None => text.to_owned(),
        };
        match verb {
            's' | 'v' => Some(self.pad(cut)),
            'q' if self.sharp && !cut.contains('`') && !cut.contains(char::is_control) => {
                Some(self.pad(format!("`{cut}`")))
            }
            'q' => Some(self.pad(quoted(&cut, '"'))),
            'x' | 'X' => {
                let most = self.precision.unwrap_or(usize::MAX);
                let separator = if self.space { " " } else { "" };
                let bytes: Vec<String> = text
                    .bytes()
                    .take(most)
                    .map(|byte| match verb {
                        'x' => format!("{byte:02x}"),
                        _ => format!("{byte:02X}"),
                    })
                    .collect();
                let prefix = if self.sharp && !bytes.is_empty() {
                    if verb == 'x' { "0x" } else { "0X" }
                } else {
                    ""
                };
                Some(self.pad(prefix.to_owned() + &bytes.join(separator)))
            }
            _ => None,
        }
    }

    fn float(&self, verb: char, value: f64) -> Option<String> {
        let finite = special(value).is_none();
        let body = match (verb, special(value)) {
            ('e' | 'E' | 'f' | 'F' | 'g' | 'G' | 'v' | 'x' | 'X' | 'b', Some(text)) => {
                text.to_owned()
            }
            ('x' | 'X', None) => hexadecimal(value, self.precision),
            ('b', None) => binary(value),
            ('e' | 'E', None) => {
                exponent_form(&format!("{value:.*e}", self.precision.unwrap_or(6)))
            }
            ('f' | 'F', None) => format!("{value:.*}", self.precision.unwrap_or(6)),
            ('g' | 'G' | 'v', None) => match self.precision {
                Some(digits) => general(value, digits),
                None => shortest(value),
            },
            _ => return None,
        };
        let body = if matches!(verb, 'E' | 'G' | 'X') && finite {
            body.to_uppercase()
        } else {
            body
        };
        let body = if value.is_nan() || (value > 0.0 && !finite) {
            body.trim_start_matches('+').to_owned()
        } else {
            body
        };
        // An infinite value has a sign, and is not filled up with zeros.
        let signed = self.signed(body, verb != 'v' || !self.sharp);
        let signed = if value == f64::INFINITY && !signed.starts_with([' ', '+']) {
            format!("+{signed}")
        } else {
            signed
        };
        Some(self.pad_number(signed, self.zero && finite))
    }

    fn int(&self, verb: char, value: i64) -> Option<String> {
        let digits = value.unsigned_abs();
        let prefix = |text: &'static str| if self.sharp { text } else { "" };
        let (prefix, digits) = match verb {
            'd' | 'v' => ("", digits.to_string()),
            'b' => (prefix("0b"), format!("{digits:b}")),
            'o' => (prefix("0"), format!("{digits:o}")),
            'O' => ("0o", format!("{digits:o}")),
            'x' => (prefix("0x"), format!("{digits:x}")),
            'X' => (prefix("0X"), format!("{digits:X}")),
            'c' => return Some(self.pad(character(value).to_string())),
            'q' => return Some(self.pad(quoted(&character(value).to_string(), '\''))),
            'U' => return Some(self.pad(format!("U+{digits:04X}"))),
            _ => return None,
        };
        if self.precision == Some(0) && value == 0 {
            return Some(" ".repeat(self.width.unwrap_or(0)));
        }
        let least = self.precision.unwrap_or(0);
        let zeros = "0".repeat(least.saturating_sub(digits.len()));
        let sign = if value < 0 { "-" } else { "" };
        let body = self.signed(format!("{sign}{prefix}{zeros}{digits}"), true);
        Some(self.pad_number(body, self.zero && self.precision.is_none()))
    }

    fn signed(&self, body: String, may_sign: bool) -> String {
        if body.starts_with('-') || !may_sign {
            return body;
        }
        match (self.plus, self.space) {
            (true, _) => format!("+{body}"),
            (false, true) => format!(" {body}"),
            (false, false) => body,
        }
    }

    /// Fills up with zeros behind the sign, or with spaces.
    fn pad_number(&self, mut body: String, with_zeros: bool) -> String {
        let missing = self.missing(&body);
        if self.left {
            return body + &" ".repeat(missing);
        }
        if with_zeros {
            let at = usize::from(body.starts_with(['-', '+', ' ']));
            body.insert_str(at, &"0".repeat(missing));
            return body;
        }
        " ".repeat(missing) + &body
    }
}

fn character(value: i64) -> char {
    u32::try_from(value)
        .ok()
        .and_then(char::from_u32)
        .unwrap_or('\u{fffd}')
}

/// Quotes a text as Go's `%q`.
fn quoted(text: &str, quote: char) -> String {
    let mut out = String::from(quote);
    for c in text.chars() {
        match c {
            '\u{7}' => out.push_str("\\a"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{b}' => out.push_str("\\v"),
            '\\' => out.push_str("\\\\"),
            c if c == quote => {
                out.push('\\');
                out.push(c);
            }
            c if u32::from(c) < 0x20 || c == '\u{7f}' => {
                let _ = write!(out, "\\x{:02x}", u32::from(c));
            }
            c if c.is_control() => {
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push(quote);
    out
}
