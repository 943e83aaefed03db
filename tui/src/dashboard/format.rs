//! Numbers, spans of time and moments as a person reads them.

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// What a panel's values measure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Unit {
    /// A plain number with SI prefixes.
    #[default]
    Plain,
    /// Events per second.
    PerSecond,
    /// Seconds, shown in the unit that fits.
    Seconds,
    /// A ratio from 0 to 1, shown in percent.
    Ratio,
    /// Bytes, shown with binary prefixes.
    Bytes,
}

impl Unit {
    /// Formats a value with three significant digits and its unit.
    pub fn format(self, value: f64) -> String {
        if value.is_nan() {
            return "NaN".to_owned();
        }
        if value.is_infinite() {
            return if value > 0.0 { "+Inf" } else { "-Inf" }.to_owned();
        }
        match self {
            Self::Plain => si(value),
            Self::PerSecond => format!("{}/s", si(value)),
            Self::Seconds => seconds(value),
            Self::Ratio => format!("{}%", significant(value * 100.0)),
            Self::Bytes => bytes(value),
        }
    }

    /// Formats a tick of an axis whose greatest value is `max`, so that all ticks of an axis share
    /// one unit. Zero needs none, and neither does a rate: the title has it.
    pub(crate) fn tick(self, value: f64, max: f64) -> String {
        if value == 0.0 {
            return "0".to_owned();
        }
        match self {
            Self::PerSecond => si(value),
            Self::Seconds if (0.001..=1.0).contains(&max) => {
                format!("{}ms", significant(value * 1e3))
            }
            Self::Seconds if (1.0..=120.0).contains(&max) => format!("{}s", significant(value)),
            _ => self.format(value),
        }
    }

    /// Formats a tick as exactly as a distance of `step` between ticks asks for; `farthest` is the
    /// value of the axis that is farthest from zero.
    pub(crate) fn precise(self, value: f64, step: f64, farthest: f64) -> String {
        let (factor, suffix) = match self {
            Self::Plain | Self::PerSecond => (1.0, ""),
            Self::Seconds => (1.0, "s"),
            Self::Ratio => (100.0, "%"),
            Self::Bytes => binary(farthest),
        };
        let is_whole = |decimals: &i32| {
            let scaled = step * factor * 10_f64.powi(*decimals);
            (scaled - scaled.round()).abs() < 1e-6 * scaled.abs()
        };
        let decimals = (0..9).find(is_whole).unwrap_or(9) as usize;
        format!("{:.decimals$}{suffix}", value * factor)
    }

    /// Returns the height of an axis on which everything is zero.
    pub(crate) fn smallest_span(self) -> f64 {
        match self {
            Self::Plain | Self::PerSecond => 1.0,
            Self::Seconds | Self::Ratio => 0.01,
            Self::Bytes => 1024.0,
        }
    }
}

fn si(value: f64) -> String {
    let magnitude = value.abs();
    let (factor, suffix) = match magnitude {
        m if m >= 999_950_000_000_000.0 => return format!("{value:.1e}"),
        m if m >= 999_950_000_000.0 => (1e12, "T"),
        m if m >= 999_950_000.0 => (1e9, "G"),
        m if m >= 999_950.0 => (1e6, "M"),
        m if m >= 9_999.5 => (1e3, "k"),
        m if m > 0.0 && m < 0.000_5 => return format!("{value:.1e}"),
        _ => (1.0, ""),
    };
    format!("{}{suffix}", significant(value / factor))
}

fn bytes(value: f64) -> String {
    let (factor, suffix) = binary(value);
    format!("{}{suffix}", significant(value * factor))
}

/// Returns the binary prefix that suits a value, and the factor to it.
fn binary(value: f64) -> (f64, &'static str) {
    let units = ["B", "KiB", "MiB", "GiB", "TiB"];
    let mut index = 0;
    let mut factor = 1.0;
    while (value * factor).abs() >= 1023.5 && index + 1 < units.len() {
        factor /= 1024.0;
        index += 1;
    }
    (factor, units[index])
}

fn seconds(value: f64) -> String {
    let magnitude = value.abs();
    match magnitude {
        0.0 => "0s".to_owned(),
        m if m < 0.000_000_5 => format!("{value:.0e}s"),
        m if m < 0.000_999_5 => format!("{}µs", significant(value * 1e6)),
        m if m < 0.999_5 => format!("{}ms", significant(value * 1e3)),
        m if m < 119.5 => format!("{}s", significant(value)),
        m if m < 7_170.0 => format!("{}m", significant(value / 60.0)),
        _ => format!("{}h", significant(value / 3600.0)),
    }
}

