//! One alert, from evaluation to evaluation.

use super::super::status::{AlertState, AlertStatus};
use crate::labels::Labels;

const RESOLVED_RETENTION_MS: i64 = 15 * 60 * 1000;

#[derive(Debug)]
pub(super) struct Alert {
    pub(super) annotations: Vec<(String, String)>,
    pub(super) value: f64,
    pub(super) active_at_ms: i64,
    pub(super) phase: Phase,
    pub(super) last_sent_ms: Option<i64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    Pending,
    Firing {
        since_ms: i64,
        /// First evaluation without an element, while `keep_firing_for` holds the alert.
        kept_since_ms: Option<i64>,
    },
    Resolved {
        since_ms: i64,
        at_ms: i64,
    },
}

impl Phase {
    pub(super) fn state(self) -> AlertState {
        match self {
            Self::Pending => AlertState::Pending,
            Self::Firing { .. } => AlertState::Firing,
            Self::Resolved { .. } => AlertState::Inactive,
        }
    }
}

impl Alert {
    /// The expression has the element.
    pub(super) fn hold(&mut self, t_ms: i64, for_ms: i64) {
        match &mut self.phase {
            Phase::Pending if t_ms - self.active_at_ms >= for_ms => {
                self.phase = Phase::Firing {
                    since_ms: t_ms,
                    kept_since_ms: None,
                };
            }
            Phase::Firing { kept_since_ms, .. } => *kept_since_ms = None,
            Phase::Pending | Phase::Resolved { .. } => {}
        }
    }

    /// The expression has no such element; says whether the alert is still to be remembered.
    pub(super) fn fade(&mut self, t_ms: i64, keep_firing_for_ms: i64) -> bool {
        match self.phase {
            Phase::Pending => false,
            Phase::Resolved { at_ms, .. } => t_ms - at_ms <= RESOLVED_RETENTION_MS,
            Phase::Firing {
                since_ms,
                kept_since_ms,
            } => {
                let kept_since = kept_since_ms.unwrap_or(t_ms);
                self.phase = if keep_firing_for_ms > 0 && t_ms - kept_since < keep_firing_for_ms {
                    Phase::Firing {
                        since_ms,
                        kept_since_ms: Some(kept_since),
                    }
                } else {
                    Phase::Resolved {
                        since_ms,
                        at_ms: t_ms,
                    }
                };
                true
            }
        }
    }

    pub(super) fn status(&self, labels: &Labels) -> AlertStatus {
        let (fired_at_ms, keep_firing_since_ms, resolved_at_ms) = match self.phase {
            Phase::Pending => (None, None, None),
            Phase::Firing {
                since_ms,
                kept_since_ms,
            } => (Some(since_ms), kept_since_ms, None),
            Phase::Resolved { since_ms, at_ms } => (Some(since_ms), None, Some(at_ms)),
        };
        AlertStatus {
            labels: labels.clone(),
            annotations: self.annotations.clone(),
            state: self.phase.state(),
            active_at_ms: self.active_at_ms,
            fired_at_ms,
            resolved_at_ms,
            keep_firing_since_ms,
            value: self.value,
        }
    }
}
