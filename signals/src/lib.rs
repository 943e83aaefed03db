//! Where the numbers come from: one narrow trait, [`Source`], and what stands behind it.
//!
//! Callers cannot tell a real Prometheus from the embedded engine; every answer says what time it
//! speaks of. This crate judges nothing and draws nothing.
//!
//! Modules in reading order: [`source`].

pub mod source;

pub use source::{Answer, Source, SourceError};
