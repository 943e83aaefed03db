//! Command-line arguments of the shop and of its load generator.
//!
//! `obs-tui shop` and `obs-tui load` flatten the same structs, so both programs take the same flags.
//! Parsing only; what the flags mean is decided in [`crate::config`] and [`crate::load`].

use std::{convert::Infallible, fmt, net::SocketAddr, path::PathBuf, str::FromStr, time::Duration};

use clap::{Args, ValueEnum};

pub mod guard;
pub mod tasks;

pub use crate::load::args::LoadArgs;
use crate::{
    config::{RoleSelection, orders::OrdersArgs},
    process::access::CapArgs,
};

/// How log lines are written to stdout.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// One JSON object a line.
    Json,
    /// For people.
    Human,
    /// Human when stdout is a terminal, JSON otherwise.
    Auto,
}

/// Flags that every process of ours shares: listeners, token, logs.
#[derive(Debug, Clone, Args)]
pub struct ProcessArgs {
    /// Run under a parent: read the control token from stdin, print the ready line first, exit when
    /// stdin closes
    #[arg(long)]
    pub child: bool,
    /// File that holds the control token; without it one is generated into the runtime folder
    #[arg(long, value_name = "FILE")]
    pub control_token_file: Option<PathBuf>,
    /// Log lines: json, human, or auto (human on a terminal)
    #[arg(long, value_enum, default_value_t = LogFormat::Auto)]
    pub log_format: LogFormat,
    /// What is logged, as in `RUST_LOG`
    #[arg(long, env = "RUST_LOG", default_value = "info", value_name = "FILTER")]
    pub log_level: String,
    /// Write log lines to this file too
    #[arg(long, env = "SHOP_LOG_FILE", value_name = "FILE")]
    pub log_file: Option<PathBuf>,
    /// Size in bytes at which the log file starts anew
    #[arg(long, default_value_t = 64 * 1024 * 1024, value_name = "BYTES",
          value_parser = clap::value_parser!(u64).range(1024..))]
    pub log_file_max_bytes: u64,
    /// How many older log files are kept
    #[arg(long, default_value_t = 4, value_name = "N", value_parser = clap::value_parser!(u32).range(0..=100))]
    pub log_file_keep: u32,
    /// Longest time a shutdown waits for requests that are still running
    #[arg(long, default_value = "5s", value_parser = humantime::parse_duration)]
    pub drain_limit: Duration,
    /// Limits on faults
    #[command(flatten)]
    pub caps: CapArgs,
}

/// A URL that may hold a password, and that no message of ours shows.
#[derive(Clone)]
pub struct SecretUrl(String);

impl SecretUrl {
    /// Returns it as it was given.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl FromStr for SecretUrl {
    type Err = Infallible;

    // What is wrong with it is told later, since the parser of arguments would repeat it.
    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Debug for SecretUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretUrl(…)")
    }
}

