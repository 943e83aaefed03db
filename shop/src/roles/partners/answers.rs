//! Answers by idempotency key: who asks again with the same key gets what was said the first time.
//!
//! Bounded in number and in time. A failure is not kept, so that the next attempt can succeed.

use std::time::Duration;

use axum::{
    http::{HeaderValue, StatusCode},
    response::{IntoResponse, Response},
};
use moka::future::Cache;
use serde_json::Value;

use crate::http::{call::REPLAYED, problem::Problem};

const MOST: u64 = 10_000;
const KEPT: Duration = Duration::from_hours(1);

/// An answer that is kept.
#[derive(Debug, Clone)]
pub(super) enum Said {
    /// What was done.
    Done(StatusCode, Value),
    /// Why it was not.
    No(Problem),
}

impl IntoResponse for Said {
    fn into_response(self) -> Response {
        match self {
            Self::Done(status, body) => (status, axum::Json(body)).into_response(),
            Self::No(problem) => problem.into_response(),
        }
    }
}

/// The answers of every partner of a process.
#[derive(Debug)]
pub(super) struct Answers(Cache<String, (String, Said)>);

impl Answers {
    pub(super) fn new() -> Self {
        let cache = Cache::builder().max_capacity(MOST).time_to_live(KEPT);
        Self(cache.build())
    }

    /// Returns the answer kept under `key`, or makes it; of several who ask at once, one makes it.
    /// `request` is what the key stands for: a key cannot stand for another request as well.
    pub(super) async fn once(
        &self,
        key: String,
        request: String,
        make: impl Future<Output = Result<Said, Problem>>,
    ) -> Response {
        let fresh = async { Ok((request.clone(), make.await?)) };
        let entry = match self.0.entry(key).or_try_insert_with(fresh).await {
            Ok(entry) => entry,
            Err(failed) => return Problem::clone(&failed).into_response(),
        };
        let replayed = !entry.is_fresh();
        let (before, said) = entry.into_value();
        if before != request {
            let detail = "the idempotency key was used for another request";
            return Problem::new(StatusCode::UNPROCESSABLE_ENTITY, detail).into_response();
        }
        let mut response = said.into_response();
        if replayed {
            let yes = HeaderValue::from_static("true");
            response.headers_mut().insert(REPLAYED, yes);
        }
        response
    }
}
