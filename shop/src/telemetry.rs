//! What the process tells about itself: metrics, logs and traces.
//!
//! One registry a process; every role takes its handles from it at the start, so that counting a
//! request is a few atomic additions and no lookup by label text. Label values come from closed
//! sets. Reading order: [`catalogue`] (every metric), [`metrics`] (the registry), its instruments in `http_metrics`,
//! `db_metrics`, `business` and `process`, [`exposition`] (what a scrape gets), [`vocabulary`] (the
//! names of others), [`logs`], [`traces`].

pub(crate) mod business;
pub(crate) mod cache_metrics;
pub mod catalogue;
pub(crate) mod db_metrics;
pub mod exposition;
pub(crate) mod external;
pub(crate) mod faults;
pub(crate) mod http_metrics;
pub mod logs;
pub(crate) mod losses;
pub mod metrics;
pub(crate) mod otlp;
pub(crate) mod process;
pub(crate) mod propagation;
pub(crate) mod push;
pub(crate) mod security_metrics;
pub(crate) mod stock;
pub mod traces;
mod translate;
pub(crate) mod user_metrics;
pub mod vocabulary;
