//! Drawing to a buffer and reading it.

use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::Buffer;
use tui::dashboard::{Model, Theme, draw, sample};

/// Draws a model at its own size.
pub(crate) fn frame(model: &Model) -> Buffer {
    let (width, height) = model.size;
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    terminal.draw(|frame| draw(model, frame)).unwrap();
    terminal.backend().buffer().clone()
}

/// Returns a frame as text, without the blanks at the ends of lines.
pub(crate) fn text(buffer: &Buffer) -> String {
    let area = buffer.area;
    (area.top()..area.bottom())
        .map(|y| {
            let line: String = (area.left()..area.right())
                .map(|x| buffer[(x, y)].symbol())
                .collect();
            line.trim_end().to_owned() + "\n"
        })
        .collect()
}

/// Draws a canned state as text.
pub(crate) fn canned(name: &str, size: (u16, u16)) -> String {
    text(&frame(&sample::state(name, size, &Theme::default())))
}
