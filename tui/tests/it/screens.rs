//! Every canned state at every breakpoint, as text.

use crate::support::{canned, frame, text};
use tui::dashboard::{Theme, keys, sample};

const SIZES: [(u16, u16); 4] = [(120, 35), (80, 24), (60, 16), (39, 9)];

#[test]
fn frames() {
    for name in sample::NAMES {
        for size in SIZES {
            if size == (39, 9) && name != "incident" {
                continue;
            }
            let frame = canned(name, size);
            insta::assert_snapshot!(format!("{name}-{}x{}", size.0, size.1), frame);
        }
    }
}

#[test]
fn plain_terminals() {
    for word in ["ascii", "mono"] {
        let model = sample::state("incident", (80, 24), &sample::theme(word));
        insta::assert_snapshot!(format!("incident-{word}"), text(&frame(&model)));
    }
}

#[test]
fn ascii_is_ascii() {
    for name in sample::NAMES {
        for size in SIZES {
            let mut model = sample::state(name, size, &sample::theme("ascii"));
            model.playbooks[0].title = "größer — ½ … 日本".to_owned();
            let text = text(&frame(&model));
            assert!(text.is_ascii(), "{name} {size:?}\n{text}");
        }
    }
}

#[test]
fn mono_has_no_colour() {
    use ratatui::style::Color;
    for name in sample::NAMES {
        let model = sample::state(name, (120, 35), &sample::theme("mono"));
        for cell in frame(&model).content() {
            assert_eq!((cell.fg, cell.bg), (Color::Reset, Color::Reset));
        }
    }
}

#[test]
fn the_same_messages_give_the_same_frame() {
    for name in sample::NAMES {
        assert_eq!(canned(name, (120, 35)), canned(name, (120, 35)));
    }
}

#[test]
fn every_size_draws() {
    let theme = Theme::default();
    for name in sample::NAMES {
        let mut model = sample::state(name, (120, 35), &theme);
        for width in [0, 1, 2, 30, 39, 40, 41, 59, 60, 79, 80, 100, 119, 120, 240] {
            for height in [0, 1, 2, 8, 9, 10, 11, 15, 16, 23, 24, 34, 35, 60] {
                model.size = (width, height);
                for fullscreen in [false, true] {
                    model.fullscreen = fullscreen;
                    frame(&model);
                }
            }
        }
    }
}

#[test]
fn every_focus_draws_at_every_breakpoint() {
    for size in SIZES {
        for name in ["healthy", "incident", "verdict", "lost"] {
            let mut model = sample::state(name, size, &Theme::default());
            for focus in tui::dashboard::Focus::ALL {
                model.focus = focus;
                frame(&model);
            }
        }
    }
}

#[test]
fn the_key_table_as_documentation() {
    insta::assert_snapshot!(keys::markdown());
}
