//! The wrapper around every answer of the HTTP API: status, data, error, warnings and infos.

use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::clean;
use crate::connect::{Client, Reply};
use crate::source::SourceError;

/// What a successful answer holds.
#[derive(Debug)]
pub(super) struct Good<T> {
    pub(super) data: T,
    pub(super) notes: Vec<String>,
}

#[derive(Deserialize)]
struct Envelope<T> {
    status: String,
    data: Option<T>,
    #[serde(default)]
    warnings: Vec<String>,
    #[serde(default)]
    infos: Vec<String>,
}

/// The part of an answer that tells a failure; everything in it may be missing.
#[derive(Deserialize)]
struct Failure {
    status: String,
    #[serde(default, rename = "errorType")]
    kind: String,
    #[serde(default)]
    error: String,
}

/// What was asked, for the texts of its errors.
pub(super) struct Call<'a> {
    client: &'a Client,
    path: &'static str,
    query: Option<&'a str>,
}

impl<'a> Call<'a> {
    pub(super) fn new(client: &'a Client, path: &'static str, query: Option<&'a str>) -> Self {
        Self {
            client,
            path,
            query,
        }
    }

    /// Unwraps an answer or says why there is none.
    pub(super) fn read<T: DeserializeOwned>(&self, reply: &Reply) -> Result<Good<T>, SourceError> {
        if let Ok(failure) = serde_json::from_slice::<Failure>(&reply.body)
            && failure.status == "error"
        {
            return Err(self.told(reply, &failure));
        }
        if !reply.status.is_success() {
            return Err(self.untold(reply));
        }
        let envelope: Envelope<T> =
            serde_json::from_slice(&reply.body).map_err(|e| self.not_json(reply, &e))?;
        let status = envelope.status;
        let Some(data) = envelope.data.filter(|_| status == "success") else {
            let status = clean::message(&status);
            return Err(self.client.bad_answer(format!("its status is `{status}`")));
        };
        let notes = envelope.warnings.iter().chain(&envelope.infos);
        Ok(Good {
            data,
            notes: notes.map(|note| clean::message(note)).collect(),
        })
    }

    /// The server says itself what went wrong.
    fn told(&self, reply: &Reply, failure: &Failure) -> SourceError {
        let message = if failure.error.is_empty() {
            clean::message(&failure.kind)
        } else {
            clean::message(&failure.error)
        };
        match (failure.kind.as_str(), self.query) {
            ("not_found", _) => self.not_offered(),
            ("bad_data" | "execution" | "timeout" | "canceled", Some(query)) => {
                SourceError::BadQuery {
                    query: clean::message(query),
                    message,
                }
            }
            _ => SourceError::Failed {
                url: self.client.shown().to_owned(),
                status: reply.status.as_u16(),
                message,
            },
        }
    }

    /// There is only an HTTP status.
    fn untold(&self, reply: &Reply) -> SourceError {
        match reply.status.as_u16() {
            // Whoever speaks the API at all answers queries.
            status @ (404 | 405) if self.query.is_some() => SourceError::Failed {
                url: self.client.shown().to_owned(),
                status,
                message: format!(
                    "there is no {}; is the path prefix of the address right?",
                    self.path
                ),
            },
            404 | 405 | 501 => self.not_offered(),
            status => SourceError::Failed {
                url: self.client.shown().to_owned(),
                status,
                message: first_line(&reply.body),
            },
        }
    }

    fn not_json(&self, reply: &Reply, error: &serde_json::Error) -> SourceError {
        let html = reply.content_type.starts_with("text/html")
            || reply.body.trim_ascii_start().starts_with(b"<");
        let message = if html {
            format!(
                "{} is a web page; is the path prefix of the address right?",
                self.path
            )
        } else {
            format!("{}: {}", self.path, clean::message(&error.to_string()))
        };
        self.client.bad_answer(message)
    }

    fn not_offered(&self) -> SourceError {
        SourceError::NotOffered {
            url: self.client.shown().to_owned(),
            what: self.path.to_owned(),
        }
    }
}

fn first_line(body: &[u8]) -> String {
    let head = &body[..body.len().min(2_000)];
    let text = String::from_utf8_lossy(head);
    let line = text.trim().lines().next().unwrap_or_default();
    if line.is_empty() || line.starts_with('<') {
        "no reason given; see the log of the server".to_owned()
    } else {
        clean::message(line)
    }
}
