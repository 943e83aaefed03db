//! From text to commands.

use std::collections::HashMap;

use super::ScriptError;
use super::expectation::{Annotation, Expectation, Row, Text};
use super::series::{self, Notation, SeriesError};
use crate::duration;
use crate::labels::Labels;

/// One command of a script.
#[derive(Debug)]
pub(super) enum Command {
    Clear,
    Load {
        step_ms: i64,
        series: Vec<Notation>,
        /// Series left out because they hold native histograms.
        native: Vec<Labels>,
        /// The load itself needs native histograms (`load_with_nhcb`).
        converts: bool,
    },
    Eval(Eval),
}

#[derive(Debug)]
pub(super) struct Eval {
    pub(super) line: usize,
    pub(super) expression: String,
    pub(super) when: When,
    pub(super) expectation: Expectation,
}

#[derive(Debug, Clone, Copy)]
pub(super) enum When {
    At(i64),
    Range {
        start_ms: i64,
        end_ms: i64,
        step_ms: i64,
    },
}

/// Most samples that all lines of a script may describe together.
const MAX_SAMPLES: usize = 5_000_000;

struct Lines<'t> {
    all: Vec<(usize, &'t str)>,
    at: usize,
    samples: usize,
}

type Result<T> = std::result::Result<T, ScriptError>;

fn fail<T>(line: usize, message: impl Into<String>) -> Result<T> {
    Err(ScriptError {
        line,
        message: message.into(),
    })
}

pub(super) fn parse(text: &str) -> Result<Vec<Command>> {
    let lines = text
        .lines()
        .enumerate()
        .map(|(index, line)| (index + 1, line.trim()))
        // A comment ends a block, as an empty line does.
        .map(|(number, line)| (number, if line.starts_with('#') { "" } else { line }))
        .collect();
    let mut lines = Lines {
        all: lines,
        at: 0,
        samples: 0,
    };
    let mut commands = Vec::new();
    while let Some((number, line)) = lines.next() {
        let word = line.split_whitespace().next().unwrap_or_default();
        match word {
            "" => {}
            "clear" => commands.push(Command::Clear),
            "load" | "load_with_nhcb" => commands.push(load(number, line, &mut lines)?),
            word if word.starts_with("eval") => commands.push(eval(number, line, &mut lines)?),
            other => return fail(number, format!("unknown command `{other}`")),
        }
    }
    Ok(commands)
}

impl<'t> Lines<'t> {
    fn next(&mut self) -> Option<(usize, &'t str)> {
        let line = self.all.get(self.at).copied();
        self.at += 1;
        line
    }

    /// Reads a line of labels and samples.
    fn series(&mut self, line: &str) -> std::result::Result<Notation, SeriesError> {
        let notation = series::parse(line)?;
        self.samples += notation.samples.len();
        if self.samples > MAX_SAMPLES {
            return Err(SeriesError::Syntax(format!(
                "the script has more than {MAX_SAMPLES} samples"
            )));
        }
        Ok(notation)
    }

    /// Returns the lines up to the next blank one.
    fn block(&mut self) -> Vec<(usize, &'t str)> {
        let mut block = Vec::new();
        while let Some((number, line)) = self.next() {
            if line.is_empty() {
                break;
            }
            block.push((number, line));
        }
        block
    }
}

fn load(number: usize, line: &str, lines: &mut Lines<'_>) -> Result<Command> {
    let (word, step) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
    let step_ms = time(number, step.trim())?;
    let mut series = Vec::new();
    let mut native = Vec::new();
    let mut known = HashMap::new();
    for (number, line) in lines.block() {
        match lines.series(line) {
            Ok(notation) => {
                // Of two lines for one series the last counts.
                let at = *known.entry(notation.labels.clone()).or_insert(series.len());
                if at == series.len() {
                    series.push(notation);
                } else {
                    series[at] = notation;
                }
            }
            Err(SeriesError::NativeHistogram) => match series::parse_labels(line) {
                Ok((labels, _)) => native.push(labels),
                Err(error) => return fail(number, error.to_string()),
            },
            Err(error) => return fail(number, error.to_string()),
        }
    }
    Ok(Command::Load {
        step_ms,
        series,
        native,
        converts: word != "load",
    })
}

