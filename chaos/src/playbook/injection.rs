//! The `fault:` part of a step: what is sent to the control API, and `load:` as sugar for it.

use promql::yaml::decode::{Item, Problems};
use promql::yaml::{Node, Yaml};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

/// A fault as it goes over the wire.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Injection {
    /// The fault kind, such as `error`.
    pub kind: String,
    /// The service it is aimed at; none for traffic and for faults of a whole process.
    pub service: Option<String>,
    /// The object that stands inside `fault` in the request.
    pub body: Value,
}

impl Injection {
    /// Returns a few words, such as "error 503 50% on payments".
    pub fn summary(&self) -> String {
        let mut words = vec![self.kind.clone()];
        for field in ["status", "mode", "delay", "factor", "rate", "share"] {
            match self.body.get(field) {
                Some(Value::String(text)) => words.push(text.clone()),
                Some(Value::Number(number)) if field == "factor" => {
                    words.push(format!("×{number}"))
                }
                Some(Value::Number(number)) if field == "rate" => words.push(format!("{number}/s")),
                Some(other) => words.push(other.to_string()),
                None => {}
            }
        }
        let scope = self.body.get("where");
        let part = |name| scope.and_then(|s| s.get(name)).and_then(Value::as_str);
        let scope: Vec<&str> = ["service", "method", "route"]
            .into_iter()
            .filter_map(part)
            .collect();
        if !scope.is_empty() {
            words.push(format!("on {}", scope.join(" ")));
        }
        words.join(" ")
    }
}

/// Decodes what stands inside `fault:`. The fault model checks it, as it checks requests.
pub(super) fn fault(item: &Item<'_>, problems: &mut Problems) -> Option<Injection> {
    item.fields(problems)?;
    let body = to_json(item.node);
    // The fault model checks the parameters once its crate can; until then only the kind.
    if body.get("kind").and_then(Value::as_str).is_none() {
        problems.at(item, "the field `kind` is missing");
        return None;
    }
    injection(body)
}

fn injection(body: Value) -> Option<Injection> {
    let kind = body.get("kind")?.as_str()?.to_owned();
    let service = body
        .get("where")
        .and_then(|scope| scope.get("service"))
        .and_then(Value::as_str)
        .map(str::to_owned);
    Some(Injection {
        kind,
        service,
        body,
    })
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
            if !number.is_finite() || number <= 0.0 {
                problems.at(value, format!("{name} must be more than zero"));
                return None;
            }
            let field = if *name == "factor" { "factor" } else { "rate" };
            injection(json!({ "kind": "surge", field: number }))
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
