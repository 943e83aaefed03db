//! The queries behind the three charts, and how a person points them at other metric names.

use std::time::Duration;

use crate::dashboard::PanelSpec;

/// The label matchers of our own shop; the dashboard puts the selected service in.
pub const DEFAULT_SELECT: &str = r#"{service="${service}"}"#;

/// The three queries of the Overview.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Panels {
    /// Requests a second.
    pub qps: String,
    /// The 95th percentile of the request duration in seconds.
    pub p95: String,
    /// The share of requests that fail, 0 to 1.
    pub errors: String,
}

/// Why panels cannot be made from what was given.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PanelError {
    /// There is no such panel.
    #[error("--panel {0}: there is no such panel; the panels are qps, p95 and errors")]
    Unknown(String),
    /// The expression of a panel does not parse.
    #[error("--panel {panel}={expr}: {message}")]
    BadExpression {
        /// The panel.
        panel: String,
        /// What was given.
        expr: String,
        /// What the parser says.
        message: String,
    },
    /// The matchers do not parse.
    #[error("--select {select}: {message}; write label matchers such as {{job=\"api\"}}")]
    BadSelect {
        /// What was given.
        select: String,
        /// What the parser says.
        message: String,
    },
}

impl Panels {
    /// Makes the queries for `select` with rates over `window`; `overrides` replace whole queries.
    pub fn new(
        select: Option<&str>,
        overrides: &[(String, String)],
        window: Duration,
    ) -> Result<Self, PanelError> {
        let select = select.unwrap_or(DEFAULT_SELECT);
        let matchers = inner(select)?;
        let comma = if matchers.is_empty() { "" } else { "," };
        let window = format!("[{}ms]", window.as_millis().max(1));
        let all = format!("sum(rate(http_requests_total{{{matchers}}}{window}))");
        let bad =
            format!("sum(rate(http_requests_total{{{matchers}{comma}status=~\"5..\"}}{window}))");
        let buckets = format!("http_request_duration_seconds_bucket{{{matchers}}}{window}");
        let mut panels = Self {
            // Without a failed request there may be no such series: that is 0 %, not "no data".
            errors: format!("({bad} or vector(0)) / {all}"),
            qps: all,
            p95: format!("histogram_quantile(0.95, sum by (le) (rate({buckets})))"),
        };
        for (panel, expr) in overrides {
            promql::Query::parse(expr).map_err(|error| PanelError::BadExpression {
                panel: panel.clone(),
                expr: expr.clone(),
                message: error.to_string(),
            })?;
            match panel.as_str() {
                "qps" => panels.qps.clone_from(expr),
                "p95" => panels.p95.clone_from(expr),
                "errors" => panels.errors.clone_from(expr),
                other => return Err(PanelError::Unknown(other.to_owned())),
            }
        }
        Ok(panels)
    }

    /// Returns the dashboard's panels with these queries.
    pub fn specs(&self) -> Vec<PanelSpec> {
        let mut specs = PanelSpec::defaults();
        for spec in &mut specs {
            spec.expr.clone_from(match spec.key.as_str() {
                "qps" => &self.qps,
                "p95" => &self.p95,
                _ => &self.errors,
            });
        }
        specs
    }
}

/// Returns the matchers without their braces, after a parse proved that they are matchers.
fn inner(select: &str) -> Result<String, PanelError> {
    let trimmed = select.trim();
    let inside = trimmed
        .strip_prefix('{')
        .and_then(|rest| rest.strip_suffix('}'))
        .unwrap_or(trimmed)
        .trim()
        .trim_end_matches(',');
    promql::Query::parse(&format!("up{{{inside}}}")).map_err(|error| PanelError::BadSelect {
        select: select.to_owned(),
        message: error.to_string(),
    })?;
    Ok(inside.to_owned())
}

/// Returns the window for rates at a scrape interval: four intervals, as a range that loses one
/// scrape to the window's edge and one to a miss still holds two samples.
pub fn rate_window(scrape_interval: Duration) -> Duration {
    (scrape_interval * 4).max(Duration::from_secs(4))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn select_replaces_the_matchers_of_every_query() {
        let panels = Panels::new(Some(r#"{job="api"}"#), &[], Duration::from_mins(1)).unwrap();
        assert_eq!(
            panels.qps,
            r#"sum(rate(http_requests_total{job="api"}[60000ms]))"#
        );
        assert!(
            panels.errors.contains(r#"{job="api",status=~"5.."}"#),
            "{}",
            panels.errors
        );
        assert!(
            panels.p95.contains(r#"_bucket{job="api"}"#),
            "{}",
            panels.p95
        );
    }

    #[test]
    fn an_override_replaces_one_query() {
        let overrides = [("qps".to_owned(), "sum(rate(hits[1m]))".to_owned())];
        let panels = Panels::new(None, &overrides, Duration::from_mins(1)).unwrap();
        assert_eq!(panels.qps, "sum(rate(hits[1m]))");
        assert!(panels.errors.contains("http_requests_total"));
    }

    #[test]
    fn mistakes_name_the_flag() {
        let window = Duration::from_mins(1);
        let unknown = [("rps".to_owned(), "up".to_owned())];
        assert!(matches!(
            Panels::new(None, &unknown, window),
            Err(PanelError::Unknown(_))
        ));
        let broken = [("qps".to_owned(), "sum(".to_owned())];
        assert!(matches!(
            Panels::new(None, &broken, window),
            Err(PanelError::BadExpression { .. })
        ));
        let select = Panels::new(Some("{job=}"), &[], window);
        assert!(matches!(select, Err(PanelError::BadSelect { .. })));
    }
}
