//! `shop`: the patient on its own, and `shop load`, its traffic.

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use shop::cli::{LoadArgs, ShopArgs, tasks::Task};

/// An instrumented e-commerce system to break on purpose.
#[derive(Debug, Parser)]
#[command(name = "shop", version, args_conflicts_with_subcommands = true)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    serve: ShopArgs,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Send synthetic traffic to a shop
    Load(Box<LoadArgs>),
    #[command(flatten)]
    Task(Task),
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let outcome = match cli.command {
        Some(Command::Load(args)) => shop::run_load(&args),
        Some(Command::Task(task)) => shop::run_task(&task),
        None => shop::run_shop(&cli.serve),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            shop::complain(&error);
            ExitCode::FAILURE
        }
    }
}
