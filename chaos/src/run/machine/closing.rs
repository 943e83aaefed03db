//! The end of a run: what is judged, and the verdict.

use std::mem;

use super::super::alerts;
use super::super::collect::Collect;
use super::super::io::Command;
use super::super::judge::{Evidence, Findings};
use super::super::settle::Moments;
use super::{Ending, Machine, State};
use crate::event::{EventKind, Phase};
use crate::verdict::{Check, CheckKind, CheckStatus, Outcome, RunStatus};

impl Machine {
    pub(super) fn judge(&mut self, collect: &Collect) -> Findings {
        collect.record(&self.playbook, &mut self.out);
        let range = collect.range;
        let spans = match &collect.alerts {
            // Watchdog or not: silence of a source that may have no rules at all says nothing.
            Some(Ok(series)) if series.is_empty() && !self.rules_known => Err(
                "`ALERTS` has no series, and the source does not tell whether it has rules"
                    .to_owned(),
            ),
            Some(Ok(series)) => Ok(alerts::spans(series, range.step_ms, range.end_ms)),
            Some(Err(error)) => Err(error.clone()),
            None => Err("not answered".to_owned()),
        };
        let probes = collect.probes.iter().map(|answer| match answer {
            Some(Ok(series)) => series.as_slice(),
            _ => &[],
        });
        let cut_short = (!self.settled).then(|| match self.ending {
            Some(ending) => ending.status().word().to_owned(),
            None => "stopped".to_owned(),
        });
        let evidence = Evidence {
            playbook: &self.playbook,
            spans,
            probes: probes.collect(),
            moments: self.moments(),
            body_start_ms: self.body_start_ms.unwrap_or(self.out.now_ms),
            cut_short,
            worthless: (!self.effective).then(|| "a fault had no proven effect".to_owned()),
        };
        evidence.judge(&mut self.out)
    }

    pub(super) fn moments(&self) -> Moments {
        let body_start_ms = self.body_start_ms.unwrap_or(self.out.now_ms);
        let first_ms = self.ledger.first_start_ms().unwrap_or(body_start_ms);
        let expected = self.playbook.expect_alerts.iter();
        Moments {
            origins_ms: expected
                .map(|e| match e.after {
                    Some(step) => self.method.started_ms[step],
                    None => Some(first_ms),
                })
                .collect(),
            withdrawn_ms: match self.ledger.first_start_ms() {
                Some(_) => self.ledger.last_end_ms(),
                None => self.recovered_ms,
            },
        }
    }

    pub(super) fn finish(&mut self, findings: Findings) -> State {
        self.enter(Phase::Done);
        let checks = mem::take(&mut self.out.checks);
        let status = self.ending.map_or(RunStatus::Completed, Ending::status);
        let outcome = Outcome {
            playbook: self.playbook.name.clone(),
            status,
            deviated: checks.iter().any(deviates),
            detections: findings.detections,
            unexpected: findings.unexpected,
            exit: Outcome::exit_of(status, &checks),
            checks,
            started_ms: self.started_ms.unwrap_or(self.out.now_ms),
            ended_ms: self.out.now_ms,
        };
        self.out.emit(EventKind::Verdict(outcome.clone()));
        self.out.send(Command::Finish(Box::new(outcome)));
        State::Done
    }
}

fn deviates(check: &Check) -> bool {
    check.status == CheckStatus::Fail
        && !matches!(
            check.kind,
            CheckKind::Preflight
                | CheckKind::SteadyBefore
                | CheckKind::Recovery
                | CheckKind::Guard
                | CheckKind::Deadline
        )
}
