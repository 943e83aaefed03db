//! The flags of `load`. Parsing only; what they mean together is decided in [`super::config`].

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use clap::Args;

use super::{
    kind::{Kinds, Mix},
    schedule::{Stage, parse_rate},
    think::ThinkTime,
    visit::Countries,
};
use crate::cli::{ProcessArgs, parse_share};

/// Arguments of `shop load` (and `obs-tui load`).
#[derive(Debug, Clone, Args)]
pub struct LoadArgs {
    /// The storefront
    #[arg(
        long,
        env = "LOAD_TARGET",
        default_value = "http://127.0.0.1:8080",
        value_name = "URL"
    )]
    pub target: String,
    /// Journeys started a second: 60 unless --users or --stage say something else. Beside --users
    /// the pace of all customers together
    #[arg(long, env = "LOAD_RATE", value_parser = parse_rate)]
    pub rate: Option<f64>,
    /// Closed loop: this many customers, each of whom comes back after its last visit
    #[arg(long, env = "LOAD_USERS", value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub users: Option<u32>,
    /// A ramp to another rate or number of users, such as 60s:rate=100 or 30s:users=20; the same
    /// level again holds it. May be given many times; the first ramp starts at --rate or --users, or
    /// at nothing
    #[arg(long = "stage", value_name = "DURATION:rate=N")]
    pub stages: Vec<Stage>,
    /// Go up from nothing over this time
    #[arg(long, default_value = "0s", value_name = "DURATION", value_parser = lasting)]
    pub ramp_up: Duration,
    /// Go down to nothing over this time at the end
    #[arg(long, default_value = "0s", value_name = "DURATION", value_parser = lasting)]
    pub ramp_down: Duration,
    /// Stop after this time; without it after the last stage, or at a signal
    #[arg(long, value_parser = lasting)]
    pub duration: Option<Duration>,
    /// Pause before each further request of a visit, and between two visits of a customer: 2s,
    /// 0.5s..3s or exp:2s (default: none, and 0.5s..3s with --users
    /// and no --rate)
    #[arg(long, value_name = "TIME")]
    pub think_time: Option<ThinkTime>,
    /// Seed of arrivals and journeys
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Weights of the kinds of customers: browsers, abandoners, buyers, admins, attackers (default:
    /// browsers=45,abandoners=10,buyers=45, and one admin in a hundred with --admin-token-file or
    /// --demo)
    #[arg(long, value_name = "KIND=WEIGHT,…", conflicts_with = "journey")]
    pub mix: Option<Kinds>,
    /// Weights of single journeys in place of --mix: browse, view, buy, checkout, abandon,
    /// `leave_cart`, administer, guess, scan
    #[arg(long, value_name = "NAME=WEIGHT,…")]
    pub journey: Option<Mix>,
    /// Weights of the countries that customers come from
    #[arg(long, default_value_t = Countries::default(), value_name = "COUNTRY=WEIGHT,…")]
    pub countries: Countries,
    /// File with the bearer token of an admin
    #[arg(long, env = "LOAD_ADMIN_TOKEN_FILE", value_name = "FILE")]
    pub admin_token_file: Option<PathBuf>,
    /// The shop runs with --demo: admins use the token of its demo, which everyone knows
    #[arg(long, conflicts_with = "admin_token_file")]
    pub demo: bool,
    /// Share of visits whose traces are marked as sampled
    #[arg(long, env = "LOAD_TRACE_SHARE", default_value = "100%", value_name = "SHARE", value_parser = parse_share)]
    pub trace_share: f64,
    /// Arrivals at even distances instead of a Poisson process
    #[arg(long)]
    pub even: bool,
    /// Journeys under way at once; an arrival beyond is shed and counted
    #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub max_in_flight: u32,
    /// Longest wait for an answer
    #[arg(long, default_value = "10s", value_parser = lasting)]
    pub timeout: Duration,
    /// Products the shop is known to have: ids 1 to this
    #[arg(long, default_value_t = 24, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub products: u32,
    /// Write the summary as JSON to this file; `-` makes it the last line of stdout
    #[arg(long, value_name = "FILE")]
    pub summary_json: Option<PathBuf>,
    /// Exit with 1 when more than this share of the journeys failed, such as 1%
    #[arg(long, value_name = "PCT", value_parser = parse_share)]
    pub fail_over_errors: Option<f64>,
    /// Address of /metrics, /livez, /readyz and /startupz
    #[arg(long, env = "LOAD_METRICS_LISTEN", default_value = "127.0.0.1:9466")]
    pub metrics_listen: SocketAddr,
    /// Address of the fault control API
    #[arg(long, env = "LOAD_CONTROL_LISTEN", default_value = "127.0.0.1:9467")]
    pub control_listen: SocketAddr,
    /// What every process of ours takes
    #[command(flatten)]
    pub process: ProcessArgs,
}

/// Reads a time as people write it; a number alone is seconds.
pub fn lasting(text: &str) -> Result<Duration, String> {
    let text = text.trim();
    match text.parse() {
        Ok(seconds) => Ok(Duration::from_secs(seconds)),
        Err(_) => {
            humantime::parse_duration(text).map_err(|error| format!("{error}; write 90, 90s or 5m"))
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::lasting;

    #[test]
    fn a_number_alone_is_seconds() {
        for (text, seconds) in [("60", 60), ("60s", 60), ("2m", 120), ("0", 0)] {
            assert_eq!(lasting(text), Ok(Duration::from_secs(seconds)));
        }
        for bad in ["", "-1", "1.5", "soon"] {
            let problem = lasting(bad).unwrap_err();
            assert!(problem.contains("write 90, 90s or 5m"), "{problem}");
        }
    }
}
