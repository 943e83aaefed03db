//! Alerts, faults and playbooks in three lines, where there is no room for more.

use super::paint::{put, put_line, row};
use super::{alerts, faults, run};
use crate::dashboard::model::Model;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Line;

/// Rows of the strip.
pub(super) const HEIGHT: u16 = 3;

pub(super) fn render(model: &Model, area: Rect, buffer: &mut Buffer) {
    let running = if model.run.is_some() {
        "run"
    } else {
        "playbooks"
    };
    let lines: [(&str, Line<'_>); 3] = [
        ("alerts", alerts::in_one_line(model)),
        ("faults", faults::in_one_line(model)),
        (running, run::in_one_line(model)),
    ];
    for (y, (name, line)) in lines.iter().enumerate() {
        let area = row(area, y);
        if area.width < 12 {
            continue;
        }
        put(buffer, area, &format!(" {name}"), model.config.theme.dim);
        let rest = Rect {
            x: area.x + 11,
            width: area.width - 11,
            ..area
        };
        put_line(buffer, rest, line, &model.config.theme);
    }
}
