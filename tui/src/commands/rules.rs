//! `rules …`: what can be done with rule files, one file for each action.
//!
//! `input` reads the files, `diagnostic` shows a place in one of them.

mod check;
mod diagnostic;
mod input;
mod scale;
mod test;

use crate::cli::{RulesAction, RulesCommand};
use crate::stop::Stop;

/// Does what is asked.
pub(crate) fn run(command: RulesCommand) -> Result<(), Stop> {
    match command.action {
        RulesAction::Check(args) => check::run(&args),
        RulesAction::Scale(args) => scale::run(&args),
        RulesAction::Test(args) => test::run(&args),
    }
}
