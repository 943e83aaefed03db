//! What a shop and a load generator share as processes: where their listeners run, how they learn
//! their token, how they say that they are ready, and when they stop.

pub mod access;
mod control;
pub(crate) mod health;
pub(crate) mod listeners;
pub(crate) mod probes;
#[cfg(feature = "profiling")]
pub(crate) mod profile;
pub mod side;
pub(crate) mod start;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Descriptors an embedded shop may use, so that running out is within reach of a laptop.
const CHILD_DESCRIPTORS: u64 = 1_024;

/// Lowers the limit of descriptors to what an embedded shop is allowed.
pub(crate) fn limit_descriptors() {
    let now = getrlimit(Resource::Nofile);
    let lower = |limit: Option<u64>| {
        Some(limit.map_or(CHILD_DESCRIPTORS, |own| own.min(CHILD_DESCRIPTORS)))
    };
    let limit = Rlimit {
        current: lower(now.current),
        maximum: lower(now.maximum),
    };
    // Without it the shop works as well; only saturation is further away.
    let _ = setrlimit(Resource::Nofile, limit);
}
