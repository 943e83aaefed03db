//! Pushing CPU profiles to Pyroscope: `PYROSCOPE_SERVER_ADDRESS`, `PYROSCOPE_APPLICATION_NAME`, and
//! `PYROSCOPE_TAGS` written `key=value,key=value`.

use std::{
    env, fmt,
    net::{TcpStream, ToSocketAddrs},
    time::Duration,
};

use pyroscope::{
    PyroscopeAgent,
    backend::{BackendConfig, PprofConfig, pprof_backend},
    pyroscope::{PyroscopeAgentBuilder, PyroscopeAgentRunning},
};

use super::Turn;
use crate::{error::ShopError, http::url::BaseUrl, telemetry::otlp};

const FREQUENCY: u32 = 99;
const CONNECT_LIMIT: Duration = Duration::from_secs(2);

/// A push that goes on until it is ended.
pub(in crate::process) struct Pushing {
    agent: PyroscopeAgent<PyroscopeAgentRunning>,
    _turn: Turn,
}

impl fmt::Debug for Pushing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pushing")
    }
}

impl Pushing {
    /// Starts when the environment says where to; `process` names the application otherwise.
    pub(in crate::process) fn from_env(process: &str) -> Result<Option<Self>, ShopError> {
        let set = |name| env::var(name).ok().filter(|value| !value.trim().is_empty());
        let Some(server) = set("PYROSCOPE_SERVER_ADDRESS") else {
            return Ok(None);
        };
        let url = BaseUrl::parse(&server)?;
        let turn =
            Turn::take().ok_or_else(|| ShopError::Profiles("profiles are taken".to_owned()))?;
        let name = set("PYROSCOPE_APPLICATION_NAME").unwrap_or_else(|| process.to_owned());
        let tags = set("PYROSCOPE_TAGS").unwrap_or_default();
        let tags = tags.split(',').filter_map(|tag| tag.trim().split_once('='));
        let backend = pprof_backend(PprofConfig::default(), BackendConfig::default());
        let agent = PyroscopeAgentBuilder::new(
            url.as_str(),
            name,
            FREQUENCY,
            "pyroscope-rs",
            env!("CARGO_PKG_VERSION"),
            backend,
        )
        .tags(tags.collect())
        .build()
        .and_then(PyroscopeAgent::start)
        .map_err(|error| ShopError::Profiles(error.to_string()))?;
        tell_when_unreachable(&url);
        Ok(Some(Self { agent, _turn: turn }))
    }

    /// Ends the push; blocks, at most about `limit`.
    pub(in crate::process) fn end(self, limit: Duration) {
        otlp::end_within(limit, "profiles-shutdown", move || {
            if let Ok(agent) = self.agent.stop() {
                agent.shutdown();
            }
        });
    }
}

/// The agent keeps its troubles to itself, so a server that is not there is told once, here.
fn tell_when_unreachable(url: &BaseUrl) {
    let authority = url.authority();
    let probe = move || {
        let address = authority
            .to_socket_addrs()
            .ok()
            .and_then(|mut all| all.next());
        let reached =
            address.is_some_and(|at| TcpStream::connect_timeout(&at, CONNECT_LIMIT).is_ok());
        if !reached {
            tracing::warn!(
                server = authority,
                "Pyroscope is not reachable; profiles are lost"
            );
        }
    };
    // It ends by itself within the limit.
    let probing = std::thread::Builder::new().name("profiles-probe".to_owned());
    let _ = probing.spawn(probe);
}
