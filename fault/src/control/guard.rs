//! Who may use the API: checked for every request, before anything else is read.
//!
//! First what a browser would give away (a page that was talked into calling loopback), then the
//! address it was called by (DNS rebinding), then the token.

use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::Duration;

use http::header::{AUTHORIZATION, HOST, ORIGIN};
use http::request::Parts;
use http::{HeaderMap, StatusCode};
use tracing::warn;

use super::{ControlConfig, Problem};

/// This many failed tokens within [`WINDOW`] are answered with 401, further ones with 429.
const MAX_FAILED: usize = 10;
const WINDOW: Duration = Duration::from_mins(1);

/// Counts failed tokens. The right token always passes: a flood of wrong ones must not keep anybody
/// from withdrawing faults, and 128 bits are not guessed.
#[derive(Debug, Default)]
pub(super) struct FailedTokens(Mutex<Vec<Duration>>);

impl FailedTokens {
    /// Counts one, and says whether there were too many.
    fn count(&self, now: Duration) -> bool {
        let mut times = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        times.retain(|time| now.saturating_sub(*time) < WINDOW);
        if times.len() >= MAX_FAILED {
            return true;
        }
        times.push(now);
        false
    }
}

/// Refuses a request that may not use the API.
pub(super) fn check(
    config: &ControlConfig,
    failed: &FailedTokens,
    parts: &Parts,
    now: Duration,
) -> Result<(), Problem> {
    if parts.headers.contains_key(ORIGIN) || parts.headers.contains_key("sec-fetch-site") {
        warn!(target: "fault::audit", path = parts.uri.path(), "refused a browser");
        return Err(Problem::new(
            StatusCode::FORBIDDEN,
            "browser",
            "requests of browsers are refused",
            "use `obs-tui fault` or another client that sends neither Origin nor Sec-Fetch-Site",
        ));
    }
    if !host_is_allowed(config, parts) {
        warn!(target: "fault::audit", path = parts.uri.path(), "refused an unknown host name");
        return Err(Problem::new(
            StatusCode::MISDIRECTED_REQUEST,
            "unknown_host",
            "the API may not be addressed by this name",
            "use 127.0.0.1, or have the operator allow the name",
        ));
    }
    if token_of(&parts.headers).is_some_and(|token| config.token.is(token)) {
        return Ok(());
    }
    warn!(target: "fault::audit", path = parts.uri.path(), "refused a missing or wrong token");
    if failed.count(now) {
        return Err(Problem::new(
            StatusCode::TOO_MANY_REQUESTS,
            "too_many_failures",
            "too many wrong tokens",
            "wait a minute, and check the token file",
        ));
    }
    Err(Problem::new(
        StatusCode::UNAUTHORIZED,
        "token",
        "the token is missing or wrong",
        "send `Authorization: Bearer TOKEN` with the token of this process",
    ))
}

fn host_is_allowed(config: &ControlConfig, parts: &Parts) -> bool {
    let mut headers = parts.headers.get_all(HOST).iter();
    let host = headers.next().and_then(|host| host.to_str().ok());
    if headers.next().is_some() {
        return false;
    }
    let authority = parts.uri.authority().map(http::uri::Authority::as_str);
    // A request may carry both; then both count.
    match (host, authority) {
        (None, None) => false,
        (host, authority) => [host, authority]
            .into_iter()
            .flatten()
            .all(|name| config.allows_host(name)),
    }
}

fn token_of(headers: &HeaderMap) -> Option<&[u8]> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let value = values.next()?.as_bytes();
    if values.next().is_some() {
        return None;
    }
    let (scheme, token) = value.split_at_checked("Bearer ".len())?;
    scheme.eq_ignore_ascii_case(b"Bearer ").then_some(token)
}
