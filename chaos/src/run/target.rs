//! What the machine knows of a fault target.

use std::time::Duration;

use fault::control::Caps;
use fault::{ArmRequest, Ended, FaultStatus, Listing};

use crate::event::FaultEnd;
use crate::playbook::Injection;

/// The answer of a target to "what is there".
#[derive(Debug, Clone, PartialEq, Default)]
pub struct TargetState {
    /// Changes with every start of the process, which ends every fault.
    pub boot_id: String,
    /// The services it hosts.
    pub services: Vec<String>,
    /// The kinds it can carry out.
    pub kinds: Vec<String>,
    /// What it allows.
    pub caps: Caps,
    /// Live faults.
    pub live: Vec<FaultView>,
    /// Ended faults.
    pub ended: Vec<FaultView>,
}

/// A fault as its target sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FaultView {
    /// Its id.
    pub id: String,
    /// Who armed it.
    pub owner: String,
    /// How many decisions it took part in.
    pub evaluated: u64,
    /// How many it hit.
    pub injected: u64,
    /// How long it has been armed, in milliseconds.
    pub age_ms: i64,
    /// Why it is over; absent while it lives.
    pub ended: Option<FaultEnd>,
    /// How long ago it ended, in milliseconds; 0 while it lives.
    pub ended_ago_ms: i64,
}

/// A fault to arm.
#[derive(Debug, Clone, PartialEq)]
pub struct ArmOrder {
    /// The id it gets.
    pub id: String,
    /// The owner it gets: the run.
    pub owner: String,
    /// Why, for the target's audit log.
    pub reason: String,
    /// What goes wrong.
    pub injection: Injection,
    /// The hard end in milliseconds.
    pub for_ms: i64,
    /// The dead-man time in milliseconds.
    pub lease_ms: i64,
    /// The seed of its decisions.
    pub seed: u64,
}

impl TargetState {
    /// Says whether the target can carry out a fault: it serves the kind, and hosts the service if
    /// one is named.
    pub fn serves(&self, injection: &Injection) -> bool {
        self.kinds.iter().any(|kind| kind == injection.kind())
            && injection
                .service()
                .is_none_or(|service| self.services.iter().any(|own| own == service))
    }

    /// Returns a few words on what is served.
    pub fn offer(&self) -> String {
        let services = match self.services.as_slice() {
            [] => "no services".to_owned(),
            list => list.join(", "),
        };
        format!("{services} (kinds: {})", self.kinds.join(", "))
    }
}

impl ArmOrder {
    /// Returns what is sent.
    pub fn request(&self) -> ArmRequest {
        let mut request = ArmRequest::new(
            self.injection.body().clone(),
            duration(self.for_ms),
            &self.owner,
            &self.reason,
        );
        request.lease = duration(self.lease_ms);
        request.seed = self.seed;
        request
    }
}

impl From<&Listing> for TargetState {
    fn from(listing: &Listing) -> Self {
        Self {
            boot_id: listing.boot_id.clone(),
            services: listing.services.clone(),
            kinds: listing.kinds.clone(),
            caps: listing.caps.clone(),
            live: listing.faults.iter().map(FaultView::from).collect(),
            ended: listing.ended.iter().map(FaultView::from).collect(),
        }
    }
}

impl From<&FaultStatus> for FaultView {
    fn from(status: &FaultStatus) -> Self {
        Self {
            id: status.id.to_string(),
            owner: status.owner.clone(),
            evaluated: status.evaluated,
            injected: status.injected,
            age_ms: whole(status.age_ms),
            ended: status.ended.map(|ended| match ended {
                Ended::Withdrawn => FaultEnd::Withdrawn,
                Ended::Expired => FaultEnd::Expired,
                Ended::LeaseLost => FaultEnd::LeaseLost,
            }),
            ended_ago_ms: whole(status.ended_ago_ms.unwrap_or_default()),
        }
    }
}

fn whole(ms: u64) -> i64 {
    i64::try_from(ms).unwrap_or(i64::MAX)
}

fn duration(ms: i64) -> Duration {
    Duration::from_millis(ms.unsigned_abs())
}
