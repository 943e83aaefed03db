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

#[cfg(test)]
mod tests {
    use super::*;

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