/// Arguments of `shop` (and `obs-tui shop`).
#[derive(Debug, Clone, Args)]
pub struct ShopArgs {
    /// Roles of this process: `all` or a comma-separated list
    #[arg(
        long,
        env = "SHOP_ROLE",
        default_value = "all",
        value_name = "ROLE[,ROLE]"
    )]
    pub role: RoleSelection,
    /// Address of the storefront's public API
    #[arg(long, env = "SHOP_STOREFRONT_LISTEN", default_value = "127.0.0.1:8080")]
    pub storefront_listen: SocketAddr,
    /// Address of the orders role
    #[arg(long, env = "SHOP_ORDERS_LISTEN", default_value = "127.0.0.1:8081")]
    pub orders_listen: SocketAddr,
    /// Address of the payments role
    #[arg(long, env = "SHOP_PAYMENTS_LISTEN", default_value = "127.0.0.1:8082")]
    pub payments_listen: SocketAddr,
    /// Address of the catalog role
    #[arg(long, env = "SHOP_CATALOG_LISTEN", default_value = "127.0.0.1:8083")]
    pub catalog_listen: SocketAddr,
    /// Address of the users role
    #[arg(long, env = "SHOP_USERS_LISTEN", default_value = "127.0.0.1:8084")]
    pub users_listen: SocketAddr,
    /// Address of the promotions role
    #[arg(long, env = "SHOP_PROMOTIONS_LISTEN", default_value = "127.0.0.1:8085")]
    pub promotions_listen: SocketAddr,
    /// Address of the simulated third parties
    #[arg(long, env = "SHOP_PARTNERS_LISTEN", default_value = "127.0.0.1:8086")]
    pub partners_listen: SocketAddr,
    /// Address of /metrics, /livez, /readyz and /startupz
    #[arg(long, env = "SHOP_METRICS_LISTEN", default_value = "127.0.0.1:9464")]
    pub metrics_listen: SocketAddr,
    /// Address of the fault control API
    #[arg(long, env = "SHOP_CONTROL_LISTEN", default_value = "127.0.0.1:9465")]
    pub control_listen: SocketAddr,
    /// Where the orders role answers, when it is not in this process
    #[arg(long, env = "SHOP_ORDERS_URL", value_name = "URL")]
    pub orders_url: Option<String>,
    /// Where the payments role answers, when it is not in this process
    #[arg(long, env = "SHOP_PAYMENTS_URL", value_name = "URL")]
    pub payments_url: Option<String>,
    /// Where the catalog role answers, when it is not in this process
    #[arg(long, env = "SHOP_CATALOG_URL", value_name = "URL")]
    pub catalog_url: Option<String>,
    /// Where the users role answers, when it is not in this process
    #[arg(long, env = "SHOP_USERS_URL", value_name = "URL")]
    pub users_url: Option<String>,
    /// Where the promotions role answers, when it is not in this process
    #[arg(long, env = "SHOP_PROMOTIONS_URL", value_name = "URL")]
    pub promotions_url: Option<String>,
    /// Where the simulated third parties answer, when they are not in this process
    #[arg(long, env = "SHOP_PARTNERS_URL", value_name = "URL")]
    pub partners_url: Option<String>,
    /// Folder of the databases; without it they live in a temporary folder that is removed at exit
    #[arg(long, env = "SHOP_DATA_DIR", value_name = "DIR")]
    pub data_dir: Option<PathBuf>,
    /// Database in place of the folder: postgres://, mariadb:// or mysql://, with user, password, host
    /// and name, or `sqlite://FOLDER`. The variable keeps a password out of the list of processes
    #[arg(long, env = "DATABASE_URL", hide_env_values = true, value_name = "URL")]
    pub database_url: Option<SecretUrl>,
    /// Database connections of each role
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u32).range(1..=256))]
    pub db_connections: u32,
    /// Share of payments that are declined, such as 5% or 0.05, in place of each country's own
    #[arg(long, env = "SHOP_DECLINE_SHARE", value_name = "SHARE", value_parser = parse_share)]
    pub decline_share: Option<f64>,
    /// What the delays of the simulated third parties are multiplied by; 0 for none
    #[arg(long, env = "SHOP_PARTNER_LATENCY", default_value_t = 1.0, value_name = "FACTOR", value_parser = parse_factor)]
    pub partner_latency: f64,
    /// Seed of everything the shop draws by lot
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Units of each product at the start, and after it was restocked
    #[arg(long, default_value_t = 500, value_parser = clap::value_parser!(u32).range(0..=1_000_000))]
    pub initial_stock: u32,
    /// How often products that run low are restocked; 0s never
    #[arg(long, default_value = "2s", value_parser = humantime::parse_duration)]
    pub restock_every: Duration,
    /// Accounts and limits
    #[command(flatten)]
    pub guard: guard::GuardArgs,
    /// Carts, orders and what is forgotten of them
    #[command(flatten)]
    pub orders: OrdersArgs,
    /// What every process of ours takes
    #[command(flatten)]
    pub process: ProcessArgs,
}

/// Reads `5%`, `0.5%` or `0.05` as a share between 0 and 1; a bare `50` is refused.
pub(crate) fn parse_share(text: &str) -> Result<f64, String> {
    let (number, scale) = match text.trim().strip_suffix('%') {
        Some(percent) => (percent.trim_end(), 100.0),
        None => (text.trim(), 1.0),
    };
    let share = number
        .parse::<f64>()
        .map_err(|_| "write a share as 5% or 0.05".to_owned())?
        / scale;
    if (0.0..=1.0).contains(&share) {
        Ok(share)
    } else {
        Err("a share lies between 0% and 100%; 50 without % is read as 5000%".to_owned())
    }
}

/// Reads a factor: finite, not negative, at most 1,000.
fn parse_factor(text: &str) -> Result<f64, String> {
    let factor: f64 = text
        .parse()
        .map_err(|_| "write a factor, such as 1 or 0.5".to_owned())?;
    if (0.0..=1_000.0).contains(&factor) {
        Ok(factor)
    } else {
        Err("a factor lies between 0 and 1000".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::parse_share;

    #[test]
    fn shares_need_a_percent_sign_or_a_fraction() {
        assert_eq!(parse_share("5%"), Ok(0.05));
        assert_eq!(parse_share("0.1%"), Ok(0.001));
        assert_eq!(parse_share("0.5"), Ok(0.5));
        for bad in ["50", "-1%", "x", "", "NaN"] {
            assert!(parse_share(bad).is_err(), "{bad} must be refused");
        }
    }
}
