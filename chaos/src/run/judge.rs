//! Judging: what the recorded series say about expected, forbidden and unlisted alerts.

use promql::value::Series;

use super::alerts::{self, Role, Span};
use super::io::Out;
use super::probes::EVERY_MS;
use super::settle::Moments;
use crate::detection::Detection;
use crate::event::EventKind;
use crate::playbook::{ExpectState, Expectation, Playbook};
use crate::verdict::{CheckKind, CheckStatus};

/// What is judged.
pub(super) struct Evidence<'a> {
    pub(super) playbook: &'a Playbook,
    /// The episodes of all alerts, or why they are not known.
    pub(super) spans: Result<Vec<Span>, String>,
    /// The recorded probes, in the order of the playbook.
    pub(super) probes: Vec<&'a [Series]>,
    pub(super) moments: Moments,
    /// When the run began to act.
    pub(super) body_start_ms: i64,
    /// Why the run did not go its whole way, if so.
    pub(super) cut_short: Option<String>,
    /// Why alerts cannot be judged although there are series, if so.
    pub(super) worthless: Option<String>,
}

/// What judging yields beside checks.
pub(super) struct Findings {
    pub(super) detections: Vec<Detection>,
    pub(super) unexpected: Vec<String>,
}

impl Findings {
    pub(super) fn none() -> Self {
        Self {
            detections: Vec::new(),
            unexpected: Vec::new(),
        }
    }
}

impl Evidence<'_> {
    pub(super) fn judge(&self, out: &mut Out) -> Findings {
        let mut detections = Vec::new();
        for (index, expected) in self.playbook.expect_alerts.iter().enumerate() {
            detections.extend(self.expected(expected, self.moments.origins_ms[index], out));
        }
        self.forbidden(out);
        let spans = self.spans.as_deref().unwrap_or_default();
        for span in spans {
            let always = alerts::role(self.playbook, &span.labels) == Role::Always;
            if !always && span.last_ms >= self.body_start_ms {
                out.emit(EventKind::AlertSpan(span.to_event()));
            }
        }
        Findings {
            detections,
            unexpected: self.unexpected(),
        }
    }

    fn expected(
        &self,
        expected: &Expectation,
        origin_ms: Option<i64>,
        out: &mut Out,
    ) -> Option<Detection> {
        let name = expected.pattern.to_string();
        let na = |out: &mut Out, why: &str| {
            out.check(
                CheckKind::Alert,
                name.as_str(),
                CheckStatus::NotApplicable,
                why,
            );
        };
        let Some(origin_ms) = origin_ms else {
            na(out, "the step it counts from was not reached");
            return None;
        };
        if let Some(why) = &self.worthless {
            na(out, &format!("not judged: {why}"));
            return None;
        }
        let spans = match &self.spans {
            Ok(spans) => spans,
            Err(error) => {
                out.check(
                    CheckKind::Alert,
                    name.as_str(),
                    CheckStatus::Error,
                    error.as_str(),
                );
                return None;
            }
        };
        let of_alert: Vec<&Span> = spans
            .iter()
            .filter(|span| expected.pattern.matches(&span.labels))
            .filter(|span| span.last_ms >= origin_ms)
            .collect();
        let (status, detail) = shows(expected, &of_alert, origin_ms);
        let status = self.unless_cut_short(status);
        out.check(CheckKind::Alert, name.as_str(), status, detail);
        self.resolves(expected, &of_alert, out);
        let detection = self.detection(expected, &of_alert, origin_ms);
        out.emit(EventKind::Detection(detection.clone()));
        Some(detection)
    }

    /// What was not reached because the run stopped early did not fail.
    fn unless_cut_short(&self, status: CheckStatus) -> CheckStatus {
        match (status, &self.cut_short) {
            (CheckStatus::Fail, Some(_)) => CheckStatus::NotApplicable,
            _ => status,
        }
    }

    fn resolves(&self, expected: &Expectation, of_alert: &[&Span], out: &mut Out) {
        let Some(within_ms) = expected.resolve_within_ms else {
            return;
        };
        let name = expected.pattern.to_string();
        let shown: Vec<&&Span> = of_alert
            .iter()
            .filter(|span| moment(expected.state, span).is_some())
            .collect();
        if shown.is_empty() {
            let why = "it did not show, so there is nothing to resolve";
            out.check(CheckKind::Resolve, name, CheckStatus::NotApplicable, why);
            return;
        }
        let Some(withdrawn_ms) = self.moments.withdrawn_ms else {
            let why = "it is not known when the faults ended";
            out.check(CheckKind::Resolve, name, CheckStatus::NotApplicable, why);
            return;
        };
        let limit = crate::span(within_ms);
        let last_ms = shown.iter().map(|span| span.resolved_ms).max_by_key(|end| {
            // An episode without an end outlasts every other.
            end.unwrap_or(i64::MAX)
        });
        let (status, detail) = match last_ms.flatten() {
            Some(end_ms) if shown.iter().all(|span| span.resolved_ms.is_some()) => {
                let took = crate::span(end_ms - withdrawn_ms);
                if end_ms <= withdrawn_ms + within_ms {
                    (
                        CheckStatus::Pass,
                        format!("gone {took} after the faults ended (limit {limit})"),
                    )
                } else {
                    (
                        CheckStatus::Fail,
                        format!("gone only {took} after the faults ended (limit {limit})"),
                    )
                }
            }
            _ => (
                CheckStatus::Fail,
                format!("still active when the run ended (limit {limit})"),
            ),
        };
        out.check(
            CheckKind::Resolve,
            name,
            self.unless_cut_short(status),
            detail,
        );
    }

    fn detection(&self, expected: &Expectation, of_alert: &[&Span], origin_ms: i64) -> Detection {
        let first = of_alert
            .iter()
            .min_by_key(|span| span.firing_ms.unwrap_or(i64::MAX));
        let pending_ms = first.map(|span| span.pending_ms);
        let moved = pending_ms.and_then(|pending_ms| self.moved(origin_ms, pending_ms));
        Detection {
            alert: expected.pattern.to_string(),
            origin_ms,
            moves_ms: moved.as_ref().map(|(t_ms, _)| *t_ms).or(pending_ms),
            moved_probe: moved.map(|(_, probe)| probe),
            pending_ms,
            firing_ms: first.and_then(|span| span.firing_ms),
            withdrawn_ms: self.moments.withdrawn_ms,
            resolved_ms: first.and_then(|span| span.resolved_ms),
        }
    }

    /// Returns the first moment between origin and pending at which a probe leaves its tolerance.
    fn moved(&self, origin_ms: i64, pending_ms: i64) -> Option<(i64, String)> {
        let probes = self.playbook.steady_state.probes.iter().zip(&self.probes);
        probes
            .filter_map(|(probe, series)| {
                let samples = series.iter().flat_map(|one| &one.samples);
                let outside = samples.filter(|sample| {
                    (origin_ms..=pending_ms).contains(&sample.t_ms)
                        && !sample.value.is_nan()
                        && !probe.tolerance.holds(sample.value)
                });
                let first_ms = outside.map(|sample| sample.t_ms).min()?;
                Some((first_ms, probe.name.clone()))
            })
            .min()
    }

    fn forbidden(&self, out: &mut Out) {
        for pattern in &self.playbook.must_not_fire {
            let name = pattern.to_string();
            let spans = match &self.spans {
                Ok(spans) => spans,
                Err(error) => {
                    out.check(
                        CheckKind::MustNotFire,
                        name,
                        CheckStatus::Error,
                        error.as_str(),
                    );
                    continue;
                }
            };
            let fired: Vec<String> = spans
                .iter()
                .filter(|span| pattern.matches(&span.labels))
                .filter(|span| alerts::role(self.playbook, &span.labels) == Role::Forbidden)
                .filter(|span| self.fired_in_run(span))
                .map(|span| self.at(span))
                .collect();
            let silent = match (&self.cut_short, &self.worthless) {
                (Some(why), _) => Some(format!("silent until the run was {why}")),
                (None, Some(why)) => Some(format!("silent, which says nothing: {why}")),
                (None, None) => None,
            };
            let (status, detail) = match (fired.is_empty(), silent) {
                (false, _) => (CheckStatus::Fail, format!("fired: {}", fired.join(", "))),
                (true, Some(why)) => (CheckStatus::NotApplicable, why),
                (true, None) => (CheckStatus::Pass, "silent".to_owned()),
            };
            out.check(CheckKind::MustNotFire, name, status, detail);
        }
    }

    /// Says whether it began to fire since warm-up last saw that it did not.
    fn fired_in_run(&self, span: &Span) -> bool {
        let since_ms = self.body_start_ms - EVERY_MS;
        span.firing_ms.is_some_and(|t_ms| t_ms > since_ms) && span.last_ms >= self.body_start_ms
    }

    fn at(&self, span: &Span) -> String {
        let firing_ms = span.firing_ms.unwrap_or(span.pending_ms);
        let after = crate::span(firing_ms - self.body_start_ms);
        format!("{} at {after}", alerts::shown(&span.labels))
    }

    /// Alerts that began to fire during the run and stand nowhere in the playbook.
    fn unexpected(&self) -> Vec<String> {
        let spans = self.spans.as_deref().unwrap_or_default();
        spans
            .iter()
            .filter(|span| self.fired_in_run(span))
            .filter(|span| alerts::role(self.playbook, &span.labels) == Role::Unlisted)
            .map(|span| self.at(span))
            .collect()
    }
}

