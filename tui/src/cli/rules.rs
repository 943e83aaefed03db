//! The command line of `rules`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// `rules check | …`.
#[derive(Debug, Args)]
pub struct RulesCommand {
    /// What to do.
    #[command(subcommand)]
    pub action: RulesAction,
}

/// What can be done with rules.
#[derive(Debug, Subcommand)]
pub enum RulesAction {
    /// Parse and validate rule files: every problem at once, with its place.
    Check(CheckArgs),
}

/// Flags of `rules check`.
#[derive(Debug, Args)]
pub struct CheckArgs {
    /// Rule files; `-` is stdin.
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
}
