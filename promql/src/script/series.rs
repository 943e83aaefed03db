//! The series notation of scripts and rule unit tests: `up{job="x"} 1+0x5 _ stale`.

use crate::labels::{Labels, METRIC_NAME};
use crate::query::literal;
use crate::value::stale_nan;

/// Most samples that one line may describe.
pub const MAX_SAMPLES: usize = 1_000_000;

/// A series as it is written: one entry per step, nothing where there is no sample.
#[derive(Debug, Clone, PartialEq)]
pub struct Notation {
    /// The labels.
    pub labels: Labels,
    /// The samples, stale markers included.
    pub samples: Vec<Option<f64>>,
}

/// Why a line is not a series.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SeriesError {
    /// The line holds native histograms, which are not built.
    #[error("native histograms are not built")]
    NativeHistogram,
    /// The line makes no sense.
    #[error("{0}")]
    Syntax(String),
}

fn syntax<T>(message: impl Into<String>) -> Result<T, SeriesError> {
    Err(SeriesError::Syntax(message.into()))
}

/// Parses a line of labels and samples.
pub fn parse(line: &str) -> Result<Notation, SeriesError> {
    let (labels, rest) = parse_labels(line.trim())?;
    Ok(Notation {
        labels,
        samples: parse_samples(rest)?,
    })
}

/// Parses labels at the start of a text and returns what follows them.
pub fn parse_labels(text: &str) -> Result<(Labels, &str), SeriesError> {
    let name_end = text
        .find(|c: char| c == '{' || c.is_whitespace())
        .unwrap_or(text.len());
    let (name, mut rest) = text.split_at(name_end);
    let mut pairs: Vec<(String, String)> = Vec::new();
    if !name.is_empty() {
        pairs.push((METRIC_NAME.to_owned(), name.to_owned()));
    }
    if let Some(mut inside) = rest.strip_prefix('{') {
        loop {
            inside = inside.trim_start_matches(|c: char| c.is_whitespace() || c == ',');
            if let Some(after) = inside.strip_prefix('}') {
                rest = after;
                break;
            }
            let (pair, after) = parse_pair(inside)?;
            pairs.push(pair);
            inside = after;
        }
    }
    Ok((Labels::from_pairs(pairs), rest))
}

fn parse_pair(text: &str) -> Result<((String, String), &str), SeriesError> {
    let (name, rest) = if text.starts_with(['"', '\'', '`']) {
        let (name, rest) = parse_string(text)?;
        if !rest.trim_start().starts_with('=') {
            return Ok(((METRIC_NAME.to_owned(), name), rest));
        }
        (name, rest)
    } else {
        let end = text
            .find(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | ':' | '.')))
            .unwrap_or(text.len());
        (text[..end].to_owned(), &text[end..])
    };
    let Some(rest) = rest.trim_start().strip_prefix('=') else {
        return syntax(format!("expected `=` behind the label name `{name}`"));
    };
    let (value, rest) = parse_string(rest.trim_start())?;
    Ok(((name, value), rest))
}

/// Parses a quoted string at the start of a text.
pub(crate) fn parse_string(text: &str) -> Result<(String, &str), SeriesError> {
    if !text.starts_with(['"', '\'', '`']) {
        return syntax(format!("expected a quoted string at `{text}`"));
    }
    let Some(length) = literal::length(text) else {
        return syntax("a string is not closed");
    };
    let (literal, rest) = text.split_at(length);
    let value = literal::unquote(literal).map_err(SeriesError::Syntax)?;
    Ok((value, rest))
}

/// Parses samples: `v`, `v+dxN`, `v-dxN`, `vxN`, `_`, `_xN`, `stale`.
pub fn parse_samples(text: &str) -> Result<Vec<Option<f64>>, SeriesError> {
    if text.contains("{{") {
        return Err(SeriesError::NativeHistogram);
    }
    let mut samples = Vec::new();
    for word in text.split_whitespace() {
        parse_word(word, &mut samples)?;
        if samples.len() > MAX_SAMPLES {
            return syntax(format!("a series has more than {MAX_SAMPLES} samples"));
        }
    }
    Ok(samples)
}

fn parse_word(word: &str, samples: &mut Vec<Option<f64>>) -> Result<(), SeriesError> {
    let (body, repeat) = match word.rsplit_once('x') {
        // `0x3` is four zeros here, as in Prometheus; only hex digits make it a number.
        Some((body, count)) if !body.is_empty() && count.bytes().all(|b| b.is_ascii_digit()) => {
            let count: usize = count
                .parse()
                .map_err(|_| SeriesError::Syntax(format!("`{word}`: bad repetition")))?;
            if count > MAX_SAMPLES {
                return syntax(format!("`{word}`: too many repetitions"));
            }
            (body, Some(count))
        }
        _ => (word, None),
    };
    if body == "_" {
        samples.extend(std::iter::repeat_n(None, repeat.unwrap_or(1)));
        return Ok(());
    }
    if body == "stale" {
        samples.extend(std::iter::repeat_n(
            Some(stale_nan()),
            repeat.map_or(1, |n| n + 1),
        ));
        return Ok(());
    }
    let (start, step) = split_step(body);
    let start = number(start)?;
    let step = step.map_or(Ok(0.0), number)?;
    // Prometheus adds step by step, so rounding errors collect here too.
    let mut value = start;
    for index in 0..=repeat.unwrap_or(0) {
        if index > 0 {
            value += step;
        }
        samples.push(Some(value));
    }
    Ok(())
}

/// Splits `1e-3+5` at the sign that begins the step.
fn split_step(body: &str) -> (&str, Option<&str>) {
    let bytes = body.as_bytes();
    for at in 1..bytes.len() {
        if matches!(bytes[at], b'+' | b'-') && !matches!(bytes[at - 1], b'e' | b'E' | b'+' | b'-') {
            return (&body[..at], Some(&body[at..]));
        }
    }
    (body, None)
}

/// Parses a number as PromQL writes it.
pub fn number(text: &str) -> Result<f64, SeriesError> {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(rest) => (-1.0, rest),
        None => (1.0, text.strip_prefix('+').unwrap_or(text)),
    };
    if let Some(hex) = digits.strip_prefix("0x").or(digits.strip_prefix("0X"))
        && let Ok(value) = u64::from_str_radix(hex, 16)
    {
        return Ok(sign * value as f64);
    }
    let looks_like_number = digits.starts_with(|c: char| c.is_ascii_digit() || c == '.')
        || ["inf", "nan"].contains(&digits.to_ascii_lowercase().as_str());
    match digits.parse::<f64>() {
        Ok(value) if looks_like_number => Ok(sign * value),
        _ => syntax(format!("`{text}` is not a number")),
    }
}
