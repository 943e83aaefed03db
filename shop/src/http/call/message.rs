//! What is asked of another role, and what it answered.

use axum::{
    body::Bytes,
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header},
    response::{IntoResponse, Response},
};

use super::CallError;
use crate::{
    http::identity::Identity,
    telemetry::{
        business::Segment,
        propagation::{BAGGAGE, Baggage},
    },
};

/// The header that makes a call repeatable: the same key gets the same answer.
pub(crate) const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
/// Set to `1` on an answer that is older than it should be.
pub(crate) const STALE: HeaderName = HeaderName::from_static("x-shop-stale");
/// Set to `true` on an answer that was given before to the same key.
pub(crate) const REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");

/// The headers of an answer that are kept and passed on.
const KEPT: [HeaderName; 6] = [
    header::CONTENT_TYPE,
    header::LOCATION,
    header::RETRY_AFTER,
    header::SET_COOKIE,
    REPLAYED,
    STALE,
];
const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// What is asked of another role.
#[derive(Debug, Clone)]
pub(crate) struct Ask {
    pub(crate) method: Method,
    /// The route's template, for the span: `/products/:id`.
    pub(crate) route: &'static str,
    pub(crate) path: String,
    /// As it stands in a URL, without the question mark.
    pub(crate) query: Option<String>,
    /// Headers beside those of the trace.
    pub(crate) headers: HeaderMap,
    pub(crate) body: Option<Bytes>,
}

impl Ask {
    /// Asks without a body.
    pub(crate) fn new(method: Method, route: &'static str, path: impl Into<String>) -> Self {
        Self {
            method,
            route,
            path: path.into(),
            query: None,
            headers: HeaderMap::new(),
            body: None,
        }
    }

    /// Asks for `path`.
    pub(crate) fn get(route: &'static str, path: impl Into<String>) -> Self {
        Self::new(Method::GET, route, path)
    }

    /// Posts a JSON value.
    pub(crate) fn post(route: &'static str, body: &serde_json::Value) -> Self {
        Self::new(Method::POST, route, route).with_json(body)
    }

    /// Asks for another path than the route's template.
    pub(crate) fn at(mut self, path: impl Into<String>) -> Self {
        self.path = path.into();
        self
    }

    /// Sends a JSON value.
    pub(crate) fn with_json(self, body: &serde_json::Value) -> Self {
        let body = Bytes::from(body.to_string());
        self.with_header(header::CONTENT_TYPE, JSON).with_body(body)
    }

    /// Sends a body as it is.
    pub(crate) fn with_body(mut self, body: Bytes) -> Self {
        self.body = Some(body);
        self
    }

    /// Sends a query as a client wrote it.
    pub(crate) fn with_query(mut self, query: Option<&str>) -> Self {
        self.query = query.map(str::to_owned);
        self
    }

    /// Sends a header.
    pub(crate) fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.insert(name, value);
        self
    }

    /// Says who asks.
    pub(crate) fn with_identity(mut self, identity: &Identity) -> Self {
        identity.inject(&mut self.headers);
        self
    }

    /// Tells which segment the customer belongs to, if that is known.
    pub(crate) fn with_segment(self, segment: Option<Segment>) -> Self {
        let baggage = Baggage {
            segment: segment.map(Segment::name),
            ..Baggage::default()
        };
        match baggage.header() {
            Some(value) => self.with_header(BAGGAGE, value),
            None => self,
        }
    }

    /// Makes the call repeatable; a key that is no header value is left out.
    pub(crate) fn with_key(self, key: &str) -> Self {
        match HeaderValue::from_str(key) {
            Ok(key) => self.with_header(IDEMPOTENCY_KEY, key),
            Err(_) => self,
        }
    }

    /// Tells whether making the call twice does what making it once does.
    pub(crate) fn is_repeatable(&self) -> bool {
        self.method.is_idempotent() || self.headers.contains_key(IDEMPOTENCY_KEY)
    }

    /// Returns path and query.
    pub(super) fn target(&self) -> String {
        match &self.query {
            Some(query) => format!("{}?{query}", self.path),
            None => self.path.clone(),
        }
    }
}

/// What another role answered, up to 4xx.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    /// Those of the headers that are passed on.
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Answer {
    pub(super) fn new(status: StatusCode, all: &HeaderMap, body: Bytes) -> Self {
        let mut headers = HeaderMap::new();
        for name in &KEPT {
            for value in all.get_all(name) {
                headers.append(name, value.clone());
            }
        }
        Self {
            status,
            headers,
            body,
        }
    }

    /// Reads the body as JSON.
    pub(crate) fn json(&self) -> Result<serde_json::Value, CallError> {
        serde_json::from_slice(&self.body).map_err(|_| CallError::Unreadable)
    }
}

impl IntoResponse for Answer {
    /// Passes the answer on as it came.
    fn into_response(self) -> Response {
        (self.status, self.headers, self.body).into_response()
    }
}

#[cfg(test)]
mod tests {
    use axum::{
        body::Bytes,
        http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode},
    };
    use serde_json::json;

    use super::{Answer, Ask};

    #[test]
    fn a_call_is_repeatable_by_its_method_or_by_its_key() {
        let posted = Ask::post("/order", &json!({}));
        assert!(!posted.is_repeatable());
        assert!(posted.clone().with_key("order-1").is_repeatable());
        assert!(!posted.with_key("two\nlines").is_repeatable());
        assert!(Ask::get("/products", "/products").is_repeatable());
        assert!(Ask::new(Method::PUT, "/products/:id", "/products/1").is_repeatable());
    }

    #[test]
    fn a_query_follows_the_path() {
        let ask = Ask::get("/products", "/products").with_query(Some("limit=1"));
        assert_eq!(ask.target(), "/products?limit=1");
        assert_eq!(ask.with_query(None).target(), "/products");
    }

    #[test]
    fn only_headers_of_ours_are_passed_on() {
        let mut all = HeaderMap::new();
        for name in ["content-type", "x-shop-stale", "server", "connection"] {
            all.insert(name, HeaderValue::from_static("x"));
        }
        let answer = Answer::new(StatusCode::OK, &all, Bytes::new());
        let kept: Vec<&str> = answer.headers.keys().map(HeaderName::as_str).collect();
        assert_eq!(kept, ["content-type", "x-shop-stale"]);
    }
}
