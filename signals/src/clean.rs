//! Text from a server, made safe for a screen, a terminal and a clipboard.
//!
//! It changes how a text looks, never what it is matched with: labels are cleaned on the way out of
//! a source, not on the way into the store.

use std::borrow::Cow;

use promql::labels::Labels;
use promql::value::{Series, Value};

/// The longest text that an error message carries, in bytes.
const MESSAGE_LIMIT: usize = 600;

/// Removes control characters and direction overrides; line breaks and tabs become blanks.
pub fn text(raw: &str) -> Cow<'_, str> {
    if raw.chars().all(is_harmless) {
        return Cow::Borrowed(raw);
    }
    let kept = raw.chars().filter_map(|c| match c {
        '\n' | '\t' => Some(' '),
        c if is_harmless(c) => Some(c),
        _ => None,
    });
    Cow::Owned(kept.collect())
}

/// Cleans and shortens a text that goes into an error message.
pub(crate) fn message(raw: &str) -> String {
    let mut clean = text(raw.trim()).into_owned();
    if clean.len() > MESSAGE_LIMIT {
        let cut = (0..=MESSAGE_LIMIT)
            .rev()
            .find(|at| clean.is_char_boundary(*at))
            .unwrap_or(0);
        clean.truncate(cut);
        clean.push('…');
    }
    clean
}

/// Cleans names and values of a label set.
pub fn labels(raw: &Labels) -> Labels {
    let harmless = |s: &str| s.chars().all(is_harmless);
    if raw
        .iter()
        .all(|(name, value)| harmless(name) && harmless(value))
    {
        return raw.clone();
    }
    Labels::from_pairs(
        raw.iter()
            .map(|(name, value)| (text(name).as_ref().to_owned(), text(value).into_owned())),
    )
}

/// Cleans the labels of every element of a query result.
pub(crate) fn value(mut raw: Value) -> Value {
    match &mut raw {
        Value::Vector(points) => {
            for point in points {
                point.labels = labels(&point.labels);
            }
        }
        Value::Matrix(list) => series(list),
        Value::String(s) => *s = text(s).into_owned(),
        Value::Scalar(_) => {}
    }
    raw
}

/// Cleans the labels of every series.
pub(crate) fn series(list: &mut [Series]) {
    for one in list {
        one.labels = labels(&one.labels);
    }
}

/// Cleans a list of named texts, such as annotations.
pub(crate) fn pairs(list: impl IntoIterator<Item = (String, String)>) -> Vec<(String, String)> {
    list.into_iter()
        .map(|(name, value)| (text(&name).into_owned(), text(&value).into_owned()))
        .collect()
}

fn is_harmless(c: char) -> bool {
    !c.is_control()
        && !matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escape_sequences_lose_their_teeth() {
        assert_eq!(text("\u{1b}[31mred\u{7}\u{9b}1m"), "[31mred1m");
        assert_eq!(text("two\nlines\tand\rmore"), "two lines andmore");
        assert_eq!(text("\u{202e}evil"), "evil");
        assert!(matches!(text("plain – ✓"), Cow::Borrowed(_)));
    }

    #[test]
    fn messages_are_cut_at_a_character() {
        let cut = message(&"é".repeat(1000));
        assert!(cut.len() <= MESSAGE_LIMIT + '…'.len_utf8());
        assert!(cut.ends_with('…'));
    }
}
