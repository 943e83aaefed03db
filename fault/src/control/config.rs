//! How a control API is set up, and when it must not start.

use std::net::SocketAddr;

use super::Caps;
use crate::Token;

/// How a control API is set up.
#[derive(Debug, Clone)]
pub struct ControlConfig {
    /// The secret every request must show.
    pub token: Token,
    /// Whether an operator gave the token, rather than this process making it.
    pub operator_token: bool,
    /// What is allowed.
    pub caps: Caps,
    /// Names the API may be addressed by (the `Host` header, without the port), beside loopback.
    pub hosts: Vec<String>,
}

/// Why a control API must not start.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ControlConfigError {
    /// Beyond loopback, the token must come from an operator.
    #[error(
        "the control API on {0} needs a token from the operator: give a token file, or listen on 127.0.0.1"
    )]
    GeneratedToken(SocketAddr),
    /// Beyond loopback, caps must be set.
    #[error("the control API on {bind} needs caps; missing: {}", missing.join(", "))]
    NoCaps {
        /// Where it was to listen.
        bind: SocketAddr,
        /// Which caps are missing.
        missing: Vec<&'static str>,
    },
    /// Beyond loopback, nobody could address it.
    #[error("the control API on {0} needs the host names it may be addressed by")]
    NoHosts(SocketAddr),
    /// A kind in the caps does not exist.
    #[error("the caps allow an unknown kind `{0}`")]
    UnknownKind(String),
}

impl ControlConfig {
    /// Returns the set-up for loopback: no caps.
    pub fn loopback(token: Token) -> Self {
        Self {
            token,
            operator_token: false,
            caps: Caps::default(),
            hosts: Vec::new(),
        }
    }

    /// Says whether the API may listen on `bind`. Call it before binding, and refuse to start.
    pub fn check(&self, bind: SocketAddr) -> Result<(), ControlConfigError> {
        if let Some(kinds) = &self.caps.kinds
            && let Some(unknown) = kinds
                .iter()
                .find(|kind| crate::FaultKind::from_name(kind).is_none())
        {
            return Err(ControlConfigError::UnknownKind(unknown.clone()));
        }
        if bind.ip().to_canonical().is_loopback() {
            return Ok(());
        }
        if !self.operator_token {
            return Err(ControlConfigError::GeneratedToken(bind));
        }
        let missing = self.caps.missing();
        if !missing.is_empty() {
            return Err(ControlConfigError::NoCaps { bind, missing });
        }
        if self.hosts.is_empty() {
            return Err(ControlConfigError::NoHosts(bind));
        }
        Ok(())
    }

    /// Says whether a `Host` (or `:authority`) may be used to address the API.
    pub(crate) fn allows_host(&self, authority: &str) -> bool {
        let Ok(authority) = authority.parse::<http::uri::Authority>() else {
            return false;
        };
        // A user part has no place here, and browsers send none.
        if authority.as_str().contains('@') {
            return false;
        }
        let host = authority
            .host()
            .trim_matches(['[', ']'])
            .to_ascii_lowercase();
        let loopback = host == "localhost"
            || host
                .parse::<std::net::IpAddr>()
                .is_ok_and(|ip| ip.to_canonical().is_loopback());
        loopback
            || self
                .hosts
                .iter()
                .any(|own| own.trim_matches(['[', ']']).eq_ignore_ascii_case(&host))
    }
}
