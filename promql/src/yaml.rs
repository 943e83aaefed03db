//! YAML as a tree in which every node knows its place.
//!
//! Rule files, unit-test files and playbooks are read in two steps: text → [`Node`] tree (here),
//! tree → checked types ([`decode`]). A derived deserializer would stop at the first error and
//! convert scalars before variables are substituted; the tree does neither.
//!
//! Invariant: parsing is bounded. Size, depth and alias expansion are limited, so no input makes
//! it hang or allocate without bound.

pub mod decode;

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};
use serde_yaml::Spanned;

/// Largest document that is read, in bytes.
pub const MAX_DOCUMENT_BYTES: usize = 4 * 1024 * 1024;

/// Deepest nesting of lists and mappings.
const MAX_DEPTH: usize = 32;
/// Most values that aliases may stand for, all together.
const MAX_ALIASED_NODES: usize = 50_000;

/// A position in a document; both numbers start at 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Place {
    /// Line, starting at 1.
    pub line: u32,
    /// Column in characters, starting at 1.
    pub column: u32,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.line, self.column)
    }
}

/// A stretch of a document in bytes: `text[start..end]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Span {
    /// First byte.
    pub start: usize,
    /// Byte behind the last.
    pub end: usize,
}

/// One value of the document and where it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// Where the value starts.
    pub place: Place,
    /// The bytes of a scalar, quotes included, or of a block scalar from its first character; just
    /// the start of lists and mappings. Nothing where the value is written elsewhere (`*alias`).
    pub span: Option<Span>,
    /// How a number, `true` or `false` is written, such as `1.50`: where text is wanted, it is
    /// wanted so.
    pub written: Option<Box<str>>,
    /// The value.
    pub value: Yaml,
}

/// A key of a mapping and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// Where the key starts.
    pub place: Place,
    /// The key as text; numbers and booleans appear as written.
    pub text: String,
}

/// The kinds of value that the core schema of YAML 1.2 knows.
#[derive(Debug, Clone, PartialEq)]
pub enum Yaml {
    /// `null`, `~` or nothing.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A finite number with a fraction or exponent.
    Float(f64),
    /// Everything else, `.inf` and `.nan` too, and every quoted scalar.
    Str(String),
    /// A sequence.
    Seq(Vec<Node>),
    /// A mapping in the order of the document.
    Map(Vec<(Key, Node)>),
}

impl Yaml {
    /// Returns what the value is, for messages: "a number", "a list", ….
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Null => "nothing",
            Self::Bool(_) => "true or false",
            Self::Int(_) | Self::Float(_) => "a number",
            Self::Str(_) => "text",
            Self::Seq(_) => "a list",
            Self::Map(_) => "a mapping",
        }
    }
}

/// Why a text is not a document.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct SyntaxError {
    /// Where reading stopped; 1:1 where the parser gave no place.
    pub place: Place,
    /// What is wrong.
    pub message: String,
}

/// Parses one document into a tree.
///
/// Duplicate keys, unknown tags, several documents, and documents beyond
/// [`MAX_DOCUMENT_BYTES`] are errors. An empty document is [`Yaml::Null`].
pub fn parse(text: &str) -> Result<Node, SyntaxError> {
    let start = Place { line: 1, column: 1 };
    if text.len() > MAX_DOCUMENT_BYTES {
        return Err(SyntaxError {
            place: start,
            message: format!(
                "the document has {} bytes; at most {MAX_DOCUMENT_BYTES} are read",
                text.len()
            ),
        });
    }
    if text.contains('\0') {
        return Err(SyntaxError {
            place: start,
            message: "the document holds NUL bytes; it is not a text file".to_owned(),
        });
    }
    let options = serde_yaml::options! {
        strict_booleans: true,
        with_snippet: false,
        non_finite_float_policy: serde_yaml::NonFiniteFloatPolicy::PassThrough,
        budget: serde_yaml::budget! { max_depth: MAX_DEPTH },
        alias_limits: serde_yaml::alias_limits! {
            max_total_replayed_events: MAX_ALIASED_NODES,
        },
    };
    serde_yaml::from_str_with_options::<Spanned<Yaml>>(text, options)
        .map(|spanned| {
            let mut node = Node::from(spanned);
            node.note_writing(text);
            node
        })
        .map_err(|error| {
            let place = error.location().map_or(start, |at| Place {
                line: at.line() as u32,
                column: at.column() as u32,
            });
            SyntaxError {
                place,
                message: plain_message(&error.to_string()),
            }
        })
}

