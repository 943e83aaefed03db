//! What is wrong with a playbook: place, line, cause and remedy, all problems of a file at once.

use std::fmt;

use promql::yaml::{Place, decode};

use crate::sanitise;

/// One thing that is wrong with a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The file as the person named it.
    pub file: String,
    /// Where; 1:1 for problems of the file as a whole.
    pub place: Place,
    /// The path of the field, such as `method[0].fault.share`; empty for the file itself.
    pub path: String,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
    /// The line of the file at `place`, for showing it; empty when there is none.
    pub snippet: String,
}

/// Longest part of a line that is shown.
const SNIPPET_CHARS: usize = 120;

impl Problem {
    /// Returns a problem of the file as a whole, such as that it cannot be read.
    pub fn of_file(file: &str, message: impl Into<String>) -> Self {
        Self {
            file: file.to_owned(),
            place: Place { line: 1, column: 1 },
            path: String::new(),
            message: message.into(),
            help: None,
            snippet: String::new(),
        }
    }

    /// Adds file and line to what the decoder found.
    pub(crate) fn in_file(file: &str, text: &str, problem: decode::Problem) -> Self {
        let line = usize::try_from(problem.place.line).unwrap_or(1).max(1) - 1;
        Self {
            file: file.to_owned(),
            place: problem.place,
            path: problem.path,
            message: problem.message,
            help: problem.help,
            snippet: text
                .lines()
                .nth(line)
                .unwrap_or_default()
                .chars()
                .take(SNIPPET_CHARS)
                .collect(),
        }
    }

    /// Returns the remedy, if there is one.
    #[must_use]
    pub fn with_help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

impl fmt::Display for Problem {
    /// Prints `file:line:column: path: message`, the line with a mark below the column, the help.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: ", sanitise::line(&self.file), self.place)?;
        if !self.path.is_empty() {
            write!(f, "{}: ", sanitise::line(&self.path))?;
        }
        write!(f, "{}", sanitise::line(&self.message))?;
        if !self.snippet.trim().is_empty() {
            let number = self.place.line.to_string();
            let gutter = " ".repeat(number.len());
            let column = usize::try_from(self.place.column).unwrap_or(1).max(1);
            write!(f, "\n  {number} | {}", sanitise::line(&self.snippet))?;
            if column <= SNIPPET_CHARS {
                write!(f, "\n  {gutter} | {}^", " ".repeat(column - 1))?;
            }
        }
        match &self.help {
            Some(help) => write!(f, "\n  help: {}", sanitise::line(help)),
            None => Ok(()),
        }
    }
}