fn eval(number: usize, line: &str, lines: &mut Lines<'_>) -> Result<Command> {
    let (verb, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
    let mut expectation = Expectation::default();
    match verb {
        "eval" => {}
        "eval_fail" => expectation.fails = Some(Text::Any),
        "eval_warn" => expectation.warnings.push(Annotation::Some(Text::Any)),
        "eval_info" => expectation.infos.push(Annotation::Some(Text::Any)),
        "eval_ordered" => expectation.ordered = true,
        other => return fail(number, format!("unknown command `{other}`")),
    }
    let (when, expression) = when(number, rest.trim())?;
    for (number, line) in lines.block() {
        expected_line(number, line, lines, &mut expectation)?;
    }
    Ok(Command::Eval(Eval {
        line: number,
        expression: expression.to_owned(),
        when,
        expectation,
    }))
}

fn when(number: usize, text: &str) -> Result<(When, &str)> {
    let mut rest = text;
    let mut word = || {
        let trimmed = rest.trim_start();
        let end = trimmed.find(char::is_whitespace).unwrap_or(trimmed.len());
        rest = &trimmed[end..];
        &trimmed[..end]
    };
    match (word(), word()) {
        ("instant", "at") => {
            let at = word();
            Ok((When::At(time(number, at)?), rest.trim()))
        }
        ("range", "from") => {
            let start = word();
            let _to = word();
            let end = word();
            let _step = word();
            let step = word();
            let range = When::Range {
                start_ms: time(number, start)?,
                end_ms: time(number, end)?,
                step_ms: time(number, step)?,
            };
            Ok((range, rest.trim()))
        }
        _ => fail(
            number,
            "expected `instant at …` or `range from … to … step …`",
        ),
    }
}

fn expected_line(
    number: usize,
    line: &str,
    lines: &mut Lines<'_>,
    expectation: &mut Expectation,
) -> Result<()> {
    if let Some(message) = line.strip_prefix("expected_fail_message") {
        expectation.fails = Some(Text::Exactly(message.trim().to_owned()));
        return Ok(());
    }
    if let Some(pattern) = line.strip_prefix("expected_fail_regexp") {
        expectation.fails = Some(Text::Matching(pattern.trim().to_owned()));
        return Ok(());
    }
    if let Some(rest) = line.strip_prefix("expect ") {
        return expect(number, rest.trim(), expectation);
    }
    if let Ok(value) = series::number(line) {
        expectation.scalar = Some(value);
        return Ok(());
    }
    match lines.series(line) {
        Ok(notation) => {
            expectation.rows.push(Row {
                labels: notation.labels,
                samples: notation.samples,
            });
            Ok(())
        }
        Err(SeriesError::NativeHistogram) => {
            expectation.native = true;
            Ok(())
        }
        Err(error) => fail(number, error.to_string()),
    }
}

fn expect(number: usize, text: &str, expectation: &mut Expectation) -> Result<()> {
    let (word, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    let what = |rest: &str| {
        let rest = rest.trim();
        if let Some(message) = rest.strip_prefix("msg:") {
            Text::Exactly(message.trim().to_owned())
        } else if let Some(pattern) = rest.strip_prefix("regex:") {
            Text::Matching(pattern.trim().to_owned())
        } else {
            Text::Any
        }
    };
    match word {
        "fail" => expectation.fails = Some(what(rest)),
        "warn" => expectation.warnings.push(Annotation::Some(what(rest))),
        "info" => expectation.infos.push(Annotation::Some(what(rest))),
        "no_warn" => expectation.warnings.push(Annotation::None),
        "no_info" => expectation.infos.push(Annotation::None),
        "ordered" => expectation.ordered = true,
        "string" => match series::parse_string(rest.trim()) {
            Ok((text, _)) => expectation.string = Some(text),
            Err(error) => return fail(number, error.to_string()),
        },
        "range" => {
            let words: Vec<&str> = rest.split_whitespace().collect();
            let ["vector", "from", start, "to", _, "step", step] = words[..] else {
                return fail(number, "expected `range vector from … to … step …`");
            };
            expectation.range = Some((time(number, start)?, time(number, step)?));
        }
        other => return fail(number, format!("unknown expectation `{other}`")),
    }
    Ok(())
}

/// Parses a time or step: a duration, or seconds as a number.
fn time(number: usize, text: &str) -> Result<i64> {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text),
    };
    if let Ok(duration_ms) = duration::parse_ms(digits) {
        return Ok(sign * duration_ms);
    }
    match digits.parse::<f64>() {
        Ok(seconds) if seconds.is_finite() && seconds.abs() < 1e12 => {
            Ok(sign * (seconds * 1000.0).round() as i64)
        }
        _ => fail(number, format!("`{text}` is not a duration")),
    }
}
