//! Entries in this process: a bounded map that forgets what is too old.

use std::time::Instant;

use moka::future::{Cache, CacheBuilder};

use super::{Keep, Kept};

#[derive(Debug, Clone)]
struct Entry {
    json: String,
    put: Instant,
}

#[derive(Debug, Clone)]
pub(super) struct Local(Cache<String, Entry>);

impl Local {
    pub(super) fn new(keep: Keep) -> Self {
        let entries = CacheBuilder::new(keep.entries)
            .time_to_live(keep.stale.max(keep.fresh))
            .build();
        Self(entries)
    }

    pub(super) async fn get(&self, key: &str) -> Option<Kept> {
        let entry = self.0.get(key).await?;
        Some(Kept {
            age: entry.put.elapsed(),
            json: entry.json,
        })
    }

    pub(super) async fn put(&self, key: &str, json: String) {
        let put = Instant::now();
        self.0.insert(key.to_owned(), Entry { json, put }).await;
    }

    pub(super) async fn remove(&self, key: &str) {
        self.0.invalidate(key).await;
    }

    pub(super) fn flush(&self) {
        self.0.invalidate_all();
    }
}
