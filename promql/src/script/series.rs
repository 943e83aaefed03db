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
    if !name.is_empty() && !is_name(name, ':') {
        return syntax(format!("`{name}` is not a metric name"));
    }
    if let Some(mut inside) = rest.strip_prefix('{') {
        loop {
            inside = inside.trim_start();
            if let Some(after) = inside.strip_prefix('}') {
                rest = after;
                break;
            }
            if inside.is_empty() {
                return syntax("the brace of the labels is not closed");
            }
            let (pair, after) = parse_pair(inside)?;
            if pairs.iter().any(|(name, _)| *name == pair.0) {
                return syntax(format!("the label `{}` is there twice", pair.0));
            }
            pairs.push(pair);
            inside = after.trim_start();
            if let Some(after) = inside.strip_prefix(',') {
                inside = after;
            } else if !inside.starts_with('}') && !inside.is_empty() {
                return syntax(format!("expected `,` or `}}` at `{inside}`"));
            }
        }
    }
    Ok((Labels::from_pairs(pairs), rest))
}

/// Says whether a name needs no quotes; `more` is allowed beside letters, digits and underscores.
fn is_name(name: &str, more: char) -> bool {
    let is_start = |c: char| c.is_ascii_alphabetic() || c == '_' || c == more;
    name.starts_with(is_start) && name.chars().all(|c| is_start(c) || c.is_ascii_digit())
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
        let (name, rest) = text.split_at(end);
        if !is_name(name, '_') {
            return syntax(format!("expected a label name at `{text}`"));
        }
        (name.to_owned(), rest)
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

/// Samples that follow each other, as one word of the notation writes them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Run {
    /// Steps without a sample.
    Gap(usize),
    /// Samples, each `step` more than the one before; without a step all are the same.
    Samples {
        /// The first value.
        first: f64,
        /// What is added from sample to sample.
        step: Option<f64>,
        /// How many samples there are.
        count: usize,
    },
}

impl Run {
    /// Returns how many steps the word covers.
    pub fn steps(&self) -> usize {
        match self {
            Self::Gap(count) | Self::Samples { count, .. } => *count,
        }
    }

    /// Returns the entries one by one.
    pub fn iter(self) -> impl Iterator<Item = Option<f64>> {
        let (first, step) = match self {
            Self::Gap(_) => (None, None),
            Self::Samples { first, step, .. } => (Some(first), step),
        };
        let mut next = first;
        std::iter::repeat_with(move || {
            let current = next;
            // Prometheus adds step by step, so rounding errors collect here too.
            next = next.map(|value| step.map_or(value, |step| value + step));
            current
        })
        .take(self.steps())
    }
}

/// Parses samples: `v`, `v+dxN`, `v-dxN`, `vxN`, `_`, `_xN`, `stale`.
pub fn parse_samples(text: &str) -> Result<Vec<Option<f64>>, SeriesError> {
    let runs = parse_runs(text, MAX_SAMPLES)?;
    Ok(runs.into_iter().flat_map(Run::iter).collect())
}

/// Parses at most `most` samples and leaves repetitions as they are written.
pub fn parse_runs(text: &str, most: usize) -> Result<Vec<Run>, SeriesError> {
    if text.contains("{{") {
        return Err(SeriesError::NativeHistogram);
    }
    let mut runs = Vec::new();
    let mut samples = 0;
    for word in text.split_whitespace() {
        let run = parse_word(word, most)?;
        samples += run.steps();
        if samples > most {
            return syntax(format!("a series has more than {most} samples"));
        }
        runs.push(run);
    }
    Ok(runs)
}

fn parse_word(word: &str, most: usize) -> Result<Run, SeriesError> {
    let (body, repeat) = match word.rsplit_once('x') {
        // `0x3` is four zeros here, as in Prometheus; only hex digits make it a number.
        Some((body, count)) if !body.is_empty() && count.bytes().all(|b| b.is_ascii_digit()) => {
            let count: usize = count
                .parse()
                .map_err(|_| SeriesError::Syntax(format!("`{word}`: bad repetition")))?;
            if count > most {
                return syntax(format!("`{word}`: too many repetitions"));
            }
            (body, Some(count))
        }
        _ => (word, None),
    };
    if body == "_" {
        return Ok(Run::Gap(repeat.unwrap_or(1)));
    }
    let count = repeat.map_or(1, |times| times + 1);
    let is_word = |word: &&str| body.to_ascii_lowercase().ends_with(word);
    if repeat.is_some() && ["stale", "inf", "nan"].iter().any(is_word) {
        return syntax(format!(
            "`{word}`: only digits can be repeated; write `{body}` several times"
        ));
    }
    if body == "stale" {
        return Ok(Run::Samples {
            first: stale_nan(),
            step: None,
            count,
        });
    }
    let (first, step) = split_step(body);
    if step.is_some() && repeat.is_none() {
        return syntax(format!(
            "`{word}`: a step needs a repetition, such as `{word}x10`"
        ));
    }
    Ok(Run::Samples {
        first: plain_number(first)?,
        step: step.map(plain_number).transpose()?,
        count,
    })
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

/// Parses a number that is not hexadecimal: `x` repeats here.
fn plain_number(text: &str) -> Result<f64, SeriesError> {
    if text.contains(['x', 'X']) {
        return syntax(format!("`{text}` is not a number: `x` repeats a value"));
    }
    number(text)
}

/// Parses a number as PromQL writes it: `1_000`, `0x1f`, `017` (octal, unless it has a digit above
/// 7), `1e3`, `Inf`.
pub fn number(text: &str) -> Result<f64, SeriesError> {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(rest) => (-1.0, rest),
        None => (1.0, text.strip_prefix('+').unwrap_or(text)),
    };
    let Some(digits) = literal::without_underscores(digits) else {
        return syntax(format!("`{text}` is not a number"));
    };
    let hex = digits.strip_prefix("0x").or(digits.strip_prefix("0X"));
    let octal = digits
        .strip_prefix('0')
        .filter(|rest| !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_digit()));
    let whole = hex
        .map(|hex| u64::from_str_radix(hex, 16))
        .or(octal.map(|octal| u64::from_str_radix(octal, 8)));
    if let Some(Ok(value)) = whole {
        return Ok(sign * value as f64);
    }
    let looks_like_number = digits.starts_with(|c: char| c.is_ascii_digit() || c == '.')
        || ["inf", "nan"].contains(&digits.to_ascii_lowercase().as_str());
    match digits.parse::<f64>() {
        Ok(value) if looks_like_number => Ok(sign * value),
        _ => syntax(format!("`{text}` is not a number")),
    }
}
