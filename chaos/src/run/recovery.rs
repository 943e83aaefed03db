//! Recovery: everything the run armed is withdrawn, and that is read back. Every path of a run
//! that asked for a fault comes here.

use super::io::Out;
use super::ledger::{Ledger, State};
use crate::event::FaultEnd;
use crate::verdict::{CheckKind, CheckStatus};

/// How long withdrawing is tried.
pub(super) const LIMIT_MS: i64 = 15_000;
const RETRY_MS: i64 = 500;

/// Where recovery stands.
#[derive(Debug)]
pub(super) struct Recovery {
    since_ms: i64,
    /// Requests to withdraw that are under way.
    withdrawing: usize,
    /// Targets that have not told yet what is there.
    listing: Vec<usize>,
    /// What each target said last; `Ok` means that nothing of ours lives there.
    said: Vec<(usize, Result<(), String>)>,
    stage: Stage,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Begin { at_ms: i64 },
    Withdrawing,
    Listing,
}

impl Recovery {
    pub(super) fn begin(now_ms: i64) -> Self {
        Self {
            since_ms: now_ms,
            withdrawing: 0,
            listing: Vec::new(),
            said: Vec::new(),
            stage: Stage::Begin { at_ms: now_ms },
        }
    }

    pub(super) fn withdrawn(&mut self) {
        self.withdrawing = self.withdrawing.saturating_sub(1);
    }

    /// Takes what a target tells; the ledger has been brought up to date with it.
    pub(super) fn listed(&mut self, target: usize, result: Result<(), String>) {
        if self.stage != Stage::Listing || !self.listing.contains(&target) {
            return;
        }
        self.listing.retain(|waiting| *waiting != target);
        self.said.retain(|(known, _)| *known != target);
        self.said.push((target, result));
    }

    /// Goes on. Returns whether the faults are gone, once that is decided.
    pub(super) fn tick(&mut self, ledger: &Ledger, out: &mut Out) -> Option<bool> {
        if ledger.entries.is_empty() {
            return Some(true);
        }
        match self.stage {
            Stage::Begin { at_ms } if out.now_ms >= at_ms => {
                self.withdrawing = ledger.withdraw_all(out);
                self.stage = Stage::Withdrawing;
            }
            Stage::Withdrawing if self.withdrawing == 0 => {
                self.listing = ledger.touched();
                for &target in &self.listing {
                    out.list(target);
                }
                self.stage = Stage::Listing;
            }
            Stage::Listing if self.listing.is_empty() => {
                let silent = self.said.iter().any(|(_, result)| result.is_err());
                if !silent && ledger.open().next().is_none() {
                    conclude_good(ledger, out);
                    return Some(true);
                }
                self.stage = Stage::Begin {
                    at_ms: out.now_ms + RETRY_MS,
                };
            }
            _ => {}
        }
        if out.now_ms >= self.since_ms + LIMIT_MS {
            self.conclude_bad(ledger, out);
            return Some(false);
        }
        None
    }

    fn conclude_bad(&self, ledger: &Ledger, out: &mut Out) {
        let errors: Vec<String> = self
            .said
            .iter()
            .filter_map(|(target, result)| {
                let error = result.as_ref().err()?;
                Some(format!("{}: {error}", ledger.targets[*target]))
            })
            .collect();
        let errors = if errors.is_empty() {
            String::new()
        } else {
            format!(" ({})", errors.join("; "))
        };
        let detail = format!(
            "after {} it is not known that {} ended{errors}; {}",
            crate::span(LIMIT_MS),
            left(ledger).join(", "),
            net(ledger)
        );
        out.check(
            CheckKind::Recovery,
            "faults withdrawn",
            CheckStatus::Fail,
            detail,
        );
    }
}

fn conclude_good(ledger: &Ledger, out: &mut Out) {
    let lost = ledger
        .entries
        .iter()
        .any(|entry| entry.state == State::Ended(FaultEnd::Lost));
    let detail = if lost {
        "read back: nothing of this run is active; some faults went with a restart"
    } else {
        "read back: nothing of this run is active"
    };
    out.check(
        CheckKind::Recovery,
        "faults withdrawn",
        CheckStatus::Pass,
        detail,
    );
}

/// Says that the run is left without recovery.
pub(super) fn conclude_left(ledger: &Ledger, out: &mut Out) {
    let left = left(ledger);
    if left.is_empty() {
        return;
    }
    let detail = format!(
        "left without looking at {}; {}",
        left.join(", "),
        net(ledger)
    );
    out.check(
        CheckKind::Recovery,
        "faults withdrawn",
        CheckStatus::NotApplicable,
        detail,
    );
}

fn left(ledger: &Ledger) -> Vec<String> {
    ledger
        .open()
        .map(|entry| format!("{} on {}", entry.order.id, ledger.targets[entry.target]))
        .collect()
}

fn net(ledger: &Ledger) -> String {
    let lease_ms = ledger.open().map(|entry| entry.order.lease_ms).max();
    format!(
        "the target ends it by itself within the lease of {}",
        crate::span(lease_ms.unwrap_or_default())
    )
}
