//! Pushing CPU profiles to Pyroscope: `PYROSCOPE_SERVER_ADDRESS`, `PYROSCOPE_APPLICATION_NAME`, and
//! `PYROSCOPE_TAGS` written `key=value,key=value`.
//!
//! Ours rather than its client's: that one brings a second sampler, and a program can hold but one.

use std::{
    env,
    sync::mpsc::{Receiver, channel},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;

use super::{Turn, finish, start};
use crate::{
    error::ShopError,
    http::{call, url::BaseUrl},
};

const FREQUENCY: i32 = 99;
const EVERY: Duration = Duration::from_secs(10);
const ANSWER_LIMIT: Duration = Duration::from_secs(5);
/// Longest time for the last push, while the process ends.
const LAST_LIMIT: Duration = Duration::from_secs(1);

/// A push that goes on until it is ended.
#[derive(Debug)]
pub(in crate::process) struct Pushing {
    stop: CancellationToken,
    /// Breaks off when the last profile is pushed.
    ended: Receiver<()>,
}

struct Target {
    url: String,
    name: String,
    client: reqwest::Client,
}

impl Pushing {
    /// Starts on `runtime` when the environment says where to; `process` names the application
    /// otherwise.
    pub(in crate::process) fn from_env(
        process: &str,
        runtime: &Handle,
    ) -> Result<Option<Self>, ShopError> {
        let set = |name| env::var(name).ok().filter(|value| !value.trim().is_empty());
        let Some(server) = set("PYROSCOPE_SERVER_ADDRESS") else {
            return Ok(None);
        };
        let url = BaseUrl::parse(&server)?.join("/ingest");
        let application = set("PYROSCOPE_APPLICATION_NAME").unwrap_or_else(|| process.to_owned());
        let tags = set("PYROSCOPE_TAGS").unwrap_or_default();
        let turn =
            Turn::take().ok_or_else(|| ShopError::Profiles("profiles are taken".to_owned()))?;
        let target = Target {
            url,
            name: format!("{application}{{{tags}}}"),
            client: call::client()?,
        };
        let stop = CancellationToken::new();
        let stopped = stop.clone();
        let (alive, ended) = channel::<()>();
        runtime.spawn(async move {
            target.push(&stopped).await;
            drop((turn, alive));
        });
        Ok(Some(Self { stop, ended }))
    }

    /// Pushes what was sampled last, and ends; blocks, at most `limit`.
    pub(in crate::process) fn end(self, limit: Duration) {
        self.stop.cancel();
        let _ = self.ended.recv_timeout(limit);
    }
}

impl Target {
    async fn push(&self, stop: &CancellationToken) {
        let mut fails = false;
        while !stop.is_cancelled() {
            let outcome = self.sample(stop).await;
            match &outcome {
                Ok(()) if fails => tracing::info!("profiles are pushed again"),
                Err(reason) if !fails => tracing::warn!(reason, "a profile was not pushed"),
                _ => {}
            }
            fails = outcome.is_err();
        }
    }

    /// Takes samples for a while and pushes them.
    async fn sample(&self, stop: &CancellationToken) -> Result<(), String> {
        let from = unix_seconds();
        let guard = match start(FREQUENCY) {
            Ok(guard) => guard,
            Err(reason) => {
                let _ = tokio::time::timeout(EVERY, stop.cancelled()).await;
                return Err(reason);
            }
        };
        let _ = tokio::time::timeout(EVERY, stop.cancelled()).await;
        let built = tokio::task::spawn_blocking(move || finish(&guard));
        let profile = built.await.map_err(|error| error.to_string())??;
        let until = unix_seconds();
        let query = [
            ("name", self.name.clone()),
            ("from", from.to_string()),
            ("until", until.to_string()),
            ("format", "pprof".to_owned()),
            ("sampleRate", FREQUENCY.to_string()),
            ("spyName", "pprof".to_owned()),
        ];
        let limit = if stop.is_cancelled() {
            LAST_LIMIT
        } else {
            ANSWER_LIMIT
        };
        let request = self.client.post(&self.url).query(&query).body(profile);
        let sent = request.timeout(limit).send().await;
        let answered = sent.and_then(reqwest::Response::error_for_status);
        answered.map(drop).map_err(|error| error.to_string())
    }
}

fn unix_seconds() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.unwrap_or_default().as_secs()
}
