//! A place in a file, shown with its line and a mark.

use std::fmt;

use chaos::sanitise;
use promql::yaml::Place;

/// Longest part of a line that is shown.
const SNIPPET_CHARS: usize = 120;

/// One thing to say about a place in a file.
#[derive(Debug)]
pub(super) struct Diagnostic<'a> {
    /// The file as the person named it.
    pub(super) file: &'a str,
    /// The text of the file, for the line at the place.
    pub(super) text: &'a str,
    /// Where.
    pub(super) place: Place,
    /// What kind of message it is: `error`, `warning[id]`.
    pub(super) kind: &'a str,
    /// What is wrong.
    pub(super) message: &'a str,
    /// What to do about it.
    pub(super) help: Option<&'a str>,
}

impl Diagnostic<'_> {
    fn snippet(&self) -> String {
        let line = usize::try_from(self.place.line).unwrap_or(1).max(1) - 1;
        let line = self.text.lines().nth(line).unwrap_or_default();
        line.chars().take(SNIPPET_CHARS).collect()
    }
}

impl fmt::Display for Diagnostic<'_> {
    /// Prints `file:line:column: kind: message`, the line with a mark below the column, the help.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}:{}: {}: {}",
            sanitise::line(self.file),
            self.place,
            self.kind,
            sanitise::line(self.message)
        )?;
        let snippet = self.snippet();
        if !snippet.trim().is_empty() {
            let number = self.place.line.to_string();
            let gutter = " ".repeat(number.len());
            let column = usize::try_from(self.place.column).unwrap_or(1).max(1);
            write!(f, "\n  {number} | {}", sanitise::line(&snippet))?;
            if column <= SNIPPET_CHARS {
                write!(f, "\n  {gutter} | {}^", " ".repeat(column - 1))?;
            }
        }
        match self.help {
            Some(help) => write!(f, "\n  help: {}", sanitise::line(help)),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mark_stands_below_the_place() {
        let diagnostic = Diagnostic {
            file: "a\u{1b}.yml",
            text: "groups:\n  - nam: x\n",
            place: Place { line: 2, column: 5 },
            kind: "error",
            message: "unknown field `nam`",
            help: Some("did you mean `name`?"),
        };
        assert_eq!(
            diagnostic.to_string(),
            "a\u{fffd}.yml:2:5: error: unknown field `nam`\n  2 |   - nam: x\n    |     ^\n  help: \
             did you mean `name`?"
        );
    }
}
