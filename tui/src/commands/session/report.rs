//! What a session came to: per kind of customer, the alerts that fired, and whether the shop kept
//! its objectives.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use chaos::sanitise;
use serde_json::{Value, json};

use crate::cli::SessionArgs;
use crate::commands::session::watch::{Fired, Totals, Watch};

/// Of a thousand requests 999 succeed, as the rules of the shop want it.
const AVAILABILITY: f64 = 0.999;
/// 95 of 100 requests are answered within this, as `HighLatencyP95` wants it.
const P95_SECONDS: f64 = 1.0;

/// What a session came to.
#[derive(Debug)]
pub(super) struct Report {
    users: u32,
    wanted: Duration,
    began: Instant,
    pub(super) interrupted: bool,
    /// Why it could not begin, or what ended by itself.
    pub(super) lost: Option<String>,
    lasted: Duration,
    began_ms: i64,
    totals: Totals,
    fired: Vec<Fired>,
    /// The summary of the load generator.
    pub(super) traffic: Option<Value>,
}

/// An objective and how it was kept.
struct Objective {
    name: &'static str,
    target: f64,
    value: Option<f64>,
    met: bool,
    words: String,
}

impl Report {
    /// Begins the report of a session that begins.
    pub(super) fn new(args: &SessionArgs) -> Self {
        Self {
            users: args.users,
            wanted: args.duration,
            began: Instant::now(),
            interrupted: false,
            lost: None,
            lasted: Duration::ZERO,
            began_ms: 0,
            totals: Totals::default(),
            fired: Vec::new(),
            traffic: None,
        }
    }

    /// Asks the engine, while it runs, what happened since the session began.
    pub(super) async fn look_back(&mut self, watch: &Watch, began_ms: i64) {
        self.lasted = self.began.elapsed();
        self.began_ms = began_ms;
        self.totals = watch.totals().await;
        self.fired = watch.fired_since(began_ms).await;
    }

    /// Says whether anybody was served.
    pub(super) fn has_data(&self) -> bool {
        self.totals.requests.is_some_and(|requests| requests > 0.0)
    }

    /// Says whether every objective was met.
    pub(super) fn is_met(&self) -> bool {
        self.objectives().iter().all(|objective| objective.met)
    }

    fn failed_share(&self) -> Option<f64> {
        let requests = self.totals.requests.filter(|requests| *requests > 0.0)?;
        Some(self.totals.failed? / requests)
    }

    fn objectives(&self) -> [Objective; 2] {
        let available = self.failed_share().map(|failed| 1.0 - failed);
        let percent = |share: f64| format!("{:.2} %", share * 100.0);
        let ms = |seconds: f64| format!("P95 {:.1} ms", seconds * 1e3);
        [
            Objective {
                name: "availability",
                target: AVAILABILITY,
                value: available,
                met: available.is_some_and(|share| share >= AVAILABILITY),
                words: format!(
                    "{} of the requests succeeded (at least {})",
                    available.map_or("?".to_owned(), percent),
                    "99.9 %"
                ),
            },
            Objective {
                name: "latency",
                target: P95_SECONDS,
                value: self.totals.p95_seconds,
                met: self
                    .totals
                    .p95_seconds
                    .is_some_and(|p95| p95 <= P95_SECONDS),
                words: format!(
                    "{} (at most 1 s)",
                    self.totals.p95_seconds.map_or("P95 ?".to_owned(), ms)
                ),
            },
        ]
    }

