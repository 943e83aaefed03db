//! Colours and glyphs. State is always told by glyph and word as well, so every palette reads.

use ratatui::style::{Color, Modifier, Style};

/// A set of colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Palette {
    /// For dark backgrounds.
    #[default]
    Dark,
    /// For light backgrounds.
    Light,
    /// The terminal's own sixteen colours.
    Ansi16,
    /// No colour at all: reverse, bold, dim and glyphs only.
    Mono,
}

impl Palette {
    /// Chooses a palette from the environment's words: `NO_COLOR`, `TERM`, `COLORFGBG`.
    pub fn detect(env: impl Fn(&str) -> Option<String>) -> Self {
        if env("NO_COLOR").is_some_and(|value| !value.is_empty()) {
            return Self::Mono;
        }
        let term = env("TERM").unwrap_or_default();
        if term == "dumb" {
            return Self::Mono;
        }
        let rich = env("COLORTERM").is_some_and(|value| !value.is_empty()) || term.contains("256");
        if !rich {
            return Self::Ansi16;
        }
        let background = env("COLORFGBG").and_then(|value| value.rsplit(';').next()?.parse().ok());
        match background {
            Some(7u8 | 15) => Self::Light,
            _ => Self::Dark,
        }
    }
}

/// How data points are drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Marker {
    /// Two by four dots a cell.
    #[default]
    Braille,
    /// Two by two quadrants a cell.
    Block,
    /// Upper and lower mark; plain ASCII.
    Ascii,
}

