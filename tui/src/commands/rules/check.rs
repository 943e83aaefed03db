//! `rules check`: rule files validated, every problem of every file at once.

use promql::rules::{RuleFile, RuleType};
use promql::yaml::decode::Problem;

use super::diagnostic::Diagnostic;
use super::input::{self, Input};
use crate::cli::CheckArgs;
use crate::output;
use crate::stop::{Stop, USAGE};

/// Checks all files and says of each what is in it or what is wrong.
pub(crate) fn run(args: &CheckArgs) -> Result<(), Stop> {
    let mut failures = 0;
    for path in &args.files {
        let input = match input::read(path) {
            Ok(input) => input,
            Err(message) => {
                output::progress(&message);
                failures += 1;
                continue;
            }
        };
        match RuleFile::parse(&input.text) {
            Ok(file) => output::result(&format!("{}: {}", input.name, counts(&file)))?,
            Err(problems) => {
                failures += 1;
                for problem in &problems {
                    output::progress(&error(&input, problem));
                }
            }
        }
    }
    match failures {
        0 => Ok(()),
        failures => Err(Stop {
            code: USAGE,
            text: format!("{failures} of {} files have errors", args.files.len()),
        }),
    }
}

/// Shows what is wrong with a file.
pub(super) fn error(input: &Input, problem: &Problem) -> String {
    let message = if problem.path.is_empty() {
        problem.message.clone()
    } else {
        format!("{}: {}", problem.path, problem.message)
    };
    Diagnostic {
        file: &input.name,
        text: &input.text,
        place: problem.place,
        kind: "error",
        message: &message,
        help: problem.help.as_deref(),
    }
    .to_string()
}

fn counts(file: &RuleFile) -> String {
    let rules = || file.groups.iter().flat_map(|group| &group.rules);
    let alerting = rules()
        .filter(|rule| matches!(rule.kind, RuleType::Alerting(_)))
        .count();
    let recording = rules().count() - alerting;
    format!(
        "ok: {}, {}, {}",
        plural(file.groups.len(), "group"),
        plural(recording, "recording rule"),
        plural(alerting, "alerting rule")
    )
}

/// Counts in words.
pub(super) fn plural(count: usize, noun: &str) -> String {
    let s = if count == 1 { "" } else { "s" };
    format!("{count} {noun}{s}")
}
