//! A run as a sans-IO state machine: `step(now, input)` returns what to do next.
//!
//! It reads no clock, sends nothing and never waits; [`crate::runner`] does. So every path, and
//! above all every path into recovery, is tested without a network.
//!
//! Phases: preflight → warm-up → method → hold → recovery → settle → collect → done. Whatever
//! happens after the first fault is asked for leads to recovery; only a second cancellation leaves
//! without it, with the leases as the net.
//!
//! Modules in reading order: `machine`, `preflight`, `warm_up`, `method`, `watch`, `ledger`,
//! `recovery`, `effect`, `settle`, `collect`, `judge`.

mod alerts;
mod collect;
mod effect;
mod io;
mod judge;
mod ledger;
mod machine;
mod method;
mod preflight;
mod probes;
mod recovery;
mod settle;
mod target;
mod warm_up;
mod watch;

pub use io::{Ask, Command, Input, RangeAsk, RulesFailure};
pub use machine::{Machine, Setup};
pub use method::orders;
pub use target::{ArmOrder, FaultView, TargetState};
