//! What can go wrong with a request, a query or a process, and the switch that makes it so.
//!
//! Any axum or tower service can embed this crate: it wraps its routes in a
//! [`layer::FaultLayer`], mounts [`control::router`] on a listener of its own, and is then broken
//! and healed from outside. The crate knows nothing of playbooks, alerts or the shop.
//!
//! Invariant: every fault ends by itself, whoever died. The server holds its end (`for`) and its
//! lease on a monotonic clock, and a fault that ends wakes whatever it was holding up.
//!
//! In reading order:
//! - [`kinds`]: the kinds of faults, one row each
//! - [`model`]: share, scope, ramp; the wire forms, decoded with every problem at once
//! - [`mod@decide`]: what happens to a request; pure
//! - [`registry`]: what is armed; counters, leases, the end of a fault
//! - [`layer`]: carries out decisions on requests
//! - [`hooks`]: carries them to databases and load generators
//! - [`control`]: the HTTP API that arms and withdraws, and who may use it
//! - [`token`]: the secret of that API
//! - [`client`]: its typed client
//! - [`supervise`]: child processes that die with their parent

pub mod client;
pub mod control;
pub mod decide;
pub mod hooks;
pub mod kinds;
pub mod layer;
pub mod model;
pub mod registry;
pub mod supervise;
pub mod token;

pub use decide::{Verdict, decide};
pub use kinds::{Fault, FaultKind, Seam};
pub use model::{
    ArmRequest, Ended, FaultBody, FaultId, FaultStatus, FieldError, Listing, Ramp, Scope, Share,
};
pub use registry::Registry;
pub use token::Token;
