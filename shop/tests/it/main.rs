//! The shop as its clients, its scraper and its parent see it: real listeners, real databases.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

mod api;
mod ask;
mod breaker;
mod buyer;
mod cache;
mod caller;
mod cart;
mod catalog;
mod checkout;
mod child;
mod databases;
mod faults;
mod fulfilment;
mod health;
mod idempotency;
mod lab;
mod limits;
mod load;
mod load_users;
mod load_visits;
mod metrics;
mod orders;
mod otlp;
mod outages;
mod page;
mod partners;
mod payments;
mod peers;
mod promotions;
mod receiver;
mod roles;
mod routes;
mod running;
mod servers;
mod spans;
mod stock;
mod storefront;
mod users;
mod vocabulary;
