//! Tests of the crate as its users see it.

mod explained;
mod journals;
mod live;
mod paths;
mod playbooks;
mod verdicts;
mod world;
