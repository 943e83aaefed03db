//! Flags for accounts and for what keeps abuse away.

use std::time::Duration;

use clap::Args;

use crate::{cache::RedisUrl, config::guard::PasswordCost};

/// Flags for accounts, limits and the store they share.
#[derive(Debug, Clone, Args)]
pub struct GuardArgs {
    /// Redis for caches and rate limits, such as `redis://127.0.0.1:6379`; without it each process
    /// keeps its own
    #[arg(long, env = "REDIS_URL", hide_env_values = true, value_name = "URL")]
    pub redis_url: Option<RedisUrl>,
    /// Make the accounts of the demo, whose passwords and tokens everyone knows
    #[arg(long, env = "SHOP_DEMO")]
    pub demo: bool,
    /// What hashing a password costs: standard, or low for demos and tests
    #[arg(long, value_enum, default_value_t = PasswordCost::Standard)]
    pub password_cost: PasswordCost,
    /// Longest time between a login and the next
    #[arg(long, default_value = "24h", value_parser = humantime::parse_duration)]
    pub session_lifetime: Duration,
    /// Longest time a login may be left unused
    #[arg(long, default_value = "2h", value_parser = humantime::parse_duration)]
    pub session_idle: Duration,
    /// Requests a second of one address; twice as many at once, 0 without limit
    #[arg(
        long,
        env = "SHOP_RATE_LIMIT_IP",
        default_value_t = 2_000,
        value_name = "N"
    )]
    pub rate_limit_ip: u32,
    /// Requests a second of one account; twice as many at once, 0 without limit
    #[arg(
        long,
        env = "SHOP_RATE_LIMIT_USER",
        default_value_t = 200,
        value_name = "N"
    )]
    pub rate_limit_user: u32,
    /// Logins a second to one account from one address; twice as many at once, 0 without limit
    #[arg(
        long,
        env = "SHOP_RATE_LIMIT_LOGIN",
        default_value_t = 20,
        value_name = "N"
    )]
    pub rate_limit_login: u32,
    /// Requests a second of a client that behaves like an attacker; 0 only reports it
    #[arg(
        long,
        env = "SHOP_RATE_LIMIT_SUSPECT",
        default_value_t = 10,
        value_name = "N"
    )]
    pub rate_limit_suspect: u32,
    /// Believe the last address in x-forwarded-for: for a shop that only a proxy can reach
    #[arg(long, env = "SHOP_TRUST_FORWARDED_FOR")]
    pub trust_forwarded_for: bool,
}
