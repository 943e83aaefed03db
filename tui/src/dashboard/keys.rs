//! The one table of keys: it drives dispatch, the footer, the help overlay and the documentation.

use crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use std::fmt::Write;

/// What has the keyboard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Mode {
    /// The dashboard itself.
    Main,
    /// A question that wants yes or no.
    Confirm,
    /// A text on top: help or details.
    Popup,
}

/// What a key does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(
    missing_docs,
    reason = "the help text of the table says what each one does"
)]
pub enum Action {
    StopAllFaults,
    Quit,
    Interrupt,
    Suspend,
    Help,
    Open,
    Back,
    FocusNext,
    FocusPrevious,
    FocusPlaybooks,
    Up,
    Down,
    Left,
    Right,
    First,
    Last,
    TogglePause,
    ZoomIn,
    ZoomOut,
    PanBack,
    PanForward,
    GoLive,
    Fullscreen,
    CycleService,
    ToggleThresholds,
    ToggleAnnotations,
    AbortRun,
    CopyRunbook,
    Refresh,
    Yes,
    No,
}

/// One key with its modifiers, as a legacy terminal can send it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Chord {
    /// The key.
    pub code: KeyCode,
    /// Whether Ctrl is held.
    pub ctrl: bool,
}

const fn key(code: KeyCode) -> Chord {
    Chord { code, ctrl: false }
}

const fn char(c: char) -> Chord {
    key(KeyCode::Char(c))
}

const fn ctrl(c: char) -> Chord {
    Chord {
        code: KeyCode::Char(c),
        ctrl: true,
    }
}

impl Chord {
    fn of(event: &KeyEvent) -> Option<Self> {
        // Shift is part of the character, and of nothing else that the table knows.
        let other = event.modifiers - (KeyModifiers::SHIFT | KeyModifiers::CONTROL);
        if !other.is_empty() {
            return None;
        }
        let ctrl = event.modifiers.contains(KeyModifiers::CONTROL);
        let code = match event.code {
            KeyCode::Char(c) if ctrl => KeyCode::Char(c.to_ascii_lowercase()),
            KeyCode::Tab if event.modifiers.contains(KeyModifiers::SHIFT) => KeyCode::BackTab,
            code => code,
        };
        Some(Self { code, ctrl })
    }

    /// Returns what a legacy terminal sends for it.
    pub fn legacy_bytes(self) -> Vec<u8> {
        let text: &[u8] = match self.code {
            KeyCode::Char(c) if self.ctrl => return vec![(c as u8) & 0x1f],
            KeyCode::Char(c) => return c.to_string().into_bytes(),
            KeyCode::Enter => b"\r",
            KeyCode::Tab => b"\t",
            KeyCode::BackTab => b"\x1b[Z",
            KeyCode::Esc => b"\x1b",
            KeyCode::Up => b"\x1b[A",
            KeyCode::Down => b"\x1b[B",
            KeyCode::Right => b"\x1b[C",
            KeyCode::Left => b"\x1b[D",
            KeyCode::Home => b"\x1b[H",
            KeyCode::End => b"\x1b[F",
            _ => b"",
        };
        text.to_vec()
    }

    /// Returns its name for people.
    pub fn label(self, ascii: bool) -> String {
        let arrow = |unicode: &str, plain: &str| if ascii { plain } else { unicode }.to_owned();
        match self.code {
            KeyCode::Char(' ') => "Space".to_owned(),
            KeyCode::Char(c) if self.ctrl => format!("Ctrl-{}", c.to_ascii_uppercase()),
            KeyCode::Char(c) => c.to_string(),
            KeyCode::BackTab => "Shift-Tab".to_owned(),
            KeyCode::Up => arrow("↑", "Up"),
            KeyCode::Down => arrow("↓", "Down"),
            KeyCode::Left => arrow("←", "Left"),
            KeyCode::Right => arrow("→", "Right"),
            code => code.to_string(),
        }
    }
}

/// One row of the table.
#[derive(Debug, Clone, Copy)]
pub struct Binding {
    /// Where it holds.
    pub modes: &'static [Mode],
    /// The keys, the preferred one first.
    pub chords: &'static [Chord],
    /// What they do.
    pub action: Action,
    /// What the footer says; empty is not shown there.
    pub short: &'static str,
    /// What the help says.
    pub help: &'static str,
}

const fn row(
    modes: &'static [Mode],
    chords: &'static [Chord],
    action: Action,
    short: &'static str,
    help: &'static str,
) -> Binding {
    Binding {
        modes,
        chords,
        action,
        short,
        help,
    }
}

const EVERYWHERE: &[Mode] = &[Mode::Main, Mode::Confirm, Mode::Popup];
const MAIN: &[Mode] = &[Mode::Main];
const CONFIRM: &[Mode] = &[Mode::Confirm];
const POPUP: &[Mode] = &[Mode::Popup];
const READING: &[Mode] = &[Mode::Main, Mode::Popup];

