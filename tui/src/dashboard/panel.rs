//! A panel: what it asks, what it knows, and what can honestly be said of it.

use super::format::Unit;
use super::schedule::Fetch;
use promql::value::Sample;
use signals::source::Range;

/// What a panel shows.
#[derive(Debug, Clone, PartialEq)]
pub struct PanelSpec {
    /// What `--panel` calls it: `qps`.
    pub key: String,
    /// Its title.
    pub title: String,
    /// Its query. `${service}` stands for the selected service, ready to stand within quotes.
    pub expr: String,
    /// What its values measure.
    pub unit: Unit,
    /// Where its threshold comes from.
    pub threshold: ThresholdSpec,
    /// Whether more is worse, less is worse, or neither.
    pub worse: Option<Worse>,
}

/// Which direction of a value is bad.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Worse {
    /// More is worse.
    Up,
    /// Less is worse.
    Down,
}

/// Where a threshold comes from.
#[derive(Debug, Clone, PartialEq)]
pub enum ThresholdSpec {
    /// There is none.
    None,
    /// A given value.
    Value(f64),
    /// The bound in the expression of an alerting rule.
    Rule(String),
}

impl PanelSpec {
    /// Returns the three panels of the shop: QPS, P95 and error rate.
    pub fn defaults() -> Vec<Self> {
        let panel = |key: &str, title: &str, expr: &str, unit, rule: Option<&str>, worse| Self {
            key: key.to_owned(),
            title: title.to_owned(),
            expr: expr.to_owned(),
            unit,
            threshold: rule.map_or(ThresholdSpec::None, |name| {
                ThresholdSpec::Rule(name.to_owned())
            }),
            worse,
        };
        vec![
            panel(
                "qps",
                "QPS",
                r#"sum(rate(http_requests_total{service="${service}"}[10s]))"#,
                Unit::PerSecond,
                None,
                Some(Worse::Down),
            ),
            panel(
                "p95",
                "P95",
                r#"histogram_quantile(0.95, sum by (le) (rate(http_request_duration_seconds_bucket{service="${service}"}[10s])))"#,
                Unit::Seconds,
                Some("HighLatencyP95"),
                Some(Worse::Up),
            ),
            panel(
                "errors",
                "Error rate",
                r#"sum(rate(http_requests_total{service="${service}",status=~"5.."}[10s])) / sum(rate(http_requests_total{service="${service}"}[10s]))"#,
                Unit::Ratio,
                Some("HighErrorRate"),
                Some(Worse::Up),
            ),
        ]
    }

    /// Returns the query for a service.
    pub fn expr_for(&self, service: &str) -> String {
        let quoted = service.replace('\\', r"\\").replace('"', r#"\""#);
        self.expr.replace("${service}", &quoted)
    }
}

/// One series of a panel.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Track {
    pub(crate) name: String,
    pub(crate) samples: Vec<Sample>,
}

/// A question that is out.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Request {
    pub(crate) id: u64,
    pub(crate) range: Range,
    pub(crate) expr: String,
    /// Whether the answer takes the place of everything known.
    pub(crate) replaces: bool,
}

/// A panel and what is known of it.
#[derive(Debug, Clone)]
pub struct Panel {
    /// What it shows.
    pub spec: PanelSpec,
    pub(crate) tracks: Vec<Track>,
    /// How many series the answer had beyond those that are kept.
    pub(crate) more_tracks: usize,
    /// How often the source has had nothing yet, up to a limit.
    pub(crate) empty_answers: u32,
    /// The query and the grid that the tracks answer.
    pub(crate) covered: Option<(String, Range)>,
    pub(crate) request: Option<Request>,
    pub(crate) answered_ms: Option<i64>,
    /// Why the last answer failed: in full and in a few words.
    pub(crate) error: Option<(String, String)>,
    pub(crate) notes: Vec<String>,
    pub(crate) fetch: Fetch,
}

/// What can honestly be said of a panel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PanelState {
    /// Nothing has come yet.
    Loading,
    /// The answer was empty.
    Empty {
        /// The query.
        expr: String,
    },
    /// There is no data, because asking fails.
    Failed {
        /// Why.
        error: String,
        /// When it is tried again, in milliseconds from now.
        retry_in_ms: i64,
        /// How often it has failed.
        failures: u32,
    },
    /// There is data, but the last answer failed.
    Stale {
        /// How old the last good answer is, in milliseconds.
        age_ms: i64,
        /// Why.
        error: String,
        /// When it is tried again, in milliseconds from now.
        retry_in_ms: i64,
        /// How often it has failed.
        failures: u32,
    },
    /// All is well.
    Fresh,
}

impl Panel {
    pub(crate) fn new(spec: PanelSpec) -> Self {
        Self {
            spec,
            tracks: Vec::new(),
            more_tracks: 0,
            empty_answers: 0,
            covered: None,
            request: None,
            answered_ms: None,
            error: None,
            notes: Vec::new(),
            fetch: Fetch::default(),
        }
    }

    /// Returns what can be said of the panel at a moment.
    pub fn state(&self, now_ms: i64) -> PanelState {
        let has_data = self.tracks.iter().any(|track| !track.samples.is_empty());
        let retry_in_ms = self.fetch.retry_in_ms(now_ms);
        let failures = self.fetch.failures;
        match (&self.error, self.answered_ms) {
            (Some((_, error)), Some(answered_ms)) if has_data => PanelState::Stale {
                age_ms: (now_ms - answered_ms).max(0),
                error: error.clone(),
                retry_in_ms,
                failures,
            },
            (Some((error, _)), _) => PanelState::Failed {
                error: error.clone(),
                retry_in_ms,
                failures,
            },
            (None, None) => PanelState::Loading,
            (None, Some(_)) if has_data => PanelState::Fresh,
            (None, Some(_)) => PanelState::Empty {
                expr: self
                    .covered
                    .as_ref()
                    .map_or_else(|| self.spec.expr.clone(), |(expr, _)| expr.clone()),
            },
        }
    }
}
