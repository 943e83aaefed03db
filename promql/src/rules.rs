//! Recording and alerting rules: their file, their evaluation, the states of their alerts.
//!
//! Files in reading order: `file` is what a rule file says, `evaluator` runs groups against a
//! store, `alerts` is the state machine, `template` expands labels and annotations, `status` is
//! what callers see.

mod alerts;
mod evaluator;
mod file;
mod status;
pub(crate) mod template;

pub(crate) use evaluator::Redo;
pub use evaluator::{Config, Evaluator, Restore};
pub use file::{Alerting, Group, GroupSpots, Rule, RuleFile, RuleSpots, RuleType};
pub use status::{
    AlertState, AlertStatus, GroupOutcome, GroupStatus, Health, Notification, RuleError, RuleKind,
    RuleStatus, Transition,
};
pub use template::{Template, TemplateError};