/// The table. The footer shows the rows with a short text in this order.
#[rustfmt::skip]
pub const TABLE: &[Binding] = &[
    row(EVERYWHERE, &[ctrl('x')], Action::StopAllFaults, "STOP FAULTS", "stop all faults on every target, and the run"),
    row(CONFIRM, &[key(KeyCode::Enter), char('y')], Action::Yes, "yes", "yes"),
    row(CONFIRM, &[key(KeyCode::Esc), char('n'), char('q')], Action::No, "no", "no"),
    row(MAIN, &[key(KeyCode::Enter)], Action::Open, "open", "open what is selected: start the playbook, show the alert, withdraw the fault"),
    row(MAIN, &[key(KeyCode::Tab)], Action::FocusNext, "next", "go to the next part of the screen"),
    row(MAIN, &[key(KeyCode::BackTab)], Action::FocusPrevious, "", "go to the part before"),
    row(MAIN, &[char('p')], Action::FocusPlaybooks, "playbooks", "go to the playbooks"),
    row(READING, &[key(KeyCode::Up), char('k')], Action::Up, "", "move up"),
    row(READING, &[key(KeyCode::Down), char('j')], Action::Down, "", "move down"),
    row(MAIN, &[key(KeyCode::Left), char('h')], Action::Left, "", "go to the part on the left"),
    row(MAIN, &[key(KeyCode::Right), char('l')], Action::Right, "", "go to the part on the right"),
    row(READING, &[key(KeyCode::Home), char('g')], Action::First, "", "go to the first row"),
    row(READING, &[key(KeyCode::End), char('G')], Action::Last, "", "go to the last row"),
    row(MAIN, &[char(' ')], Action::TogglePause, "pause", "hold the time axis still, or let it run"),
    row(MAIN, &[char('+'), char('=')], Action::ZoomIn, "zoom", "a shorter window"),
    row(MAIN, &[char('-'), char('_')], Action::ZoomOut, "", "a longer window"),
    row(MAIN, &[char(',')], Action::PanBack, "pan", "half a window back"),
    row(MAIN, &[char('.')], Action::PanForward, "", "half a window forward"),
    row(MAIN, &[char('0')], Action::GoLive, "", "back to now"),
    row(MAIN, &[char('f')], Action::Fullscreen, "full", "the selected panel alone, or all again"),
    row(MAIN, &[char('e')], Action::CycleService, "service", "show the next service, the edge first"),
    row(MAIN, &[char('T')], Action::ToggleThresholds, "", "thresholds on or off"),
    row(MAIN, &[char('A')], Action::ToggleAnnotations, "", "faults and alerts in the charts on or off"),
    row(MAIN, &[char('x')], Action::AbortRun, "abort run", "abort the run; it recovers before it ends"),
    row(READING, &[char('o')], Action::CopyRunbook, "", "copy the address of the selected alert's runbook"),
    row(MAIN, &[char('r')], Action::Refresh, "", "ask the sources now"),
    row(POPUP, &[key(KeyCode::Esc), char('q'), key(KeyCode::Enter), char('?')], Action::Back, "close", "close"),
    row(MAIN, &[key(KeyCode::Esc)], Action::Back, "", "back to the charts"),
    row(MAIN, &[char('?')], Action::Help, "help", "this list"),
    row(MAIN, &[char('q')], Action::Quit, "quit", "quit; asks first while something is broken"),
    row(EVERYWHERE, &[ctrl('c')], Action::Interrupt, "", "quit; pressed twice it does not ask"),
    row(EVERYWHERE, &[ctrl('z')], Action::Suspend, "", "suspend; `fg` comes back"),
];

/// Returns what a key does in a mode.
pub fn action(mode: Mode, event: &KeyEvent) -> Option<Action> {
    if event.kind == KeyEventKind::Release {
        return None;
    }
    let chord = Chord::of(event)?;
    in_mode(mode)
        .find(|binding| binding.chords.contains(&chord))
        .map(|binding| binding.action)
}

/// Returns the rows of a mode in the order of the table.
pub fn in_mode(mode: Mode) -> impl Iterator<Item = &'static Binding> {
    TABLE
        .iter()
        .filter(move |binding| binding.modes.contains(&mode))
}

/// Renders the table as Markdown for the documentation.
pub fn markdown() -> String {
    let mut out = String::from("| key | where | what it does |\n|---|---|---|\n");
    for binding in TABLE {
        let keys: Vec<String> = binding
            .chords
            .iter()
            .map(|chord| format!("`{}`", chord.label(false)))
            .collect();
        let place = match binding.modes {
            [_, _, _] => "everywhere",
            [Mode::Main, Mode::Popup] => "dashboard, popups",
            [Mode::Main] => "dashboard",
            [Mode::Confirm] => "questions",
            _ => "popups",
        };
        let keys = keys.join(" ");
        // Writing to a String cannot fail.
        let _ = writeln!(out, "| {keys} | {place} | {} |", binding.help);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn no_chord_means_two_things() {
        for mode in EVERYWHERE {
            let mut seen = HashSet::new();
            for binding in in_mode(*mode) {
                for chord in binding.chords {
                    assert!(seen.insert(*chord), "{mode:?} {chord:?}");
                }
            }
        }
    }

    #[test]
    fn shift_and_release_do_not_confuse() {
        let shifted = KeyEvent::new(KeyCode::Char('T'), KeyModifiers::SHIFT);
        assert_eq!(action(Mode::Main, &shifted), Some(Action::ToggleThresholds));
        let alt = KeyEvent::new(KeyCode::Char('q'), KeyModifiers::ALT);
        assert_eq!(action(Mode::Main, &alt), None);
        let mut released = KeyEvent::new(KeyCode::Char('q'), KeyModifiers::NONE);
        released.kind = KeyEventKind::Release;
        assert_eq!(action(Mode::Main, &released), None);
    }

    #[test]
    fn every_row_has_bytes() {
        for chord in TABLE.iter().flat_map(|binding| binding.chords) {
            assert!(!chord.legacy_bytes().is_empty(), "{chord:?}");
        }
    }
}
