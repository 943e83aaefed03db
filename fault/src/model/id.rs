//! The name of a fault on one target.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The name of a fault on one target: 1 to 40 of `a-z`, `0-9` and `-`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct FaultId(String);

/// An id that is not 1 to 40 of `a-z`, `0-9` and `-`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a fault's id is 1 to 40 of the characters a-z, 0-9 and `-`")]
pub struct BadFaultId;

impl FaultId {
    /// Returns the id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Makes an id of any text: other characters become `-`, what is too long is cut.
    pub fn slug(text: &str) -> Self {
        let mut slug = String::new();
        for c in text.chars().map(|c| c.to_ascii_lowercase()) {
            if c.is_ascii_lowercase() || c.is_ascii_digit() {
                slug.push(c);
            } else if !slug.is_empty() && !slug.ends_with('-') {
                slug.push('-');
            }
        }
        slug.truncate(40);
        let slug = slug.trim_end_matches('-');
        Self(if slug.is_empty() {
            "fault".to_owned()
        } else {
            slug.to_owned()
        })
    }
}

impl FromStr for FaultId {
    type Err = BadFaultId;

    fn from_str(text: &str) -> Result<Self, BadFaultId> {
        let plain = text
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        if plain && (1..=40).contains(&text.len()) {
            Ok(Self(text.to_owned()))
        } else {
            Err(BadFaultId)
        }
    }
}

impl TryFrom<String> for FaultId {
    type Error = BadFaultId;

    fn try_from(text: String) -> Result<Self, BadFaultId> {
        text.parse()
    }
}

impl From<FaultId> for String {
    fn from(id: FaultId) -> Self {
        id.0
    }
}

impl fmt::Display for FaultId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