// Three significant digits without trailing zeros; whole numbers stay whole.
fn significant(value: f64) -> String {
    let magnitude = value.abs();
    let decimals = match magnitude {
        m if m >= 99.95 => 0,
        m if m >= 9.995 => 1,
        m if m >= 0.999_5 || m == 0.0 => 2,
        _ => 3,
    };
    let text = format!("{value:.decimals$}");
    let text = if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.')
    } else {
        &text
    };
    if text == "-0" { "0" } else { text }.to_owned()
}

/// Formats a span of time with at most two units: `45s`, `1m30s`, `2h5m`, `3d4h`.
pub fn span(ms: i64) -> String {
    let s = ms.max(0) / 1000;
    let pair = |a: i64, ua: &str, b: i64, ub: &str| {
        if b == 0 {
            format!("{a}{ua}")
        } else {
            format!("{a}{ua}{b}{ub}")
        }
    };
    match s {
        0..60 => format!("{s}s"),
        60..3_600 => pair(s / 60, "m", s % 60, "s"),
        3_600..86_400 => pair(s / 3_600, "h", s % 3_600 / 60, "m"),
        _ => pair(s / 86_400, "d", s % 86_400 / 3_600, "h"),
    }
}

/// Formats a running timer: `01:12`, `1:02:03`.
pub fn timer(ms: i64) -> String {
    let s = ms.max(0) / 1000;
    if s < 3_600 {
        format!("{:02}:{:02}", s / 60, s % 60)
    } else {
        format!("{}:{:02}:{:02}", s / 3_600, s % 3_600 / 60, s % 60)
    }
}

/// Formats an age: below a second with one digit, then as [`span`].
pub fn age(ms: i64) -> String {
    if ms < 1_000 {
        format!("0.{}s", ms.clamp(0, 999) / 100)
    } else {
        span(ms)
    }
}

/// Formats the time of day, `14:07:31`.
pub fn clock(at_ms: i64, zone: &TimeZone) -> String {
    strftime(at_ms, zone, "%H:%M:%S")
}

pub(crate) fn strftime(at_ms: i64, zone: &TimeZone, format: &str) -> String {
    Timestamp::from_millisecond(at_ms).map_or_else(
        |_| "--:--".to_owned(),
        |at| at.to_zoned(zone.clone()).strftime(format).to_string(),
    )
}

/// Returns the zone's distance from UTC at a moment, in milliseconds.
pub(crate) fn offset_ms(at_ms: i64, zone: &TimeZone) -> i64 {
    Timestamp::from_millisecond(at_ms)
        .map_or(0, |at| i64::from(zone.to_offset(at).seconds()) * 1000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values() {
        let table = [
            (Unit::PerSecond, 412.3, "412/s"),
            (Unit::PerSecond, 0.0, "0/s"),
            (Unit::PerSecond, 12_345.0, "12.3k/s"),
            (Unit::PerSecond, -3.5, "-3.5/s"),
            (Unit::Plain, 1e15, "1.0e15"),
            (Unit::Plain, 1e-10, "1.0e-10"),
            (Unit::Plain, 999_960.0, "1M"),
            (Unit::Seconds, 0.0, "0s"),
            (Unit::Seconds, 0.92, "920ms"),
            (Unit::Seconds, 0.0234, "23.4ms"),
            (Unit::Seconds, 0.000_2, "200µs"),
            (Unit::Seconds, 1.5, "1.5s"),
            (Unit::Seconds, 300.0, "5m"),
            (Unit::Seconds, 1e-10, "1e-10s"),
            (Unit::Ratio, 0.083, "8.3%"),
            (Unit::Ratio, 1.0, "100%"),
            (Unit::Ratio, 0.000_5, "0.05%"),
            (Unit::Bytes, 1536.0, "1.5KiB"),
            (Unit::Plain, f64::NAN, "NaN"),
            (Unit::Plain, f64::INFINITY, "+Inf"),
            (Unit::Plain, -0.0, "0"),
        ];
        for (unit, value, expect) in table {
            assert_eq!(unit.format(value), expect, "{unit:?} {value}");
        }
    }

    #[test]
    fn times() {
        assert_eq!(span(72_000), "1m12s");
        assert_eq!(span(120_000), "2m");
        assert_eq!(span(-5), "0s");
        assert_eq!(span(93_600_000), "1d2h");
        assert_eq!(timer(72_000), "01:12");
        assert_eq!(timer(3_723_000), "1:02:03");
        assert_eq!(age(230), "0.2s");
        assert_eq!(clock(0, &TimeZone::UTC), "00:00:00");
        assert_eq!(clock(i64::MAX, &TimeZone::UTC), "--:--");
    }
}
