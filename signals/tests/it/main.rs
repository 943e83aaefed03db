//! The tests of this crate: one binary, one module a subject.

mod exposition;
