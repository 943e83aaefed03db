//! Tests of the dashboard: frames, charts, keys, behaviour, bytes, and a real terminal.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "helpers of tests fail by panicking, and a child speaks by printing"
)]

mod behaviour;
mod bytes;
mod chart;
mod limits;
mod pty;
mod screens;
mod support;
