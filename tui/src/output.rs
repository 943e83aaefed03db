//! The one place that writes to stdout and stderr.
//!
//! Results go to stdout, progress and diagnostics to stderr. A reader that has gone away
//! (`obs-tui list | head -1`) is not an error.

use std::io::{self, IsTerminal, Write};

use chaos::report::Style;

use crate::dashboard::Palette;

/// Writes text and a line end to stdout.
pub fn result(text: &str) -> io::Result<()> {
    write_line(&mut io::stdout().lock(), text)
}

/// Writes text and a line end to stderr. Nobody can be told when stderr is gone.
pub fn progress(text: &str) {
    let _ = write_line(&mut io::stderr().lock(), text);
}

/// Draws a line of stderr over the one before; nothing clears it. A terminal that is too narrow
/// shows its beginning.
pub fn redraw(text: &str) {
    let mut stderr = io::stderr().lock();
    let drawn = write!(stderr, "\r\x1b[2K\x1b[?7l{text}\x1b[?7h\r");
    // Nobody can be told when stderr is gone.
    let _ = drawn.and_then(|()| stderr.flush());
}

/// Says whether a person looks at stdout and can answer on stdin.
pub fn is_interactive() -> bool {
    io::stdout().is_terminal() && io::stdin().is_terminal()
}

/// Returns whether reports on stdout may be coloured.
pub fn style() -> Style {
    let no_color = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    if io::stdout().is_terminal() && !no_color {
        Style::Colour
    } else {
        Style::Plain
    }
}

/// What stdout can show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Paper {
    /// Whether it is a terminal.
    pub is_terminal: bool,
    /// Columns; 80 where nobody says.
    pub columns: u16,
    /// Rows of the terminal.
    pub rows: Option<u16>,
    /// Colours; none in a file and with `NO_COLOR`.
    pub palette: Palette,
    /// Whether the locale is one of UTF-8.
    pub is_utf8: bool,
}

/// Returns what stdout can show.
pub fn paper() -> Paper {
    let env = |name: &str| std::env::var(name).ok();
    let is_terminal = io::stdout().is_terminal();
    let size = is_terminal
        .then(|| crossterm::terminal::size().ok())
        .flatten();
    // A terminal that does not know its size says 0.
    let size = size.filter(|(columns, rows)| *columns > 0 && *rows > 0);
    Paper {
        is_terminal,
        columns: size.map_or(80, |(columns, _)| columns),
        rows: size.map(|(_, rows)| rows),
        palette: if is_terminal {
            Palette::detect(env)
        } else {
            Palette::Mono
        },
        is_utf8: is_utf8(env),
    }
}

/// Reads the locale as the C library does: the first of these that is set decides.
fn is_utf8(env: impl Fn(&str) -> Option<String>) -> bool {
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"]
        .into_iter()
        .filter_map(env)
        .find(|value| !value.is_empty());
    locale.is_some_and(|value| {
        let value = value.to_ascii_lowercase();
        value.contains("utf-8") || value.contains("utf8")
    })
}

fn write_line(out: &mut impl Write, text: &str) -> io::Result<()> {
    let written = out
        .write_all(text.as_bytes())
        .and_then(|()| {
            if text.ends_with('\n') {
                Ok(())
            } else {
                out.write_all(b"\n")
            }
        })
        .and_then(|()| out.flush());
    match written {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_locale_tells_the_characters() {
        for (set, expect) in [
            (&[][..], false),
            (&[("LANG", "en_US.UTF-8")], true),
            (&[("LANG", "C.utf8"), ("LC_ALL", "")], true),
            (&[("LANG", "en_US.UTF-8"), ("LC_ALL", "C")], false),
            (&[("LANG", "C"), ("LC_CTYPE", "de_DE.UTF-8")], true),
        ] {
            let env = |name: &str| {
                let found = set.iter().find(|(one, _)| *one == name);
                found.map(|(_, value)| (*value).to_owned())
            };
            assert_eq!(is_utf8(env), expect, "{set:?}");
        }
    }
}
