//! From tree to checked types, with every problem found in one pass.
//!
//! A decoder takes the fields it knows from a mapping and reports the rest as unknown, with a
//! suggestion. Nothing returns early: a wrong field is reported and decoding goes on, so that a
//! person mends a file in one round.

use std::fmt;

use super::{Node, Place, Span, Yaml};

/// One thing that is wrong with a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Where.
    pub place: Place,
    /// The path of the field, such as `method[0].fault.share`; empty for the document itself.
    pub path: String,
    /// What is wrong.
    pub message: String,
    /// What to do about it, when there is something better to say than the message.
    pub help: Option<String>,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.place)?;
        if !self.path.is_empty() {
            write!(f, "{}: ", self.path)?;
        }
        f.write_str(&self.message)?;
        match &self.help {
            Some(help) => write!(f, " (help: {help})"),
            None => Ok(()),
        }
    }
}

/// The problems found so far.
#[derive(Debug, Default)]
pub struct Problems(Vec<Problem>);

impl Problems {
    /// Returns an empty list.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a problem.
    pub fn push(&mut self, problem: Problem) {
        self.0.push(problem);
    }

    /// Reports `message` at an item.
    pub fn at(&mut self, item: &Item<'_>, message: impl Into<String>) {
        self.push(Problem {
            place: item.node.place,
            path: item.path.clone(),
            message: message.into(),
            help: None,
        });
    }

    /// Reports `message` at an item, with a remedy.
    pub fn at_with_help(
        &mut self,
        item: &Item<'_>,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        self.push(Problem {
            place: item.node.place,
            path: item.path.clone(),
            message: message.into(),
            help: Some(help.into()),
        });
    }

    /// Says whether nothing was found.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the problems in the order of the document.
    pub fn into_sorted(mut self) -> Vec<Problem> {
        self.0
            .sort_by(|a, b| (a.place, &a.path).cmp(&(b.place, &b.path)));
        self.0
    }
}

/// Where a value is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Spot {
    /// Line and column of its start.
    pub place: Place,
    /// Its bytes, as [`Node::span`] has them.
    pub span: Option<Span>,
}

/// A node and the path that leads to it.
#[derive(Debug, Clone)]
pub struct Item<'n> {
    /// The node.
    pub node: &'n Node,
    /// The path, such as `method[0].fault.share`.
    pub path: String,
    /// What stands between the path and the name of a field.
    joint: &'static str,
}

impl<'n> Item<'n> {
    /// Returns the item at the root of a document.
    pub fn root(node: &'n Node) -> Self {
        Self::new(node, String::new())
    }

    /// Returns an item with a path of its own.
    pub fn new(node: &'n Node, path: String) -> Self {
        Self {
            node,
            path,
            joint: ".",
        }
    }

    /// Returns the item called by a title, such as `group "shop"`; its fields follow a comma.
    #[must_use]
    pub fn titled(&self, title: String) -> Self {
        Self {
            node: self.node,
            path: title,
            joint: ", ",
        }
    }

    /// Returns where the item is written.
    pub fn spot(&self) -> Spot {
        Spot {
            place: self.node.place,
            span: self.node.span,
        }
    }

