//! Text from a server or a file, made harmless for a terminal.

use std::borrow::Cow;

/// Replaces control characters (escape sequences, carriage returns, bidirectional overrides) with
/// a visible mark; line breaks and tabs become spaces.
pub fn line(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_harmful) {
        return Cow::Borrowed(text);
    }
    text.chars()
        .map(|c| match c {
            '\n' | '\t' => ' ',
            c if is_harmful(c) => '\u{fffd}',
            c => c,
        })
        .collect::<String>()
        .into()
}

fn is_harmful(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::line;

    #[test]
    fn escape_sequences_do_not_survive() {
        assert_eq!(line("plain ünï"), "plain ünï");
        assert_eq!(line("a\u{1b}[31mb\r\nc"), "a\u{fffd}[31mb\u{fffd} c");
        assert_eq!(line("x\u{202e}y\u{9b}z"), "x\u{fffd}y\u{fffd}z");
    }
}
