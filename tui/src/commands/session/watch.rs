//! What a session asks of the engine: is the shop healthy, how does it go, what fires.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use promql::labels::Labels;
use promql::value::{Series, Value};
use signals::source::{AlertState, Health as TargetHealth, Range};
use signals::{Embedded, Source};

use crate::lab::INTERVAL;
use crate::panels::{PanelError, Panels, rate_window};

/// Label of alerts that fire always, which is their point.
const ALWAYS: (&str, &str) = ("obs_tui_expect", "always");
/// A share of failed requests above which a shop that has just started is not healthy.
const HEALTHY_ERRORS: f64 = 0.05;
/// The edge of the shop: what customers see.
const EDGE: &str = r#"{service="storefront"}"#;

/// How healthy the lab is.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Health {
    /// Everything is scraped and customers are served.
    Healthy,
    /// Not every target has been scraped.
    Targets { up: usize, of: usize },
    /// No customer has been served yet.
    NoTraffic,
    /// Too many requests fail: this share.
    Failing(f64),
}

impl fmt::Display for Health {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Healthy => f.write_str("healthy"),
            Self::Targets { up, of } => write!(f, "{up} of {of} targets answer scrapes"),
            Self::NoTraffic => f.write_str("no customer has been served yet"),
            Self::Failing(share) => write!(f, "{:.1} % of the requests fail", share * 100.0),
        }
    }
}

/// How it goes.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Glance {
    pub(super) qps: Option<f64>,
    pub(super) p95_seconds: Option<f64>,
    pub(super) errors: Option<f64>,
    /// Alerts that fire.
    pub(super) firing: Vec<String>,
    /// What began or stopped to fire since the last glance.
    pub(super) changes: Vec<String>,
}

impl fmt::Display for Glance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let show = |value: Option<f64>, digits: usize| match value {
            Some(value) => format!("{value:.digits$}"),
            None => "-".to_owned(),
        };
        let firing = if self.firing.is_empty() {
            "none".to_owned()
        } else {
            self.firing.join(", ")
        };
        write!(
            f,
            "QPS {}  P95 {} ms  errors {} %  alerts {firing}",
            show(self.qps, 1),
            show(self.p95_seconds.map(|seconds| seconds * 1e3), 1),
            show(self.errors.map(|share| share * 100.0), 2),
        )
    }
}

/// An alert that fired, and when.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Fired {
    pub(super) name: String,
    /// Its other labels.
    pub(super) labels: Vec<(String, String)>,
    /// From when it was seen firing, in milliseconds since the epoch.
    pub(super) from_ms: i64,
    /// Until when.
    pub(super) until_ms: i64,
}

/// What the edge has done since the shop was started.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Totals {
    pub(super) requests: Option<f64>,
    pub(super) failed: Option<f64>,
    pub(super) p95_seconds: Option<f64>,
}

/// Asks the engine.
pub(super) struct Watch {
    source: Arc<Embedded>,
    panels: Panels,
    firing: BTreeSet<String>,
}

impl Watch {
    pub(super) fn new(source: Arc<Embedded>) -> Result<Self, PanelError> {
        Ok(Self {
            source,
            panels: Panels::new(Some(EDGE), &[], rate_window(INTERVAL))?,
            firing: BTreeSet::new(),
        })
    }

    pub(super) async fn health(&self) -> Health {
        let targets = self.source.targets().await;
        let targets = targets.map(|answer| answer.value).unwrap_or_default();
        let up = targets
            .iter()
            .filter(|target| target.health == TargetHealth::Ok)
            .count();
        if up < targets.len() || targets.is_empty() {
            let of = targets.len();
            return Health::Targets { up, of };
        }
        if self
            .number(&self.panels.qps)
            .await
            .is_none_or(|qps| qps <= 0.0)
        {
            return Health::NoTraffic;
        }
        match self.number(&self.panels.errors).await {
            Some(share) if share > HEALTHY_ERRORS => Health::Failing(share),
            _ => Health::Healthy,
        }
    }

    pub(super) async fn glance(&mut self) -> Glance {
        let alerts = self.source.alerts().await;
        let firing: BTreeSet<String> = alerts
            .map(|answer| answer.value)
            .unwrap_or_default()
            .iter()
            .filter(|alert| alert.state == AlertState::Firing && !is_always(&alert.labels))
            .map(|alert| named(&alert.labels))
            .collect();
        let begun = firing.difference(&self.firing);
        let ended = self.firing.difference(&firing);
        let changes = begun
            .map(|name| format!("alert {name} fires"))
            .chain(ended.map(|name| format!("alert {name} is resolved")))
            .collect();
        self.firing.clone_from(&firing);
        Glance {
            qps: self.number(&self.panels.qps).await,
            p95_seconds: self.number(&self.panels.p95).await,
            errors: self.number(&self.panels.errors).await,
            firing: firing.into_iter().collect(),
            changes,
        }
    }

