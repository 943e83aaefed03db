//! The shop as its clients, its scraper and its parent see it: real listeners, real databases.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

mod ask;
mod breaker;
mod catalog;
mod child;
mod databases;
mod faults;
mod lab;
mod load;
mod metrics;
mod otlp;
mod partners;
mod promotions;
mod roles;
mod routes;
mod servers;
mod stock;
