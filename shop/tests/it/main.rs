//! The shop as its clients, its scraper and its parent see it: real listeners, real databases.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

mod cache;
mod caller;
mod child;
mod databases;
mod faults;
mod lab;
mod limits;
mod load;
mod metrics;
mod otlp;
mod roles;
mod routes;
mod servers;
mod stock;
mod storefront;
mod users;
