//! Answers kept for a while: in this process, or in Redis for every process of the shop.
//!
//! An entry is fresh for a short time and stale for a longer one. Fresh entries save a question;
//! stale ones are for when nobody answers it. Every entry is also kept in the process, within a
//! bound, so that a Redis that is away costs freshness across processes and nothing else.
//!
//! A cache never fails: what cannot be had is a miss.

use std::{marker::PhantomData, time::Duration};

use serde::{Serialize, de::DeserializeOwned};

use crate::{config::Role, error::ShopError, telemetry::cache_metrics::CacheMetrics};

mod link;
mod local;
mod shared;

pub use link::RedisUrl;
pub(crate) use link::{Away, RedisLink};
use local::Local;
use shared::Shared;

/// What the caches of a process are made from.
#[derive(Debug, Clone)]
pub(crate) struct Caches {
    redis: Option<RedisLink>,
    metrics: CacheMetrics,
}

/// How long the entries of a cache live, and how many the process keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Keep {
    /// How long an entry counts as the answer.
    pub(crate) fresh: Duration,
    /// How long it is kept for want of a better one; at least as long as `fresh`.
    pub(crate) stale: Duration,
    /// Most entries in the process.
    pub(crate) entries: u64,
}

impl Caches {
    /// Makes the caches of a process; nothing is connected yet. Must run inside a runtime.
    pub(crate) fn new(redis: Option<&RedisUrl>, metrics: CacheMetrics) -> Result<Self, ShopError> {
        let redis = redis.map(RedisLink::new).transpose()?;
        Ok(Self { redis, metrics })
    }

    /// Makes one cache; `name` is a label value, and part of the keys in Redis.
    pub(crate) fn cache<T>(&self, role: Role, name: &'static str, keep: Keep) -> Cache<T> {
        let shared = self.redis.clone().map(|link| Shared {
            link,
            prefix: format!("shop:{role}:{name}"),
            keep: keep.stale,
        });
        Cache {
            local: Local::new(keep),
            shared,
            fresh: keep.fresh,
            hits: self.metrics.hits(role.name(), name),
            misses: self.metrics.misses(role.name(), name),
            holds: PhantomData,
        }
    }

    /// Opens the connection to Redis, if it is there; the process starts without it as well.
    pub(crate) async fn connect(&self) {
        if let Some(redis) = &self.redis {
            let _ = redis.ping().await;
        }
    }

    /// Returns the connection to Redis, when there is one to keep up: for health checks and limits.
    pub(crate) fn redis(&self) -> Option<&RedisLink> {
        self.redis.as_ref()
    }
}

/// Entries of one kind, by key. Clones share them.
#[derive(Debug)]
pub(crate) struct Cache<T> {
    local: Local,
    shared: Option<Shared>,
    fresh: Duration,
    hits: crate::telemetry::cache_metrics::Count,
    misses: crate::telemetry::cache_metrics::Count,
    holds: PhantomData<fn(T) -> T>,
}

/// An entry as it is kept: JSON, and when it was put there.
#[derive(Debug, Clone)]
struct Kept {
    json: String,
    age: Duration,
}

impl<T: Serialize + DeserializeOwned> Cache<T> {
    /// Returns an entry that is still the answer; counts a hit or a miss.
    pub(crate) async fn fresh(&self, key: &str) -> Option<T> {
        let found = self.kept(key).await.filter(|kept| kept.age <= self.fresh);
        let found = found.and_then(|kept| serde_json::from_str(&kept.json).ok());
        let count = if found.is_some() {
            &self.hits
        } else {
            &self.misses
        };
        count.inc();
        found
    }

    /// Returns an entry for want of a better answer, however old it is by now; counts nothing.
    pub(crate) async fn stale(&self, key: &str) -> Option<T> {
        serde_json::from_str(&self.kept(key).await?.json).ok()
    }

    /// Keeps an entry.
    pub(crate) async fn put(&self, key: &str, entry: &T) {
        let Ok(json) = serde_json::to_string(entry) else {
            return;
        };
        if let Some(shared) = &self.shared {
            shared.put(key, &json).await;
        }
        self.local.put(key, json).await;
    }

    /// Forgets an entry; other processes that lost Redis may still have it until it is stale.
    pub(crate) async fn remove(&self, key: &str) {
        self.local.remove(key).await;
        if let Some(shared) = &self.shared {
            shared.remove(key).await;
        }
    }

    /// Forgets every entry.
    pub(crate) async fn flush(&self) {
        self.local.flush();
        if let Some(shared) = &self.shared {
            shared.flush().await;
        }
    }

    async fn kept(&self, key: &str) -> Option<Kept> {
        match &self.shared {
            // Redis answered, so it knows best: also that there is nothing.
            Some(shared) => match shared.get(key).await {
                Ok(found) => found,
                Err(Away) => self.local.get(key).await,
            },
            None => self.local.get(key).await,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use prometheus_client::registry::Registry;

    use super::{Cache, Caches, Keep, RedisUrl};
    use crate::{config::Role, telemetry::cache_metrics::CacheMetrics};

    fn cache(redis: Option<&str>, fresh: Duration) -> Cache<Vec<i64>> {
        let metrics = CacheMetrics::register(&mut Registry::default());
        let url = redis.map(|url| url.parse::<RedisUrl>().unwrap());
        let caches = Caches::new(url.as_ref(), metrics).unwrap();
        let keep = Keep {
            fresh,
            stale: Duration::from_mins(1),
            entries: 10,
        };
        caches.cache(Role::Catalog, "products", keep)
    }

    #[tokio::test]
    async fn entries_come_back_until_they_are_removed() {
        // Nobody listens at port 1: what is kept in the process must do.
        for redis in [None, Some("redis://127.0.0.1:1")] {
            let cache = cache(redis, Duration::from_mins(1));
            assert_eq!(cache.fresh("a").await, None);
            cache.put("a", &vec![1, 2]).await;
            cache.put("b", &vec![3]).await;
            assert_eq!(cache.fresh("a").await, Some(vec![1, 2]));
            cache.remove("a").await;
            assert_eq!(cache.stale("a").await, None);
            cache.flush().await;
            assert_eq!(cache.stale("b").await, None);
            assert_eq!((cache.hits.get(), cache.misses.get()), (1, 1));
        }
    }

    #[tokio::test]
    async fn what_is_no_longer_fresh_is_stale() {
        let cache = cache(None, Duration::ZERO);
        cache.put("a", &vec![1]).await;
        tokio::time::sleep(Duration::from_millis(2)).await;
        assert_eq!(cache.fresh("a").await, None);
        assert_eq!(cache.stale("a").await, Some(vec![1]));
    }
}
