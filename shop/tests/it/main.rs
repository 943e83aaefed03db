//! The shop as its clients, its scraper and its parent see it: real listeners, real databases.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

mod buyer;
mod cart;
mod checkout;
mod child;
mod databases;
mod faults;
mod fulfilment;
mod idempotency;
mod lab;
mod load;
mod metrics;
mod orders;
mod otlp;
mod payments;
mod roles;
mod routes;
mod servers;
mod stock;
