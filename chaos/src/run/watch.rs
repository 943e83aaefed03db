//! What is watched while faults live: alerts, guards, continuous probes, the faults themselves.

use std::collections::BTreeMap;

use promql::labels::Labels;
use promql::value::Value;

use super::alerts;
use super::io::{Ask, Out, Poll};
use super::probes::{EVERY_MS, Rounds};
use crate::event::{AlertPhase, EventKind, When};
use crate::playbook::{AlertPattern, ExpectState, Playbook, ProbeMode};
use crate::tolerance::Reading;
use crate::verdict::{CheckKind, CheckStatus};

/// How often the targets are asked what their faults do.
const STATUS_EVERY_MS: i64 = 2000;

/// The standing questions.
#[derive(Debug)]
pub(super) struct Watch {
    alerts: Poll,
    /// What is active now.
    pub(super) active: BTreeMap<Labels, AlertPhase>,
    /// When each expectation was first seen to hold.
    pub(super) seen_ms: Vec<Option<i64>>,
    guards: Vec<Guard>,
    continuous: Rounds,
    /// First miss and number of misses, by probe; errors apart.
    misses: BTreeMap<usize, Misses>,
    status: Vec<Poll>,
}

#[derive(Debug)]
struct Guard {
    poll: Poll,
    since_ms: Option<i64>,
    /// Answers that could be judged, and answers that could not.
    judged: u32,
    blind: u32,
}

#[derive(Debug, Default)]
struct Misses {
    asked: u32,
    missed: u32,
    failed: u32,
    first: Option<String>,
}

impl Watch {
    pub(super) fn begin(playbook: &Playbook, targets: usize) -> Self {
        let continuous = playbook.steady_state.probes.iter().enumerate();
        let continuous = continuous
            .filter(|(_, probe)| probe.mode == ProbeMode::Continuous)
            .map(|(index, _)| index);
        Self {
            alerts: Poll::new(EVERY_MS),
            active: BTreeMap::new(),
            seen_ms: vec![None; playbook.expect_alerts.len()],
            guards: (playbook.abort_conditions.iter())
                .map(|_| Guard {
                    poll: Poll::new(EVERY_MS),
                    since_ms: None,
                    judged: 0,
                    blind: 0,
                })
                .collect(),
            continuous: Rounds::new(When::During, EVERY_MS, continuous),
            misses: BTreeMap::new(),
            status: vec![Poll::new(STATUS_EVERY_MS); targets],
        }
    }

    /// Asks for the alerts when due; goes on after the method.
    pub(super) fn tick_alerts(&mut self, out: &mut Out) {
        if let Some(round) = self.alerts.due(out) {
            out.query(Ask::Alerts { round }, alerts::ALL);
        }
    }

    /// Asks everything that is due during the method. Returns the guard that stops the run.
    pub(super) fn tick(
        &mut self,
        playbook: &Playbook,
        touched: &[usize],
        out: &mut Out,
    ) -> Option<(String, String)> {
        self.tick_alerts(out);
        self.continuous.tick(&playbook.steady_state.probes, out);
        for &target in touched {
            if self.status[target].due(out).is_some() {
                out.list(target);
            }
        }
        for (index, guard) in self.guards.iter_mut().enumerate() {
            let condition = &playbook.abort_conditions[index];
            if let Some(since_ms) = guard.since_ms
                && out.now_ms - since_ms >= condition.for_ms
            {
                let detail = format!(
                    "`{}` has been {} for {}",
                    condition.query.text,
                    condition.comparator,
                    crate::span(out.now_ms - since_ms)
                );
                return Some((condition.name.clone(), detail));
            }
            if let Some(round) = guard.poll.due(out) {
                out.query(Ask::Guard { index, round }, &condition.query.text);
            }
        }
        None
    }

    /// Notes that a target answered.
    pub(super) fn listed(&mut self, target: usize) {
        self.status[target].round = None;
    }

    pub(super) fn answer(
        &mut self,
        playbook: &Playbook,
        ask: Ask,
        result: &Result<Value, String>,
        out: &mut Out,
    ) {
        match ask {
            Ask::Alerts { round } => {
                if self.alerts.answered(round)
                    && let Ok(value) = result
                {
                    self.alerts_changed(playbook, alerts::active(value), out);
                }
            }
            Ask::Guard { index, round } => {
                let guard = &mut self.guards[index];
                if guard.poll.answered(round) {
                    let comparator = playbook.abort_conditions[index].comparator;
                    match result.as_ref().map(|value| comparator.read(value)) {
                        Ok(Reading::Within(_) | Reading::Outside(_)) => guard.judged += 1,
                        Ok(Reading::NoData) | Err(_) => guard.blind += 1,
                    }
                    guard.since_ms = match result {
                        Ok(value) if comparator.any(value) => {
                            Some(guard.since_ms.unwrap_or(out.now_ms))
                        }
                        _ => None,
                    };
                }
            }
            Ask::Probe { index, round } => {
                self.continuous_answer(playbook, (index, round), result, out);
            }
            Ask::Wait { .. } => {}
        }
    }

