//! Accounts and limits of a shop, checked.

use std::time::Duration;

use clap::ValueEnum;

use crate::{cli::guard::GuardArgs, limits::Quota};

/// What hashing a password costs whoever guesses, and us.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum PasswordCost {
    /// 19 MiB and two passes, as OWASP asks for.
    Standard,
    /// Next to nothing: for demos and tests.
    Low,
}

/// How accounts are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountsConfig {
    /// The accounts and tokens that everyone knows exist.
    pub demo: bool,
    /// What hashing a password costs.
    pub password_cost: PasswordCost,
    /// Longest time between a login and the next.
    pub session_lifetime: Duration,
    /// Longest time a login may be left unused.
    pub session_idle: Duration,
}

impl Default for AccountsConfig {
    fn default() -> Self {
        Self {
            demo: false,
            password_cost: PasswordCost::Standard,
            session_lifetime: Duration::from_hours(24),
            session_idle: Duration::from_hours(2),
        }
    }
}

impl From<&GuardArgs> for AccountsConfig {
    fn from(args: &GuardArgs) -> Self {
        Self {
            demo: args.demo,
            password_cost: args.password_cost,
            session_lifetime: args.session_lifetime,
            session_idle: args.session_idle,
        }
    }
}

/// How fast clients may ask; `None` is no limit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LimitsConfig {
    /// Of one address.
    pub ip: Option<Quota>,
    /// Of one account.
    pub user: Option<Quota>,
    /// Of logins to one account from one address.
    pub login: Option<Quota>,
    /// Of a client that behaves like an attacker.
    pub suspect: Option<Quota>,
    /// The last address in `x-forwarded-for` is the client's.
    pub trust_forwarded_for: bool,
}

impl Default for LimitsConfig {
    fn default() -> Self {
        Self {
            ip: Quota::per_second(2_000),
            user: Quota::per_second(200),
            login: Quota::per_second(20),
            suspect: Quota::per_second(10),
            trust_forwarded_for: false,
        }
    }
}

impl From<&GuardArgs> for LimitsConfig {
    fn from(args: &GuardArgs) -> Self {
        Self {
            ip: Quota::per_second(args.rate_limit_ip),
            user: Quota::per_second(args.rate_limit_user),
            login: Quota::per_second(args.rate_limit_login),
            suspect: Quota::per_second(args.rate_limit_suspect),
            trust_forwarded_for: args.trust_forwarded_for,
        }
    }
}