    /// Returns text. Anything but a string is a problem.
    pub fn str(&self, problems: &mut Problems) -> Option<&'n str> {
        match &self.node.value {
            Yaml::Str(text) => Some(text),
            other => {
                problems.at(self, format!("expected text, found {}", other.kind()));
                None
            }
        }
    }

    /// Returns a scalar as text, as it is written: `severity: 1.50` is `"1.50"`. Lists and mappings
    /// are problems.
    pub fn scalar(&self, problems: &mut Problems) -> Option<String> {
        if let Some(written) = &self.node.written {
            return Some(written.to_string());
        }
        match &self.node.value {
            Yaml::Str(text) => Some(text.clone()),
            Yaml::Bool(value) => Some(value.to_string()),
            Yaml::Int(value) => Some(value.to_string()),
            Yaml::Float(value) => Some(value.to_string()),
            Yaml::Null => Some(String::new()),
            Yaml::Seq(_) | Yaml::Map(_) => {
                problems.at(
                    self,
                    format!("expected a single value, found {}", self.node.value.kind()),
                );
                None
            }
        }
    }

    /// Returns a number.
    pub fn number(&self, problems: &mut Problems) -> Option<f64> {
        match self.node.value {
            Yaml::Int(value) => Some(value as f64),
            Yaml::Float(value) => Some(value),
            ref other => {
                problems.at(self, format!("expected a number, found {}", other.kind()));
                None
            }
        }
    }

    /// Returns a whole number of at least zero.
    pub fn unsigned(&self, problems: &mut Problems) -> Option<u64> {
        if let Yaml::Int(value) = self.node.value
            && let Ok(value) = u64::try_from(value)
        {
            return Some(value);
        }
        problems.at(
            self,
            format!(
                "expected a whole number of at least 0, found {}",
                self.node.value.kind()
            ),
        );
        None
    }

    /// Returns `true` or `false`.
    pub fn bool(&self, problems: &mut Problems) -> Option<bool> {
        if let Yaml::Bool(value) = self.node.value {
            return Some(value);
        }
        problems.at(
            self,
            format!("expected true or false, found {}", self.node.value.kind()),
        );
        None
    }

    /// Returns the items of a list; nothing at all is an empty list.
    pub fn list(&self, problems: &mut Problems) -> Vec<Item<'n>> {
        match &self.node.value {
            Yaml::Seq(items) => items
                .iter()
                .enumerate()
                .map(|(index, node)| Self::new(node, format!("{}[{index}]", self.path)))
                .collect(),
            Yaml::Null => Vec::new(),
            other => {
                problems.at(self, format!("expected a list, found {}", other.kind()));
                Vec::new()
            }
        }
    }

    /// Returns the fields of a mapping.
    pub fn fields(&self, problems: &mut Problems) -> Option<Fields<'n>> {
        match &self.node.value {
            Yaml::Map(_) => Some(Fields {
                item: self.clone(),
                known: Vec::new(),
            }),
            other => {
                problems.at(self, format!("expected a mapping, found {}", other.kind()));
                None
            }
        }
    }

    /// Returns the entries of a mapping whose keys are free, such as labels.
    pub fn entries(&self, problems: &mut Problems) -> Vec<(&'n super::Key, Item<'n>)> {
        match &self.node.value {
            Yaml::Map(entries) => entries
                .iter()
                .map(|(key, node)| (key, self.child(&key.text, node)))
                .collect(),
            Yaml::Null => Vec::new(),
            other => {
                problems.at(self, format!("expected a mapping, found {}", other.kind()));
                Vec::new()
            }
        }
    }

    /// Parses a scalar with `parse`, whose error becomes the problem.
    pub fn parse<T, E: fmt::Display>(
        &self,
        problems: &mut Problems,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<T> {
        let text = self.scalar(problems)?;
        match parse(&text) {
            Ok(value) => Some(value),
            Err(error) => {
                problems.at(self, error.to_string());
                None
            }
        }
    }

    fn child(&self, key: &str, node: &'n Node) -> Self {
        let path = if self.path.is_empty() {
            key.to_owned()
        } else {
            format!("{}{}{key}", self.path, self.joint)
        };
        Self::new(node, path)
    }
}

/// Unknown fields of one mapping that are reported; looking for what each resembles takes time.
const MAX_UNKNOWN: usize = 100;

/// A mapping whose fields are taken by name; what nobody asked for is unknown.
#[derive(Debug)]
pub struct Fields<'n> {
    item: Item<'n>,
    known: Vec<&'static str>,
}

impl<'n> Fields<'n> {
    /// Returns the mapping itself, for problems that concern it as a whole.
    pub fn item(&self) -> &Item<'n> {
        &self.item
    }

    /// Returns the field `name` if it is there. A field set to nothing counts as absent.
    pub fn take(&mut self, name: &'static str) -> Option<Item<'n>> {
        if !self.known.contains(&name) {
            self.known.push(name);
        }
        let Yaml::Map(entries) = &self.item.node.value else {
            return None;
        };
        let (key, node) = entries.iter().find(|(key, _)| key.text == name)?;
        match node.value {
            Yaml::Null => None,
            _ => Some(self.item.child(&key.text, node)),
        }
    }

    /// Returns the field `name`; its absence is a problem.
    pub fn require(&mut self, name: &'static str, problems: &mut Problems) -> Option<Item<'n>> {
        let found = self.take(name);
        if found.is_none() {
            problems.at(&self.item, format!("the field `{name}` is missing"));
        }
        found
    }

    /// Reports every field that was not asked for, with the closest known name.
    pub fn finish(self, problems: &mut Problems) {
        let Yaml::Map(entries) = &self.item.node.value else {
            return;
        };
        let unknown = entries
            .iter()
            .filter(|(key, _)| !self.known.contains(&key.text.as_str()));
        for (key, node) in unknown.take(MAX_UNKNOWN) {
            let child = self.item.child(&key.text, node);
            problems.push(Problem {
                place: key.place,
                path: child.path,
                message: format!("unknown field `{}`", key.text),
                help: Some(match closest(&key.text, &self.known) {
                    Some(name) => format!("did you mean `{name}`?"),
                    None => format!("known fields: {}", self.known.join(", ")),
                }),
            });
        }
    }
}

/// Returns the candidate closest to `word`, if one is close enough to be a slip.
pub fn closest<'c>(word: &str, candidates: &[&'c str]) -> Option<&'c str> {
    candidates
        .iter()
        .map(|candidate| (strsim::damerau_levenshtein(word, candidate), *candidate))
        .filter(|(distance, candidate)| *distance <= 1 + candidate.len() / 4)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}
