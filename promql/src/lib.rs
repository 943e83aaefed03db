//! A small Prometheus in memory: store, query, rules, alert states.
//!
//! It knows no HTTP and no files, has no clock and draws no randomness: time, samples and texts
//! are arguments. Invariant: same input, same output, and no input panics.
//!
//! Modules in reading order: [`labels`], [`value`], [`yaml`].

pub mod labels;
pub mod value;
pub mod yaml;
