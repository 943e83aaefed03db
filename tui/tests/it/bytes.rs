//! What really goes to a terminal. The test backend cannot see it, and crossterm decides by the
//! environment, so each case runs in a process of its own.

use ratatui::backend::{Backend, CrosstermBackend};
use std::process::Command;
use tui::dashboard::sample;

const CHILD: &str = "OBS_TUI_TEST_BYTES";

/// Not a test by itself: writes the bytes of a frame to the file named in the environment.
#[test]
fn child_writes_bytes() {
    let Ok(path) = std::env::var(CHILD) else {
        return;
    };
    crossterm::style::force_color_output(true);
    let word = std::env::var("OBS_TUI_TEST_THEME").unwrap();
    let mut model = sample::state("confirm", (120, 35), &sample::theme(&word));
    model.overlay = None;
    let buffer = crate::support::frame(&model);
    let mut bytes = Vec::new();
    let mut backend = CrosstermBackend::new(&mut bytes);
    let width = buffer.area.width;
    let cells = buffer.content().iter().enumerate();
    let cells = cells.map(|(i, cell)| ((i as u16) % width, (i as u16) / width, cell));
    backend.draw(cells).unwrap();
    std::fs::write(path, bytes).unwrap();
}

fn bytes(theme: &str, no_color: bool) -> String {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bytes");
    let mut child = Command::new(std::env::current_exe().unwrap());
    child
        .args(["--exact", "bytes::child_writes_bytes"])
        .env(CHILD, &path)
        .env("OBS_TUI_TEST_THEME", theme)
        .env_remove("NO_COLOR");
    if no_color {
        child.env("NO_COLOR", "1");
    }
    let output = child.output().unwrap();
    assert!(output.status.success(), "{output:?}");
    std::fs::read_to_string(path).unwrap()
}

/// Returns all parameters of the SGR sequences.
fn parameters(text: &str) -> Vec<String> {
    text.split("\x1b[")
        .skip(1)
        .filter_map(|part| {
            let end = part.find(|c: char| c.is_ascii_alphabetic())?;
            (part.as_bytes()[end] == b'm').then(|| part[..end].to_owned())
        })
        .collect()
}

#[test]
fn no_color_keeps_reverse_and_bold() {
    let parameters = parameters(&bytes("mono", true));
    for wanted in ["7", "1", "2"] {
        assert!(
            parameters.iter().any(|p| p == wanted),
            "{wanted} is missing"
        );
    }
    for found in &parameters {
        let plain = ["0", "1", "2", "7", "22", "27", "39", "49", "59"];
        let harmless = found.split(';').all(|p| plain.contains(&p));
        assert!(
            harmless && !found.is_empty(),
            "{found:?} is a colour or erases"
        );
    }
}

#[test]
fn colours_are_indexed() {
    let parameters = parameters(&bytes("dark", false));
    assert!(parameters.iter().any(|p| p.contains("38;5;")));
    assert!(!parameters.iter().any(|p| p.contains("38;2;")));
}
