//! What each fuzz target does with its input.
//!
//! The tests of `promql` and `signals` include these files and run them over the committed corpus,
//! so that a stable toolchain holds what the fuzzer found.

pub mod exposition;
pub mod expression;
pub mod fixture;
pub mod rule_file;
pub mod script;
pub mod template;
pub mod unit_test;
