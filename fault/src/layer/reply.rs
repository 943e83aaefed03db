//! The answer of a request that a fault fails.

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Response};
use serde_json::json;

use crate::kinds::{Error, ErrorBody};

/// Returns the answer. It does not tell that it was injected: a drill hides that, the trace shows it.
pub(super) fn error<B: From<Bytes>>(error: &Error) -> Response<B> {
    let status = error.status.code();
    let (content_type, body) = match &error.body {
        Some(ErrorBody::Text(text)) => ("text/plain; charset=utf-8", Bytes::from(text.clone())),
        Some(ErrorBody::Json(value)) => ("application/json", Bytes::from(value.to_string())),
        None => {
            let title = status.canonical_reason().unwrap_or("Error");
            let problem = json!({"type": "about:blank", "title": title, "status": status.as_u16()});
            ("application/problem+json", Bytes::from(problem.to_string()))
        }
    };
    let mut response = Response::new(B::from(body));
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}
