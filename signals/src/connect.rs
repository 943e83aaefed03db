//! How a server is reached: address, credentials, certificates, limits.
//!
//! [`Connection`] is what a person said; [`Client`] is what is known to work. Credentials live in
//! headers only: they are never part of an address that is shown, and no redirect is followed.
//!
//! Modules in reading order: `address`, `client`.

mod address;
mod client;

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

pub use client::install_tls;
pub(crate) use client::{Client, ReadFailure, Reply, chain, read_capped};

/// The largest answer that is read, in bytes.
pub const ANSWER_LIMIT: usize = 32 * 1024 * 1024;

/// A text that is never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Wraps a text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Returns the text itself, for the wire.
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<secret>")
    }
}

/// A user and a password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BasicAuth {
    /// The user.
    pub user: String,
    /// The password; empty is allowed.
    pub password: Secret,
}

/// A client certificate and its key, both PEM files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientCertificate {
    /// The certificate chain.
    pub cert_file: PathBuf,
    /// The private key, PKCS#8, PKCS#1 or SEC1.
    pub key_file: PathBuf,
}

/// Everything a person can say about how to reach a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Connection {
    /// `http(s)://[user:password@]host[:port][/prefix]`; a password in it moves to `basic_auth`.
    pub url: Secret,
    /// A file with a bearer token. It is read for every request, so a rotated token is picked up.
    pub token_file: Option<PathBuf>,
    /// User and password; they win over those in the address.
    pub basic_auth: Option<BasicAuth>,
    /// Further headers, sent with every request.
    pub headers: Vec<(String, Secret)>,
    /// The tenant, sent as `X-Scope-OrgID`.
    pub tenant: Option<String>,
    /// PEM certificates to trust in place of those of the system.
    pub ca_file: Option<PathBuf>,
    /// What we show the server.
    pub client_certificate: Option<ClientCertificate>,
    /// The limit of a request with its answer.
    pub timeout: Duration,
    /// Allows token and password over plain http beyond loopback.
    pub insecure_token: bool,
}

impl Connection {
    /// Returns a connection to an address with nothing else said; 10 s is the limit of a request.
    pub fn new(url: &str) -> Self {
        Self {
            url: Secret::new(url),
            token_file: None,
            basic_auth: None,
            headers: Vec::new(),
            tenant: None,
            ca_file: None,
            client_certificate: None,
            timeout: Duration::from_secs(10),
            insecure_token: false,
        }
    }
}

/// Why a connection cannot be used. Each text says what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConnectError {
    /// The address is none.
    #[error("{url} is not an address: {cause}; write http://HOST:PORT or https://HOST[/PREFIX]")]
    Address {
        /// The address without credentials.
        url: String,
        /// What is wrong with it.
        cause: String,
    },
    /// A file cannot be used.
    #[error("{what} {path}: {cause}")]
    File {
        /// Such as "CA file".
        what: &'static str,
        /// Its path.
        path: String,
        /// What is wrong with it.
        cause: String,
    },
    /// A header cannot be sent.
    #[error("header `{name}`: {cause}")]
    Header {
        /// Its name.
        name: String,
        /// What is wrong with it.
        cause: String,
    },
    /// Two ways to say who we are.
    #[error("{url}: give only one of token file, user with password, and Authorization header")]
    TwoCredentials {
        /// The address without credentials.
        url: String,
    },
    /// A credential would cross the network in clear.
    #[error(
        "{url} would get the credential in clear: use https, or allow it with --insecure-token"
    )]
    InClear {
        /// The address without credentials.
        url: String,
    },
    /// TLS cannot be set up.
    #[error("TLS for {url}: {cause}; a CA file can be given where the system has none")]
    Tls {
        /// The address without credentials.
        url: String,
        /// What is wrong.
        cause: String,
    },
}
