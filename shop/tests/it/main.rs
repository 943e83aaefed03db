//! The shop as its clients, its scraper and its parent see it: real listeners, real databases.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

mod child;
mod databases;
mod faults;
mod health;
mod lab;
mod load;
mod metrics;
mod otlp;
mod receiver;
mod roles;
mod routes;
mod running;
mod servers;
mod stock;
mod vocabulary;
