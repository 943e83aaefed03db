//! obs-tui: the command line and the dashboard.
//!
//! Holds no domain logic: playbooks are `chaos`'s, numbers are `signals`', faults are `fault`'s.
//!
//! Modules in reading order: [`dashboard`].

pub mod dashboard;
