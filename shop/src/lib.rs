//! The patient: a small instrumented e-commerce system, one binary with many roles, and its load
//! generator.
//!
//! It knows nothing of playbooks, drills or alerts: it takes orders, counts, logs and traces what
//! it does, and lets crate `fault` break it.
//!
//! Invariant: whatever a fault does to the business listeners, the metrics and control listeners
//! run on a runtime of their own and keep answering.
//!
//! Reading order: [`cli`] and [`config`] (what a process is to be), [`http`] (what every role does
//! with HTTP), [`load`] (the traffic).

pub mod cli;
pub mod config;
mod draw;
pub mod error;
pub mod http;
pub mod load;

use cli::{LoadArgs, ShopArgs};
use config::ShopConfig;
pub use error::ShopError;

/// Runs the shop until a signal, or until stdin closes under a parent.
///
/// Starts its own runtimes, so it must not be called from inside one.
pub fn run_shop(args: &ShopArgs) -> Result<(), ShopError> {
    let _config = ShopConfig::try_from(args)?;
    Ok(())
}

/// Runs the load generator until its duration is over, a signal comes, or stdin closes under a
/// parent.
///
/// Starts its own runtimes, so it must not be called from inside one.
pub fn run_load(_args: &LoadArgs) -> Result<(), ShopError> {
    Ok(())
}

/// Writes an error for the person who started the program to stderr.
#[expect(
    clippy::print_stderr,
    reason = "the one place where this crate speaks to a person"
)]
pub fn complain(error: &ShopError) {
    eprintln!("shop: {error}");
}
