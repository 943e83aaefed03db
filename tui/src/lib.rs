//! obs-tui: the command line and the dashboard.
//!
//! Holds no domain logic: playbooks are `chaos`'s, numbers are `signals`', faults are `fault`'s.
//!
//! Modules in reading order: [`cli`] (what can be asked for), [`world`] with `attach` and [`lab`]
//! (what a command works on), `commands`, [`dashboard`] (the screen) with [`live`] (which feeds
//! it), [`figure`] (one chart on paper), [`panels`], [`state`], [`output`], [`stop`].

mod attach;
pub mod cli;
mod commands;
pub mod dashboard;
pub mod figure;
pub mod lab;
pub mod live;
pub mod output;
pub mod panels;
mod run_words;
pub mod state;
pub mod stop;
pub mod world;

use std::future::Future;

use clap::CommandFactory;

use cli::{Cli, Command, DashboardArgs};
use shop::ShopError;
use stop::Stop;

/// Does what the command line asks for.
pub fn start(cli: Cli) -> Result<(), Stop> {
    match cli.command {
        // These two bring their own runtimes, as faults must not reach their control listeners,
        // and their own logs, which are part of what they are watched for.
        Some(Command::Shop(args)) => shop::run(&args).map_err(shop_stop),
        Some(Command::Load(args)) => shop::run_load(&args).map_err(shop_stop),
        command => {
            state::start_log(cli.log_file.as_deref())?;
            watch_or_break(command, cli.dashboard)
        }
    }
}

/// What was asked for wrongly is the person's to mend; everything else is the environment's.
fn shop_stop(error: ShopError) -> Stop {
    match error {
        ShopError::PeerMissing { .. }
        | ShopError::Url { .. }
        | ShopError::File { .. }
        | ShopError::Control(_)
        | ShopError::Load(_)
        | ShopError::LogFilter { .. } => Stop::usage(error),
        ShopError::TooManyErrors { .. } => Stop {
            code: 1,
            text: error.to_string(),
        },
        _ => Stop::environment(error),
    }
}

fn watch_or_break(command: Option<Command>, dashboard: DashboardArgs) -> Result<(), Stop> {
    match command {
        Some(Command::Check { playbooks, vars }) => commands::playbooks::check(&playbooks, &vars),
        Some(Command::List { json }) => commands::playbooks::list(json),
        Some(Command::Explain { playbook, vars }) => commands::playbooks::explain(&playbook, &vars),
        Some(Command::Report { journal, format }) => commands::reports::report(&journal, format),
        Some(Command::Runs { json }) => commands::reports::runs(json),
        Some(Command::Rules(command)) => commands::rules::run(command),
        Some(Command::Completions { shell }) => completions(shell),
        Some(Command::Man) => manual(),
        Some(Command::Run(args)) => block_on(commands::run::run(args)),
        Some(Command::Query(args)) => block_on(commands::query::run(args)),
        Some(Command::Fault(command)) => block_on(commands::faults::run(command)),
        Some(Command::Session(args)) => block_on(commands::session::run(args)),
        None => block_on(live::dashboard(dashboard)),
        // Served before anything else is set up.
        Some(Command::Shop(_) | Command::Load(_)) => Ok(()),
    }
}

fn block_on(work: impl Future<Output = Result<(), Stop>>) -> Result<(), Stop> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    let outcome = runtime.block_on(work);
    runtime.shutdown_timeout(std::time::Duration::from_secs(1));
    outcome
}

fn completions(shell: clap_complete::Shell) -> Result<(), Stop> {
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "obs-tui", &mut text);
    Ok(output::result(&String::from_utf8_lossy(&text))?)
}

fn manual() -> Result<(), Stop> {
    let mut text = Vec::new();
    clap_mangen::Man::new(Cli::command()).render(&mut text)?;
    Ok(output::result(&String::from_utf8_lossy(&text))?)
}