    /// Returns every alert that fired since a moment, in the order they began.
    pub(super) async fn fired_since(&self, from_ms: i64) -> Vec<Fired> {
        let range = Range {
            start_ms: from_ms,
            end_ms: now_ms().max(from_ms),
            step_ms: INTERVAL.as_millis() as i64,
        };
        let answer = self
            .source
            .range(r#"ALERTS{alertstate="firing"}"#, range)
            .await;
        let series = answer.map(|answer| answer.value).unwrap_or_default();
        let mut fired: Vec<Fired> = series.iter().filter_map(fired).collect();
        fired.sort_by(|one, other| (one.from_ms, &one.name).cmp(&(other.from_ms, &other.name)));
        fired
    }

    /// Returns what the edge has done since the shop was started, a moment ago or long ago: its
    /// counters began with it.
    pub(super) async fn totals(&self) -> Totals {
        let all = format!("sum(http_requests_total{EDGE})");
        let bad = format!(
            "sum(http_requests_total{{status=~\"5..\"}} and http_requests_total{EDGE}) or vector(0)"
        );
        let p95 = format!(
            "histogram_quantile(0.95, sum by (le) (http_request_duration_seconds_bucket{EDGE}))"
        );
        Totals {
            requests: self.number(&all).await,
            failed: self.number(&bad).await,
            p95_seconds: self.number(&p95).await,
        }
    }

    /// Evaluates a query that has at most one number as its answer; none when there is no data.
    async fn number(&self, query: &str) -> Option<f64> {
        let value = match self.source.instant(query, None).await.ok()?.value {
            Value::Vector(points) => points.first()?.sample.value,
            Value::Scalar(sample) => sample.value,
            Value::Matrix(_) | Value::String(_) => return None,
        };
        value.is_finite().then_some(value)
    }
}

fn fired(series: &Series) -> Option<Fired> {
    if is_always(&series.labels) {
        return None;
    }
    let beside = ["__name__", "alertname", "alertstate"];
    let labels = series
        .labels
        .iter()
        .filter(|(name, _)| !beside.contains(name))
        .map(|(name, value)| (name.to_owned(), value.to_owned()));
    Some(Fired {
        name: series.labels.get("alertname")?.to_owned(),
        labels: labels.collect(),
        from_ms: series.samples.first()?.t_ms,
        until_ms: series.samples.last()?.t_ms,
    })
}

fn is_always(labels: &Labels) -> bool {
    labels.get(ALWAYS.0) == Some(ALWAYS.1)
}

/// Returns an alert's name, and the service it is about if it says so.
fn named(labels: &Labels) -> String {
    let name = labels.get("alertname").unwrap_or_default();
    match labels.get("service") {
        Some(service) => format!("{name} ({service})"),
        None => name.to_owned(),
    }
}

pub(super) fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    i64::try_from(since.unwrap_or(Duration::ZERO).as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use promql::value::Sample;

    use super::*;

    #[test]
    fn a_glance_says_what_is_known_and_marks_what_is_not() {
        let mut glance = Glance {
            qps: Some(10.84),
            p95_seconds: Some(0.012_34),
            errors: Some(0.001),
            ..Glance::default()
        };
        assert_eq!(
            glance.to_string(),
            "QPS 10.8  P95 12.3 ms  errors 0.10 %  alerts none"
        );
        glance.p95_seconds = None;
        glance.firing = vec!["HighErrorRate (orders)".to_owned()];
        assert!(glance.to_string().contains("P95 - ms"), "{glance}");
        assert!(
            glance
                .to_string()
                .ends_with("alerts HighErrorRate (orders)"),
            "{glance}"
        );
    }

    #[test]
    fn an_alert_that_fires_always_is_none() {
        let series = |extra: &[(&str, &str)]| Series {
            labels: Labels::from_pairs(
                [
                    ("__name__", "ALERTS"),
                    ("alertname", "A"),
                    ("alertstate", "firing"),
                ]
                .iter()
                .chain(extra)
                .copied(),
            ),
            samples: [2_000, 3_000]
                .map(|t_ms| Sample { t_ms, value: 1.0 })
                .into(),
        };
        let found = fired(&series(&[("severity", "critical")])).unwrap();
        assert_eq!((found.from_ms, found.until_ms), (2_000, 3_000));
        assert_eq!(
            found.labels,
            [("severity".to_owned(), "critical".to_owned())]
        );
        assert_eq!(fired(&series(&[ALWAYS])), None);
    }
}
