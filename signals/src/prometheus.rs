//! A real Prometheus, or what speaks its HTTP API, as a source.
//!
//! It reads; it never writes. Modules in reading order: `envelope`, `result`, `status`.

mod envelope;
mod result;
mod status;

use async_trait::async_trait;
use promql::value::{Series, Value};

use crate::clock::Clock;
use crate::connect::{Client, ConnectError, Connection};
use crate::source::{Alert, Answer, Exemplar, Range, Rule, Source, SourceError, Target};
use crate::times::ms_to_seconds;
use envelope::{Call, Good};

/// The most steps a range query may have, as in Prometheus.
pub(crate) const STEP_LIMIT: i64 = 11_000;

/// How a Prometheus is reached.
#[derive(Debug, Clone)]
pub struct PrometheusConfig {
    /// Address and credentials.
    pub connection: Connection,
    /// Tells the time of a query that asks for now.
    pub clock: Clock,
}

impl PrometheusConfig {
    /// Returns the configuration for a connection with the clock of the machine.
    pub fn new(connection: Connection) -> Self {
        Self {
            connection,
            clock: Clock::wall(),
        }
    }
}

/// A Prometheus server. Cloning shares its sockets.
#[derive(Debug, Clone)]
pub struct Prometheus {
    client: Client,
    clock: Clock,
}

impl Prometheus {
    /// Checks the configuration; it does not ask the server yet.
    pub fn new(config: &PrometheusConfig) -> Result<Self, ConnectError> {
        Ok(Self {
            client: Client::new(&config.connection)?,
            clock: config.clock.clone(),
        })
    }

    /// Returns the version the server tells, such as "3.5.3".
    pub async fn version(&self) -> Result<String, SourceError> {
        let good: Good<status::BuildInfo> = self.get("/api/v1/status/buildinfo", &[]).await?;
        Ok(crate::clean::message(&good.data.version))
    }

    async fn get<T: serde::de::DeserializeOwned>(
        &self,
        path: &'static str,
        query: &[(&str, &str)],
    ) -> Result<Good<T>, SourceError> {
        let reply = self.client.get(path, query).await?;
        Call::new(&self.client, path, None).read(&reply)
    }

    /// Sends a form; a server or proxy that takes no POST is asked by GET.
    async fn ask<T: serde::de::DeserializeOwned>(
        &self,
        path: &'static str,
        query: &str,
        form: &[(&str, &str)],
    ) -> Result<Good<T>, SourceError> {
        let mut reply = self.client.post_form(path, form).await?;
        if reply.status == reqwest::StatusCode::METHOD_NOT_ALLOWED {
            reply = self.client.get(path, form).await?;
        }
        Call::new(&self.client, path, Some(query)).read(&reply)
    }

    fn server_limit(&self) -> String {
        format!("{}ms", self.client.timeout().as_millis())
    }

    fn answer<T, U>(
        &self,
        at_ms: i64,
        good: Good<T>,
        map: impl FnOnce(T) -> Result<U, String>,
    ) -> Result<Answer<U>, SourceError> {
        let value = map(good.data).map_err(|message| self.client.bad_answer(message))?;
        Ok(Answer {
            value,
            at_ms,
            notes: good.notes,
        })
    }
}

#[async_trait]
impl Source for Prometheus {
    fn describe(&self) -> String {
        self.client.shown().to_owned()
    }

    async fn instant(&self, query: &str, at_ms: Option<i64>) -> Result<Answer<Value>, SourceError> {
        let now_ms = self.clock.now_ms();
        let time = ms_to_seconds(at_ms.unwrap_or(now_ms));
        let limit = self.server_limit();
        let form = [
            ("query", query),
            ("time", time.as_str()),
            ("timeout", limit.as_str()),
        ];
        let good = self.ask("/api/v1/query", query, &form).await?;
        self.answer(now_ms, good, |data| result::value(&data))
    }

    async fn range(&self, query: &str, range: Range) -> Result<Answer<Vec<Series>>, SourceError> {
        check_range(query, range)?;
        let at_ms = self.clock.now_ms();
        let (start, end) = (ms_to_seconds(range.start_ms), ms_to_seconds(range.end_ms));
        let step = ms_to_seconds(range.step_ms);
        let limit = self.server_limit();
        let form = [
            ("query", query),
            ("start", start.as_str()),
            ("end", end.as_str()),
            ("step", step.as_str()),
            ("timeout", limit.as_str()),
        ];
        let good = self.ask("/api/v1/query_range", query, &form).await?;
        self.answer(at_ms, good, |data| result::matrix(&data))
    }

    async fn rules(&self) -> Result<Answer<Vec<Rule>>, SourceError> {
        let at_ms = self.clock.now_ms();
        let good = self.get("/api/v1/rules", &[]).await?;
        self.answer(at_ms, good, |data| Ok(status::rules(data)))
    }

    async fn targets(&self) -> Result<Answer<Vec<Target>>, SourceError> {
        let at_ms = self.clock.now_ms();
        let good = self.get("/api/v1/targets", &[("state", "active")]).await?;
        self.answer(at_ms, good, |data| Ok(status::targets(&data)))
    }

    async fn exemplars(
        &self,
        query: &str,
        range: Range,
    ) -> Result<Answer<Vec<Exemplar>>, SourceError> {
        let at_ms = self.clock.now_ms();
        let (start, end) = (ms_to_seconds(range.start_ms), ms_to_seconds(range.end_ms));
        let form = [
            ("query", query),
            ("start", start.as_str()),
            ("end", end.as_str()),
        ];
        let good = self.ask("/api/v1/query_exemplars", query, &form).await?;
        self.answer(at_ms, good, |data| Ok(status::exemplars(data)))
    }

    async fn alerts(&self) -> Result<Answer<Vec<Alert>>, SourceError> {
        let at_ms = self.clock.now_ms();
        let good = self.get("/api/v1/rules", &[("type", "alert")]).await?;
        self.answer(at_ms, good, |data| Ok(status::alerts(data)))
    }
}

/// Refuses a grid that the server would refuse or that has no end.
pub(crate) fn check_range(query: &str, range: Range) -> Result<(), SourceError> {
    let message = if range.step_ms < 1 {
        "the step must be at least 1 ms".to_owned()
    } else if range.end_ms < range.start_ms {
        "the range ends before it starts".to_owned()
    } else if range.end_ms.saturating_sub(range.start_ms) / range.step_ms >= STEP_LIMIT {
        format!("more than {STEP_LIMIT} steps; take a longer step or a shorter range")
    } else {
        return Ok(());
    };
    Err(SourceError::BadQuery {
        query: query.to_owned(),
        message,
    })
}
