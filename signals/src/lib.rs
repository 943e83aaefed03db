//! Where the numbers come from: one narrow trait, [`Source`], and what stands behind it.
//!
//! Callers cannot tell a real Prometheus from the embedded engine; every answer says what time it
//! speaks of. This crate judges nothing and draws nothing.
//!
//! Invariant: text that came from a server has lost its control characters before it leaves here.
//!
//! Modules in reading order: [`source`], [`connect`], [`prometheus`], [`exposition`], [`embedded`],
//! [`alertmanager`], [`webhook`], [`buckets`], [`clock`], [`clean`].

pub mod alertmanager;
pub mod buckets;
pub mod clean;
pub mod clock;
pub mod connect;
pub mod embedded;
pub mod exposition;
pub mod prometheus;
pub mod source;
mod times;
pub mod webhook;

pub use alertmanager::Alertmanager;
pub use clock::Clock;
pub use connect::{ConnectError, Connection};
pub use embedded::{Embedded, EmbeddedConfig, TargetSpec};
pub use prometheus::{Prometheus, PrometheusConfig};
pub use source::{Answer, Source, SourceError};
