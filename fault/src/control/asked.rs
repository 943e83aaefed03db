//! What a request asks: its id, its query, its body. Whatever is odd is refused in our own words.

use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::extract::{FromRequestParts, Path, Query};
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use http::request::Parts;
use http::{HeaderMap, StatusCode};
use serde::Deserialize;
use serde_json::Value;

use super::Problem;
use crate::model::{BadFaultId, FaultId};

/// The largest body that is read.
const MAX_BODY: usize = 64 * 1024;
/// A client that is slower holds a connection, not a fault.
const BODY_TIMEOUT: Duration = Duration::from_secs(10);

/// The id in the path.
pub(super) struct Id(pub(super) FaultId);

/// What stands in the query. A misspelt `owner` must not withdraw everything, so nothing else may.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct By {
    pub(super) owner: Option<String>,
    pub(super) take_over: bool,
    reason: Option<String>,
}

impl By {
    pub(super) fn reason(&self) -> Result<&str, Problem> {
        let odd = |reason: &str| {
            reason.is_empty() || reason.len() > 512 || reason.chars().any(char::is_control)
        };
        self.reason
            .as_deref()
            .filter(|reason| !odd(reason))
            .ok_or_else(|| {
                Problem::new(
                    StatusCode::BAD_REQUEST,
                    "reason",
                    "a reason is missing, too long or holds control characters",
                    "add `?reason=…`; it goes into the audit log",
                )
            })
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Id {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let text = Path::<String>::from_request_parts(parts, state).await;
        let text = text.map_or_else(|_| String::new(), |Path(text)| text);
        text.parse().map(Self).map_err(|error: BadFaultId| {
            Problem::new(
                StatusCode::BAD_REQUEST,
                "id",
                error.to_string(),
                "such as `payments-503`",
            )
        })
    }
}

impl<S: Send + Sync> FromRequestParts<S> for By {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        match Query::<Self>::from_request_parts(parts, state).await {
            Ok(Query(by)) => Ok(by),
            Err(error) => Err(Problem::new(
                StatusCode::BAD_REQUEST,
                "query",
                error.body_text(),
                "the query may hold `owner`, `reason` and `take_over=true`",
            )),
        }
    }
}

/// Refuses a body by its headers, also where none is read.
pub(super) fn check_body(headers: &HeaderMap) -> Result<(), Problem> {
    let length = headers
        .get(CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok());
    if length
        .and_then(|length| length.parse().ok())
        .is_some_and(|length: u64| length > MAX_BODY as u64)
    {
        return Err(too_large());
    }
    match headers.get(CONTENT_TYPE) {
        Some(_) if !is_json(headers) => Err(not_json()),
        _ => Ok(()),
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    let content_type = headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    let media_type = content_type
        .and_then(|value| value.split(';').next())
        .map(str::trim);
    media_type.is_some_and(|media_type| media_type.eq_ignore_ascii_case("application/json"))
}

fn not_json() -> Problem {
    Problem::new(
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        "content_type",
        "only JSON is read",
        "send `Content-Type: application/json`",
    )
}

fn too_large() -> Problem {
    Problem::new(
        StatusCode::PAYLOAD_TOO_LARGE,
        "body_too_large",
        "the body is larger than 64 KiB or broke off",
        "send a smaller body",
    )
}

/// Reads a body as JSON. Only `application/json` is taken: a browser cannot send it unasked.
pub(super) async fn read_json(headers: &HeaderMap, body: Body) -> Result<Value, Problem> {
    if !is_json(headers) {
        return Err(not_json());
    }
    let bytes = match tokio::time::timeout(BODY_TIMEOUT, to_bytes(body, MAX_BODY)).await {
        Ok(Ok(bytes)) => bytes,
        Ok(Err(_)) => return Err(too_large()),
        Err(_) => {
            return Err(Problem::new(
                StatusCode::REQUEST_TIMEOUT,
                "body_too_slow",
                "the body did not arrive within 10 s",
                "send it at once",
            ));
        }
    };
    serde_json::from_slice(&bytes).map_err(|error| {
        Problem::new(
            StatusCode::BAD_REQUEST,
            "json",
            format!("not JSON: {error}"),
            "correct the body",
        )
    })
}
