//! Warm-up: before anything is broken, the steady state must hold, every guard must see data, and
//! no alert the run is about may be active. All of it is retried for `warm_up`.

use promql::value::Value;

use super::alerts::{self, Role};
use super::io::{Ask, Out, Poll};
use super::probes::{EVERY_MS, Rounds};
use crate::event::{AlertPhase, When};
use crate::playbook::Playbook;
use crate::tolerance::Reading;
use crate::verdict::{CheckKind, CheckStatus};

/// What is awaited.
#[derive(Debug)]
pub(super) struct WarmUp {
    since_ms: i64,
    probes: Rounds,
    guards: Vec<(Poll, Option<Result<(), String>>)>,
    alerts: (Poll, Option<Result<Vec<String>, String>>),
}

/// What came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Gate {
    Waiting,
    Open,
    Shut,
}

impl WarmUp {
    pub(super) fn begin(playbook: &Playbook, now_ms: i64) -> Self {
        let guards = playbook.abort_conditions.iter();
        Self {
            since_ms: now_ms,
            probes: Rounds::new(
                When::Before,
                EVERY_MS,
                0..playbook.steady_state.probes.len(),
            ),
            guards: guards.map(|_| (Poll::new(EVERY_MS), None)).collect(),
            alerts: (Poll::new(EVERY_MS), None),
        }
    }

    pub(super) fn answer(
        &mut self,
        playbook: &Playbook,
        ask: Ask,
        result: &Result<Value, String>,
        out: &mut Out,
    ) {
        match ask {
            Ask::Probe { index, round } => {
                let probes = &playbook.steady_state.probes;
                self.probes.answer(probes, (index, round), result, out);
            }
            Ask::Guard { index, round } => {
                let (poll, last) = &mut self.guards[index];
                if poll.answered(round) {
                    let guard = &playbook.abort_conditions[index];
                    *last = Some(match result {
                        Err(error) => Err(error.clone()),
                        Ok(value) if guard.comparator.read(value) == Reading::NoData => {
                            Err(format!(
                                "no data: `{}` returns nothing, so it could not stop the run",
                                guard.query.text
                            ))
                        }
                        Ok(_) => Ok(()),
                    });
                }
            }
            Ask::Alerts { round } => {
                if self.alerts.0.answered(round) {
                    let found = result.as_ref().map_err(Clone::clone);
                    self.alerts.1 = Some(found.map(|value| in_the_way(playbook, value)));
                }
            }
            Ask::Wait { .. } => {}
        }
    }

    /// Asks what is due, and says whether the run may go on.
    pub(super) fn tick(&mut self, playbook: &Playbook, out: &mut Out) -> Gate {
        if self.complete() {
            if self.holds() {
                self.conclude(playbook, out);
                return Gate::Open;
            }
            if out.now_ms >= self.since_ms + playbook.steady_state.warm_up_ms {
                self.conclude(playbook, out);
                return Gate::Shut;
            }
        }
        self.probes.tick(&playbook.steady_state.probes, out);
        for (index, (poll, _)) in self.guards.iter_mut().enumerate() {
            if let Some(round) = poll.due(out) {
                let guard = &playbook.abort_conditions[index];
                out.query(Ask::Guard { index, round }, &guard.query.text);
            }
        }
        if let Some(round) = self.alerts.0.due(out) {
            out.query(Ask::Alerts { round }, alerts::ALL);
        }
        Gate::Waiting
    }

    /// Every question has been answered at least once.
    fn complete(&self) -> bool {
        self.probes.results().all(|result| result.is_some())
            && self.guards.iter().all(|(_, last)| last.is_some())
            && self.alerts.1.is_some()
    }

    fn holds(&self) -> bool {
        self.probes.all_hold()
            && self
                .guards
                .iter()
                .all(|(_, last)| matches!(last, Some(Ok(()))))
            && matches!(&self.alerts.1, Some(Ok(list)) if list.is_empty())
    }

    fn conclude(&self, playbook: &Playbook, out: &mut Out) {
        let probes = &playbook.steady_state.probes;
        self.probes.conclude(probes, CheckKind::SteadyBefore, out);
        for (guard, (_, last)) in playbook.abort_conditions.iter().zip(&self.guards) {
            if let Some(Err(error)) = last {
                let name = format!("guard {}", guard.name);
                out.check(
                    CheckKind::Preflight,
                    name,
                    CheckStatus::Error,
                    error.clone(),
                );
            }
        }
        match &self.alerts.1 {
            Some(Ok(list)) if list.is_empty() => {}
            Some(Ok(list)) => out.check(
                CheckKind::Preflight,
                "alerts",
                CheckStatus::Fail,
                format!("already active before the run: {}", list.join(", ")),
            ),
            Some(Err(error)) => {
                out.check(
                    CheckKind::Preflight,
                    "alerts",
                    CheckStatus::Error,
                    error.clone(),
                );
            }
            None => {}
        }
    }
}

/// Returns the active alerts that would make the verdict worthless.
fn in_the_way(playbook: &Playbook, value: &Value) -> Vec<String> {
    alerts::active(value)
        .iter()
        .filter(|(labels, phase)| match alerts::role(playbook, labels) {
            Role::Expected => true,
            Role::Forbidden => **phase == AlertPhase::Firing,
            Role::Always | Role::Allowed | Role::Unlisted => false,
        })
        .map(|(labels, _)| alerts::shown(labels))
        .collect()
}
