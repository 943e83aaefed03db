//! The HTTP API that arms and withdraws faults, and the rules for who may use it.
//!
//! Serve it on a listener of its own, best on a runtime of its own, so that withdrawing works while
//! the service is broken. `GET /faults`, `PUT /faults/{id}`, `POST /faults/{id}/renew`,
//! `DELETE /faults/{id}`, `DELETE /faults`; everything needs the token.

mod asked;
mod caps;
mod config;
mod guard;
mod problem;
mod routes;

pub use caps::Caps;
pub use config::{ControlConfig, ControlConfigError};
pub use problem::Problem;
pub use routes::{router, router_with};
