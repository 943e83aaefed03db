//! Tests of the crate from outside.

#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "tests read scripts, run the real promtool, and may say so"
)]

mod alert_model;
mod corpus;
mod hostile;
mod limits;
mod lint;
mod notations;
mod promtool;
mod properties;
mod rule_lifecycle;
mod rules;
mod scale;
mod scripts;
mod steps;
mod store;
mod templates;
mod unit_test;
mod windows;
