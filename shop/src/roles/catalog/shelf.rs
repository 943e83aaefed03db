//! Answers that can be given again: fresh for two seconds, and, when the database does not answer,
//! stale for up to five minutes.

use std::time::Duration;

use axum::{
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};
use tracing::{Instrument, Span, field::Empty, info_span};

use crate::{
    cache::{Cache, Caches, Keep},
    config::Role,
    db::DbError,
    http::call::STALE,
};

const KEEP: Keep = Keep {
    fresh: Duration::from_secs(2),
    stale: Duration::from_mins(5),
    entries: 2_000,
};
/// How long the database may take before a stale answer is better than none.
const PATIENCE: Duration = Duration::from_millis(300);

/// The answers that are kept, by key: JSON as it goes to the client.
#[derive(Debug)]
pub(super) struct Shelf(Cache<String>);

/// A JSON answer, and whether it is older than it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Shelved {
    pub(super) body: String,
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
    pub(super) fn new(caches: &Caches) -> Self {
        Self(caches.cache(Role::Catalog, "products", KEEP))
    }

    /// Returns the answer kept under `key`, or loads it; nothing is kept of what is not there.
    pub(super) async fn through(
        &self,
        key: &str,
        load: impl AsyncFnOnce() -> Result<Option<String>, DbError>,
    ) -> Result<Option<Shelved>, DbError> {
        if let Some(body) = self.look_up(key).await {
            return Ok(Some(Shelved { body, stale: false }));
        }
        // Most requests end above, and should not carry the queries along.
        let mut load = Box::pin(load());
        let loaded = match tokio::time::timeout(PATIENCE, &mut load).await {
            Ok(loaded) => loaded,
            Err(_) => match self.0.stale(key).await {
                Some(body) => return Ok(Some(instead(body, "database_slow"))),
                None => load.await,
            },
        };
        match loaded {
            Ok(Some(body)) => {
                self.0.put(key, &body).await;
                Ok(Some(Shelved { body, stale: false }))
            }
            Ok(None) => {
                self.0.remove(key).await;
                Ok(None)
            }
            Err(error) => match self.0.stale(key).await {
                Some(body) => Ok(Some(instead(body, "database_failed"))),
                None => Err(error),
            },
        }
    }

    /// Looks a fresh answer up, in a span of its own.
    async fn look_up(&self, key: &str) -> Option<String> {
        let span = info_span!(
            "cache",
            otel.name = "cache get products",
            service = Role::Catalog.name(),
            cache = "products",
            cache.hit = Empty,
        );
        let look = async {
            let found = self.0.fresh(key).await;
            Span::current().record("cache.hit", found.is_some());
            found
        };
        look.instrument(span).await
    }

    pub(super) async fn put(&self, key: &str, body: &String) {
        self.0.put(key, body).await;
    }

    pub(super) async fn remove(&self, key: &str) {
        self.0.remove(key).await;
    }
}

/// Says that an old answer is given in place of a new one.
fn instead(body: String, reason: &'static str) -> Shelved {
    tracing::warn!(reason, "stale answer");
    Shelved { body, stale: true }
}
