//! Time to detect, split: fault start → metric moves → pending → firing → resolved.

use serde::{Deserialize, Serialize};

/// The moments of one expected alert, milliseconds since the epoch. What did not happen is absent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Detection {
    /// The expectation as text, such as `PaymentFailureRateHigh{severity="critical"}`.
    pub alert: String,
    /// From when on it is counted: the first fault's start, or the start of the `after` step.
    pub origin_ms: i64,
    /// The first sample at which a probe of the steady state leaves its tolerance; where none does
    /// before the alert is pending, the pending moment itself.
    pub moves_ms: Option<i64>,
    /// The probe that left its tolerance first.
    pub moved_probe: Option<String>,
    /// The alert's condition holds.
    pub pending_ms: Option<i64>,
    /// The alert fires.
    pub firing_ms: Option<i64>,
    /// The end of the last fault.
    pub withdrawn_ms: Option<i64>,
    /// The alert is gone.
    pub resolved_ms: Option<i64>,
}

impl Detection {
    /// Returns the time from origin to firing in milliseconds.
    pub fn time_to_detect_ms(&self) -> Option<i64> {
        Some(self.firing_ms? - self.origin_ms)
    }

    /// Returns the time from the end of the faults until the alert is gone; negative when it went
    /// away before.
    pub fn time_to_resolve_ms(&self) -> Option<i64> {
        Some(self.resolved_ms? - self.withdrawn_ms?)
    }

    /// Returns the legs from origin to firing: metric moves, pending, firing, in milliseconds.
    pub fn legs_ms(&self) -> [Option<i64>; 3] {
        let leg = |to: Option<i64>, from: Option<i64>| Some(to? - from?);
        [
            leg(self.moves_ms, Some(self.origin_ms)),
            leg(self.pending_ms, self.moves_ms),
            leg(self.firing_ms, self.pending_ms),
        ]
    }
}
