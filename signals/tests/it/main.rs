//! The tests of this crate: one binary, one module a subject.

#![expect(clippy::unwrap_used, reason = "a failed step is a failed test")]

mod buckets;
mod exposition;
mod server;
mod stub;
