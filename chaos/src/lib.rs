//! Playbooks, the runner, verdicts, alert verification, journal and reports.
//!
//! It draws nothing, serves nothing, and evaluates no PromQL itself: numbers come from a
//! [`signals::Source`], faults are armed through [`fault`]'s client. Invariants: every path of a
//! run that started a fault passes through recovery, which is verified by reading back; no data is
//! never a pass; a report is a function of the journal.
//!
//! Modules in reading order: [`playbook`], [`library`], [`problem`], [`tolerance`].

pub mod library;
pub mod playbook;
pub mod problem;
pub mod sanitise;
pub mod tolerance;

pub use playbook::Playbook;
pub use problem::Problem;

/// Returns a duration as a person reads it: `850ms`, `12.3s`, `4m 05s`.
pub fn span(ms: i64) -> String {
    let sign = if ms < 0 { "-" } else { "" };
    let ms = ms.unsigned_abs();
    match ms {
        0..1_000 => format!("{sign}{ms}ms"),
        1_000..60_000 if ms.is_multiple_of(1_000) => format!("{sign}{}s", ms / 1_000),
        1_000..60_000 => format!("{sign}{}.{}s", ms / 1_000, ms % 1_000 / 100),
        _ => {
            let seconds = ms / 1_000;
            format!("{sign}{}m {:02}s", seconds / 60, seconds % 60)
        }
    }
}
