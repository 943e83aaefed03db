//! Tests of the crate as its users see it.
#![expect(
    clippy::disallowed_methods,
    reason = "some tests measure, and one serves, in real time"
)]

mod explained;
mod journals;
mod live;
mod paths;
mod playbooks;
mod verdicts;
mod world;
