//! How the program ends when it cannot do what was asked: a text for the person and an exit code.

use std::fmt;

/// Exit code for usage, schema and unreadable files.
pub const USAGE: u8 = 2;
/// Exit code for a broken environment: nobody answers, no data, nothing works.
pub const ENVIRONMENT: u8 = 6;

/// The end of the program with a reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stop {
    /// The exit code.
    pub code: u8,
    /// What to tell the person; empty when everything has been said.
    pub text: String,
}

impl Stop {
    /// The person must change what they asked for.
    pub fn usage(text: impl fmt::Display) -> Self {
        Self {
            code: USAGE,
            text: text.to_string(),
        }
    }

    /// Something outside is not as it must be.
    pub fn environment(text: impl fmt::Display) -> Self {
        Self {
            code: ENVIRONMENT,
            text: text.to_string(),
        }
    }

    /// Everything is said; only the exit code is left.
    pub fn silent(code: u8) -> Self {
        Self {
            code,
            text: String::new(),
        }
    }
}

impl From<std::io::Error> for Stop {
    fn from(error: std::io::Error) -> Self {
        Self::environment(error)
    }
}
