//! Cells to lines of text for a terminal or a file.

use ratatui::buffer::Buffer;
use ratatui::style::{Color, Modifier, Style};

/// Returns the rows without the blanks at their ends, with or without colours.
pub(super) fn text(buffer: &Buffer, colour: bool) -> String {
    let area = buffer.area;
    let mut out = String::new();
    for y in area.top()..area.bottom() {
        let is_blank = |x: u16| buffer[(x, y)].symbol() == " ";
        let end = (area.left()..area.right())
            .rev()
            .find(|x| !is_blank(*x))
            .map_or(area.left(), |last| last + 1);
        let mut current = Style::reset();
        let mut skip = 0;
        for x in area.left()..end {
            let cell = &buffer[(x, y)];
            // The cell after a wide character is its second half.
            if skip > 0 {
                skip -= 1;
                continue;
            }
            skip = crate::dashboard::text::width(cell.symbol()).saturating_sub(1);
            let style = Style::reset().fg(cell.fg).add_modifier(cell.modifier);
            if colour && style != current {
                out.push_str(&escape(cell.fg, cell.modifier));
                current = style;
            }
            out.push_str(cell.symbol());
        }
        if current != Style::reset() {
            out.push_str("\x1b[0m");
        }
        out.push('\n');
    }
    out
}

/// Returns the sequence that sets colour and weight from whatever was set before.
fn escape(colour: Color, modifier: Modifier) -> String {
    let mut codes = vec!["0".to_owned()];
    if modifier.contains(Modifier::BOLD) {
        codes.push("1".to_owned());
    }
    if modifier.contains(Modifier::DIM) {
        codes.push("2".to_owned());
    }
    match colour {
        Color::Reset => {}
        Color::Rgb(r, g, b) => codes.push(format!("38;2;{r};{g};{b}")),
        Color::Indexed(index) => codes.push(format!("38;5;{index}")),
        named => codes.push(number(named).to_string()),
    }
    format!("\x1b[{}m", codes.join(";"))
}

/// Returns the code of one of the sixteen colours of every terminal.
fn number(colour: Color) -> u8 {
    match colour {
        Color::Black => 30,
        Color::Red => 31,
        Color::Green => 32,
        Color::Yellow => 33,
        Color::Blue => 34,
        Color::Magenta => 35,
        Color::Cyan => 36,
        Color::Gray => 37,
        Color::DarkGray => 90,
        Color::LightRed => 91,
        Color::LightGreen => 92,
        Color::LightYellow => 93,
        Color::LightBlue => 94,
        Color::LightMagenta => 95,
        Color::LightCyan => 96,
        Color::White => 97,
        Color::Reset | Color::Rgb(..) | Color::Indexed(_) => 39,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ratatui::layout::Rect;

    #[test]
    fn colours_are_set_where_they_change_and_end_with_the_line() {
        let mut buffer = Buffer::empty(Rect::new(0, 0, 12, 2));
        buffer.set_string(0, 0, "ab", Style::new().fg(Color::Indexed(75)));
        let bold = Style::new().add_modifier(Modifier::BOLD);
        buffer.set_string(2, 0, "日x", bold);
        buffer.set_string(0, 1, "plain", Style::new());
        assert_eq!(
            text(&buffer, true),
            "\x1b[0;38;5;75mab\x1b[0;1m日x\x1b[0m\nplain\n"
        );
        assert_eq!(text(&buffer, false), "ab日x\nplain\n");
    }
}
