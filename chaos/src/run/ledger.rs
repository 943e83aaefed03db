//! The faults of a run: what was asked for, what lives, what ended and how.
//!
//! An entry is made before the request leaves, so that a fault whose answer never came is
//! withdrawn all the same.

use super::io::{Command, Out};
use super::target::{ArmOrder, FaultView, TargetState};
use crate::event::{EventKind, FaultArmed, FaultEnd, FaultEnded};

/// Where a fault stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// The request is under way.
    Arming,
    /// The request failed; whether the target got it is not known.
    Unknown,
    /// It is active.
    Live,
    /// It is over.
    Ended(FaultEnd),
}

/// A fault the run asked for.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) target: usize,
    pub(super) step: usize,
    step_name: String,
    pub(super) order: ArmOrder,
    pub(super) state: State,
    /// The process that armed it.
    boot_id: Option<String>,
    /// When the answer to the request to arm came.
    armed_ms: i64,
    pub(super) start_ms: Option<i64>,
    pub(super) end_ms: Option<i64>,
    pub(super) evaluated: u64,
    pub(super) injected: u64,
    renew_at_ms: i64,
    renewing: bool,
    /// Whether the last renewal failed; it is told once.
    cut_off: bool,
}

impl Entry {
    /// The end the server holds, `for` after the start.
    pub(super) fn hard_end_ms(&self) -> Option<i64> {
        Some(self.start_ms? + self.order.for_ms)
    }
}

/// All of them.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    pub(super) targets: Vec<String>,
    boot_ids: Vec<Option<String>>,
    pub(super) entries: Vec<Entry>,
}

impl Ledger {
    pub(super) fn new(targets: Vec<String>) -> Self {
        Self {
            boot_ids: vec![None; targets.len()],
            targets,
            entries: Vec::new(),
        }
    }

    /// Asks a target to arm a fault.
    pub(super) fn arm(
        &mut self,
        step: (usize, &str),
        target: usize,
        order: ArmOrder,
        out: &mut Out,
    ) {
        let fault = self.entries.len();
        out.send(Command::Arm {
            fault,
            target,
            order: Box::new(order.clone()),
        });
        self.entries.push(Entry {
            target,
            step: step.0,
            step_name: step.1.to_owned(),
            order,
            state: State::Arming,
            boot_id: self.boot_ids[target].clone(),
            armed_ms: i64::MAX,
            start_ms: None,
            end_ms: None,
            evaluated: 0,
            injected: 0,
            renew_at_ms: i64::MAX,
            renewing: false,
            cut_off: false,
        });
    }

    /// Takes the answer to a request to arm.
    pub(super) fn armed(&mut self, fault: usize, result: Result<FaultView, String>, out: &mut Out) {
        let Some(entry) = self.entries.get_mut(fault) else {
            return;
        };
        entry.armed_ms = out.now_ms;
        match result {
            Ok(view) => {
                let start_ms = out.now_ms - view.age_ms;
                entry.state = State::Live;
                entry.start_ms = Some(start_ms);
                entry.renew_at_ms = out.now_ms + entry.order.lease_ms / 3;
                out.emit(EventKind::FaultArmed(FaultArmed {
                    id: entry.order.id.clone(),
                    step: entry.step,
                    name: entry.step_name.clone(),
                    kind: entry.order.injection.kind().to_owned(),
                    summary: entry.order.injection.summary(),
                    target: self.targets[entry.target].clone(),
                    service: entry.order.injection.service().map(str::to_owned),
                    start_ms,
                    for_ms: entry.order.for_ms,
                    lease_ms: entry.order.lease_ms,
                }));
            }
            Err(error) => {
                entry.state = State::Unknown;
                out.note(format!(
                    "{} did not confirm the fault {}: {error}",
                    self.targets[entry.target], entry.order.id
                ));
            }
        }
    }

    /// Renews each lease when a third of it has passed.
    pub(super) fn renew(&mut self, out: &mut Out) {
        let now_ms = out.now_ms;
        for (fault, entry) in self.entries.iter_mut().enumerate() {
            let over = entry.hard_end_ms().is_none_or(|end_ms| end_ms <= now_ms);
            if entry.state != State::Live || entry.renewing || over || now_ms < entry.renew_at_ms {
                continue;
            }
            entry.renewing = true;
            out.send(Command::Renew {
                fault,
                target: entry.target,
                id: entry.order.id.clone(),
                owner: entry.order.owner.clone(),
            });
        }
    }

    /// Takes the answer to a renewal. A failed one is tried again soon; the listing tells whether
    /// the fault is gone.
    pub(super) fn renewed(&mut self, fault: usize, result: &Result<(), String>, out: &mut Out) {
        let Some(entry) = self.entries.get_mut(fault) else {
            return;
        };
        entry.renewing = false;
        let wait_ms = entry.order.lease_ms / 3;
        entry.renew_at_ms = out.now_ms
            + match result {
                Ok(()) => wait_ms,
                Err(_) => wait_ms.min(500),
            };
        let told = std::mem::replace(&mut entry.cut_off, result.is_err());
        if let Err(error) = result
            && entry.state == State::Live
            && !told
        {
            out.note(format!(
                "the lease of {} on {} could not be renewed: {error}",
                entry.order.id, self.targets[entry.target]
            ));
        }
    }

