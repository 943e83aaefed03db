//! Tests of the dashboard: frames, charts, keys, behaviour, bytes, and a real terminal.

mod behaviour;
mod bytes;
mod chart;
mod limits;
mod pty;
mod screens;
mod support;