    fn verdict(&self) -> &'static str {
        match () {
            () if self.lost.is_some() => "not judged",
            () if !self.has_data() => "no data",
            () if self.is_met() => "met",
            () => "missed",
        }
    }

    /// Returns the summary for people.
    pub(super) fn text(&self) -> String {
        let mut text = String::new();
        let lasted = humantime::format_duration(Duration::from_secs(self.lasted.as_secs()));
        let how = if self.interrupted {
            ", interrupted"
        } else {
            ""
        };
        let _ = writeln!(
            text,
            "session of {lasted} with {} customers{how}",
            self.users
        );
        if let Some(lost) = &self.lost {
            let _ = writeln!(text, "{}", sanitise::line(lost));
        }
        self.customers(&mut text);
        self.alerts(&mut text);
        let _ = writeln!(text, "\nobjectives: {}", self.verdict());
        for objective in self.objectives() {
            let met = if objective.met { "met" } else { "missed" };
            let _ = writeln!(text, "  {:<14}{met:<8}{}", objective.name, objective.words);
        }
        text
    }

    /// Writes a line for each kind of customer, since the traffic began.
    fn customers(&self, text: &mut String) {
        let Some(traffic) = &self.traffic else {
            text.push_str("the load generator left no summary\n");
            return;
        };
        let _ = writeln!(
            text,
            "\n{:<12}{:>8}{:>11}{:>9}{:>8}{:>10}{:>10}{:>10}",
            "customers", "visits", "completed", "refused", "failed", "p50 ms", "p95 ms", "p99 ms"
        );
        let kinds = traffic["kinds"].as_object().into_iter().flatten();
        let total = ("total", &traffic["total"]);
        for (name, tally) in kinds
            .map(|(name, tally)| (name.as_str(), tally))
            .chain([total])
        {
            let count = |key: &str| tally[key].as_u64().unwrap_or_default();
            let ms = |key: &str| tally["corrected_ms"][key].as_f64().unwrap_or_default();
            let _ = writeln!(
                text,
                "{name:<12}{:>8}{:>11}{:>9}{:>8}{:>10.1}{:>10.1}{:>10.1}",
                count("sent"),
                count("completed"),
                count("refused"),
                count("failed"),
                ms("p50"),
                ms("p95"),
                ms("p99"),
            );
        }
    }

    fn alerts(&self, text: &mut String) {
        if self.fired.is_empty() {
            text.push_str("\nalerts: none fired\n");
            return;
        }
        text.push_str("\nalerts that fired:\n");
        for fired in &self.fired {
            let labels: Vec<String> = fired
                .labels
                .iter()
                .map(|(name, value)| format!("{name}={value}"))
                .collect();
            let line = format!(
                "  {} after {:.0} s, for {:.0} s  {}",
                fired.name,
                seconds(fired.from_ms - self.began_ms),
                seconds(fired.until_ms - fired.from_ms),
                labels.join(" "),
            );
            let _ = writeln!(text, "{}", sanitise::line(line.trim_end()));
        }
    }

    /// Returns one JSON document.
    pub(super) fn json(&self, exit_code: u8) -> Value {
        let objectives = self.objectives().map(|objective| {
            json!({
                "name": objective.name,
                "target": objective.target,
                "value": objective.value,
                "met": objective.met,
            })
        });
        let fired = self.fired.iter().map(|fired| {
            let labels = fired.labels.iter().cloned();
            let labels = labels.map(|(name, value)| (name, Value::from(value)));
            json!({
                "alertname": fired.name,
                "labels": Value::Object(labels.collect()),
                "after_seconds": seconds(fired.from_ms - self.began_ms),
                "for_seconds": seconds(fired.until_ms - fired.from_ms),
            })
        });
        json!({
            "users": self.users,
            "wanted_seconds": self.wanted.as_secs_f64(),
            "lasted_seconds": self.lasted.as_secs_f64(),
            "interrupted": self.interrupted,
            "lost": self.lost,
            "requests": self.totals.requests,
            "failed_requests": self.totals.failed,
            "p95_seconds": self.totals.p95_seconds,
            "verdict": self.verdict(),
            "objectives": objectives,
            "alerts": fired.collect::<Vec<_>>(),
            "traffic": self.traffic,
            "exit_code": exit_code,
        })
    }
}

fn seconds(ms: i64) -> f64 {
    ms as f64 / 1e3
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(totals: Totals) -> Report {
        Report {
            users: 4,
            wanted: Duration::from_secs(10),
            began: Instant::now(),
            interrupted: false,
            lost: None,
            lasted: Duration::from_secs(10),
            began_ms: 5_000,
            totals,
            fired: vec![Fired {
                name: "HighLatencyP95".to_owned(),
                labels: vec![("service".to_owned(), "catalog".to_owned())],
                from_ms: 7_000,
                until_ms: 9_000,
            }],
            traffic: Some(json!({
                "kinds": { "buyers": { "sent": 7, "completed": 6, "refused": 1, "failed": 0,
                                       "corrected_ms": { "p50": 12.5, "p95": 20.0, "p99": 30.0 } } },
                "total": { "sent": 7 },
            })),
        }
    }

    fn totals(failed: f64, p95: f64) -> Totals {
        Totals {
            requests: Some(1_000.0),
            failed: Some(failed),
            p95_seconds: Some(p95),
        }
    }

    #[test]
    fn objectives_are_met_missed_or_without_data() {
        for (totals, verdict) in [
            (totals(1.0, 0.02), "met"),
            (totals(2.0, 0.02), "missed"),
            (totals(0.0, 1.2), "missed"),
            (Totals::default(), "no data"),
        ] {
            let report = report(totals);
            assert_eq!(report.verdict(), verdict, "{totals:?}");
            assert_eq!(report.is_met(), verdict == "met");
        }
    }

    #[test]
    fn a_session_that_could_not_be_held_is_not_judged() {
        let mut report = report(totals(0.0, 0.02));
        report.lost = Some("the embedded shop ended".to_owned());
        assert_eq!(report.verdict(), "not judged");
    }

    #[test]
    fn the_text_has_customers_alerts_and_objectives() {
        let text = report(totals(0.0, 0.0123)).text();
        for expect in [
            "session of 10s with 4 customers\n",
            "buyers             7          6        1       0      12.5",
            "  HighLatencyP95 after 2 s, for 2 s  service=catalog\n",
            "objectives: met\n",
            "  latency       met     P95 12.3 ms (at most 1 s)\n",
        ] {
            assert!(text.contains(expect), "{expect:?} is missing in:\n{text}");
        }
        let document = report(totals(0.0, 0.0123)).json(0);
        assert_eq!(document["alerts"][0]["after_seconds"], 2.0);
        assert_eq!(document["objectives"][1]["met"], true);
    }
}