    /// Withdraws everything that may live. Returns how many requests left.
    pub(super) fn withdraw_all(&self, out: &mut Out) -> usize {
        let mut sent = 0;
        for (fault, entry) in self.entries.iter().enumerate() {
            if matches!(entry.state, State::Ended(_)) {
                continue;
            }
            sent += 1;
            out.send(Command::Withdraw {
                fault,
                target: entry.target,
                id: entry.order.id.clone(),
                owner: entry.order.owner.clone(),
            });
        }
        sent
    }

    /// Brings the entries of a target up to date with what it tells.
    ///
    /// Requests overtake each other: what was asked before a fault was armed says nothing of it.
    pub(super) fn listed(
        &mut self,
        target: usize,
        asked_ms: i64,
        state: &TargetState,
        out: &mut Out,
    ) {
        let name = self.targets[target].clone();
        self.boot_ids[target] = Some(state.boot_id.clone());
        for entry in self.entries.iter_mut().filter(|e| e.target == target) {
            let find = |list: &[FaultView]| {
                let mut list = list.iter();
                list.find(|view| view.id == entry.order.id && view.owner == entry.order.owner)
                    .cloned()
            };
            if let Some(view) = find(&state.live) {
                entry.evaluated = entry.evaluated.max(view.evaluated);
                entry.injected = entry.injected.max(view.injected);
                if entry.state == State::Unknown {
                    entry.state = State::Live;
                    entry.start_ms = Some(out.now_ms - view.age_ms);
                }
                continue;
            }
            let too_old = asked_ms <= entry.armed_ms;
            if too_old || matches!(entry.state, State::Ended(_) | State::Arming) {
                continue;
            }
            let restarted = entry.boot_id.as_ref() != Some(&state.boot_id);
            match find(&state.ended) {
                Some(view) => {
                    entry.evaluated = entry.evaluated.max(view.evaluated);
                    entry.injected = entry.injected.max(view.injected);
                    let reason = view.ended.unwrap_or(FaultEnd::Withdrawn);
                    close(entry, &name, reason, out.now_ms - view.ended_ago_ms, out);
                }
                None if entry.state == State::Unknown => {
                    entry.state = State::Ended(FaultEnd::Lost);
                }
                None => {
                    if restarted {
                        out.note(format!("{name} has been restarted; its faults are gone"));
                    }
                    close(entry, &name, FaultEnd::Lost, out.now_ms, out);
                }
            }
        }
    }

    /// Says whether a request to arm is still under way.
    pub(super) fn arming(&self) -> bool {
        self.entries.iter().any(|e| e.state == State::Arming)
    }

    /// Returns the faults that are not known to be over.
    pub(super) fn open(&self) -> impl Iterator<Item = &Entry> {
        self.entries
            .iter()
            .filter(|entry| !matches!(entry.state, State::Ended(_)))
    }

    /// Returns the targets that have, or may have, faults of this run.
    pub(super) fn touched(&self) -> Vec<usize> {
        let mut targets: Vec<usize> = self.entries.iter().map(|entry| entry.target).collect();
        targets.sort_unstable();
        targets.dedup();
        targets
    }

    /// Says whether every `for` is over.
    pub(super) fn all_over(&self, now_ms: i64) -> bool {
        self.open()
            .all(|entry| entry.hard_end_ms().is_some_and(|end_ms| end_ms <= now_ms))
    }

    /// Returns the start of the first fault.
    pub(super) fn first_start_ms(&self) -> Option<i64> {
        self.entries.iter().filter_map(|entry| entry.start_ms).min()
    }

    /// Returns the end of the last fault; absent when that is not known of each.
    pub(super) fn last_end_ms(&self) -> Option<i64> {
        let live = self.entries.iter().filter(|entry| entry.start_ms.is_some());
        let ends: Option<Vec<i64>> = live.map(|entry| entry.end_ms).collect();
        ends?.into_iter().max()
    }
}

fn close(entry: &mut Entry, target: &str, reason: FaultEnd, end_ms: i64, out: &mut Out) {
    // A fault cannot outlive its hard end; a late listing would make it seem so.
    let end_ms = match (reason, entry.hard_end_ms()) {
        (FaultEnd::Expired, Some(hard_end_ms)) => end_ms.min(hard_end_ms),
        _ => end_ms,
    };
    entry.state = State::Ended(reason);
    entry.end_ms = Some(end_ms);
    out.emit(EventKind::FaultEnded(FaultEnded {
        id: entry.order.id.clone(),
        target: target.to_owned(),
        reason,
        end_ms,
        evaluated: entry.evaluated,
        injected: entry.injected,
    }));
}
