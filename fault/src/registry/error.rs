//! Why the registry refuses.

use std::time::Duration;

use crate::kinds::FaultKind;
use crate::model::{Ended, FaultId};

/// Why the registry refuses.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum RegistryError {
    /// Faults of somebody else live here.
    #[error("`{owner}` has faults armed here")]
    Owned {
        /// Who.
        owner: String,
        /// Until the lease of one of them is lost, unless it is renewed.
        lease_remaining: Duration,
    },
    /// The fault is somebody else's.
    #[error("the fault belongs to `{owner}`")]
    NotYours {
        /// Whose it is.
        owner: String,
    },
    /// Too many faults live.
    #[error("{} faults are armed, more are not kept", super::MAX_LIVE)]
    Full,
    /// Nobody knows that fault.
    #[error("there is no fault `{0}`")]
    Unknown(FaultId),
    /// The fault is over.
    #[error("fault `{id}` is over: {}", ended.name())]
    Over {
        /// Which.
        id: FaultId,
        /// How it ended.
        ended: Ended,
    },
    /// This process cannot carry out the kind.
    #[error("`{kind}` faults are not carried out by this process")]
    NotOffered {
        /// What was asked for.
        kind: FaultKind,
        /// What it can carry out.
        offered: Vec<FaultKind>,
    },
    /// The service is not hosted here.
    #[error("service `{service}` is not hosted by this process")]
    NoService {
        /// What was asked for.
        service: String,
        /// What it hosts.
        services: Vec<String>,
    },
    /// The route is exempt from faults.
    #[error("route `{0}` is protected from faults")]
    Protected(String),
    /// The task that ends faults needs a runtime.
    #[error("arming a fault needs a tokio runtime")]
    NoRuntime,
}

impl RegistryError {
    /// Returns the word for it on the wire.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Owned { .. } => "owned_by_another",
            Self::NotYours { .. } => "not_yours",
            Self::Full => "too_many_faults",
            Self::Unknown(_) => "unknown_fault",
            Self::Over { .. } => "fault_over",
            Self::NotOffered { .. } => "kind_not_offered",
            Self::NoService { .. } => "unknown_service",
            Self::Protected(_) => "protected_route",
            Self::NoRuntime => "no_runtime",
        }
    }

    /// Returns what to do about it.
    pub fn remedy(&self) -> String {
        match self {
            Self::Owned {
                lease_remaining, ..
            } => format!(
                "wait for it to end (its lease runs {} s more), withdraw its faults, or take over \
                 with `take_over=true`",
                lease_remaining.as_secs() + 1
            ),
            Self::NotYours { .. } => "withdraw it without an owner to force it".to_owned(),
            Self::Full => "withdraw some first".to_owned(),
            Self::Unknown(_) => "`GET /faults` lists them".to_owned(),
            Self::Over { .. } => "arm it again".to_owned(),
            Self::NotOffered { kind, offered } => {
                let names: Vec<&str> = offered.iter().map(|kind| kind.name()).collect();
                let other = if kind.is_traffic() {
                    "; traffic faults go to the load generator's control listener"
                } else {
                    ""
                };
                format!("it carries out: {}{other}", names.join(", "))
            }
            Self::NoService { services, .. } => format!("it hosts: {}", services.join(", ")),
            Self::Protected(_) => "choose another route; the operator protects this one".to_owned(),
            Self::NoRuntime => "call it from within a tokio runtime".to_owned(),
        }
    }
}
