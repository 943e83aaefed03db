//! Runs PromQL test scripts: `script [--profile 3.5] [--experimental] [--delayed-name-removal] FILE…`

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program of the command line"
)]
#![expect(clippy::disallowed_methods, reason = "reads the files it is given")]

use std::process::ExitCode;

use promql::Profile;
use promql::script::{self, Settings};

const USAGE: &str =
    "usage: script [--profile 2.42|2.53|3.5] [--experimental] [--delayed-name-removal] FILE…";

fn main() -> ExitCode {
    let (settings, files) = match arguments(std::env::args().skip(1)) {
        Ok(parsed) => parsed,
        Err(message) => {
            eprintln!("{message}\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    let mut all_passed = true;
    for file in &files {
        all_passed &= run_file(file, settings);
    }
    ExitCode::from(u8::from(!all_passed))
}

fn arguments(mut args: impl Iterator<Item = String>) -> Result<(Settings, Vec<String>), String> {
    let mut settings = Settings::default();
    let mut files = Vec::new();
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--experimental" => settings.experimental = true,
            "--delayed-name-removal" => settings.delayed_name_removal = true,
            "--profile" => {
                settings.profile = match args.next().as_deref() {
                    Some("2.42") => Profile::V2_42,
                    Some("2.53") => Profile::V2_53,
                    Some("3.5") => Profile::V3_5,
                    other => return Err(format!("unknown profile {other:?}")),
                }
            }
            flag if flag.starts_with("--") => return Err(format!("unknown option {flag}")),
            _ => files.push(arg),
        }
    }
    if files.is_empty() {
        return Err("no file given".to_owned());
    }
    Ok((settings, files))
}

fn run_file(file: &str, settings: Settings) -> bool {
    let text = match std::fs::read_to_string(file) {
        Ok(text) => text,
        Err(error) => {
            println!("{file}: {error}");
            return false;
        }
    };
    let report = match script::run(&text, settings) {
        Ok(report) => report,
        Err(error) => {
            println!("{file}: {error}");
            return false;
        }
    };
    let why: Vec<String> = report
        .skipped
        .iter()
        .map(|(why, count)| format!("{count} × {why}"))
        .collect();
    println!(
        "{file}: {} passed, {} failed, {} skipped{}",
        report.passed,
        report.failures.len(),
        report.skipped_count(),
        if why.is_empty() {
            String::new()
        } else {
            format!(" ({})", why.join("; "))
        }
    );
    for failure in &report.failures {
        println!(
            "  line {}: {}\n    expected: {}\n    got:      {}",
            failure.line,
            failure.expression,
            failure.expected.replace('\n', "\n              "),
            failure.got.replace('\n', "\n              ")
        );
    }
    report.failures.is_empty()
}
