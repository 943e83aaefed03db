//! Answers that can be given again: fresh for two seconds, and, when the database does not answer,
//! stale for up to five minutes.

use std::time::{Duration, Instant};

use axum::{
    body::Bytes,
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};
use moka::future::Cache;
use tracing::{Instrument, Span, field::Empty, info_span};

use crate::{config::Role, db::DbError, http::call::STALE};

const FRESH: Duration = Duration::from_secs(2);
const KEPT: Duration = Duration::from_mins(5);
const MOST: u64 = 2_000;
/// How long the database may take before a stale answer is better than none.
const PATIENCE: Duration = Duration::from_millis(300);

/// The answers that are kept, by key.
#[derive(Debug)]
pub(super) struct Shelf(Cache<String, (Instant, Bytes)>);

/// A JSON answer, and whether it is older than it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Shelved {
    pub(super) body: Bytes,
    pub(super) stale: bool,
}

impl IntoResponse for Shelved {
    fn into_response(self) -> Response {
        let kind = HeaderValue::from_static("application/json");
        let mut response = ([(header::CONTENT_TYPE, kind)], self.body).into_response();
        if self.stale {
            let yes = HeaderValue::from_static("1");
            response.headers_mut().insert(STALE, yes);
        }
        response
    }
}

impl Shelf {
    pub(super) fn new() -> Self {
        let cache = Cache::builder().max_capacity(MOST).time_to_live(KEPT);
        Self(cache.build())
    }

    /// Returns the answer kept under `key`, or loads it; nothing is kept of what is not there.
    pub(super) async fn through(
        &self,
        key: &str,
        load: impl AsyncFnOnce() -> Result<Option<Bytes>, DbError>,
    ) -> Result<Option<Shelved>, DbError> {
        if let Some(body) = self.look_up(key).await {
            return Ok(Some(Shelved { body, stale: false }));
        }
        // Most requests end above, and should not carry the queries along.
        let mut load = Box::pin(load());
        let loaded = match tokio::time::timeout(PATIENCE, &mut load).await {
            Ok(loaded) => loaded,
            Err(_) => match self.stale(key).await {
                Some(body) => return Ok(Some(instead(body, "database_slow"))),
                None => load.await,
            },
        };
        match loaded {
            Ok(Some(body)) => {
                self.put(key, body.clone()).await;
                Ok(Some(Shelved { body, stale: false }))
            }
            Ok(None) => {
                self.remove(key).await;
                Ok(None)
            }
            Err(error) => match self.stale(key).await {
                Some(body) => Ok(Some(instead(body, "database_failed"))),
                None => Err(error),
            },
        }
    }

    /// Looks a fresh answer up, in a span of its own.
    async fn look_up(&self, key: &str) -> Option<Bytes> {
        let span = info_span!(
            "cache",
            otel.name = "cache get products",
            service = Role::Catalog.name(),
            cache = "products",
            cache.hit = Empty,
        );
        let look = async {
            let found = self.fresh(key).await;
            Span::current().record("cache.hit", found.is_some());
            found
        };
        look.instrument(span).await
    }

    async fn fresh(&self, key: &str) -> Option<Bytes> {
        let (since, body) = self.0.get(key).await?;
        (since.elapsed() < FRESH).then_some(body)
    }

    async fn stale(&self, key: &str) -> Option<Bytes> {
        self.0.get(key).await.map(|(_, body)| body)
    }

    pub(super) async fn put(&self, key: &str, body: Bytes) {
        self.0.insert(key.to_owned(), (Instant::now(), body)).await;
    }

    pub(super) async fn remove(&self, key: &str) {
        self.0.invalidate(key).await;
    }
}

/// Says that an old answer is given in place of a new one.
fn instead(body: Bytes, reason: &'static str) -> Shelved {
    tracing::warn!(reason, "stale answer");
    Shelved { body, stale: true }
}
