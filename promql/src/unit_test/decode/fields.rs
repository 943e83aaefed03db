//! Single fields of a test file, as promtool reads them.

use super::NATIVE;
use crate::duration::parse_ms;
use crate::labels::Labels;
use crate::script::series::{SeriesError, parse_labels};
use crate::yaml::Yaml;
use crate::yaml::decode::{Fields, Item, Problems};

/// Reads the value of a sample: a number, `.inf` or `.nan`.
pub(super) fn value(item: &Item<'_>, problems: &mut Problems) -> Option<f64> {
    let Yaml::Str(text) = &item.node.value else {
        // Go reads YAML 1.1, where a leading 0 means octal.
        let octal = item.node.written.as_deref().and_then(octal);
        return octal.or_else(|| item.number(problems));
    };
    let text = text.to_ascii_lowercase();
    match text.strip_prefix('+').unwrap_or(&text) {
        ".inf" => Some(f64::INFINITY),
        "-.inf" => Some(f64::NEG_INFINITY),
        ".nan" => Some(f64::NAN),
        _ => item.number(problems),
    }
}

fn octal(written: &str) -> Option<f64> {
    let (sign, digits) = match written.strip_prefix('-') {
        Some(rest) => (-1.0, rest),
        None => (1.0, written.strip_prefix('+').unwrap_or(written)),
    };
    let rest = digits.strip_prefix('0')?;
    Some(sign * u64::from_str_radix(rest, 8).ok()? as f64)
}

pub(super) fn eval_time(fields: &mut Fields<'_>, problems: &mut Problems) -> i64 {
    fields
        .take("eval_time")
        .and_then(|item| item.parse(problems, parse_ms))
        .unwrap_or(0)
}

pub(super) fn subset(fields: &mut Fields<'_>, problems: &mut Problems) -> bool {
    let Some(item) = fields.take("match") else {
        return false;
    };
    match item.scalar(problems).as_deref() {
        Some("subset") => true,
        Some("exact") | None => false,
        Some(other) => {
            problems.at_with_help(
                &item,
                format!("`{other}` is no way to match"),
                "write `exact` or `subset`",
            );
            false
        }
    }
}

pub(super) fn list<'n>(
    fields: &mut Fields<'n>,
    name: &'static str,
    problems: &mut Problems,
) -> Vec<Item<'n>> {
    let item = fields.take(name);
    item.map(|item| item.list(problems)).unwrap_or_default()
}

pub(super) fn text(fields: &mut Fields<'_>, name: &'static str, problems: &mut Problems) -> String {
    let item = fields.take(name);
    item.and_then(|item| item.scalar(problems))
        .unwrap_or_default()
}

/// Reads an interval; zero counts as not given.
pub(super) fn positive(
    fields: &mut Fields<'_>,
    name: &'static str,
    problems: &mut Problems,
) -> Option<i64> {
    let item = fields.take(name)?;
    item.parse(problems, parse_ms).filter(|ms| *ms > 0)
}

pub(super) fn pairs(item: &Item<'_>, problems: &mut Problems) -> Vec<(String, String)> {
    item.entries(problems)
        .into_iter()
        .filter_map(|(key, child)| Some((key.text.clone(), child.scalar(problems)?)))
        .collect()
}

pub(super) fn labels(item: &Item<'_>, problems: &mut Problems) -> Option<Labels> {
    item.parse(problems, |text| {
        let (labels, rest) = parse_labels(text.trim()).map_err(plain)?;
        match rest.trim() {
            "" => Ok(labels),
            rest => Err(format!("`{rest}` stands behind the labels")),
        }
    })
}

pub(super) fn plain(error: SeriesError) -> String {
    match error {
        SeriesError::NativeHistogram => NATIVE.to_owned(),
        SeriesError::Syntax(message) => message,
    }
}

/// Parses seconds since the epoch or a time such as `2026-01-31T12:00:00Z`.
pub(super) fn start_timestamp(text: &str) -> Result<i64, String> {
    if let Ok(seconds) = text.parse::<f64>()
        && seconds.is_finite()
    {
        return Ok((seconds * 1000.0).round() as i64);
    }
    rfc3339_ms(text).ok_or_else(|| {
        format!("`{text}` is neither seconds since the epoch nor a time like 2026-01-31T12:00:00Z")
    })
}

/// Reads a time in the form of RFC 3339, with `Z` or an offset. The library also takes a space for
/// the `T`, and names of zones.
fn rfc3339_ms(text: &str) -> Option<i64> {
    if text.get(10..11) != Some("T") || text.contains('[') {
        return None;
    }
    Some(text.parse::<jiff::Timestamp>().ok()?.as_millisecond())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_start_is_seconds_or_a_time() {
        assert_eq!(start_timestamp("0"), Ok(0));
        assert_eq!(start_timestamp("1.5"), Ok(1500));
        assert_eq!(start_timestamp("1970-01-01T00:00:00Z"), Ok(0));
        assert_eq!(
            start_timestamp("2024-02-29T12:00:01Z"),
            Ok(1_709_208_001_000)
        );
        assert_eq!(
            start_timestamp("2024-02-29T14:00:01+02:00"),
            Ok(1_709_208_001_000)
        );
        for bad in [
            "",
            "2024-02-29",
            "2024-13-01T00:00:00Z",
            "inf",
            "2024-02-29 12:00:01Z",
        ] {
            assert!(start_timestamp(bad).is_err(), "{bad}");
        }
    }
}
