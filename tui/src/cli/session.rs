//! The command line of `session`.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use shop::load::args::lasting;

const EXIT_CODES: &str = "\
Exit code: 0 every objective was met, 1 one was missed, 5 interrupted (the summary is printed all
the same), 6 the lab did not get healthy, a part of it ended by itself, or there is no data.";

/// Flags of `session`.
#[derive(Debug, Args)]
#[command(after_long_help = EXIT_CODES)]
pub struct SessionArgs {
    /// How long customers shop once everything is healthy: 15m, or a number of seconds.
    #[arg(long, env = "DURATION", default_value = "15m", value_name = "DURATION", value_parser = duration)]
    pub duration: Duration,
    /// Customers at once, shared out among browsers, abandoners, buyers and admins.
    #[arg(long, default_value_t = 4, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000))]
    pub users: u32,
    /// Visits a second that all customers make together (default: each comes back when it likes).
    #[arg(long, value_name = "RATE", value_parser = rate)]
    pub rate: Option<f64>,
    /// Seed of everything that is drawn by lot.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// How long the lab may take to get healthy.
    #[arg(long, default_value = "60s", value_name = "DURATION", value_parser = super::parse_duration)]
    pub healthy_within: Duration,
    /// Write the summary to this file as well: JSON if its name ends with .json, text otherwise.
    #[arg(long, value_name = "FILE")]
    pub report: Option<PathBuf>,
    /// Print one JSON document instead of the summary.
    #[arg(long)]
    pub json: bool,
}

/// Reads seconds, as scripts give them, or a duration as people write it.
fn duration(text: &str) -> Result<Duration, String> {
    match lasting(text)? {
        Duration::ZERO => Err("it must be longer than nothing".to_owned()),
        duration => Ok(duration),
    }
}

fn rate(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(rate) if rate > 0.0 && rate <= 10_000.0 => Ok(rate),
        _ => Err("write visits a second, more than 0 and at most 10000".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_is_seconds_or_words() {
        assert_eq!(duration("300"), Ok(Duration::from_mins(5)));
        assert_eq!(duration("15m"), Ok(Duration::from_mins(15)));
        for bad in ["0", "0s", "-3", "soon", ""] {
            assert!(duration(bad).is_err(), "{bad} must be refused");
        }
    }
}
