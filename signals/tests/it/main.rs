//! The tests of this crate: one binary, one module a subject.

#![expect(clippy::unwrap_used, reason = "a failed step is a failed test")]

mod alertmanager;
mod buckets;
mod corpus;
mod credentials;
mod engine;
mod exposition;
mod hostile;
mod peers;
mod server;
mod stub;
mod target;
mod twins;