/// Drops the position that the YAML crate writes into its message: we print our own.
fn plain_message(text: &str) -> String {
    let text = text.lines().next().unwrap_or_default();
    let text = match text.strip_prefix("error: ") {
        Some(rest) => rest,
        None => text,
    };
    let text = match text
        .strip_prefix("line ")
        .and_then(|rest| rest.split_once(": "))
    {
        Some((_, message)) => message,
        None => text,
    };
    // Advice to whoever calls the YAML crate is none to whoever writes the file.
    let text = text
        .split(", set DuplicateKeyPolicy")
        .next()
        .unwrap_or(text);
    let text = text
        .rsplit_once(" at line ")
        .map_or(text, |(message, _)| message);
    text.to_owned()
}

impl Node {
    /// Notes how scalars that are no text are written.
    fn note_writing(&mut self, document: &str) {
        match &mut self.value {
            Yaml::Seq(items) => items
                .iter_mut()
                .for_each(|node| node.note_writing(document)),
            Yaml::Map(entries) => entries
                .iter_mut()
                .for_each(|(_, node)| node.note_writing(document)),
            Yaml::Float(value) if !value.is_finite() => {
                let written = self
                    .span
                    .and_then(|span| document.get(span.start..span.end));
                self.value = Yaml::Str(written.map_or_else(|| value.to_string(), str::to_owned));
            }
            Yaml::Bool(_) | Yaml::Int(_) | Yaml::Float(_) => {
                let written = self
                    .span
                    .and_then(|span| document.get(span.start..span.end));
                self.written = written.map(Box::from);
            }
            // The parser counts the indentation behind a block scalar in.
            Yaml::Str(_) => {
                if let Some(span) = &mut self.span
                    && let Some(written) = document.get(span.start..span.end)
                {
                    span.end = span.start + written.trim_end_matches(' ').len();
                }
            }
            Yaml::Null => {}
        }
    }
}

/// Returns where a value is written, unless it is written elsewhere than it stands.
fn span<T>(spanned: &Spanned<T>) -> Option<Span> {
    if spanned.referenced != spanned.defined {
        return None;
    }
    let at = spanned.referenced.span();
    let start = usize::try_from(at.byte_offset()?).ok()?;
    let length = usize::try_from(at.byte_len()?).ok()?;
    Some(Span {
        start,
        end: start.checked_add(length)?,
    })
}

impl From<Spanned<Yaml>> for Node {
    fn from(spanned: Spanned<Yaml>) -> Self {
        let at = spanned.referenced;
        Self {
            place: Place {
                line: at.line() as u32,
                column: at.column() as u32,
            },
            span: span(&spanned),
            written: None,
            value: spanned.value,
        }
    }
}

impl<'de> Deserialize<'de> for Yaml {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TreeVisitor)
    }
}

struct TreeVisitor;

impl<'de> Visitor<'de> for TreeVisitor {
    type Value = Yaml;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a YAML value")
    }

    fn visit_unit<E>(self) -> Result<Yaml, E> {
        Ok(Yaml::Null)
    }

    fn visit_none<E>(self) -> Result<Yaml, E> {
        Ok(Yaml::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Yaml, D::Error> {
        deserializer.deserialize_any(Self)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Yaml, E> {
        Ok(Yaml::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Yaml, E> {
        Ok(Yaml::Int(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Yaml, E> {
        Ok(i64::try_from(value).map_or(Yaml::Float(value as f64), Yaml::Int))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Yaml, E> {
        Ok(Yaml::Float(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Yaml, E> {
        Ok(Yaml::Str(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Yaml, E> {
        Ok(Yaml::Str(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Yaml, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = seq.next_element::<Spanned<Yaml>>()? {
            items.push(item.into());
        }
        Ok(Yaml::Seq(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Yaml, A::Error> {
        let mut entries = Vec::new();
        while let Some(key) = map.next_key::<Spanned<String>>()? {
            let value = map.next_value::<Spanned<Yaml>>()?;
            let at = key.referenced;
            let place = Place {
                line: at.line() as u32,
                column: at.column() as u32,
            };
            entries.push((
                Key {
                    place,
                    text: key.value,
                },
                value.into(),
            ));
        }
        Ok(Yaml::Map(entries))
    }
}
