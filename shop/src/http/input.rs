//! Reading what a client sent: JSON objects of bounded size, and ids in paths.
//!
//! Fields are read one by one so that every one at fault is named in one answer.

use std::time::Duration;

use axum::{
    body::{Body, Bytes, to_bytes},
    extract::{FromRequest, FromRequestParts, Path, Request},
    http::{HeaderMap, StatusCode, header, request::Parts},
};
use serde_json::{Map, Value};
use tokio::time::timeout;

use super::problem::{FieldError, Problem};

mod secret;

/// Longest body a role reads.
pub(crate) const BODY_LIMIT_BYTES: usize = 16 * 1024;
/// Longest time a client may take to send it.
const BODY_TIME_LIMIT: Duration = Duration::from_secs(10);
/// Largest number that every JSON reader keeps exactly.
const LARGEST_ID: i64 = (1 << 53) - 1;

/// A body within the limit, as it came.
#[derive(Debug)]
pub(crate) struct Raw {
    pub(crate) content_type: Option<String>,
    pub(crate) body: Bytes,
}

impl<S: Send + Sync> FromRequest<S> for Raw {
    type Rejection = Problem;

    async fn from_request(request: Request, _state: &S) -> Result<Self, Problem> {
        let content_type = content_type(request.headers()).map(str::to_owned);
        let body = whole(request.into_body()).await?;
        Ok(Self { content_type, body })
    }
}

/// Reads a body to its end, within a limit of bytes and of time.
pub(crate) async fn whole(body: Body) -> Result<Bytes, Problem> {
    let reading = timeout(BODY_TIME_LIMIT, to_bytes(body, BODY_LIMIT_BYTES));
    let Ok(read) = reading.await else {
        let seconds = BODY_TIME_LIMIT.as_secs();
        let detail = format!("the body did not arrive within {seconds} seconds");
        return Err(Problem::new(StatusCode::REQUEST_TIMEOUT, detail));
    };
    read.map_err(|error| {
        // The limit is the one failure that is not a broken connection.
        let too_long = std::error::Error::source(&error)
            .is_some_and(|source| source.to_string().contains("limit"));
        if too_long {
            let detail = format!("the body is longer than {BODY_LIMIT_BYTES} bytes");
            Problem::new(StatusCode::PAYLOAD_TOO_LARGE, detail)
        } else {
            Problem::new(StatusCode::BAD_REQUEST, "the body could not be read")
        }
    })
}

fn content_type(headers: &HeaderMap) -> Option<&str> {
    headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
}

fn is_json(content_type: &str) -> bool {
    let media = content_type.split(';').next().unwrap_or_default().trim();
    media.eq_ignore_ascii_case("application/json") || media.to_ascii_lowercase().ends_with("+json")
}

/// The fields of a JSON object; problems add up until [`Fields::finish`].
#[derive(Debug)]
pub(crate) struct Fields {
    object: Map<String, Value>,
    errors: Vec<FieldError>,
}

impl<S: Send + Sync> FromRequest<S> for Fields {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let raw = Raw::from_request(request, state).await?;
        if !raw.content_type.as_deref().is_some_and(is_json) {
            let detail = "send the body as content-type: application/json";
            return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, detail));
        }
        match serde_json::from_slice(&raw.body) {
            Ok(Value::Object(object)) => Ok(Self {
                object,
                errors: Vec::new(),
            }),
            Ok(_) => Err(Problem::new(
                StatusCode::BAD_REQUEST,
                "the body must be a JSON object",
            )),
            Err(error) => Err(Problem::new(
                StatusCode::BAD_REQUEST,
                format!("the body is not JSON: {error}"),
            )),
        }
    }
}

impl Fields {
    /// Reads an id; 0 stands for one that is reported at the end.
    pub(crate) fn id(&mut self, name: &str) -> i64 {
        self.whole(name, LARGEST_ID)
    }

    /// Reads a whole number from 1 to `most`.
    pub(crate) fn whole(&mut self, name: &str, most: i64) -> i64 {
        self.number(name, 1, most)
    }

