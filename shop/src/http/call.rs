//! Calls to other roles: a span and a time limit each, with the trace carried along.
//!
//! A [`Peer`] is a part of the shop, called once. A [`Dependency`] is something that may fail on its
//! own, called with retries and behind a circuit breaker.

use std::time::Duration;

use axum::{body::Bytes, http::StatusCode};
use tracing::{Instrument, Span, field::Empty, info_span};

use super::{problem::Problem, url::BaseUrl};
use crate::{config::Role, telemetry::propagation};

mod dependency;
mod message;

pub(crate) use dependency::Dependency;
pub(crate) use message::{Answer, Ask, IDEMPOTENCY_KEY, REPLAYED, STALE};

/// Longest answer that is read.
const ANSWER_LIMIT_BYTES: usize = 1024 * 1024;

/// Another role, as one role sees it.
#[derive(Debug, Clone)]
pub(crate) struct Peer {
    pub(crate) caller: Role,
    pub(crate) callee: Role,
    pub(crate) url: BaseUrl,
    pub(crate) client: reqwest::Client,
    pub(crate) timeout: Duration,
}

/// Why a call brought no answer that can be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CallError {
    /// No answer in time.
    Timeout,
    /// No connection, or it broke.
    Unreachable,
    /// The callee failed with this status.
    Failed(StatusCode),
    /// Too long, or not what was expected.
    Unreadable,
    /// Not asked at all: what is called failed too often lately.
    Rejected,
}

impl CallError {
    /// Returns the reason in a word, for logs and spans.
    pub(crate) fn reason(self) -> &'static str {
        match self {
            Self::Timeout => "timeout",
            Self::Unreachable => "unreachable",
            Self::Failed(_) => "upstream_error",
            Self::Unreadable => "unreadable_answer",
            Self::Rejected => "circuit_open",
        }
    }

    /// Returns what the caller's own client is told; a 503 stays one, since it can be retried.
    pub(crate) fn problem(self, callee: Role) -> Problem {
        let (status, what) = match self {
            Self::Timeout => (StatusCode::GATEWAY_TIMEOUT, "did not answer in time"),
            Self::Unreachable | Self::Rejected | Self::Failed(StatusCode::SERVICE_UNAVAILABLE) => {
                (StatusCode::SERVICE_UNAVAILABLE, "is not available")
            }
            Self::Failed(_) | Self::Unreadable => (StatusCode::BAD_GATEWAY, "failed"),
        };
        Problem::new(status, format!("the {callee} service {what}"))
    }
}

impl Peer {
    /// Makes the call; answers of 5xx are errors, everything below is the answer.
    pub(crate) async fn ask(&self, ask: Ask) -> Result<Answer, CallError> {
        self.attempt(ask, self.callee.name(), None).await
    }

    /// Makes the call under the name of what is called, perhaps as one of several attempts.
    async fn attempt(
        &self,
        ask: Ask,
        called: &'static str,
        attempt: Option<u32>,
    ) -> Result<Answer, CallError> {
        let span = info_span!(
            "call",
            otel.name = %format_args!("{} {}", ask.method, ask.route),
            otel.kind = "client",
            otel.status_code = Empty,
            service = self.caller.name(),
            peer.service = called,
            http.request.method = ask.method.as_str(),
            http.route = ask.route,
            server.address = self.url.host(),
            server.port = i64::from(self.url.port()),
            url.full = Empty,
            http.response.status_code = Empty,
            error.type = Empty,
            attempt,
        );
        let outcome = self.send(ask, &span).instrument(span.clone()).await;
        if let Err(error) = outcome {
            span.record("otel.status_code", "ERROR");
            span.record("error.type", error.reason());
            span.in_scope(|| {
                let reason = error.reason();
                tracing::warn!(peer = called, reason, attempt, "call failed");
            });
            return Err(error);
        }
        outcome
    }

    /// Calls and turns every failure into the problem for the own client.
    pub(crate) async fn pass_on(&self, ask: Ask) -> Result<Answer, Problem> {
        self.ask(ask)
            .await
            .map_err(|error| error.problem(self.callee))
    }

    async fn send(&self, ask: Ask, span: &Span) -> Result<Answer, CallError> {
        let url = self.url.join(&ask.target());
        span.record("url.full", url.as_str());
        let mut headers = ask.headers;
        propagation::inject(span, &mut headers);
        let mut request = self.client.request(ask.method, url).headers(headers);
        if let Some(body) = ask.body {
            request = request.body(body);
        }
        let answer = request
            .timeout(self.timeout)
            .send()
            .await
            .map_err(|error| broken(&error))?;
        let status = answer.status();
        span.record("http.response.status_code", i64::from(status.as_u16()));
        if status.is_server_error() {
            return Err(CallError::Failed(status));
        }
        let headers = answer.headers().clone();
        Ok(Answer::new(status, &headers, read(answer).await?))
    }
}

async fn read(mut answer: reqwest::Response) -> Result<Bytes, CallError> {
    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(|error| broken(&error))? {
        if body.len() + chunk.len() > ANSWER_LIMIT_BYTES {
            return Err(CallError::Unreadable);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body.into())
}

fn broken(error: &reqwest::Error) -> CallError {
    if error.is_timeout() {
        CallError::Timeout
    } else {
        CallError::Unreachable
    }
}

/// Makes the client that the calls of a process share.
pub(crate) fn client() -> Result<reqwest::Client, reqwest::Error> {
    builder().connect_timeout(Duration::from_secs(1)).build()
}

/// Starts a client that goes only where it is told to go.
pub(crate) fn builder() -> reqwest::ClientBuilder {
    // Whoever came second finds one installed, which is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
}

#[cfg(test)]
mod tests {
    use axum::http::StatusCode;

    use super::CallError;
    use crate::config::Role;

    #[test]
    fn a_failure_of_another_role_is_told_by_the_gateway_s_own_statuses() {
        for (error, status) in [
            (CallError::Timeout, 504),
            (CallError::Unreachable, 503),
            (CallError::Rejected, 503),
            (CallError::Failed(StatusCode::SERVICE_UNAVAILABLE), 503),
            (CallError::Failed(StatusCode::INTERNAL_SERVER_ERROR), 502),
            (CallError::Unreadable, 502),
        ] {
            let problem = error.problem(Role::Catalog);
            assert_eq!(problem.status.as_u16(), status, "{error:?}");
        }
    }
}
