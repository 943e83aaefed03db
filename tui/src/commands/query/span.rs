//! Which moments a query speaks of: one, or a range with a step.

use std::time::Duration;

use signals::source::Range;

use crate::cli::QueryArgs;
use crate::stop::Stop;

/// The moments as the flags name them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Span {
    /// One moment, `None` is now.
    Instant(Option<i64>),
    /// From a moment, or so long, to a moment, `None` is now.
    Range {
        from: From,
        end_ms: Option<i64>,
        step_ms: Option<i64>,
    },
}

/// Where a range begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum From {
    /// At a moment, milliseconds since the epoch.
    At(i64),
    /// So many milliseconds before its end.
    Before(i64),
}

impl Span {
    /// Reads the flags.
    pub(super) fn new(args: &QueryArgs) -> Result<Self, Stop> {
        let read = |flag: &str, text: &Option<String>| {
            let text = text.as_deref();
            text.map(|text| moment(flag, text)).transpose()
        };
        let (start_ms, end_ms) = (read("--start", &args.start)?, read("--end", &args.end)?);
        let step_ms = args.step.map(millis);
        let (from, end_ms) = match (start_ms, args.range.map(millis), end_ms) {
            (None, None, None) if step_ms.is_none() => {
                return Ok(Self::Instant(read("--at", &args.at)?));
            }
            (None, None, _) => {
                return Err(Stop::usage(
                    "--end and --step belong to a range: add --range DURATION or --start T",
                ));
            }
            (Some(start_ms), Some(length_ms), None) => {
                let end_ms = start_ms.saturating_add(length_ms);
                (From::At(start_ms), Some(end_ms))
            }
            (Some(_), Some(_), Some(_)) => {
                return Err(Stop::usage(
                    "--start, --end and --range say one thing twice: leave one away",
                ));
            }
            (None, Some(length_ms), end_ms) => (From::Before(length_ms), end_ms),
            (Some(start_ms), None, end_ms) => (From::At(start_ms), end_ms),
        };
        Ok(Self::Range {
            from,
            end_ms,
            step_ms,
        })
    }

    /// Says whether it is more than one moment.
    pub(super) fn is_range(&self) -> bool {
        matches!(self, Self::Range { .. })
    }

    /// Returns the length of a range that ends now, 0 for anything else.
    pub(super) fn until_now(&self) -> Duration {
        match self {
            Self::Range {
                from: From::Before(length_ms),
                end_ms: None,
                ..
            } => Duration::from_millis(length_ms.unsigned_abs()),
            _ => Duration::ZERO,
        }
    }

    /// Returns the range at a moment, `None` if it is an instant. A step that nobody has chosen is a
    /// whole number of `grain_ms`, at least a second, and makes about `steps` of the range.
    pub(super) fn range(
        &self,
        now_ms: i64,
        steps: i64,
        grain_ms: i64,
    ) -> Result<Option<Range>, Stop> {
        let Self::Range {
            from,
            end_ms,
            step_ms,
        } = *self
        else {
            return Ok(None);
        };
        let end_ms = end_ms.unwrap_or(now_ms);
        let start_ms = match from {
            From::At(start_ms) => start_ms,
            From::Before(length_ms) => end_ms.saturating_sub(length_ms),
        };
        if start_ms > end_ms {
            return Err(Stop::usage("the range ends before it starts"));
        }
        let length_ms = end_ms.saturating_sub(start_ms);
        let ideal_ms = length_ms / steps.max(1);
        let grains = ideal_ms / grain_ms + i64::from(ideal_ms % grain_ms > 0);
        let step_ms = step_ms.unwrap_or_else(|| (grains * grain_ms).max(1000));
        Ok(Some(Range {
            start_ms,
            end_ms,
            step_ms,
        }))
    }
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis())
        .unwrap_or(i64::MAX)
        .max(1)
}

/// Reads RFC 3339 or seconds since the epoch.
fn moment(flag: &str, text: &str) -> Result<i64, Stop> {
    if let Ok(seconds) = text.parse::<f64>()
        && seconds.is_finite()
    {
        return Ok((seconds * 1000.0).round() as i64);
    }
    text.parse::<jiff::Timestamp>()
        .map(jiff::Timestamp::as_millisecond)
        .map_err(|_| {
            Stop::usage(format!(
                "{flag} {text}: write RFC 3339, such as 2026-01-31T12:00:00Z, or seconds since 1970"
            ))
        })
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::cli::{Cli, Command};

    fn span(flags: &str) -> Result<Span, Stop> {
        let words = ["obs-tui", "query", "up"].into_iter();
        let cli = Cli::try_parse_from(words.chain(flags.split_whitespace())).unwrap();
        let Some(Command::Query(args)) = cli.command else {
            panic!("not a query")
        };
        Span::new(&args)
    }

    #[test]
    fn flags_name_moments() {
        let now_ms = 1_000_000_000;
        for (flags, expect) in [
            ("--range 5m", (now_ms - 300_000, now_ms, 2_000)),
            ("--range 1h", (now_ms - 3_600_000, now_ms, 15_000)),
            ("--range 5m --step 15s", (now_ms - 300_000, now_ms, 15_000)),
            ("--range 5s --end 60", (55_000, 60_000, 1_000)),
            ("--range 5s --start 60", (60_000, 65_000, 1_000)),
            ("--start 999990", (999_990_000, now_ms, 1_000)),
            (
                "--start 1970-01-01T00:00:02Z --end 12.5",
                (2_000, 12_500, 1_000),
            ),
        ] {
            let range = span(flags)
                .unwrap()
                .range(now_ms, 250, 1_000)
                .unwrap()
                .unwrap();
            assert_eq!(
                (range.start_ms, range.end_ms, range.step_ms),
                expect,
                "{flags}"
            );
        }
        assert_eq!(span("").unwrap(), Span::Instant(None));
        for flags in ["--at 1.5", "--time 1.5"] {
            assert_eq!(span(flags).unwrap(), Span::Instant(Some(1_500)));
        }
    }

    #[test]
    fn flags_that_make_no_sense_are_told() {
        for (flags, word) in [
            ("--at yesterday", "RFC 3339"),
            ("--step 5s", "--range"),
            ("--end 5", "--range"),
            ("--start 1 --end 2 --range 3s", "leave one away"),
        ] {
            let stop = span(flags).unwrap_err();
            assert!(stop.text.contains(word), "{flags}: {}", stop.text);
            assert_eq!(stop.code, crate::stop::USAGE);
        }
        let backwards = span("--start 5 --end 4")
            .unwrap()
            .range(0, 250, 1_000)
            .unwrap_err();
        assert!(backwards.text.contains("before"));
    }
}
