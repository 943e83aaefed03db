//! The command line of `query`.

use std::time::Duration;

use clap::Args;

use super::SourceArgs;
use crate::dashboard::Unit;

/// Flags of `query`.
#[derive(Debug, Args)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a flag of the command line"
)]
pub struct QueryArgs {
    /// The query.
    pub expr: String,
    /// Bring up a shop, traffic and an engine and ask that (the default without --prometheus).
    #[arg(long, conflicts_with = "prometheus")]
    pub embedded: bool,
    /// How long the embedded lab runs before it is asked (default: as long as the range, at least 6s
    /// and at most 30s).
    #[arg(long, value_name = "DURATION", value_parser = super::parse_duration, conflicts_with = "prometheus")]
    pub warm_up: Option<Duration>,
    /// Moment of an instant query: RFC 3339 or seconds since the epoch (default: now).
    #[arg(long, value_name = "T", visible_alias = "time", conflicts_with_all = ["range", "step", "start", "end"])]
    pub at: Option<String>,
    /// Length of a range query; it ends now, or at --end, or begins at --start.
    #[arg(long, value_name = "DURATION", value_parser = super::parse_duration)]
    pub range: Option<Duration>,
    /// First moment of a range query.
    #[arg(long, value_name = "T")]
    pub start: Option<String>,
    /// Last moment of a range query (default: now).
    #[arg(long, value_name = "T")]
    pub end: Option<String>,
    /// Step of a range query (default: a 250th of the range in whole seconds, at least 1s; of a plot
    /// what its width can show).
    #[arg(long, value_name = "DURATION", value_parser = super::parse_duration)]
    pub step: Option<Duration>,
    /// Print a table: a line for each series, or for each sample of a range.
    #[arg(long, conflicts_with_all = ["json", "plot"])]
    pub table: bool,
    /// Draw a range as lines over time (the default for a range on a terminal).
    #[arg(long, conflicts_with = "json")]
    pub plot: bool,
    /// What the values of a plot measure (default: told by the names in the query).
    #[arg(long, value_enum)]
    pub unit: Option<UnitName>,
    /// Draw with ASCII only (the default where the locale is not UTF-8).
    #[arg(long)]
    pub ascii: bool,
    /// Print one JSON document: `resultType` and `result` as in the API of Prometheus, where every
    /// value is a text such as "1.5", "NaN" or "+Inf", and lists of `warnings` and `infos`.
    #[arg(long)]
    pub json: bool,
    /// The source; last, as its heading would take in what follows.
    #[command(flatten)]
    pub source: SourceArgs,
}

/// What values measure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum UnitName {
    /// A number.
    Plain,
    /// Events per second.
    PerSecond,
    /// Seconds.
    Seconds,
    /// A ratio from 0 to 1, shown in percent.
    Ratio,
    /// Bytes.
    Bytes,
}

impl From<UnitName> for Unit {
    fn from(name: UnitName) -> Self {
        match name {
            UnitName::Plain => Self::Plain,
            UnitName::PerSecond => Self::PerSecond,
            UnitName::Seconds => Self::Seconds,
            UnitName::Ratio => Self::Ratio,
            UnitName::Bytes => Self::Bytes,
        }
    }
}
