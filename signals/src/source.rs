//! The one trait behind which the world can differ, and the shapes it answers with.

use async_trait::async_trait;
use promql::labels::Labels;
use promql::value::{Series, Value};

/// An answer and the time it speaks of.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer<T> {
    /// What was asked for.
    pub value: T,
    /// The newest moment the answer can know of, in milliseconds since the epoch: the last
    /// completed scrape for the embedded engine, the time of the request for a server.
    pub at_ms: i64,
    /// Warnings and infos that came with the answer.
    pub notes: Vec<String>,
}

/// The step grid of a range query; both ends are included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Range {
    /// First step, milliseconds since the epoch.
    pub start_ms: i64,
    /// Last possible step, milliseconds since the epoch.
    pub end_ms: i64,
    /// Distance between steps in milliseconds, at least 1.
    pub step_ms: i64,
}

/// Where an active alert stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AlertState {
    /// The condition holds, `for` is not over.
    Pending,
    /// The alert fires.
    Firing,
}

/// One active alert.
#[derive(Debug, Clone, PartialEq)]
pub struct Alert {
    /// All labels, `alertname` included.
    pub labels: Labels,
    /// Annotations with their templates expanded.
    pub annotations: Vec<(String, String)>,
    /// Pending or firing.
    pub state: AlertState,
    /// When the condition began to hold, milliseconds since the epoch.
    pub active_at_ms: i64,
    /// The value of the expression at the last evaluation.
    pub value: f64,
}

/// What a rule makes.
#[derive(Debug, Clone, PartialEq)]
pub enum RuleKind {
    /// A recording rule.
    Recording,
    /// An alerting rule.
    Alerting {
        /// How long the condition must hold, in milliseconds.
        for_ms: i64,
        /// How long the alert outlives its condition, in milliseconds.
        keep_firing_for_ms: i64,
        /// The active alerts of the rule.
        alerts: Vec<Alert>,
    },
}

/// Whether the last evaluation worked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Health {
    /// It did.
    Ok,
    /// It has not been tried yet.
    Unknown,
    /// It failed with this message.
    Err(String),
}

/// A loaded rule and its state.
#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    /// The group it belongs to.
    pub group: String,
    /// The alert name or the recorded metric name.
    pub name: String,
    /// The expression.
    pub expr: String,
    /// The labels the rule adds, templates unexpanded.
    pub labels: Labels,
    /// The annotations, templates unexpanded; empty for recording rules.
    pub annotations: Vec<(String, String)>,
    /// Recording or alerting.
    pub kind: RuleKind,
    /// The outcome of the last evaluation.
    pub health: Health,
    /// The last evaluation, milliseconds since the epoch.
    pub last_evaluation_ms: Option<i64>,
    /// How often its group is evaluated, in milliseconds.
    pub interval_ms: i64,
}

/// A scrape target.
#[derive(Debug, Clone, PartialEq)]
pub struct Target {
    /// The job label.
    pub job: String,
    /// The instance label.
    pub instance: String,
    /// The address that is scraped.
    pub url: String,
    /// Whether the last scrape worked.
    pub health: Health,
    /// The last scrape, milliseconds since the epoch.
    pub last_scrape_ms: Option<i64>,
    /// How long the last scrape took, in milliseconds.
    pub last_duration_ms: f64,
    /// How often it is scraped, in milliseconds.
    pub interval_ms: i64,
}

/// One exemplar: an observation that carries a trace id.
#[derive(Debug, Clone, PartialEq)]
pub struct Exemplar {
    /// The series it belongs to.
    pub series: Labels,
    /// Its own labels, such as `trace_id`.
    pub labels: Labels,
    /// The observed value.
    pub value: f64,
    /// When, milliseconds since the epoch.
    pub t_ms: i64,
}

/// Why a source gave no answer. Each text says what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SourceError {
    /// Nobody answered.
    #[error("{url} cannot be reached: {cause}")]
    Unreachable {
        /// The address without credentials.
        url: String,
        /// What the network said.
        cause: String,
    },
    /// The answer took too long.
    #[error("{url} did not answer within {timeout_ms} ms")]
    Timeout {
        /// The address without credentials.
        url: String,
        /// The limit in milliseconds.
        timeout_ms: u64,
    },
    /// The server refused us.
    #[error("{url} answered {status}: check the token, user or header given for this server")]
    Refused {
        /// The address without credentials.
        url: String,
        /// 401 or 403.
        status: u16,
    },
    /// The query is wrong.
    #[error("query `{query}`: {message}")]
    BadQuery {
        /// The query.
        query: String,
        /// What the engine says.
        message: String,
    },
    /// The server does not offer this.
    #[error("{url} does not offer {what}")]
    NotOffered {
        /// The address without credentials.
        url: String,
        /// Such as "/api/v1/rules".
        what: String,
    },
    /// The server could not answer although it understood.
    #[error("{url} failed with {status}: {message}")]
    Failed {
        /// The address without credentials.
        url: String,
        /// The HTTP status.
        status: u16,
        /// What the server says.
        message: String,
    },
    /// What was given to reach the server does not work any more, such as a removed token file.
    #[error("{url} cannot be asked: {message}")]
    Misconfigured {
        /// The address without credentials.
        url: String,
        /// What to change.
        message: String,
    },
    /// The answer makes no sense.
    #[error("{url} gave an answer that is not Prometheus': {message}")]
    BadAnswer {
        /// The address without credentials.
        url: String,
        /// What was found.
        message: String,
    },
}

/// Where numbers, alerts and rules come from.
#[async_trait]
pub trait Source: Send + Sync {
    /// Returns how a person would name this source: an address without credentials, or "embedded".
    fn describe(&self) -> String;

    /// Evaluates a query at one moment; `None` is now.
    async fn instant(&self, query: &str, at_ms: Option<i64>) -> Result<Answer<Value>, SourceError>;

    /// Evaluates a query over a range.
    async fn range(&self, query: &str, range: Range) -> Result<Answer<Vec<Series>>, SourceError>;

    /// Returns the loaded rules with their active alerts.
    async fn rules(&self) -> Result<Answer<Vec<Rule>>, SourceError>;

    /// Returns the scrape targets.
    async fn targets(&self) -> Result<Answer<Vec<Target>>, SourceError>;

    /// Returns the exemplars of a selector within a range; the step is ignored.
    async fn exemplars(
        &self,
        query: &str,
        range: Range,
    ) -> Result<Answer<Vec<Exemplar>>, SourceError>;

    /// Returns all active alerts, taken from the rules.
    async fn alerts(&self) -> Result<Answer<Vec<Alert>>, SourceError> {
        let rules = self.rules().await?;
        let alerts = rules
            .value
            .into_iter()
            .filter_map(|rule| match rule.kind {
                RuleKind::Alerting { alerts, .. } => Some(alerts),
                RuleKind::Recording => None,
            })
            .flatten()
            .collect();
        Ok(Answer {
            value: alerts,
            at_ms: rules.at_ms,
            notes: rules.notes,
        })
    }
}
