//! What the control API tells about faults.

use serde::{Deserialize, Serialize};

use super::{FaultBody, FaultId};
use crate::control::Caps;

/// Why a fault is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ended {
    /// Somebody withdrew or replaced it.
    Withdrawn,
    /// Its `for` was over.
    Expired,
    /// Nobody renewed it within its lease.
    LeaseLost,
}

impl Ended {
    /// Returns the word used on the wire.
    pub fn name(self) -> &'static str {
        match self {
            Self::Withdrawn => "withdrawn",
            Self::Expired => "expired",
            Self::LeaseLost => "lease_lost",
        }
    }
}

/// One fault, live or ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FaultStatus {
    /// Its name.
    pub id: FaultId,
    /// What goes wrong.
    pub fault: FaultBody,
    /// Who armed it.
    pub owner: String,
    /// Why.
    pub reason: String,
    /// The seed of its decisions.
    #[serde(default)]
    pub seed: u64,
    /// How many requests, queries or arrivals fell under its scope.
    pub evaluated: u64,
    /// How many of them it hit.
    pub injected: u64,
    /// The share in force now, after the ramp; 0 when ended.
    #[serde(default = "none")]
    pub level: super::Share,
    /// How long it has been armed, or was.
    pub age_ms: u64,
    /// Until its `for` is over; 0 when ended.
    pub remaining_ms: u64,
    /// Until its lease is lost; 0 when ended.
    pub lease_remaining_ms: u64,
    /// Why it is over, absent while it lives.
    pub ended: Option<Ended>,
    /// How long ago it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_ago_ms: Option<u64>,
}

fn none() -> super::Share {
    super::Share::NONE
}

/// The answer to `GET /faults`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Listing {
    /// Changes with every start of the process, which ends every fault.
    pub boot_id: String,
    /// The services this process hosts.
    pub services: Vec<String>,
    /// The kinds this process can carry out.
    pub kinds: Vec<String>,
    /// What is allowed here.
    pub caps: Caps,
    /// The live ones, in the order in which they were armed.
    pub faults: Vec<FaultStatus>,
    /// The ended ones, the latest first, at most 256.
    pub ended: Vec<FaultStatus>,
}
