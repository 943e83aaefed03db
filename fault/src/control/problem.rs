//! An error, as the API says it.

use axum::Json;
use axum::response::{IntoResponse, Response};
use http::header::{CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderValue, StatusCode};
use serde::{Deserialize, Serialize};

use crate::model::FieldError;
use crate::registry::RegistryError;

/// An error, as the API says it (RFC 9457, with members of our own).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Problem {
    /// The HTTP status.
    pub status: u16,
    /// A word for programs, such as `owned_by_another`.
    pub code: String,
    /// What is wrong.
    pub detail: String,
    /// What to do about it.
    pub remedy: String,
    /// The fields that are wrong.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<FieldError>,
}

impl Problem {
    pub(super) fn new(
        status: StatusCode,
        code: &str,
        detail: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self {
            status: status.as_u16(),
            code: code.to_owned(),
            detail: detail.into(),
            remedy: remedy.into(),
            fields: Vec::new(),
        }
    }

    pub(super) fn with_fields(self, fields: Vec<FieldError>) -> Self {
        Self { fields, ..self }
    }
}

impl From<RegistryError> for Problem {
    fn from(error: RegistryError) -> Self {
        let status = match &error {
            RegistryError::Owned { .. } | RegistryError::NotYours { .. } | RegistryError::Full => {
                StatusCode::CONFLICT
            }
            RegistryError::Unknown(_) => StatusCode::NOT_FOUND,
            RegistryError::Over { .. } => StatusCode::GONE,
            RegistryError::NotOffered { .. } | RegistryError::NoService { .. } => {
                StatusCode::UNPROCESSABLE_ENTITY
            }
            RegistryError::Protected(_) => StatusCode::FORBIDDEN,
            RegistryError::NoRuntime => StatusCode::INTERNAL_SERVER_ERROR,
        };
        Self::new(status, error.code(), error.to_string(), error.remedy())
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = (status, Json(&self)).into_response();
        let headers = response.headers_mut();
        headers.insert(
            CONTENT_TYPE,
            HeaderValue::from_static("application/problem+json"),
        );
        if status == StatusCode::TOO_MANY_REQUESTS {
            headers.insert(RETRY_AFTER, HeaderValue::from_static("60"));
        }
        response
    }
}
