//! Durations as Prometheus writes them: `5m`, `1h30m`, `250ms`.

const UNITS: [(&str, i64); 7] = [
    ("y", 365 * 24 * 3600 * 1000),
    ("w", 7 * 24 * 3600 * 1000),
    ("d", 24 * 3600 * 1000),
    ("h", 3600 * 1000),
    ("m", 60 * 1000),
    ("s", 1000),
    ("ms", 1),
];

/// Longest duration, about 292 years: Prometheus counts nanoseconds in 63 bits.
const MAX_MS: i64 = i64::MAX / 1_000_000;

/// Why a text is not a duration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DurationError {
    /// It is written otherwise.
    #[error("`{0}` is not a duration; write for example 30s, 5m or 1h30m")]
    Syntax(String),
    /// It is longer than Prometheus can count.
    #[error("`{0}` is too long; a duration is at most 292 years")]
    TooLong(String),
}

/// Parses a duration into milliseconds. Units go from large to small, each at most once; `0` is
/// the only number that needs no unit.
pub fn parse_ms(text: &str) -> Result<i64, DurationError> {
    let error = || DurationError::Syntax(text.to_owned());
    if text == "0" {
        return Ok(0);
    }
    if text.is_empty() {
        return Err(error());
    }
    let mut rest = text;
    let mut next_unit = 0;
    let mut total_ms: i64 = 0;
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let number: i64 = rest[..digits].parse().map_err(|_| error())?;
        rest = &rest[digits..];
        let letters = rest.bytes().take_while(u8::is_ascii_lowercase).count();
        let unit = UNITS[next_unit..]
            .iter()
            .position(|(name, _)| *name == &rest[..letters])
            .ok_or_else(error)?
            + next_unit;
        rest = &rest[letters..];
        next_unit = unit + 1;
        total_ms = number
            .checked_mul(UNITS[unit].1)
            .and_then(|part| total_ms.checked_add(part))
            .filter(|ms| *ms <= MAX_MS)
            .ok_or_else(|| DurationError::TooLong(text.to_owned()))?;
    }
    Ok(total_ms)
}

/// Writes milliseconds the way Prometheus does: years and weeks only when nothing is left over.
pub fn format_ms(duration_ms: i64) -> String {
    use std::fmt::Write as _;
    if duration_ms == 0 {
        return "0s".to_owned();
    }
    let mut text = String::new();
    let mut rest = duration_ms.unsigned_abs();
    if duration_ms < 0 {
        text.push('-');
    }
    for (name, size_ms) in UNITS {
        let size_ms = size_ms as u64;
        let only_whole = matches!(name, "y" | "w");
        if (only_whole && !rest.is_multiple_of(size_ms)) || rest < size_ms {
            continue;
        }
        let _ = write!(text, "{}{name}", rest / size_ms);
        rest %= size_ms;
    }
    text
}