/// The characters of the frame; [`Glyphs::ASCII`] needs nothing beyond ASCII.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Glyphs {
    /// Corners: top left, top right, bottom left, bottom right.
    pub corners: [&'static str; 4],
    /// Horizontal line.
    pub horizontal: &'static str,
    /// Vertical line.
    pub vertical: &'static str,
    /// Where a separator meets the left and the right border.
    pub tees: [&'static str; 2],
    /// The y axis beside a tick.
    pub y_tick: &'static str,
    /// The y axis elsewhere.
    pub y_line: &'static str,
    /// The x axis below a tick and elsewhere.
    pub x_axis: [&'static str; 2],
    /// Threshold line.
    pub threshold: &'static str,
    /// Base line where there are no samples.
    pub gap: &'static str,
    /// Texture of a fault span.
    pub texture: &'static str,
    /// Fault ruler: start, middle, end.
    pub fault: [&'static str; 3],
    /// A value beyond the plot, above and below.
    pub clamp: [&'static str; 2],
    /// Pending and firing on the ruler and in the list.
    pub alert: [&'static str; 2],
    /// Connected, trouble, lost.
    pub source: [&'static str; 3],
    /// Live and paused.
    pub play: [&'static str; 2],
    /// Up, down, steady.
    pub trend: [&'static str; 3],
    /// Progress: full and empty.
    pub progress: [&'static str; 2],
    /// Steps: waiting, running, done, failed, skipped.
    pub step: [&'static str; 5],
    /// The cursor of a list.
    pub cursor: &'static str,
    /// A warning.
    pub warning: &'static str,
    /// Heart beat of an alert that must always fire.
    pub heart: &'static str,
    /// What replaces cut text.
    pub ellipsis: &'static str,
    /// Stands for no value.
    pub none: &'static str,
    /// Between words of a line.
    pub dot: &'static str,
    /// Between groups of the status row.
    pub bar: &'static str,
}

impl Glyphs {
    /// For terminals with a Unicode font.
    pub const UNICODE: Self = Self {
        corners: ["╭", "╮", "╰", "╯"],
        horizontal: "─",
        vertical: "│",
        tees: ["├", "┤"],
        y_tick: "┤",
        y_line: "│",
        x_axis: ["┬", "─"],
        threshold: "╌",
        gap: "┈",
        texture: "░",
        fault: ["▼", "━", "▲"],
        clamp: ["▲", "▼"],
        alert: ["·", "█"],
        source: ["●", "◐", "○"],
        play: ["▶", "⏸"],
        trend: ["▲", "▼", "≈"],
        progress: ["▓", "░"],
        step: ["○", "▶", "✓", "✗", "–"],
        cursor: "›",
        warning: "⚠",
        heart: "♥",
        ellipsis: "…",
        none: "—",
        dot: "·",
        bar: "│",
    };

    /// For everything else.
    pub const ASCII: Self = Self {
        corners: ["+", "+", "+", "+"],
        horizontal: "-",
        vertical: "|",
        tees: ["+", "+"],
        y_tick: "+",
        y_line: "|",
        x_axis: ["+", "-"],
        threshold: "-",
        gap: "_",
        texture: "/",
        fault: ["v", "=", "^"],
        clamp: ["^", "v"],
        alert: ["~", "#"],
        source: ["*", "o", "x"],
        play: [">", "="],
        trend: ["^", "v", "="],
        progress: ["#", "."],
        step: ["o", ">", "+", "x", "-"],
        cursor: ">",
        warning: "!",
        heart: "*",
        ellipsis: "~",
        none: "-",
        dot: ",",
        bar: "|",
    };
}

/// Everything that decides how the screen looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Theme {
    /// The palette.
    pub palette: Palette,
    /// The characters.
    pub glyphs: &'static Glyphs,
    /// The marker of charts.
    pub marker: Marker,
    /// Ordinary text.
    pub text: Style,
    /// Text that matters less.
    pub dim: Style,
    /// Borders and axes.
    pub line: Style,
    /// The border and the title of what has the focus.
    pub focus: Style,
    /// Titles and big values.
    pub title: Style,
    /// The selected row.
    pub selected: Style,
    /// Healthy.
    pub good: Style,
    /// Pending, stale, degraded.
    pub warn: Style,
    /// Firing, failed, lost.
    pub bad: Style,
    /// Faults: something was broken on purpose.
    pub fault: Style,
    /// Keys in the footer and in the help.
    pub key: Style,
    /// Lines of the charts, panel by panel.
    pub series: [Style; 6],
    /// Background of a fault span; `None` draws a texture instead.
    pub tint: Option<Color>,
}

impl Theme {
    /// Builds the theme of a palette; `ascii` keeps every character below 128.
    pub fn new(palette: Palette, ascii: bool) -> Self {
        let colours = Colours::of(palette);
        let fg = |colour: Color| Style::new().fg(colour);
        let bold = Modifier::BOLD;
        let dim = match palette {
            Palette::Mono => Style::new().add_modifier(Modifier::DIM),
            _ => fg(colours.dim),
        };
        Self {
            palette,
            glyphs: if ascii {
                &Glyphs::ASCII
            } else {
                &Glyphs::UNICODE
            },
            marker: if ascii {
                Marker::Ascii
            } else {
                Marker::Braille
            },
            text: fg(colours.text),
            dim,
            line: match palette {
                Palette::Mono => dim,
                _ => fg(colours.line),
            },
            focus: fg(colours.focus).add_modifier(bold),
            title: fg(colours.text).add_modifier(bold),
            selected: Style::new().add_modifier(Modifier::REVERSED),
            good: fg(colours.good),
            warn: fg(colours.warn),
            bad: fg(colours.bad).add_modifier(bold),
            fault: fg(colours.fault),
            key: fg(colours.focus).add_modifier(bold),
            series: colours.series.map(fg),
            tint: colours.tint,
        }
    }

    /// Returns the theme with another marker.
    #[must_use]
    pub fn with_marker(mut self, marker: Marker) -> Self {
        self.marker = marker;
        self
    }
}

impl Default for Theme {
    fn default() -> Self {
        Self::new(Palette::Dark, false)
    }
}

struct Colours {
    text: Color,
    dim: Color,
    line: Color,
    focus: Color,
    good: Color,
    warn: Color,
    bad: Color,
    fault: Color,
    series: [Color; 6],
    tint: Option<Color>,
}

impl Colours {
    // 256-colour indices rather than 24 bit: they are right on both kinds of terminal, and a
    // frame costs fewer bytes.
    fn of(palette: Palette) -> Self {
        let index = Color::Indexed;
        match palette {
            Palette::Dark => Self {
                text: index(252),
                dim: index(245),
                line: index(239),
                focus: index(117),
                good: index(114),
                warn: index(221),
                bad: index(203),
                fault: index(213),
                series: [75, 141, 80, 215, 150, 180].map(index),
                tint: Some(index(236)),
            },
            Palette::Light => Self {
                text: index(235),
                dim: index(243),
                line: index(250),
                focus: index(25),
                good: index(28),
                warn: index(130),
                bad: index(160),
                fault: index(127),
                series: [26, 91, 30, 166, 64, 94].map(index),
                tint: Some(index(254)),
            },
            Palette::Ansi16 => Self {
                text: Color::Reset,
                dim: Color::DarkGray,
                line: Color::DarkGray,
                focus: Color::Cyan,
                good: Color::Green,
                warn: Color::Yellow,
                bad: Color::Red,
                fault: Color::Magenta,
                series: [
                    Color::LightBlue,
                    Color::Magenta,
                    Color::Cyan,
                    Color::Yellow,
                    Color::Green,
                    Color::White,
                ],
                tint: None,
            },
            Palette::Mono => Self {
                text: Color::Reset,
                dim: Color::Reset,
                line: Color::Reset,
                focus: Color::Reset,
                good: Color::Reset,
                warn: Color::Reset,
                bad: Color::Reset,
                fault: Color::Reset,
                series: [Color::Reset; 6],
                tint: None,
            },
        }
    }
}
