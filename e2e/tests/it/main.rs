//! Tests across crates: the shape of the workspace, everything that is shipped, real servers.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests may panic as tests may; the settings except test functions only"
)]

mod attach;
mod compose;
mod dashboards;
mod metric_names;
mod metrics_live;
mod metrics_page;
mod query;
mod real_servers;
mod rules_test;
mod run_embedded;
mod screen;
mod shadow;
mod shipped_rules;
mod workspace;
