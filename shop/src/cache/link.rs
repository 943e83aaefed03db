//! The connection to Redis: one a process, never waited for longer than a moment.
//!
//! After a failure nobody asks for a second, so that a Redis that hangs slows one request down and
//! not every one.

use std::{
    fmt,
    str::FromStr,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicI64, Ordering},
    },
    time::Duration,
};

use redis::{
    Client, Cmd, FromRedisValue, RedisResult, ScriptInvocation,
    aio::{ConnectionManager, ConnectionManagerConfig},
    cmd,
};

use crate::{error::ShopError, ids::now_ms};

/// Longest wait for an answer.
const ANSWER_LIMIT: Duration = Duration::from_millis(50);
/// Longest wait for the connection, in the background and at the start.
const CONNECT_LIMIT: Duration = Duration::from_secs(1);
/// How long nobody asks after a failure.
const PAUSE_MS: i64 = 1_000;
/// Least time between two log lines that say Redis is away.
const SAID_EVERY_MS: i64 = 10_000;

/// Where Redis is: `redis://[USER:PASSWORD@]HOST:PORT[/DB]`. It prints without its password.
#[derive(Clone, PartialEq, Eq)]
pub struct RedisUrl(String);

impl FromStr for RedisUrl {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match Client::open(text) {
            Ok(_) => Ok(Self(text.to_owned())),
            // The text may hold a password, so it is not repeated.
            Err(_) => Err("write it like redis://127.0.0.1:6379".to_owned()),
        }
    }
}

impl fmt::Debug for RedisUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redis url]")
    }
}

/// Redis did not answer, or answered nothing that can be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Away;

/// A connection that clones share.
#[derive(Clone)]
pub(crate) struct RedisLink {
    connection: ConnectionManager,
    state: Arc<State>,
}

#[derive(Debug, Default)]
struct State {
    /// Nobody asks before this time.
    paused_until_ms: AtomicI64,
    said_ms: AtomicI64,
    away: AtomicBool,
}

impl fmt::Debug for RedisLink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("RedisLink").field(&self.state).finish()
    }
}

impl RedisLink {
    /// Makes a connection that is opened when it is first used.
    pub(super) fn new(url: &RedisUrl) -> Result<Self, ShopError> {
        let config = ConnectionManagerConfig::new()
            .set_number_of_retries(0)
            .set_connection_timeout(Some(CONNECT_LIMIT))
            .set_response_timeout(Some(ANSWER_LIMIT));
        let connection = Client::open(url.0.as_str())
            .and_then(|client| ConnectionManager::new_lazy_with_config(client, config))
            .map_err(|error| ShopError::Redis(error.to_string()))?;
        Ok(Self {
            connection,
            state: Arc::default(),
        })
    }

    /// Runs a command.
    pub(crate) async fn run<T: FromRedisValue>(&self, command: &Cmd) -> Result<T, Away> {
        let mut connection = self.connection.clone();
        self.within(async move { command.query_async(&mut connection).await })
            .await
    }

    /// Runs a script, which Redis does as one step.
    pub(crate) async fn script<T: FromRedisValue>(
        &self,
        script: &ScriptInvocation<'_>,
    ) -> Result<T, Away> {
        let mut connection = self.connection.clone();
        self.within(async move { script.invoke_async(&mut connection).await })
            .await
    }

    /// Asks whether Redis is there, also while others pause, and waits for the connection if need be.
    pub(crate) async fn ping(&self) -> Result<(), Away> {
        let mut connection = self.connection.clone();
        let ask = async move { cmd("PING").query_async::<String>(&mut connection).await };
        self.asked(CONNECT_LIMIT, ask).await.map(|_| ())
    }

    async fn within<T>(&self, ask: impl Future<Output = RedisResult<T>>) -> Result<T, Away> {
        if now_ms() < self.state.paused_until_ms.load(Ordering::Relaxed) {
            return Err(Away);
        }
        self.asked(ANSWER_LIMIT, ask).await
    }

    async fn asked<T>(
        &self,
        limit: Duration,
        ask: impl Future<Output = RedisResult<T>>,
    ) -> Result<T, Away> {
        match tokio::time::timeout(limit, ask).await {
            Ok(Ok(answer)) => {
                self.state.answered();
                Ok(answer)
            }
            Ok(Err(error)) => {
                // The server's own words are left out: they may repeat what was sent.
                self.state.failed(&error.kind());
                Err(Away)
            }
            Err(_) => {
                self.state.failed(&"no answer in time");
                Err(Away)
            }
        }
    }
}

impl State {
    fn answered(&self) {
        if self.away.swap(false, Ordering::Relaxed) {
            self.paused_until_ms.store(0, Ordering::Relaxed);
            tracing::info!(dependency = "redis", "redis answers again");
        }
    }

    fn failed(&self, reason: &dyn fmt::Debug) {
        let now = now_ms();
        self.away.store(true, Ordering::Relaxed);
        self.paused_until_ms
            .store(now + PAUSE_MS, Ordering::Relaxed);
        let said = self.said_ms.load(Ordering::Relaxed);
        let due = now - said >= SAID_EVERY_MS;
        let exchange = (Ordering::Relaxed, Ordering::Relaxed);
        let first = || {
            self.said_ms
                .compare_exchange(said, now, exchange.0, exchange.1)
        };
        if due && first().is_ok() {
            tracing::warn!(
                dependency = "redis",
                ?reason,
                "redis does not answer; the process keeps caches and limits of its own"
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::RedisUrl;

    #[test]
    fn a_url_is_checked_and_never_shown() {
        let url: RedisUrl = "redis://:secret@127.0.0.1:6379/1".parse().unwrap();
        assert!(!format!("{url:?}").contains("secret"));
        let refused = "http://:secret@host".parse::<RedisUrl>().unwrap_err();
        assert!(!refused.contains("secret") && refused.contains("redis://"));
    }
}
