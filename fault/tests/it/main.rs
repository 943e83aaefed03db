//! Tests of `fault` through its public face.
#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test fails by panicking, and measures real time where that is its point"
)]

mod audit;
mod body;
mod client;
mod control;
mod decide;
mod guard;
mod harness;
mod hooks;
mod kinds;
mod layer;
mod registry;
mod supervise;
mod token;