    /// Reads a whole number from 0 to `most`.
    pub(crate) fn count(&mut self, name: &str, most: i64) -> i64 {
        self.number(name, 0, most)
    }

    /// Reads a whole number from 0 to `most` that may be left out.
    pub(crate) fn optional_count(&mut self, name: &str, most: i64) -> Option<i64> {
        match self.object.get(name) {
            None | Some(Value::Null) => None,
            Some(_) => Some(self.count(name, most)),
        }
    }

    fn number(&mut self, name: &str, least: i64, most: i64) -> i64 {
        let Some(value) = self.object.get(name) else {
            self.refuse(name, "is missing".to_owned());
            return 0;
        };
        match value.as_i64() {
            Some(number) if (least..=most).contains(&number) => number,
            Some(_) => self.refuse(name, format!("must lie between {least} and {most}")),
            None => self.refuse(name, "must be a whole number".to_owned()),
        }
    }

    /// Reads a whole number that may be left out.
    pub(crate) fn optional_whole(&mut self, name: &str, most: i64) -> Option<i64> {
        match self.object.get(name) {
            None | Some(Value::Null) => None,
            Some(_) => Some(self.whole(name, most)),
        }
    }

    /// Reads a text of 1 to `longest` characters, without blanks around it; empty stands for one that
    /// is reported at the end.
    pub(crate) fn text(&mut self, name: &str, longest: usize) -> String {
        let Some(value) = self.object.get(name) else {
            self.refuse(name, "is missing".to_owned());
            return String::new();
        };
        let Some(text) = value.as_str() else {
            self.refuse(name, "must be a text".to_owned());
            return String::new();
        };
        let text = text.trim().to_owned();
        let length = text.chars().count();
        if length == 0 || length > longest || text.chars().any(char::is_control) {
            let message = format!("must have 1 to {longest} printable characters");
            self.refuse(name, message);
        }
        text
    }

    /// Reads a text that may be left out.
    pub(crate) fn optional_text(&mut self, name: &str, longest: usize) -> Option<String> {
        match self.object.get(name) {
            None | Some(Value::Null) => None,
            Some(_) => Some(self.text(name, longest)),
        }
    }

    /// Reads a word of a closed set; `None` stands for one that is reported at the end.
    pub(crate) fn word<T>(
        &mut self,
        name: &str,
        parse: impl Fn(&str) -> Option<T>,
        words: &str,
    ) -> Option<T> {
        if matches!(self.object.get(name), None | Some(Value::Null)) {
            self.refuse(name, "is missing".to_owned());
            return None;
        }
        self.optional_word(name, parse, words)
    }

    /// Reads a word of a closed set that may be left out.
    pub(crate) fn optional_word<T>(
        &mut self,
        name: &str,
        parse: impl Fn(&str) -> Option<T>,
        words: &str,
    ) -> Option<T> {
        let value = match self.object.get(name) {
            None | Some(Value::Null) => return None,
            Some(value) => value.as_str().and_then(parse),
        };
        if value.is_none() {
            self.refuse(name, format!("must be one of {words}"));
        }
        value
    }

    /// Fails with every field at fault.
    pub(crate) fn finish(self) -> Result<(), Problem> {
        if self.errors.is_empty() {
            Ok(())
        } else {
            Err(Problem::fields(self.errors))
        }
    }

    fn refuse(&mut self, name: &str, message: String) -> i64 {
        self.errors.push(FieldError {
            field: name.to_owned(),
            message,
        });
        0
    }
}

/// The id in a path.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Id(pub(crate) i64);

impl<S: Send + Sync> FromRequestParts<S> for Id {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let text = Path::<String>::from_request_parts(parts, state).await;
        let id = text.ok().and_then(|Path(text)| text.parse::<i64>().ok());
        let id = id.filter(|id| (1..=LARGEST_ID).contains(id));
        let message = "must be a whole number above 0";
        id.map(Self)
            .ok_or_else(|| Problem::field(StatusCode::BAD_REQUEST, "id", message))
    }
}
