//! Where a control API is, and whether its token may go there.

use url::{Host, Url};

use crate::Token;

/// A control API, by name, with its own token.
#[derive(Debug, Clone)]
pub struct Endpoint {
    /// The name people use for it.
    pub name: String,
    /// Its address, without `/faults`.
    pub url: Url,
    /// Its token.
    pub token: Token,
    /// Allows to send the token by plain http beyond loopback.
    pub insecure_token: bool,
}

/// Why an endpoint cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EndpointError {
    /// Not an address of a control API.
    #[error(
        "`{name}`: {url} is not the address of a control API; write it like http://127.0.0.1:9465"
    )]
    BadUrl {
        /// The name.
        name: String,
        /// What was given.
        url: String,
    },
    /// The token would travel in the clear.
    #[error(
        "`{name}`: the token would cross the network unencrypted to {host}; use https, a tunnel to \
         loopback, or --insecure-token"
    )]
    Plain {
        /// The name.
        name: String,
        /// Where to.
        host: String,
    },
    /// The HTTP client cannot be made.
    #[error("cannot set up the HTTP client: {0}")]
    Setup(String),
}

impl Endpoint {
    /// Reads an address.
    pub fn new(name: &str, url: &str, token: Token) -> Result<Self, EndpointError> {
        let bad = |_| EndpointError::BadUrl {
            name: name.to_owned(),
            url: url.to_owned(),
        };
        let url = Url::parse(url).map_err(bad)?;
        Ok(Self {
            name: name.to_owned(),
            url,
            token,
            insecure_token: false,
        })
    }

    /// Says whether it is on this machine.
    pub fn is_loopback(&self) -> bool {
        match self.url.host() {
            Some(Host::Domain(name)) => name.eq_ignore_ascii_case("localhost"),
            Some(Host::Ipv4(ip)) => ip.is_loopback(),
            Some(Host::Ipv6(ip)) => std::net::IpAddr::V6(ip).to_canonical().is_loopback(),
            None => false,
        }
    }

    pub(super) fn check(&self) -> Result<(), EndpointError> {
        let url = &self.url;
        let plain = url.scheme() == "http";
        let credentials = !url.username().is_empty() || url.password().is_some();
        if !(plain || url.scheme() == "https") || credentials || url.query().is_some() {
            // What stands before the `@` is a secret too.
            let mut shown = url.clone();
            let _ = shown.set_password(None);
            return Err(EndpointError::BadUrl {
                name: self.name.clone(),
                url: shown.to_string(),
            });
        }
        if plain && !self.insecure_token && !self.is_loopback() {
            let host = url.host_str().unwrap_or_default().to_owned();
            return Err(EndpointError::Plain {
                name: self.name.clone(),
                host,
            });
        }
        Ok(())
    }

    pub(super) fn join(&self, path: &[&str]) -> Url {
        let mut url = self.url.clone();
        // Only addresses without a host have no path, and `check` refuses those.
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(path);
        }
        url
    }
}
