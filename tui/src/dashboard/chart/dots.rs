//! A grid of dots, several to a cell.

use crate::dashboard::theme::Marker;

/// Dots of one series on the cells of a plot.
pub(crate) struct Dots {
    marker: Marker,
    columns: usize,
    rows: usize,
    cells: Vec<u8>,
}

impl Marker {
    /// Returns how many dots a cell has across and down.
    pub fn dots(self) -> (usize, usize) {
        match self {
            Self::Braille => (2, 4),
            Self::Block => (2, 2),
            Self::Ascii => (1, 2),
        }
    }
}

impl Dots {
    pub(crate) fn new(marker: Marker, columns: usize, rows: usize) -> Self {
        Self {
            marker,
            columns,
            rows,
            cells: vec![0; columns * rows],
        }
    }

    /// Returns how many dots there are down.
    pub(crate) fn height(&self) -> usize {
        self.rows * self.marker.dots().1
    }

    /// Returns how many dots there are across.
    pub(crate) fn width(&self) -> usize {
        self.columns * self.marker.dots().0
    }

    /// Sets a dot; outside nothing happens.
    pub(crate) fn set(&mut self, x: usize, y: usize) {
        let (across, down) = self.marker.dots();
        let (column, row) = (x / across, y / down);
        if column >= self.columns || row >= self.rows {
            return;
        }
        self.cells[row * self.columns + column] |= bit(self.marker, x % across, y % down);
    }

    /// Sets the dots of a column from one row to another, in any order.
    pub(crate) fn set_column(&mut self, x: usize, from: usize, to: usize) {
        for y in from.min(to)..=from.max(to) {
            self.set(x, y);
        }
    }

    /// Returns the character of a cell, `None` if it has no dot.
    pub(crate) fn glyph(&self, column: usize, row: usize) -> Option<char> {
        let bits = self.cells[row * self.columns + column];
        (bits != 0).then(|| match self.marker {
            Marker::Braille => char::from_u32(0x2800 + u32::from(bits)).unwrap_or(' '),
            Marker::Block => QUADRANTS[usize::from(bits & 15)],
            Marker::Ascii => [' ', '\'', '.', ':'][usize::from(bits & 3)],
        })
    }
}

/// By bits: 1 upper left, 2 upper right, 4 lower left, 8 lower right.
const QUADRANTS: [char; 16] = [
    ' ', '▘', '▝', '▀', '▖', '▌', '▞', '▛', '▗', '▚', '▐', '▜', '▄', '▙', '▟', '█',
];

fn bit(marker: Marker, x: usize, y: usize) -> u8 {
    const BRAILLE: [[u8; 4]; 2] = [[0x01, 0x02, 0x04, 0x40], [0x08, 0x10, 0x20, 0x80]];
    match marker {
        Marker::Braille => BRAILLE[x & 1][y & 3],
        Marker::Block => 1 << (x + 2 * y),
        Marker::Ascii => 1 << y,
    }
}
