//! The patient: a small instrumented e-commerce system, one binary with many roles, and its load
//! generator.
//!
//! It knows nothing of playbooks, drills or alerts: it takes orders, counts, logs and traces what
//! it does, and lets crate `fault` break it.
//!
//! Invariant: whatever a fault does to the business listeners, the metrics and control listeners
//! run on a runtime of their own and keep answering.
//!
//! Reading order: [`cli`] and [`config`] (what a process is to be), [`shop`] (a process from start to
//! drain), `roles` (what the shop does), `db` and [`http`] (with what), [`telemetry`] (what it tells
//! of itself), [`process`] (listeners, tokens, the parent), [`load`] (the traffic).

pub mod api;
pub mod cache;
pub mod cli;
pub mod config;
mod data;
mod db;
mod draw;
pub mod error;
pub mod hot;
pub mod http;
mod ids;
pub mod limits;
pub mod load;
mod market;
pub mod process;
mod roles;
mod secret;
pub mod shop;
mod tasks;
pub mod telemetry;

use cli::{
    LoadArgs, ShopArgs,
    tasks::{ShopCommand, Task},
};
use config::{Role, ShopConfig};
pub use error::ShopError;
use load::{Load, LoadConfig};
use process::start::Process;
pub use roles::{Access, PublicRoute, public_routes};
use shop::Shop;
use telemetry::logs::LOAD_SERVICE;

/// Serves the shop, or does what was asked instead.
///
/// Starts its own runtimes, so it must not be called from inside one.
pub fn run(command: &ShopCommand) -> Result<(), ShopError> {
    match &command.task {
        Some(task) => run_task(task),
        None => run_shop(&command.serve),
    }
}

/// Does one task on a shop's database and says what was done.
///
/// Starts its own runtime, so it must not be called from inside one.
pub fn run_task(task: &Task) -> Result<(), ShopError> {
    report(&tasks::run(task)?);
    Ok(())
}

/// Runs the shop until a signal, or until stdin closes under a parent.
///
/// Starts its own runtimes, so it must not be called from inside one.
pub fn run_shop(args: &ShopArgs) -> Result<(), ShopError> {
    let config = ShopConfig::try_from(args)?;
    if args.process.child {
        process::limit_descriptors();
    }
    let telling = args.role.0.iter().copied().filter(|role| role.tells());
    let services: Vec<&str> = telling.map(Role::name).collect();
    let process = Process::begin(&args.process, "shop", &services)?;
    let control = process.access.control.clone();
    let starting = Shop::start(config, control, &process.side);
    let shop = process.business.block_on(starting)?;
    let running = process.announce(shop.ready());
    let stopping = running.stop()?;
    running.business.block_on(async {
        stopping.cancelled().await;
        shop.shutdown().await;
    });
    running.end();
    Ok(())
}

/// Runs the load generator until its duration is over, a signal comes, or stdin closes under a
/// parent.
///
/// Starts its own runtimes, so it must not be called from inside one.
pub fn run_load(args: &LoadArgs) -> Result<(), ShopError> {
    let config = LoadConfig::try_from(args)?;
    let process = Process::begin(&args.process, LOAD_SERVICE, &[LOAD_SERVICE])?;
    let control = process.access.control.clone();
    let load = process
        .business
        .block_on(Load::start(config, control, &process.side))?;
    let running = process.announce(load.ready());
    let stopping = running.stop()?;
    let summary = running.business.block_on(load.run(stopping));
    tracing::info!(%summary, "load finished");
    running.end();
    load::report::publish(args, &summary)
}

/// Writes an error for the person who started the program to stderr.
#[expect(
    clippy::print_stderr,
    reason = "the one place where this crate speaks to a person"
)]
pub fn complain(error: &ShopError) {
    eprintln!("shop: {error}");
}

/// Writes what was done for the person who asked to stdout.
#[expect(clippy::print_stdout, reason = "the result of a task is its output")]
fn report(done: &str) {
    println!("{done}");
}
