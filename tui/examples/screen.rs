//! Prints a frame with made-up data, to look at or to put into the README.
//!
//! `cargo run -p tui --example screen -- [STATE] [WIDTHxHEIGHT] [dark|light|16|mono|ascii] [colour]`
#![expect(clippy::print_stdout, reason = "printing is what this example is for")]

use ratatui::Terminal;
use ratatui::backend::{CrosstermBackend, TestBackend};
use ratatui::buffer::Buffer;
use tui::dashboard::{draw, sample};

fn main() -> std::io::Result<()> {
    let mut args = std::env::args().skip(1);
    let name = args.next().unwrap_or_else(|| "incident".to_owned());
    let size = args.next().and_then(|text| {
        let (width, height) = text.split_once('x')?;
        Some((width.parse().ok()?, height.parse().ok()?))
    });
    let size: (u16, u16) = size.unwrap_or((120, 35));
    let theme = sample::theme(&args.next().unwrap_or_default());
    if !sample::NAMES.contains(&name.as_str()) {
        println!("known states: {}", sample::NAMES.join(" "));
        return Ok(());
    }
    let model = sample::state(&name, size, &theme);
    let mut terminal =
        Terminal::new(TestBackend::new(size.0, size.1)).map_err(std::io::Error::other)?;
    terminal
        .draw(|frame| draw(&model, frame))
        .map_err(std::io::Error::other)?;
    let buffer = terminal.backend().buffer();
    if args.next().is_some() {
        return print_coloured(buffer);
    }
    for y in 0..size.1 {
        let line: String = (0..size.0).map(|x| buffer[(x, y)].symbol()).collect();
        println!("{}", line.trim_end());
    }
    Ok(())
}

fn print_coloured(buffer: &Buffer) -> std::io::Result<()> {
    use ratatui::backend::Backend;
    let width = buffer.area.width;
    for y in 0..buffer.area.height {
        let mut bytes = Vec::new();
        let mut backend = CrosstermBackend::new(&mut bytes);
        backend.draw((0..width).map(|x| (x, 0, &buffer[(x, y)])))?;
        // The row is printed where the cursor is, not where the backend would put it.
        let text = String::from_utf8_lossy(&bytes).replacen("\x1b[1;1H", "", 1);
        println!("{text}\x1b[0m");
    }
    Ok(())
}
