//! Text from servers: made harmless, made to fit.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// The most characters kept of any text a server sends.
pub const LIMIT: usize = 512;

/// Returns the text without control and direction characters, at most [`LIMIT`] characters long.
/// Line breaks and tabs become spaces.
pub fn clean(text: &str) -> String {
    let mut out = String::with_capacity(text.len().min(LIMIT));
    for (count, c) in text.chars().enumerate() {
        if count == LIMIT {
            out.push('…');
            break;
        }
        match c {
            '\n' | '\t' | '\r' => out.push(' '),
            c if c.is_control() || is_invisible(c) => {}
            c => out.push(c),
        }
    }
    out
}

// Zero-width and bidirectional characters can make one text look like another.
fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// Returns the width of a text in cells.
pub fn width(text: &str) -> usize {
    text.width()
}

/// Cuts a text to a width in cells; what is cut is replaced by `ellipsis`.
pub fn fit(text: &str, cells: usize, ellipsis: &str) -> String {
    // The byte length bounds the width from above for everything but wide characters, which take
    // at least as many bytes as cells; so short texts are never measured.
    if text.len() <= cells || (text.len() <= LIMIT * 4 && text.width() <= cells) {
        return text.to_owned();
    }
    let room = cells.saturating_sub(ellipsis.width());
    let mut used = 0;
    let mut out = String::new();
    for c in text.chars() {
        let w = c.width().unwrap_or(0);
        if used + w > room {
            break;
        }
        used += w;
        out.push(c);
    }
    if cells >= ellipsis.width() {
        out.push_str(ellipsis);
    }
    out
}

/// Breaks a text into lines of at most `cells`, at spaces where possible.
pub fn wrap(text: &str, cells: usize) -> Vec<String> {
    if cells == 0 {
        return Vec::new();
    }
    let mut lines = Vec::new();
    let mut line = String::new();
    for word in text.split_whitespace() {
        let mut word = word.to_owned();
        if !line.is_empty() && line.width() + 1 + word.width() > cells {
            lines.push(std::mem::take(&mut line));
        }
        while word.width() > cells {
            let head = fit(&word, cells, "");
            if head.is_empty() {
                break;
            }
            word.drain(..head.len());
            lines.push(head);
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(&word);
    }
    if !line.is_empty() {
        lines.push(line);
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_are_lost() {
        assert_eq!(clean("a\x1b[31mb\x07\nc\u{9b}d\u{202e}e"), "a[31mb cde");
        assert_eq!(clean(&"x".repeat(100_000)).chars().count(), LIMIT + 1);
    }

    #[test]
    fn text_fits_its_cells() {
        assert_eq!(fit("hello", 5, "…"), "hello");
        assert_eq!(fit("hello", 4, "…"), "hel…");
        assert_eq!(fit("hello", 0, "…"), "");
        assert_eq!(fit("日本語", 5, "…"), "日本…");
        assert_eq!(fit("日本語", 4, "…"), "日…");
    }

    #[test]
    fn text_wraps_at_spaces() {
        assert_eq!(wrap("aa bb cc", 5), ["aa bb", "cc"]);
        assert_eq!(wrap("abcdefgh", 3), ["abc", "def", "gh"]);
        assert_eq!(wrap("a", 0), Vec::<String>::new());
    }
}