    fn alerts_changed(
        &mut self,
        playbook: &Playbook,
        now: BTreeMap<Labels, AlertPhase>,
        out: &mut Out,
    ) {
        let gone = self
            .active
            .keys()
            .filter(|labels| !now.contains_key(*labels));
        let gone = gone.map(|labels| (labels, AlertPhase::Resolved));
        let changed = now.iter().map(|(labels, phase)| (labels, *phase));
        for (labels, state) in gone.chain(changed) {
            let always = alerts::role(playbook, labels) == alerts::Role::Always;
            if always || self.active.get(labels) == Some(&state) {
                continue;
            }
            out.emit(EventKind::Alert {
                labels: alerts::plain(labels),
                state,
            });
        }
        for (expected, seen_ms) in playbook.expect_alerts.iter().zip(&mut self.seen_ms) {
            let mut active = now.iter();
            let wanted = match expected.state {
                ExpectState::Pending => AlertPhase::Pending,
                ExpectState::Firing => AlertPhase::Firing,
            };
            if active.any(|(labels, phase)| *phase >= wanted && expected.pattern.matches(labels)) {
                seen_ms.get_or_insert(out.now_ms);
            }
        }
        self.active = now;
    }

    fn continuous_answer(
        &mut self,
        playbook: &Playbook,
        (index, round): (usize, u32),
        result: &Result<Value, String>,
        out: &mut Out,
    ) {
        let probes = &playbook.steady_state.probes;
        self.continuous.answer(probes, (index, round), result, out);
        let Some(probe) = probes.get(index) else {
            return;
        };
        let found = super::probes::judge(probe, When::During, result);
        let misses = self.misses.entry(index).or_default();
        misses.asked += 1;
        match found.status {
            CheckStatus::Fail => misses.missed += 1,
            CheckStatus::Error => misses.failed += 1,
            CheckStatus::Pass | CheckStatus::NotApplicable => return,
        }
        misses.first.get_or_insert(found.detail);
    }

    /// Turns what the continuous probes said into checks.
    pub(super) fn conclude(&self, playbook: &Playbook, out: &mut Out) {
        for (index, probe) in playbook.steady_state.probes.iter().enumerate() {
            if probe.mode != ProbeMode::Continuous {
                continue;
            }
            let none = Misses::default();
            let misses = self.misses.get(&index).unwrap_or(&none);
            let first = misses.first.as_deref().unwrap_or_default();
            let (status, detail) = match misses {
                Misses { asked: 0, .. } => (CheckStatus::Error, "never answered".to_owned()),
                Misses {
                    missed: 0,
                    failed: 0,
                    asked,
                    ..
                } => (
                    CheckStatus::Pass,
                    format!("{} in all {asked} samples", probe.tolerance),
                ),
                Misses {
                    missed: 0,
                    failed,
                    asked,
                    ..
                } => (
                    CheckStatus::Error,
                    format!("{failed} of {asked} samples could not be judged; first: {first}"),
                ),
                Misses { missed, asked, .. } => (
                    CheckStatus::Fail,
                    format!("{missed} of {asked} samples missed; first: {first}"),
                ),
            };
            out.check(CheckKind::SteadyDuring, &probe.name, status, detail);
        }
    }

    /// Turns what the guards saw into checks, but for the one that stopped the run. A guard that
    /// never saw a number has guarded nothing.
    pub(super) fn guards_held(&self, playbook: &Playbook, stopped_by: Option<&str>, out: &mut Out) {
        for (condition, guard) in playbook.abort_conditions.iter().zip(&self.guards) {
            if stopped_by == Some(condition.name.as_str()) {
                continue;
            }
            let all = guard.judged + guard.blind;
            let held = format!(
                "not {} for {}",
                condition.comparator,
                crate::span(condition.for_ms)
            );
            let (status, detail) = match (guard.judged, guard.blind) {
                (0, 0) => (CheckStatus::NotApplicable, "never asked".to_owned()),
                (0, _) => (
                    CheckStatus::Error,
                    format!("none of {all} samples could be judged"),
                ),
                (_, 0) => (CheckStatus::Pass, held),
                (_, blind) => (
                    CheckStatus::Pass,
                    format!("{held}; {blind} of {all} samples could not be judged"),
                ),
            };
            out.check(CheckKind::Guard, &condition.name, status, detail);
        }
    }

    /// Says whether an alert that matches is active.
    pub(super) fn is_active(&self, pattern: &AlertPattern) -> bool {
        self.active.keys().any(|labels| pattern.matches(labels))
    }
}
