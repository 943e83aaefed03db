//! What can keep a shop or a load generator from starting or running.

use std::{io, net::SocketAddr, path::PathBuf};

use crate::{config::Role, db::DbError};

/// Why [`crate::run_shop`] or [`crate::run_load`] gave up; each message says what to do next.
#[derive(Debug, thiserror::Error)]
pub enum ShopError {
    /// A listener could not be bound.
    #[error("cannot listen on {address} for {purpose}: {source}; choose another with --{flag}")]
    Bind {
        /// What was asked for.
        address: SocketAddr,
        /// What the listener is for.
        purpose: &'static str,
        /// The flag that sets the address.
        flag: String,
        /// What the system said.
        source: io::Error,
    },
    /// A role runs alone and was not told where another one is.
    #[error("the role {role} calls {peer}, which is not in this process: give --{peer}-url URL")]
    PeerMissing {
        /// The role that calls.
        role: &'static str,
        /// The role that is called.
        peer: &'static str,
    },
    /// An address that is not an http URL.
    #[error(
        "{url:?} is not an http:// or https:// URL without user, query and fragment; write it like http://127.0.0.1:8080"
    )]
    Url {
        /// What was given.
        url: String,
    },
    /// The databases could not be opened, migrated or seeded.
    #[error("cannot prepare the database of {service}: {source}")]
    Database {
        /// The role it belongs to.
        service: &'static str,
        /// What the database said.
        source: sqlx::Error,
    },
    /// A database server would not have us.
    #[error("cannot use the database of {service} at {server}: {source}; {remedy}")]
    DatabaseRefused {
        /// The role it belongs to.
        service: &'static str,
        /// The server, without user and password.
        server: String,
        /// What to do about it.
        remedy: String,
        /// What the driver or the database said.
        source: sqlx::Error,
    },
    /// The URL of the database cannot be read.
    #[error("--database-url: {reason}; {remedy}")]
    DatabaseUrl {
        /// What is wrong with it.
        reason: String,
        /// How to write it.
        remedy: &'static str,
    },
    /// A file or folder of ours could not be used.
    #[error("cannot {doing} {path}: {source}", path = path.display())]
    File {
        /// What was tried.
        doing: &'static str,
        /// Where.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The parent did not hand over a token.
    #[error("the first line on stdin must be {{\"token\":\"<hex>\"}}: {0}")]
    Handshake(String),
    /// The control token or the control listener was refused.
    #[error("cannot set up the control listener: {0}")]
    Control(String),
    /// The log filter cannot be read.
    #[error("the log level {filter:?} is not a filter: {reason}")]
    LogFilter {
        /// What was given.
        filter: String,
        /// What is wrong with it.
        reason: String,
    },
    /// Telemetry was to be exported but its exporter could not be built.
    #[error("cannot set up the export of telemetry: {0}; check the OTEL_* variables")]
    Export(String),
    /// Profiles were to be pushed but that cannot be set up.
    #[error("cannot set up the push of profiles: {0}; check the PYROSCOPE_* variables")]
    Profiles(String),
    /// A task on the database was refused.
    #[error("cannot do that: {0}")]
    Task(String),
    /// Accounts could not be made or prepared.
    #[error("cannot prepare accounts: {0}")]
    Accounts(String),
    /// The connection to Redis could not be set up.
    #[error("cannot set up redis: {0}; check --redis-url")]
    Redis(String),
    /// A client for outgoing calls could not be built.
    #[error("cannot set up outgoing calls: {0}")]
    Client(#[from] reqwest::Error),
    /// A runtime or thread could not be started.
    #[error("cannot start a runtime: {0}")]
    Runtime(#[from] io::Error),
    /// The flags of the load generator do not go together, or one cannot be used.
    #[error("{0}")]
    Load(String),
    /// More journeys failed than may.
    #[error("{:.2}% of the journeys failed; at most {:.2}% may", share * 100.0, limit * 100.0)]
    TooManyErrors {
        /// The share that failed.
        share: f64,
        /// The share that may.
        limit: f64,
    },
}

impl ShopError {
    /// Says that the tables of a role could not be filled.
    pub(crate) fn prepare(role: Role, error: DbError) -> Self {
        Self::Database {
            service: role.name(),
            source: error.into_source(),
        }
    }
}
