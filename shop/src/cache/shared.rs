//! Entries in Redis, seen by every process of the shop.
//!
//! An entry is `MS JSON`, where MS is when it was put there. Emptying a cache writes down when that
//! was, and everything from before does not count: no list of keys is kept, and none is scanned for.

use std::time::Duration;

use redis::cmd;

use super::{
    Kept,
    link::{Away, RedisLink},
};
use crate::ids::now_ms;

#[derive(Debug, Clone)]
pub(super) struct Shared {
    pub(super) link: RedisLink,
    pub(super) prefix: String,
    /// How long Redis keeps an entry.
    pub(super) keep: Duration,
}

impl Shared {
    pub(super) async fn get(&self, key: &str) -> Result<Option<Kept>, Away> {
        let mut ask = cmd("MGET");
        ask.arg(self.at(key)).arg(self.flushed());
        let (entry, flushed): (Option<String>, Option<i64>) = self.link.run(&ask).await?;
        Ok(entry.and_then(|entry| read(&entry, flushed.unwrap_or(i64::MIN), now_ms())))
    }

    /// Failing to keep an entry is no failure.
    pub(super) async fn put(&self, key: &str, json: &str) {
        let entry = format!("{} {json}", now_ms());
        let mut ask = cmd("SET");
        ask.arg(self.at(key)).arg(entry).arg("PX").arg(self.lives());
        let _: Result<(), Away> = self.link.run(&ask).await;
    }

    pub(super) async fn remove(&self, key: &str) {
        let _: Result<(), Away> = self.link.run(cmd("DEL").arg(self.at(key))).await;
    }

    pub(super) async fn flush(&self) {
        let mut ask = cmd("SET");
        ask.arg(self.flushed()).arg(now_ms());
        ask.arg("PX").arg(self.lives());
        let _: Result<(), Away> = self.link.run(&ask).await;
    }

    fn at(&self, key: &str) -> String {
        format!("{}:at:{key}", self.prefix)
    }

    fn flushed(&self) -> String {
        format!("{}:flushed", self.prefix)
    }

    fn lives(&self) -> u64 {
        u64::try_from(self.keep.as_millis())
            .unwrap_or(u64::MAX)
            .max(1)
    }
}

/// Reads an entry that was put there after `flushed`.
fn read(entry: &str, flushed: i64, now: i64) -> Option<Kept> {
    let (put, json) = entry.split_once(' ')?;
    let put: i64 = put.parse().ok()?;
    (put > flushed).then(|| Kept {
        json: json.to_owned(),
        age: Duration::from_millis(now.saturating_sub(put).max(0) as u64),
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::read;

    #[test]
    fn an_entry_from_before_the_cache_was_emptied_does_not_count() {
        let kept = read("1000 {\"a\": 1}", 999, 1_500).unwrap();
        assert_eq!(kept.json, "{\"a\": 1}");
        assert_eq!(kept.age, Duration::from_millis(500));
        assert!(read("1000 {}", 1_000, 1_500).is_none());
        assert!(read("no entry of ours", i64::MIN, 0).is_none());
    }
}
