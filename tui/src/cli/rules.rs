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
    /// Run unit tests of rules; files of `promtool test rules` are read unchanged.
    ///
    /// The verdicts are promtool's: every group is evaluated each `evaluation_interval` of the file,
    /// alerts are compared after the last evaluation at or before `eval_time`, labels, annotations
    /// and values exactly, and a rule that fails ends its test. Only the limit of 10,000 samples per
    /// query is lifted.
    #[command(after_long_help = BEYOND_PROMTOOL)]
    Test(TestArgs),
    /// Divide the time in a rule file, so that an exercise takes minutes and not hours.
    #[command(after_help = SCALE_EXAMPLES)]
    Scale(ScaleArgs),
}

const BEYOND_PROMTOOL: &str = "\
Fields that promtool does not know:
  exp_pending: […]     beside exp_alerts: the alerts that are pending, written alike
  match: subset        in an item of alert_rule_test or promql_expr_test: labels and annotations
                       that are not named may have any value; the number of alerts still counts

Exit code: 0 all tests pass, 3 a test fails, 2 a file cannot be read or is wrong.";

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

/// Flags of `rules test`.
#[derive(Debug, Args)]
pub struct TestArgs {
    /// Test files; `-` is stdin.
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Run only tests whose name matches; any of several suffices.
    #[arg(long, value_name = "REGEX")]
    pub run: Vec<String>,
    /// The Prometheus whose verdicts are given.
    #[arg(long, value_enum, default_value_t = ProfileName::V3_5)]
    pub profile: ProfileName,
    /// Hold queries to promtool's limit of 10,000 samples.
    #[arg(long)]
    pub promtool_limits: bool,
    /// Fail assertions that look at input series which have ended by then. A series that ends with
    /// `stale` or `_` ends on purpose.
    #[arg(long)]
    pub strict_data: bool,
    /// Write a JUnit report.
    #[arg(long, value_name = "FILE")]
    pub junit: Option<PathBuf>,
    /// Print one JSON document.
    #[arg(long)]
    pub json: bool,
}

/// A version of Prometheus.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum ProfileName {
    /// 3.5 (LTS).
    #[value(name = "3.5")]
    V3_5,
    /// 2.53.
    #[value(name = "2.53")]
    V2_53,
    /// 2.42.
    #[value(name = "2.42")]
    V2_42,
}

impl From<ProfileName> for promql::Profile {
    fn from(name: ProfileName) -> Self {
        match name {
            ProfileName::V3_5 => Self::V3_5,
            ProfileName::V2_53 => Self::V2_53,
            ProfileName::V2_42 => Self::V2_42,
        }
    }
}
