//! The load generator: an open loop of seeded customer journeys against a storefront.
//!
//! Arrivals never wait for answers, so a slow shop cannot slow its own traffic down and hide it.
//! Surge and drop are faults on this process's own control router.

pub mod journey;

pub use journey::{Journey, Mix};
