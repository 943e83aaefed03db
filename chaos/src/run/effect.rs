//! The proof that faults did something, from the control API and never from metrics. Without it
//! nothing an alert did, or did not do, means anything.

use super::io::Out;
use super::ledger::{Entry, Ledger, State};
use crate::event::FaultEnd;
use crate::playbook::Playbook;
use crate::verdict::{CheckKind, CheckStatus};

/// Judges every fault step that was armed. Returns whether all had an effect.
pub(super) fn conclude(playbook: &Playbook, ledger: &Ledger, out: &mut Out) -> bool {
    let mut proven = true;
    for (index, step, _) in playbook.faults() {
        let of_step = ledger.entries.iter().filter(|entry| entry.step == index);
        let armed: Vec<&Entry> = of_step.filter(|entry| entry.start_ms.is_some()).collect();
        if armed.is_empty() {
            continue;
        }
        let (status, detail) = judge(ledger, &armed);
        proven &= status == CheckStatus::Pass;
        out.check(CheckKind::Injection, &step.name, status, detail);
    }
    proven
}

fn judge(ledger: &Ledger, armed: &[&Entry]) -> (CheckStatus, String) {
    for entry in armed {
        let target = &ledger.targets[entry.target];
        match entry.state {
            State::Ended(FaultEnd::Lost) => {
                let detail = format!("{target} lost the fault, as by a restart, before its end");
                return (CheckStatus::Error, detail);
            }
            State::Ended(FaultEnd::LeaseLost) => {
                let detail = format!("the lease on {target} was lost before the fault's end");
                return (CheckStatus::Error, detail);
            }
            _ => {}
        }
    }
    let evaluated: u64 = armed.iter().map(|entry| entry.evaluated).sum();
    let injected: u64 = armed.iter().map(|entry| entry.injected).sum();
    let detail = match (evaluated, injected) {
        (0, 0) => "nothing came by that the fault could hit: is there traffic, does `where` match?",
        (_, 0) => "the fault hit nothing",
        _ => return (CheckStatus::Pass, format!("hit {injected} of {evaluated}")),
    };
    (
        CheckStatus::Error,
        format!("{detail} (hit {injected} of {evaluated})"),
    )
}
