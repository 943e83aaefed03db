//! The `fault:` part of a step: what is sent to the control API, and `load:` as sugar for it.

use fault::{FaultBody, Share};
use promql::yaml::decode::{Item, Problem, Problems};
use promql::yaml::{Node, Place, Yaml};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

/// A fault, as the fault model reads it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Injection {
    body: FaultBody,
}

impl Injection {
    /// Returns what is sent inside `fault`.
    pub fn body(&self) -> &FaultBody {
        &self.body
    }

    /// Returns the kind, such as `error`.
    pub fn kind(&self) -> &'static str {
        self.body.kind().name()
    }

    /// Returns the service it is aimed at.
    pub fn service(&self) -> Option<&str> {
        self.body.scope.service.as_deref()
    }

    /// Returns a few words, such as "error 503 50% on payments".
    pub fn summary(&self) -> String {
        let wire = self.body.to_value();
        let mut words = vec![self.kind().to_owned()];
        for (field, before, after) in [
            ("status", "", ""),
            ("mode", "", ""),
            ("delay", "", ""),
            ("factor", "×", ""),
            ("rate", "", "/s"),
        ] {
            match wire.get(field) {
                Some(Value::String(text)) => words.push(format!("{before}{text}{after}")),
                Some(Value::Number(number)) => {
                    let number = crate::number(number.as_f64().unwrap_or_default());
                    words.push(format!("{before}{number}{after}"));
                }
                _ => {}
            }
        }
        if self.body.share != Share::ALL {
            words.push(self.body.share.to_string());
        }
        let scope = &self.body.scope;
        let scope = [&scope.service, &scope.method, &scope.route];
        let scope: Vec<&str> = scope.into_iter().flatten().map(String::as_str).collect();
        if !scope.is_empty() {
            words.push(format!("on {}", scope.join(" ")));
        }
        words.join(" ")
    }
}

/// Decodes what stands inside `fault:`. The fault model judges it, as it judges requests.
pub(super) fn fault(item: &Item<'_>, problems: &mut Problems) -> Option<Injection> {
    item.fields(problems)?;
    decode(&to_json(item.node), item, problems)
}

fn decode(body: &Value, item: &Item<'_>, problems: &mut Problems) -> Option<Injection> {
    match FaultBody::decode(body) {
        Ok(body) => Some(Injection { body }),
        Err(errors) => {
            for error in errors {
                let (place, path) = locate(item, &error.field);
                problems.push(Problem {
                    place,
                    path,
                    message: error.message,
                    help: error.help,
                });
            }
            None
        }
    }
}

/// Decodes `load: { users | rate | factor }` into a traffic fault. A user makes one journey a
/// second.
pub(super) fn load(item: &Item<'_>, problems: &mut Problems) -> Option<Injection> {
    let mut given = item.fields(problems)?;
    let mut found: Vec<(&str, Item<'_>)> = Vec::new();
    for name in ["users", "rate", "factor"] {
        if let Some(item) = given.take(name) {
            found.push((name, item));
        }
    }
    given.finish(problems);
    match found.as_slice() {
        [(name, value)] => {
            let number = value.number(problems)?;
            let field = if *name == "factor" { "factor" } else { "rate" };
            match FaultBody::decode(&json!({ "kind": "surge", field: number })) {
                Ok(body) => Some(Injection { body }),
                Err(errors) => {
                    for error in errors {
                        problems.at(value, error.message);
                    }
                    None
                }
            }
        }
        [] => {
            problems.at(item, "load needs one of users, rate, factor");
            None
        }
        [_, (_, extra), ..] => {
            problems.at(
                extra,
                "load has several of users, rate, factor; it can have one",
            );
            None
        }
    }
}

/// Converts a node into what the control API would get. Keys stay in the order of the file.
fn to_json(node: &Node) -> Value {
    match &node.value {
        Yaml::Null => Value::Null,
        Yaml::Bool(value) => Value::Bool(*value),
        Yaml::Int(value) => json!(value),
        Yaml::Float(value) => json!(value),
        Yaml::Str(text) => Value::String(text.clone()),
        Yaml::Seq(items) => Value::Array(items.iter().map(to_json).collect()),
        Yaml::Map(entries) => Value::Object(
            entries
                .iter()
                .map(|(key, value)| (key.text.clone(), to_json(value)))
                .collect::<Map<_, _>>(),
        ),
    }
}

/// Finds the place of a field such as `where.service`; the nearest parent when it is absent.
fn locate(item: &Item<'_>, field: &str) -> (Place, String) {
    let mut node = item.node;
    let mut place = node.place;
    for part in field.split('.').filter(|part| !part.is_empty()) {
        let Yaml::Map(entries) = &node.value else {
            break;
        };
        let Some((key, child)) = entries.iter().find(|(key, _)| key.text == part) else {
            break;
        };
        // The value is the place of a wrong value; the key is all there is of a wrong field.
        place = match child.value {
            Yaml::Null | Yaml::Seq(_) | Yaml::Map(_) => key.place,
            _ => child.place,
        };
        node = child;
    }
    let path = if field.is_empty() {
        item.path.clone()
    } else {
        format!("{}.{field}", item.path)
    };
    (place, path)
}
