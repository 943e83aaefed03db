//! What a control API allows, whoever asks.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::kinds::{Fault, FaultKind};
use crate::model::{ArmRequest, FieldError, Share};

/// What a control API allows, whoever asks; an absent cap allows everything.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Caps {
    /// The longest wait of a latency fault, in milliseconds.
    pub max_latency_ms: Option<u64>,
    /// The largest share.
    pub max_share: Option<Share>,
    /// The longest `for`, in milliseconds.
    pub max_duration_ms: Option<u64>,
    /// The names of the kinds that are allowed.
    pub kinds: Option<Vec<String>>,
    /// Route templates that no fault touches.
    #[serde(default)]
    pub protected_routes: Vec<String>,
}

impl Caps {
    /// Returns the names of the caps that are missing to be safe beyond loopback.
    pub fn missing(&self) -> Vec<&'static str> {
        let given = [
            ("max latency", self.max_latency_ms.is_some()),
            ("max share", self.max_share.is_some()),
            ("max duration", self.max_duration_ms.is_some()),
            (
                "allowed kinds",
                self.kinds.as_ref().is_some_and(|kinds| !kinds.is_empty()),
            ),
        ];
        given
            .iter()
            .filter(|(_, given)| !given)
            .map(|(name, _)| *name)
            .collect()
    }

    /// Says whether a kind is allowed.
    pub fn allows(&self, kind: FaultKind) -> bool {
        self.kinds
            .as_ref()
            .is_none_or(|kinds| kinds.iter().any(|own| own == kind.name()))
    }

    /// Returns what of a request goes beyond the caps.
    pub fn exceeded(&self, request: &ArmRequest) -> Vec<FieldError> {
        let mut over = Vec::new();
        let mut refuse = |field: &str, message: String| {
            let help = Some("the operator of the target sets this limit".to_owned());
            over.push(FieldError {
                field: field.to_owned(),
                message,
                help,
            });
        };
        let body = &request.fault;
        if !self.allows(body.kind()) {
            refuse(
                "fault.kind",
                format!("`{}` faults are not allowed here", body.kind()),
            );
        }
        if let Some(limit) = self.max_share {
            let from = body.ramp.map_or(Share::NONE, |ramp| ramp.from);
            if body.fault.applies().share || body.kind() == FaultKind::DbStall {
                for (field, share) in [("fault.share", body.share), ("fault.ramp.from", from)] {
                    if share > limit {
                        refuse(
                            field,
                            format!("{share} is more than the {limit} allowed here"),
                        );
                    }
                }
            }
        }
        if let Some(limit) = self.max_latency_ms.map(Duration::from_millis)
            && let Fault::Latency(latency) = &body.fault
            && latency.ceiling() > limit
        {
            let (may, limit) = (text(latency.ceiling()), text(limit));
            refuse(
                "fault.delay",
                format!("may reach {may}, more than the {limit} allowed here"),
            );
        }
        if let Some(limit) = self.max_duration_ms.map(Duration::from_millis)
            && request.duration > limit
        {
            refuse(
                "for",
                format!("is more than the {} allowed here", text(limit)),
            );
        }
        over
    }
}

fn text(duration: Duration) -> String {
    humantime::format_duration(duration).to_string()
}
