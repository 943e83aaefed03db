//! Numbers as Go reads and writes them, which decides whether `le="1"` and `le="1.0"` are one
//! series. It holds nothing else.

use std::borrow::Cow;

/// Reads a number as Prometheus does: no hexadecimals, no underscores, no overflow.
pub(super) fn parse_float(text: &str) -> Option<f64> {
    let value: f64 = text.parse().ok()?;
    let says_infinite = text.contains(['i', 'I']);
    (value.is_finite() || value.is_nan() || says_infinite).then_some(value)
}

/// Writes a number as Prometheus 3.x stores `le` and `quantile`: the shortest form that reads back
/// as the same number, always with a point or an exponent ("1.0", "0.005", "1e+06").
pub fn format_float(value: f64) -> String {
    if value.is_nan() {
        return "NaN".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { "+Inf" } else { "-Inf" }.to_owned();
    }
    let scientific = format!("{value:e}");
    let Some((digits, exponent)) = scientific.split_once('e') else {
        return scientific;
    };
    let exponent: i32 = exponent.parse().unwrap_or_default();
    // strconv's 'g' with the shortest precision decides with a precision of 6.
    if !(-4..6).contains(&exponent) {
        let sign = if exponent < 0 { '-' } else { '+' };
        return format!("{digits}e{sign}{:02}", exponent.abs());
    }
    let plain = format!("{value}");
    if plain.contains('.') {
        plain
    } else {
        plain + ".0"
    }
}

/// Rewrites a label value that is a number; leaves any other alone.
pub(super) fn normalise(value: Cow<'_, str>) -> Cow<'_, str> {
    match parse_float(&value) {
        Some(number) => {
            let text = format_float(number);
            if text == value {
                value
            } else {
                Cow::Owned(text)
            }
        }
        None => value,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_are_stored_as_prometheus_3_does() {
        for (text, expect) in [
            ("1", "1.0"),
            ("0", "0.0"),
            ("-1", "-1.0"),
            ("10", "10.0"),
            ("0.005", "0.005"),
            ("5e-3", "0.005"),
            ("0.00001", "1e-05"),
            ("100000", "100000.0"),
            ("1000000", "1e+06"),
            ("1234567", "1.234567e+06"),
            ("+inf", "+Inf"),
            ("abc", "abc"),
        ] {
            assert_eq!(normalise(Cow::Borrowed(text)), expect, "{text}");
        }
    }

    #[test]
    fn numbers_of_go() {
        for text in ["1e999", "0x1p3", "1_000", "", "one"] {
            assert_eq!(parse_float(text), None, "{text}");
        }
        for text in ["+Inf", "-inf", "nan", "NaN", "1e-400", ".5", "5."] {
            assert!(parse_float(text).is_some(), "{text}");
        }
    }
}
