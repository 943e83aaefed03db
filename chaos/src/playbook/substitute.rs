//! Variables: `${name}` in scalars of the tree, never in text that is parsed again.

use std::collections::BTreeMap;

use promql::yaml::decode::{Item, Problem, Problems, closest};
use promql::yaml::{Node, Place, Yaml};

/// The variables and the values a run uses, in the order of the file.
pub(super) type Used = Vec<(String, Yaml)>;

/// Returns the tree with all variables replaced, and the values used.
pub(super) fn apply(
    root: &Node,
    overrides: &BTreeMap<String, String>,
    problems: &mut Problems,
) -> (Node, Used) {
    let declared = declared(root, problems);
    let used = with_overrides(declared, overrides, problems);
    let replaced = Replace {
        vars: &used,
        problems,
    }
    .node(root, "");
    (replaced, used)
}

fn declared(root: &Node, problems: &mut Problems) -> Used {
    let Yaml::Map(entries) = &root.value else {
        return Vec::new();
    };
    let Some((_, vars)) = entries.iter().find(|(key, _)| key.text == "vars") else {
        return Vec::new();
    };
    let item = Item::new(vars, "vars".to_owned());
    item.entries(problems)
        .into_iter()
        .filter_map(|(key, item)| match &item.node.value {
            Yaml::Null | Yaml::Seq(_) | Yaml::Map(_) => {
                problems.at(
                    &item,
                    format!(
                        "a variable is a single value, found {}",
                        item.node.value.kind()
                    ),
                );
                None
            }
            Yaml::Str(text) if text.contains("${") => {
                problems.at(&item, "a variable cannot use another variable");
                None
            }
            value => Some((key.text.clone(), value.clone())),
        })
        .collect()
}

fn with_overrides(
    mut vars: Used,
    overrides: &BTreeMap<String, String>,
    problems: &mut Problems,
) -> Used {
    for (name, text) in overrides {
        let names: Vec<String> = vars.iter().map(|(name, _)| name.clone()).collect();
        let mut report = |message: String, help: Option<String>| {
            problems.push(Problem {
                place: Place { line: 1, column: 1 },
                path: String::new(),
                message,
                help,
            });
        };
        let Some((_, value)) = vars.iter_mut().find(|(known, _)| known == name) else {
            report(
                format!("--var {name}: the playbook has no variable `{name}`"),
                Some(suggestion(name, &names)),
            );
            continue;
        };
        match typed_like(value, text) {
            Some(typed) => *value = typed,
            None => report(
                format!("--var {name}: expected {}, found `{text}`", value.kind()),
                None,
            ),
        }
    }
    vars
}

/// Reads an override as the type of the value it replaces.
fn typed_like(value: &Yaml, text: &str) -> Option<Yaml> {
    match value {
        Yaml::Bool(_) => text.parse().ok().map(Yaml::Bool),
        Yaml::Int(_) | Yaml::Float(_) => match text.parse() {
            Ok(whole) => Some(Yaml::Int(whole)),
            Err(_) => text.parse().ok().map(Yaml::Float),
        },
        _ => Some(Yaml::Str(text.to_owned())),
    }
}

fn suggestion(name: &str, names: &[String]) -> String {
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    match closest(name, &names) {
        Some(close) => format!("did you mean `{close}`?"),
        None if names.is_empty() => "the playbook declares no `vars`".to_owned(),
        None => format!("its variables: {}", names.join(", ")),
    }
}

struct Replace<'a> {
    vars: &'a Used,
    problems: &'a mut Problems,
}

impl Replace<'_> {
    fn node(&mut self, node: &Node, path: &str) -> Node {
        let value = match &node.value {
            Yaml::Str(text) if path != "vars" && text.contains("${") => {
                self.scalar(text, node.place, path)
            }
            Yaml::Seq(items) => Yaml::Seq(
                items
                    .iter()
                    .enumerate()
                    .map(|(index, item)| self.node(item, &format!("{path}[{index}]")))
                    .collect(),
            ),
            Yaml::Map(entries) if path != "vars" => Yaml::Map(
                entries
                    .iter()
                    .map(|(key, item)| (key.clone(), self.node(item, &join(path, &key.text))))
                    .collect(),
            ),
            other => other.clone(),
        };
        Node {
            place: node.place,
            span: node.span,
            written: node.written.clone(),
            value,
        }
    }

    /// Replaces `${name}`; `$${` stands for a literal `${`. A scalar that is exactly one variable
    /// takes its type.
    fn scalar(&mut self, text: &str, place: Place, path: &str) -> Yaml {
        if let Some(name) = text
            .strip_prefix("${")
            .and_then(|rest| rest.strip_suffix('}'))
            && !name.contains(['$', '{', '}'])
        {
            return self
                .value(name, place, path)
                .unwrap_or_else(|| Yaml::Str(text.to_owned()));
        }
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(at) = rest.find("${") {
            if let Some(before) = rest[..at].strip_suffix('$') {
                out.push_str(before);
                out.push_str("${");
                rest = &rest[at + 2..];
                continue;
            }
            out.push_str(&rest[..at]);
            let Some((name, after)) = rest[at + 2..].split_once('}') else {
                self.report(place, path, "`${` without a closing `}`".to_owned(), None);
                return Yaml::Str(text.to_owned());
            };
            if let Some(value) = self.value(name, place, path) {
                out.push_str(&plain(&value));
            }
            rest = after;
        }
        out.push_str(rest);
        Yaml::Str(out)
    }

    fn value(&mut self, name: &str, place: Place, path: &str) -> Option<Yaml> {
        if let Some((_, value)) = self.vars.iter().find(|(known, _)| known == name) {
            return Some(value.clone());
        }
        let names: Vec<String> = self.vars.iter().map(|(name, _)| name.clone()).collect();
        let help = suggestion(name, &names);
        self.report(
            place,
            path,
            format!("unknown variable `{name}`"),
            Some(help),
        );
        None
    }

    fn report(&mut self, place: Place, path: &str, message: String, help: Option<String>) {
        self.problems.push(Problem {
            place,
            path: path.to_owned(),
            message,
            help,
        });
    }
}

fn join(path: &str, key: &str) -> String {
    if path.is_empty() {
        key.to_owned()
    } else {
        format!("{path}.{key}")
    }
}

/// Returns a scalar as it is written into a longer text.
pub(super) fn plain(value: &Yaml) -> String {
    match value {
        Yaml::Str(text) => text.clone(),
        Yaml::Bool(value) => value.to_string(),
        Yaml::Int(value) => value.to_string(),
        Yaml::Float(value) => value.to_string(),
        Yaml::Null | Yaml::Seq(_) | Yaml::Map(_) => String::new(),
    }
}
