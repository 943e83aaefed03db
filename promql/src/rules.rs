//! Recording and alerting rules: their file, their evaluation, the states of their alerts.

mod evaluator;
mod file;

pub use evaluator::{
    AlertState, AlertStatus, Config, Evaluator, GroupOutcome, GroupStatus, Health, Notification,
    RuleError, RuleKind, RuleStatus, Transition,
};
pub use file::{Alerting, Group, Rule, RuleFile, RuleType};