fn moment(state: ExpectState, span: &Span) -> Option<i64> {
    match state {
        ExpectState::Firing => span.firing_ms,
        ExpectState::Pending => Some(span.pending_ms),
    }
}

fn shows(expected: &Expectation, of_alert: &[&Span], origin_ms: i64) -> (CheckStatus, String) {
    let word = match expected.state {
        ExpectState::Firing => "firing",
        ExpectState::Pending => "pending",
    };
    let limit = crate::span(expected.within_ms);
    let first_ms = of_alert
        .iter()
        .filter_map(|span| moment(expected.state, span))
        .min();
    let Some(first_ms) = first_ms else {
        let pending_ms = of_alert.iter().map(|span| span.pending_ms).min();
        return match pending_ms {
            Some(t_ms) => (
                CheckStatus::Fail,
                format!(
                    "never {word}; it was pending from {} on (limit {limit})",
                    crate::span(t_ms - origin_ms)
                ),
            ),
            None => (
                CheckStatus::Fail,
                format!("never pending nor firing (limit {limit})"),
            ),
        };
    };
    if first_ms < origin_ms {
        let detail = format!(
            "it was {word} {} before the fault began, so it proves nothing",
            crate::span(origin_ms - first_ms)
        );
        return (CheckStatus::Error, detail);
    }
    let took = crate::span(first_ms - origin_ms);
    if first_ms <= origin_ms + expected.within_ms {
        (
            CheckStatus::Pass,
            format!("{word} after {took} (limit {limit})"),
        )
    } else {
        (
            CheckStatus::Fail,
            format!("{word} only after {took} (limit {limit})"),
        )
    }
}
