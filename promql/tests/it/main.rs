//! Tests of the crate from outside.

#![expect(
    clippy::disallowed_methods,
    reason = "tests read scripts and run the real promtool"
)]

mod promtool;
mod rules;
mod scripts;
