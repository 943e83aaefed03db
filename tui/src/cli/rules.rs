//! The command line of `rules`.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand};

use super::parse_duration;

/// `rules check | …`.
#[derive(Debug, Args)]
pub struct RulesCommand {
    /// What to do.
    #[command(subcommand)]
    pub action: RulesAction,
}

/// What can be done with rules.
#[derive(Debug, Subcommand)]
pub enum RulesAction {
    /// Parse and validate rule files: every problem at once, with its place, and what is valid but
    /// cannot be meant.
    #[command(after_help = CHECK_HELP)]
    Check(CheckArgs),
    /// Divide the time in a rule file, so that an exercise takes minutes and not hours.
    #[command(after_help = SCALE_EXAMPLES)]
    Scale(ScaleArgs),
}

/// Flags of `rules check`.
#[derive(Debug, Args)]
pub struct CheckArgs {
    /// Rule files; `-` is stdin. Files that Prometheus loads together are checked together.
    #[arg(required_unless_present = "list", value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Time between two scrapes: a range shorter than four of them is told.
    #[arg(long, value_name = "DURATION", default_value = "15s", value_parser = parse_duration)]
    pub scrape_interval: Duration,
    /// Exit with 3 when a lint finds something.
    #[arg(long)]
    pub strict: bool,
    /// Print one JSON document.
    #[arg(long)]
    pub json: bool,
    /// Print all lints with what they find, and check nothing.
    #[arg(long, conflicts_with = "files")]
    pub list: bool,
}

const CHECK_HELP: &str = "\
Errors are what Prometheus refuses: exit code 2. Lints are valid and yet not what is meant: exit code \
0, with --strict 3. A comment beside the rule silences one: # obs-tui: allow LINT

Examples:
  obs-tui rules check rules/*.yml
  obs-tui rules check --strict --scrape-interval 30s /etc/prometheus/rules/*.yml
  helm template . | obs-tui rules check -";

/// Flags of `rules scale`.
///
/// Divided are ranges, `for`, `keep_firing_for`, offsets, subquery steps, group intervals, the
/// horizon of `predict_linear`, and the numbers that counts over a window are compared with.
/// Everything else stays byte for byte. What hits a floor or cannot be scaled is listed on stderr.
#[derive(Debug, Args)]
pub struct ScaleArgs {
    /// The rule file; `-` is stdin.
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// By how much time is divided.
    #[arg(long, value_name = "N", value_parser = parse_divisor)]
    pub by: f64,
    /// Time between two scrapes where the result is used: no range becomes shorter than four of
    /// them, no step and no group interval shorter than one.
    #[arg(long, value_name = "DURATION", default_value = "1s", value_parser = parse_duration)]
    pub scrape_interval: Duration,
    /// Time between two scrapes where the file comes from: how many samples `count_over_time` saw.
    #[arg(long, value_name = "DURATION", default_value = "15s", value_parser = parse_duration)]
    pub original_scrape_interval: Duration,
    /// Write to this file, not to stdout.
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Leave out the comment at the top that says how the file was made.
    #[arg(long)]
    pub no_header: bool,
}

const SCALE_EXAMPLES: &str = "\
Examples:
  obs-tui rules scale rules/shop.yml --by 30 -o rules/drill.yml
  obs-tui rules scale slo.yml --by 60 --scrape-interval 5s | promtool check rules";

fn parse_divisor(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(by) if by.is_finite() && by > 0.0 => Ok(by),
        _ => Err("write a number greater than 0, such as 30".to_owned()),
    }
}
