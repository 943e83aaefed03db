//! How long a customer thinks before the next click.

use std::{fmt, str::FromStr, time::Duration};

use crate::draw::Draw;

/// A distribution of pauses; written `0s`, `2s`, `0.5s..3s` or `exp:2s`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum ThinkTime {
    /// Always as long; 0 for none.
    Fixed(Duration),
    /// Anything between two times, all as likely.
    Between(Duration, Duration),
    /// Exponential with this mean, and at most ten times as long.
    Exponential(Duration),
}

impl ThinkTime {
    /// No pause.
    pub const NONE: Self = Self::Fixed(Duration::ZERO);

    /// Returns the pause that `draw` picks.
    pub(super) fn pick(self, draw: &mut Draw) -> Duration {
        match self {
            Self::Fixed(time) => time,
            Self::Between(least, most) => least + most.saturating_sub(least).mul_f64(draw.unit()),
            // 1 - u lies in (0, 1], so the logarithm is finite.
            Self::Exponential(mean) => mean.mul_f64((-(1.0 - draw.unit()).ln()).min(10.0)),
        }
    }

    /// Returns the mean pause.
    pub(super) fn mean(self) -> Duration {
        match self {
            Self::Fixed(mean) | Self::Exponential(mean) => mean,
            Self::Between(least, most) => (least + most) / 2,
        }
    }
}

impl fmt::Display for ThinkTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let show = humantime::format_duration;
        match self {
            Self::Fixed(time) => write!(f, "{}", show(*time)),
            Self::Between(least, most) => write!(f, "{}..{}", show(*least), show(*most)),
            Self::Exponential(mean) => write!(f, "exp:{}", show(*mean)),
        }
    }
}

impl FromStr for ThinkTime {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Some(mean) = text.strip_prefix("exp:") {
            return seconds(mean).map(Self::Exponential);
        }
        let Some((least, most)) = text.split_once("..") else {
            return seconds(text).map(Self::Fixed);
        };
        let (least, most) = (seconds(least)?, seconds(most)?);
        if least > most {
            return Err(format!("{text:?}: the longer time stands last"));
        }
        Ok(Self::Between(least, most))
    }
}

/// Longest mean pause: more would only be a generator that does nothing.
const LONGEST: Duration = Duration::from_hours(1);

/// Reads a time as people write it; `humantime` alone knows no fractions.
fn seconds(text: &str) -> Result<Duration, String> {
    let text = text.trim();
    let fraction = text
        .strip_suffix('s')
        .and_then(|number| number.parse::<f64>().ok())
        .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    let time = match fraction {
        Some(time) => time,
        None => humantime::parse_duration(text)
            .map_err(|error| format!("{text:?}: {error}; write 2s, 0.5s..3s or exp:2s"))?,
    };
    if time > LONGEST {
        return Err(format!("{text:?}: an hour is the most"));
    }
    Ok(time)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::ThinkTime;
    use crate::draw::Draw;

    #[test]
    fn think_times_read_what_they_write_and_name_what_is_wrong() {
        for text in ["0s", "2s", "500ms..3s", "exp:1s 500ms"] {
            let read: ThinkTime = text.parse().unwrap();
            assert_eq!(read.to_string(), text);
        }
        let read: ThinkTime = "0.5s..3s".parse().unwrap();
        assert_eq!(read.to_string(), "500ms..3s");
        for bad in ["3s..1s", "x", "2h", "..", "exp:", "-1s"] {
            assert!(bad.parse::<ThinkTime>().is_err(), "{bad} must be refused");
        }
    }

    #[test]
    fn pauses_follow_their_distribution() {
        let cases = [
            (ThinkTime::Fixed(Duration::from_secs(2)), 2.0, 2.0, 2.0),
            ("0.5s..3s".parse().unwrap(), 1.75, 0.5, 3.0),
            ("exp:2s".parse().unwrap(), 2.0, 0.0, 20.0),
        ];
        for (think, mean, least, most) in cases {
            assert_eq!(think.mean(), Duration::from_secs_f64(mean));
            let mut sum = 0.0;
            for n in 0..20_000 {
                let pause = think.pick(&mut Draw::new(5, n)).as_secs_f64();
                assert!((least..=most).contains(&pause), "{think}: {pause}");
                sum += pause / 20_000.0;
            }
            assert!((sum - mean).abs() < 0.05, "{think}: mean {sum}");
        }
    }
}
