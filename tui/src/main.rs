//! The program: parses, decides, calls one function.

use std::process::ExitCode;

use clap::Parser;
use tui::cli::Cli;
use tui::output;

fn main() -> ExitCode {
    match tui::start(Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(stop) => {
            if !stop.text.is_empty() {
                output::progress(&format!("obs-tui: {}", stop.text));
            }
            ExitCode::from(stop.code)
        }
    }
}
