//! The one place that writes to stdout and stderr.
//!
//! Results go to stdout, progress and diagnostics to stderr. A reader that has gone away
//! (`obs-tui list | head -1`) is not an error.

use std::io::{self, IsTerminal, Write};

use chaos::report::Style;

/// Writes text and a line end to stdout.
pub fn result(text: &str) -> io::Result<()> {
    write_line(&mut io::stdout().lock(), text)
}

/// Writes text and a line end to stderr. Nobody can be told when stderr is gone.
pub fn progress(text: &str) {
    let _ = write_line(&mut io::stderr().lock(), text);
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
