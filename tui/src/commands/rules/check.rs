//! `rules check`: rule files validated, every problem of every file at once, and linted.

use promql::lint::{self, Finding, Settings, Source};
use promql::rules::{RuleFile, RuleType};
use promql::yaml::decode::Problem;
use serde_json::{Value, json};

use super::diagnostic::Diagnostic;
use super::input::{self, Input};
use crate::cli::CheckArgs;
use crate::output;
use crate::stop::{Stop, USAGE};

/// Exit code of `--strict` when a lint finds something.
const LINTED: u8 = 3;

/// A file and what became of reading it.
struct Checked {
    name: String,
    input: Option<Input>,
    rules: Result<RuleFile, Vec<Problem>>,
}

/// Checks all files and says of each what is in it and what is wrong.
pub(crate) fn run(args: &CheckArgs) -> Result<(), Stop> {
    if args.list {
        return list(args.json);
    }
    let files: Vec<Checked> = args.files.iter().map(|path| read(path)).collect();
    let readable: Vec<&Checked> = files.iter().filter(|file| file.rules.is_ok()).collect();
    let findings = findings(&readable, args);
    if args.json {
        output::result(&document(&files, &readable, &findings).to_string())?;
    } else {
        print(&files, &readable, &findings)?;
    }
    let broken = files.len() - readable.len();
    if broken > 0 {
        return Err(Stop {
            code: USAGE,
            text: format!("{broken} of {} have errors", plural(files.len(), "file")),
        });
    }
    if args.strict && !findings.is_empty() {
        return Err(Stop {
            code: LINTED,
            text: format!("{} under --strict", plural(findings.len(), "finding")),
        });
    }
    Ok(())
}

fn read(path: &std::path::Path) -> Checked {
    let name = input::name(path);
    match input::read(path) {
        Ok(input) => Checked {
            name,
            rules: RuleFile::parse(&input.text),
            input: Some(input),
        },
        Err(message) => Checked {
            name,
            input: None,
            rules: Err(vec![Problem {
                place: promql::yaml::Place { line: 1, column: 1 },
                path: String::new(),
                message,
                help: None,
            }]),
        },
    }
}

/// Lints all files that can be read, together: a rule of one may watch over another.
fn findings(readable: &[&Checked], args: &CheckArgs) -> Vec<Finding> {
    let scrape_interval_ms = i64::try_from(args.scrape_interval.as_millis()).unwrap_or(i64::MAX);
    let sources: Vec<Source<'_>> = readable
        .iter()
        .filter_map(|file| {
            Some(Source {
                text: &file.input.as_ref()?.text,
                rules: file.rules.as_ref().ok()?,
            })
        })
        .collect();
    lint::check(&sources, Settings { scrape_interval_ms })
}

fn print(files: &[Checked], readable: &[&Checked], findings: &[Finding]) -> Result<(), Stop> {
    for finding in findings {
        if let Some(input) = readable
            .get(finding.file)
            .and_then(|file| file.input.as_ref())
        {
            output::progress(&warning(input, finding));
        }
    }
    for file in files {
        match (&file.rules, &file.input) {
            (Ok(rules), _) => {
                let number = readable.iter().position(|one| std::ptr::eq(*one, file));
                let found = findings
                    .iter()
                    .filter(|finding| Some(finding.file) == number);
                let found = match found.count() {
                    0 => String::new(),
                    count => format!("; {}", plural(count, "finding")),
                };
                output::result(&format!("{}: ok: {}{found}", file.name, counts(rules)))?;
            }
            (Err(problems), Some(input)) => {
                for problem in problems {
                    output::progress(&error(input, problem));
                }
            }
            (Err(problems), None) => {
                for problem in problems {
                    output::progress(&problem.message);
                }
            }
        }
    }
    Ok(())
}

fn warning(input: &Input, finding: &Finding) -> String {
    let message = if finding.rule.is_empty() {
        finding.message.clone()
    } else {
        format!("{}: {}", finding.rule, finding.message)
    };
    Diagnostic {
        file: &input.name,
        text: &input.text,
        place: finding.place,
        kind: &format!("warning[{}]", finding.lint),
        message: &message,
        help: Some(&finding.remedy),
    }
    .to_string()
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

/// How many groups, recording rules and alerting rules there are.
fn count(file: &RuleFile) -> (usize, usize, usize) {
    let rules = || file.groups.iter().flat_map(|group| &group.rules);
    let alerting = rules()
        .filter(|rule| matches!(rule.kind, RuleType::Alerting(_)))
        .count();
    (file.groups.len(), rules().count() - alerting, alerting)
}

fn counts(file: &RuleFile) -> String {
    let (groups, recording, alerting) = count(file);
    format!(
        "{}, {}, {}",
        plural(groups, "group"),
        plural(recording, "recording rule"),
        plural(alerting, "alerting rule")
    )
}

/// Counts in words.
pub(super) fn plural(count: usize, noun: &str) -> String {
    let s = if count == 1 { "" } else { "s" };
    format!("{count} {noun}{s}")
}

fn document(files: &[Checked], readable: &[&Checked], findings: &[Finding]) -> Value {
    let of_file = |file: &Checked| {
        let number = readable.iter().position(|one| std::ptr::eq(*one, file));
        let lints: Vec<Value> = findings
            .iter()
            .filter(|finding| Some(finding.file) == number)
            .map(|finding| {
                json!({
                    "lint": finding.lint, "line": finding.place.line, "column": finding.place.column,
                    "rule": finding.rule, "message": finding.message, "remedy": finding.remedy,
                })
            })
            .collect();
        let (groups, recording, alerting) = file.rules.as_ref().map_or((0, 0, 0), count);
        let errors: Vec<Value> = file
            .rules
            .as_ref()
            .err()
            .into_iter()
            .flatten()
            .map(|problem| {
                json!({
                    "line": problem.place.line, "column": problem.place.column,
                    "path": problem.path, "message": problem.message, "help": problem.help,
                })
            })
            .collect();
        json!({
            "file": file.name, "groups": groups, "recording_rules": recording,
            "alerting_rules": alerting, "errors": errors, "findings": lints,
        })
    };
    json!({ "files": files.iter().map(of_file).collect::<Vec<_>>() })
}

fn list(as_json: bool) -> Result<(), Stop> {
    if as_json {
        let all: Vec<Value> = lint::lints()
            .map(|lint| json!({"lint": lint.id, "finds": lint.finds}))
            .collect();
        output::result(&json!(all).to_string())?;
        return Ok(());
    }
    let width = lint::lints().map(|lint| lint.id.len()).max().unwrap_or(0);
    for lint in lint::lints() {
        output::result(&format!("{:width$}  {}", lint.id, lint.finds))?;
    }
    Ok(())
}
