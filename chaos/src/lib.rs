//! Playbooks, the runner, verdicts, alert verification, journal and reports.
//!
//! It draws nothing, serves nothing, and evaluates no PromQL itself: numbers come from a
//! [`signals::Source`], faults are armed through [`fault`]'s client. Invariants: every path of a
//! run that started a fault passes through recovery, which is verified by reading back; no data is
//! never a pass; a report is a function of the journal.
//!
//! Modules in reading order: [`playbook`], [`library`], [`tolerance`], [`problem`]; [`run`],
//! [`event`], [`verdict`], [`detection`]; [`runner`], [`cancel`]; [`journal`],
//! [`report`], [`explain`], [`sanitise`].

pub mod cancel;
pub mod detection;
pub mod event;
pub mod explain;
pub mod journal;
pub mod library;
pub mod playbook;
pub mod problem;
pub mod report;
pub mod run;
pub mod runner;
pub mod sanitise;
pub mod tolerance;
pub mod verdict;

pub use cancel::Cancel;
pub use event::{Event, EventKind};
pub use playbook::Playbook;
pub use problem::Problem;
pub use runner::{RunOptions, Runner};
pub use verdict::{ExitCode, Outcome};

/// Returns a duration as a person reads it: `850ms`, `12.3s`, `4m 05s`.
pub fn span(ms: i64) -> String {
    let sign = if ms < 0 { "-" } else { "" };
    let ms = ms.unsigned_abs();
    match ms {
        0 => "0s".to_owned(),
        1..1_000 => format!("{sign}{ms}ms"),
        1_000..60_000 if ms.is_multiple_of(1_000) => format!("{sign}{}s", ms / 1_000),
        1_000..60_000 => format!("{sign}{}.{}s", ms / 1_000, ms % 1_000 / 100),
        _ => {
            let seconds = ms / 1_000;
            format!("{sign}{}m {:02}s", seconds / 60, seconds % 60)
        }
    }
}

/// Returns a number as a person reads it: at most four significant digits after the leading zeros.
pub fn number(value: f64) -> String {
    if !value.is_finite() || value == 0.0 || value.abs() >= 1000.0 {
        return format!("{value:.0}");
    }
    let digits = 3 - value.abs().log10().floor() as i32;
    let text = format!("{value:.*}", digits.clamp(0, 12) as usize);
    if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        text
    }
}
