//! Faults that are not about one request: a service's database, a load generator's arrivals.
//!
//! A hook says what is wanted now and hears of changes; whoever holds it carries that out and
//! reports what was hit, since only it knows.

mod database;
mod traffic;

pub use database::{DbStalls, Stall};
pub use traffic::{Arrival, Traffic};
