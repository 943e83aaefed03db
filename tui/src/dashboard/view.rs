//! Draws the model. Nothing here changes it, and nothing here knows more than it.

mod alerts;
mod charts;
mod compact;
mod digits;
mod events;
mod faults;
mod paint;
mod panel;
mod playbooks;
mod popup;
mod run;
mod status;
mod strip;

use super::model::{Focus, Model};
use super::theme::Glyphs;
use paint::put;
use ratatui::Frame;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

/// The least size that anything is drawn at.
const LEAST: (u16, u16) = (40, 10);

/// How much fits on the screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    /// Charts on the left, everything else on the right.
    Wide,
    /// Charts, and one line for everything else until it gets the focus.
    Stacked,
    /// Numbers and sparklines.
    Compact,
    /// Nothing.
    TooSmall,
}

fn shape(area: Rect) -> Shape {
    match (area.width, area.height) {
        (width, height) if width < LEAST.0 || height < LEAST.1 => Shape::TooSmall,
        (120.., 35..) => Shape::Wide,
        (80.., 24..) => Shape::Stacked,
        _ => Shape::Compact,
    }
}

/// Draws the model on a frame.
pub fn draw(model: &Model, frame: &mut Frame) {
    let area = frame.area();
    let buffer = frame.buffer_mut();
    if area.is_empty() {
        return;
    }
    let shape = shape(area);
    if shape == Shape::TooSmall {
        return too_small(model, area, buffer);
    }
    let body = Rect::new(
        area.x,
        area.y + 1,
        area.width,
        area.height.saturating_sub(2),
    );
    status::render(model, row(area, 0), buffer);
    match shape {
        Shape::Wide => wide(model, body, buffer),
        Shape::Stacked => stacked(model, body, buffer),
        _ => compact::render(model, body, buffer),
    }
    status::footer(model, row(area, area.height - 1), buffer);
    popup::render(model, area, buffer);
    if *model.config.theme.glyphs == Glyphs::ASCII {
        to_ascii(area, buffer);
    }
}

/// Replaces what is beyond ASCII: it can come from servers, and from units.
fn to_ascii(area: Rect, buffer: &mut Buffer) {
    for position in area.positions() {
        let cell = &mut buffer[position];
        if cell.symbol().is_ascii() {
            continue;
        }
        let plain = match cell.symbol() {
            "…" => "~",
            "µ" => "u",
            "—" => "-",
            _ => "?",
        };
        cell.set_symbol(plain);
    }
}

fn row(area: Rect, y: u16) -> Rect {
    Rect::new(area.x, area.y + y, area.width, 1)
}

fn too_small(model: &Model, area: Rect, buffer: &mut Buffer) {
    let text = format!(
        "need {}x{}, have {}x{}",
        LEAST.0, LEAST.1, area.width, area.height
    );
    let y = area.y + area.height / 2;
    let shift = area.width.saturating_sub(text.len() as u16) / 2;
    let line = Rect::new(area.x + shift, y, area.width - shift, 1);
    put(buffer, line, &text, model.config.theme.warn);
}

fn wide(model: &Model, area: Rect, buffer: &mut Buffer) {
    if model.fullscreen {
        return charts::render(model, area, buffer);
    }
    let side = (area.width * 9 / 25).clamp(44, 64);
    let left = Rect::new(area.x, area.y, area.width - side, area.height);
    let right = Rect::new(area.x + left.width, area.y, side, area.height);
    charts::render(model, left, buffer);
    let wants = [
        alerts::wanted(model),
        playbooks::wanted(model),
        faults::wanted(model),
    ];
    let mut y = right.y;
    for (focus, height) in Focus::ALL[1..].iter().zip(share(right.height, wants)) {
        let area = Rect::new(right.x, y, right.width, height);
        section(model, *focus, area, buffer);
        y += height;
    }
}

/// Gives alerts, playbooks and faults what they want as far as it goes; the events get the rest.
fn share(height: u16, wants: [u16; 3]) -> [u16; 4] {
    const LEAST_ROWS: u16 = 4;
    let mut given = [LEAST_ROWS; 4];
    let mut rest = height.saturating_sub(LEAST_ROWS * 4);
    // The events keep a readable tail before the lists grow without bound.
    let reserve = rest.min(3);
    rest -= reserve;
    while rest > 0 {
        let hungry: Vec<usize> = (0..3).filter(|i| given[*i] < wants[*i]).collect();
        if hungry.is_empty() {
            break;
        }
        for index in hungry {
            if rest > 0 {
                given[index] += 1;
                rest -= 1;
            }
        }
    }
    given[3] = height.saturating_sub(given[..3].iter().sum());
    given
}

fn stacked(model: &Model, area: Rect, buffer: &mut Buffer) {
    if model.fullscreen {
        return charts::render(model, area, buffer);
    }
    let below = if model.focus == Focus::Charts {
        strip::HEIGHT
    } else {
        wanted(model, model.focus).clamp(6, area.height * 2 / 5)
    };
    let top = Rect::new(area.x, area.y, area.width, area.height - below);
    let bottom = Rect::new(area.x, area.y + top.height, area.width, below);
    charts::render(model, top, buffer);
    if model.focus == Focus::Charts {
        strip::render(model, bottom, buffer);
    } else {
        section(model, model.focus, bottom, buffer);
    }
}

fn wanted(model: &Model, focus: Focus) -> u16 {
    match focus {
        Focus::Alerts => alerts::wanted(model),
        Focus::Playbooks => playbooks::wanted(model),
        Focus::Faults => faults::wanted(model),
        Focus::Charts | Focus::Events => u16::MAX,
    }
}

fn section(model: &Model, focus: Focus, area: Rect, buffer: &mut Buffer) {
    match focus {
        Focus::Charts => charts::render(model, area, buffer),
        Focus::Alerts => alerts::render(model, area, buffer),
        Focus::Playbooks => playbooks::render(model, area, buffer),
        Focus::Faults => faults::render(model, area, buffer),
        Focus::Events => events::render(model, area, buffer),
    }
}
