//! Answers that say no: `application/problem+json` (RFC 9457), naming the fields at fault.
//!
//! A 5xx hides its cause from the client; whoever makes one logs it.

use std::fmt;

use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;

use crate::db::DbError;

/// The media type of a problem.
pub(crate) const PROBLEM_JSON: &str = "application/problem+json";

/// A refusal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Problem {
    pub(crate) status: StatusCode,
    detail: String,
    errors: Vec<FieldError>,
    reason: Option<&'static str>,
    order_id: Option<i64>,
    retry_after: Option<u64>,
}

/// What is wrong with one field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct FieldError {
    pub(crate) field: String,
    pub(crate) message: String,
}

#[derive(Serialize)]
struct Wire<'a> {
    r#type: &'static str,
    title: &'a str,
    status: u16,
    detail: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    order_id: Option<i64>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    errors: &'a [FieldError],
}

impl Problem {
    /// Makes a refusal without a field; one that passes by itself says when to come again.
    pub(crate) fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        let passes = status == StatusCode::SERVICE_UNAVAILABLE;
        Self {
            status,
            detail: detail.into(),
            errors: Vec::new(),
            reason: None,
            order_id: None,
            retry_after: passes.then_some(1),
        }
    }

    /// Makes a refusal for one field.
    pub(crate) fn field(
        status: StatusCode,
        field: impl Into<String>,
        message: impl Into<String>,
    ) -> Self {
        let error = FieldError {
            field: field.into(),
            message: message.into(),
        };
        let detail = format!("{}: {}", error.field, error.message);
        Self {
            errors: vec![error],
            ..Self::new(status, detail)
        }
    }

    /// Makes a 422 for several fields at once.
    pub(crate) fn fields(errors: Vec<FieldError>) -> Self {
        let named: Vec<String> = errors
            .iter()
            .map(|error| format!("{}: {}", error.field, error.message))
            .collect();
        Self {
            errors,
            ..Self::new(StatusCode::UNPROCESSABLE_ENTITY, named.join("; "))
        }
    }

    /// Adds a word that programs can tell refusals apart by.
    pub(crate) fn because(mut self, reason: &'static str) -> Self {
        self.reason = Some(reason);
        self
    }

    /// Names the order that was made all the same.
    pub(crate) fn for_order(mut self, order_id: i64) -> Self {
        self.order_id = Some(order_id);
        self
    }

    /// Tells whether an order was made whose payment may yet turn out to have been taken.
    pub(crate) fn leaves_payment_open(&self) -> bool {
        let nobody_knows = self.status.is_server_error() || self.retry_after.is_some();
        self.order_id.is_some() && nobody_knows
    }

    /// Adds after how many seconds it may work.
    pub(crate) fn retry_after(mut self, seconds: u64) -> Self {
        self.retry_after = Some(seconds);
        self
    }

    /// Makes a 500 that tells nothing.
    pub(crate) fn internal() -> Self {
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "something went wrong on our side",
        )
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.detail)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let wire = Wire {
            r#type: "about:blank",
            title: self.status.canonical_reason().unwrap_or("Error"),
            status: self.status.as_u16(),
            detail: &self.detail,
            reason: self.reason,
            order_id: self.order_id,
            errors: &self.errors,
        };
        let body = serde_json::to_vec(&wire).unwrap_or_default();
        let kind = (header::CONTENT_TYPE, HeaderValue::from_static(PROBLEM_JSON));
        let mut response = (self.status, [kind], body).into_response();
        if let Some(seconds) = self.retry_after {
            response
                .headers_mut()
                .insert(header::RETRY_AFTER, seconds.into());
        }
        response
    }
}

impl From<DbError> for Problem {
    /// Logs why, and tells the client only whether to try again.
    fn from(error: DbError) -> Self {
        let problem = if error.is_unavailable() {
            Self::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "the service is busy, try again",
            )
        } else {
            Self::internal()
        };
        tracing::error!(reason = %error, kind = error.kind().name(), "query failed");
        problem
    }
}

impl From<sqlx::Error> for Problem {
    fn from(error: sqlx::Error) -> Self {
        DbError::Query(error).into()
    }
}
