//! A small Prometheus in memory: store, query, rules, alert states.
//!
//! It knows no HTTP and no files, has no clock and draws no randomness: time, samples and texts
//! are arguments. Invariant: same input, same output, and no input panics.
//!
//! Modules in reading order: [`labels`], [`value`], [`duration`], [`store`], [`query`],
//! [`engine`], [`rules`], [`lint`], [`scale`], [`yaml`], [`script`], [`unit_test`].

mod date;
pub mod duration;
pub mod engine;
mod functions;
pub mod labels;
pub mod lint;
pub mod query;
pub mod rules;
pub mod scale;
pub mod script;
pub mod store;
mod sum;
pub mod unit_test;
pub mod value;
pub mod yaml;

pub use engine::{Engine, Evaluated, Notes, Options, Profile, QueryError};
pub use functions::function_names;
pub use labels::Labels;
pub use query::{Dialect, ParseError, Query};
pub use store::{AppendError, Store};
