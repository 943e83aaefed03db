//! Times and durations as servers write them.

use jiff::Timestamp;

/// Returns milliseconds since the epoch for an RFC 3339 text; `None` for the "never" of Go, year 1.
pub(crate) fn rfc3339_ms(text: &str) -> Option<i64> {
    let ms = text.parse::<Timestamp>().ok()?.as_millisecond();
    (ms > 0).then_some(ms)
}

/// Returns the RFC 3339 text of a time; times beyond jiff's range become its bounds.
pub(crate) fn rfc3339(ms: i64) -> String {
    let bound = if ms < 0 {
        Timestamp::MIN
    } else {
        Timestamp::MAX
    };
    Timestamp::from_millisecond(ms).unwrap_or(bound).to_string()
}

/// Returns milliseconds for seconds since the epoch.
pub(crate) fn seconds_to_ms(seconds: f64) -> i64 {
    (seconds * 1000.0).round() as i64
}

/// Writes milliseconds as the decimal seconds that the HTTP API takes.
pub(crate) fn ms_to_seconds(ms: i64) -> String {
    let sign = if ms < 0 { "-" } else { "" };
    let ms = ms.unsigned_abs();
    format!("{sign}{}.{:03}", ms / 1000, ms % 1000)
}

/// Returns milliseconds for a duration as Prometheus writes it, such as "1h30m" or "15s".
pub(crate) fn duration_ms(text: &str) -> Option<i64> {
    let mut total: i64 = 0;
    let mut rest = text;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit())?;
        let number: i64 = rest[..digits].parse().ok()?;
        let unit_end = rest[digits..]
            .find(|c: char| c.is_ascii_digit())
            .map_or(rest.len(), |at| digits + at);
        let unit = match &rest[digits..unit_end] {
            "ms" => 1,
            "s" => 1_000,
            "m" => 60_000,
            "h" => 3_600_000,
            "d" => 86_400_000,
            "w" => 604_800_000,
            "y" => 31_536_000_000,
            _ => return None,
        };
        total = total.checked_add(number.checked_mul(unit)?)?;
        rest = &rest[unit_end..];
    }
    (!text.is_empty()).then_some(total)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_of_prometheus() {
        for (text, expect) in [
            ("15s", Some(15_000)),
            ("1h30m", Some(5_400_000)),
            ("1m500ms", Some(60_500)),
            ("", None),
            ("s", None),
            ("3", None),
            ("99999999999999y", None),
        ] {
            assert_eq!(duration_ms(text), expect, "{text}");
        }
    }

    #[test]
    fn times_survive_the_wire() {
        assert_eq!(ms_to_seconds(1_435_781_451_781), "1435781451.781");
        assert_eq!(ms_to_seconds(-5), "-0.005");
        assert_eq!(seconds_to_ms(1_435_781_451.781), 1_435_781_451_781);
        assert_eq!(rfc3339_ms("0001-01-01T00:00:00Z"), None);
        assert_eq!(
            rfc3339_ms("2020-01-01T00:00:00.5+01:00"),
            Some(1_577_833_200_500)
        );
        assert_eq!(rfc3339(1_577_833_200_500), "2019-12-31T23:00:00.5Z");
    }
}
