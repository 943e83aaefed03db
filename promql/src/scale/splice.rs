//! Finds the bytes of a scalar in the text of its document and changes some of them.
//!
//! A scalar may be plain, quoted or a block, folded over lines or not; its value is known from
//! the YAML parser. Text and value are walked side by side: white space is skipped in both, since
//! folding changes nothing else, and quotes are undone. What is changed never holds white space.

use std::ops::Range;

use crate::yaml::{self, Place};

/// New text for a range of bytes.
pub(crate) type Edit = (Range<usize>, String);

/// A text and where its lines begin.
pub(crate) struct Lines<'t> {
    text: &'t str,
    starts: Vec<usize>,
}

impl<'t> Lines<'t> {
    pub(crate) fn new(text: &'t str) -> Self {
        let ends = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
        let starts = std::iter::once(0).chain(ends.map(|(at, _)| at + 1));
        Self {
            text,
            starts: starts.collect(),
        }
    }

    /// Returns the place of a byte.
    fn place(&self, offset: usize) -> Place {
        let line = self.starts.partition_point(|start| *start <= offset);
        let start = self
            .starts
            .get(line.saturating_sub(1))
            .copied()
            .unwrap_or(0);
        let column = self.text[start..offset].chars().count() + 1;
        Place {
            line: u32::try_from(line).unwrap_or(u32::MAX),
            column: u32::try_from(column).unwrap_or(u32::MAX),
        }
    }
}

/// A scalar: for each byte of its value, where it stands in the document.
pub(crate) struct Scalar {
    offsets: Vec<Option<usize>>,
}

impl Scalar {
    /// Finds the value of the scalar that is written in `span`.
    pub(crate) fn new(text: &str, span: Option<yaml::Span>, value: &str) -> Option<Self> {
        let yaml::Span { mut start, end } = span?;
        let style = text.get(start..end)?.chars().next()?;
        if matches!(style, '|' | '>') {
            // The header may hold an indentation and a comment; the value begins below.
            start += text[start..].find('\n')?;
        } else if matches!(style, '"' | '\'') {
            start += 1;
        }
        let offsets = align(text.get(start..end)?, value, style)?
            .into_iter()
            .map(|offset| offset.map(|offset| start + offset))
            .collect();
        Some(Self { offsets })
    }

    /// Returns the edits of the value as edits of the document.
    pub(crate) fn edits(&self, edits: &[Edit]) -> Option<Vec<Edit>> {
        edits
            .iter()
            .map(|(span, text)| Some((self.range(span)?, text.clone())))
            .collect()
    }

    /// Returns where a part of the value begins.
    pub(crate) fn place(&self, lines: &Lines<'_>, span: &Range<usize>) -> Option<Place> {
        Some(lines.place((*self.offsets.get(span.start)?)?))
    }

    fn range(&self, span: &Range<usize>) -> Option<Range<usize>> {
        let first = (*self.offsets.get(span.start)?)?;
        let last = (*self.offsets.get(span.end.checked_sub(1)?)?)?;
        Some(first..last + 1)
    }
}

/// Returns for each byte of `value` its byte in `raw`, or nothing where the two part ways. White
/// space has none: it is folded.
fn align(raw: &str, value: &str, style: char) -> Option<Vec<Option<usize>>> {
    let mut offsets = Vec::with_capacity(value.len());
    let mut raw = raw.char_indices().peekable();
    for wanted in value.chars() {
        if wanted.is_whitespace() {
            offsets.extend(std::iter::repeat_n(None, wanted.len_utf8()));
            continue;
        }
        let (at, found) = loop {
            let (at, c) = raw.next()?;
            match c {
                c if c.is_whitespace() => {}
                '\\' if style == '"' => match escape(&mut raw)? {
                    Escape::Space => {}
                    Escape::Char(c) => break (at, c),
                    // Some character that is written in hexadecimal: taken on trust, the result is
                    // proved as a whole.
                    Escape::Number => break (at, wanted),
                },
                '\'' if style == '\'' => {
                    raw.next_if(|(_, c)| *c == '\'')?;
                    break (at, '\'');
                }
                c => break (at, c),
            }
        };
        if found != wanted {
            return None;
        }
        offsets.extend((0..wanted.len_utf8()).map(|byte| Some(at + byte)));
    }
    Some(offsets)
}

enum Escape {
    Space,
    Char(char),
    Number,
}

/// Reads an escape of a double-quoted scalar behind its backslash.
fn escape(raw: &mut std::iter::Peekable<std::str::CharIndices<'_>>) -> Option<Escape> {
    let (_, c) = raw.next()?;
    let digits = match c {
        'x' => 2,
        'u' => 4,
        'U' => 8,
        't' | 'n' | 'r' | 'v' | 'f' | 'N' | '_' | 'L' | 'P' => return Some(Escape::Space),
        c if c.is_whitespace() => return Some(Escape::Space),
        c => return Some(Escape::Char(c)),
    };
    for _ in 0..digits {
        raw.next()?;
    }
    Some(Escape::Number)
}

/// Applies edits to a text. Edits of the same bytes count once.
pub(crate) fn apply(text: &str, mut edits: Vec<Edit>) -> String {
    edits.sort_by_key(|(span, _)| (span.start, span.end));
    edits.dedup();
    let mut result = String::with_capacity(text.len());
    let mut at = 0;
    for (span, new) in edits {
        let Some(kept) = text.get(at..span.start) else {
            continue;
        };
        result.push_str(kept);
        result.push_str(&new);
        at = span.end;
    }
    result.push_str(text.get(at..).unwrap_or_default());
    result
}
