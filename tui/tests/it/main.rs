//! Tests of the dashboard: frames, charts, keys, behaviour, bytes, and a real terminal; and of the
//! commands that work on rules.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "helpers of tests fail by panicking, and a child speaks by printing"
)]

mod behaviour;
mod bytes;
mod chart;
mod figure;
mod limits;
mod pty;
mod rules;
mod screens;
mod session;
mod support;
