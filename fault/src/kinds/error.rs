//! `error`: the request is answered with an error and not handled.

use http::StatusCode;
use serde_json::{Map, Value};

use super::{Applies, Params};
use crate::model::decode::Fields;

/// The answer instead of the service's own.
#[derive(Debug, Clone, PartialEq)]
pub struct Error {
    /// The status.
    pub status: ErrorStatus,
    /// The body; a problem document by default.
    pub body: Option<ErrorBody>,
}

/// A body given by the fault.
#[derive(Debug, Clone, PartialEq)]
pub enum ErrorBody {
    /// Sent as `text/plain`.
    Text(String),
    /// Sent as `application/json`: an object or a list.
    Json(Value),
}

/// A status that is an error: 400 to 599.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ErrorStatus(StatusCode);

impl ErrorStatus {
    /// 503, what a service says that is down.
    pub const UNAVAILABLE: Self = Self(StatusCode::SERVICE_UNAVAILABLE);

    /// Returns the status if it is an error.
    pub fn new(status: u16) -> Option<Self> {
        let status = StatusCode::from_u16(status).ok()?;
        (status.is_client_error() || status.is_server_error()).then_some(Self(status))
    }

    /// Returns the status as HTTP knows it.
    pub fn code(self) -> StatusCode {
        self.0
    }
}

impl Params for Error {
    fn decode(fields: &mut Fields<'_, '_>) -> Option<Self> {
        let number = fields.unsigned("status");
        let number = fields.required("status", number, "the status to answer with, such as 503");
        let status = number.and_then(|number| {
            let status = u16::try_from(number).ok().and_then(ErrorStatus::new);
            if status.is_none() {
                let help = "an error is 400 to 599, such as 503".to_owned();
                fields.wrong("status", format!("{number} is not an error"), help);
            }
            status
        });
        let body = match fields.get("body") {
            None => None,
            Some(Value::String(text)) => Some(ErrorBody::Text(text.clone())),
            Some(value @ (Value::Object(_) | Value::Array(_))) => {
                Some(ErrorBody::Json(value.clone()))
            }
            Some(_) => {
                fields.wrong("body", "expected text, an object or a list", None);
                None
            }
        };
        Some(Self {
            status: status?,
            body,
        })
    }

    fn encode(&self, map: &mut Map<String, Value>) {
        map.insert("status".to_owned(), Value::from(self.status.0.as_u16()));
        match &self.body {
            None => {}
            Some(ErrorBody::Text(text)) => {
                map.insert("body".to_owned(), Value::from(text.as_str()));
            }
            Some(ErrorBody::Json(value)) => {
                map.insert("body".to_owned(), value.clone());
            }
        }
    }

    fn applies(&self) -> Applies {
        Applies {
            share: true,
            ramp: true,
            route: true,
        }
    }
}
