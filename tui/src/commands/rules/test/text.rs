//! What failed, for people.

use std::fmt::Write as _;

use chaos::report::Style;
use chaos::sanitise;
use promql::duration::format_ms;
use promql::unit_test::{Asked, Difference, EndedSeries, Failure, Field, FieldPair, Side};

use super::{Outcome, TestOutcome};

/// Most differences of one assertion that are shown.
const MAX_SHOWN: usize = 20;

/// Returns how a file went: what failed, and a line that counts.
pub(super) fn outcome(file: &Outcome, style: Style) -> String {
    let mut out = String::new();
    for test in &file.tests {
        for failure in &test.report.failures {
            let _ = writeln!(out, "{}", self::failure(&file.name, test, failure, style));
        }
    }
    if !file.invalid.is_empty() {
        let _ = write!(out, "{}: {}", file.name, red("not run", style));
        return out;
    }
    let failed = file.failed_tests();
    let assertions: usize = file.tests.iter().map(|test| test.assertions).sum();
    let passed: usize = file.tests.iter().map(|test| test.report.passed).sum();
    let unreached: usize = file.tests.iter().map(|test| test.report.unreached).sum();
    if failed == 0 {
        let _ = write!(
            out,
            "{}: {}: {}, {}",
            file.name,
            green("ok", style),
            plural(file.tests.len(), "test"),
            plural(assertions, "assertion")
        );
        return out;
    }
    let _ = write!(
        out,
        "{}: {}: {failed} of {}; {passed} of {} hold",
        file.name,
        red("failed", style),
        plural(file.tests.len(), "test"),
        plural(assertions, "assertion")
    );
    if unreached > 0 {
        let _ = write!(out, ", {unreached} were not reached");
    }
    out
}

/// Returns one failure: where, what was asked when, and what differs.
pub(super) fn failure(file: &str, test: &TestOutcome, failure: &Failure, style: Style) -> String {
    let mut out = format!("{file}:{}: {}: ", failure.place, red("failed", style));
    let at = format_ms(failure.eval_time_ms);
    let title = format!("\n  test: {}", line(&test.title));
    match &failure.asked {
        Asked::Load { message } => {
            let _ = write!(
                out,
                "series at {at} cannot be loaded: {}{title}",
                line(message)
            );
        }
        Asked::Rule {
            group,
            rule,
            message,
        } => {
            let _ = write!(
                out,
                "rule {} of group {} at {at}: {}{title}\n  the test ends here: {} not reached",
                line(rule),
                line(group),
                line(message),
                plural(test.report.unreached, "assertion")
            );
        }
        Asked::Query { expr, message } => {
            let _ = write!(
                out,
                "expression at {at}: {}{title}\n  expr: {}",
                line(message),
                line(expr)
            );
        }
        Asked::Alerts {
            alertname,
            state,
            counts,
            differences,
        } => {
            let what = format!("{state} alert");
            let _ = write!(
                out,
                "{} at {at}: {}{title}",
                line(alertname),
                said(&what, *counts)
            );
            write_differences(&mut out, differences, style);
        }
        Asked::Expr {
            expr,
            counts,
            differences,
        } => {
            let _ = write!(
                out,
                "expression at {at}: {}{title}\n  expr: {}",
                said("element", *counts),
                line(expr)
            );
            write_differences(&mut out, differences, style);
        }
        Asked::Data { what, ended } => write_ended(&mut out, what, &at, &title, ended),
    }
    out
}

fn write_ended(out: &mut String, what: &str, at: &str, title: &str, ended: &[EndedSeries]) {
    let _ = write!(
        out,
        "{} at {at} needs series that have ended{title}",
        line(what)
    );
    for series in ended.iter().take(MAX_SHOWN) {
        let _ = write!(
            out,
            "\n  line {}: {} ends at {}, needed until {}",
            series.place.line,
            line(&series.labels.to_string()),
            format_ms(series.ended_ms),
            format_ms(series.needed_ms)
        );
    }
    write_rest(out, ended.len());
    out.push_str(
        "\n  help: give the series more samples, or end it on purpose with `stale` or `_`",
    );
}

fn said(what: &str, (expected, got): (usize, usize)) -> String {
    if expected == got {
        return format!("{} as expected, but not the same", plural(got, what));
    }
    format!("expected {}, got {got}", plural(expected, what))
}

fn write_differences(out: &mut String, differences: &[Difference], style: Style) {
    for difference in differences.iter().take(MAX_SHOWN) {
        write_difference(out, difference, style);
    }
    write_rest(out, differences.len());
}

fn write_rest(out: &mut String, count: usize) {
    if count > MAX_SHOWN {
        let _ = write!(out, "\n  … and {} more", count - MAX_SHOWN);
    }
}

fn write_difference(out: &mut String, difference: &Difference, style: Style) {
    let place = difference
        .place
        .map_or(String::new(), |place| format!("line {}: ", place.line));
    match difference.side {
        Side::Missing => {
            let text = format!("- expected, but not there: {}", element(difference, true));
            let _ = write!(out, "\n  {place}{}", green(&text, style));
            write_annotations(out, difference, true);
        }
        Side::Unexpected => {
            let text = format!("+ there, but not expected: {}", element(difference, false));
            let _ = write!(out, "\n  {}", red(&text, style));
            write_annotations(out, difference, false);
        }
        Side::Changed => {
            let _ = write!(out, "\n  {place}~ otherwise: {}", element(difference, true));
            for pair in difference.fields.iter().filter(|pair| pair.differs) {
                write_pair(out, pair, style);
            }
        }
    }
    if let Some(note) = difference.note {
        let _ = write!(out, "\n      help: {note}");
    }
}

/// Returns labels and value of one side.
fn element(difference: &Difference, expected: bool) -> String {
    let side = |pair: &FieldPair| if expected { &pair.expected } else { &pair.got }.clone();
    let (mut name, mut labels, mut value) = (String::new(), Vec::new(), String::new());
    for pair in &difference.fields {
        let Some(text) = side(pair) else { continue };
        match &pair.field {
            Field::Label(label) if label == "__name__" => name = text,
            Field::Label(label) => labels.push(format!("{label}={text:?}")),
            Field::Value if difference.side == Side::Changed => {}
            Field::Value => value = format!(" {text}"),
            Field::Annotation(_) => {}
        }
    }
    let text = format!("{name}{{{}}}{value}", labels.join(", "));
    line(&text)
}

fn write_annotations(out: &mut String, difference: &Difference, expected: bool) {
    for pair in &difference.fields {
        let side = if expected { &pair.expected } else { &pair.got };
        if let (Field::Annotation(name), Some(text)) = (&pair.field, side) {
            let _ = write!(out, "\n      {}: {}", line(name), line(text));
        }
    }
}

/// Writes the two sides of a field one below the other, with a mark under what differs.
fn write_pair(out: &mut String, pair: &FieldPair, style: Style) {
    let field = match &pair.field {
        Field::Label(name) => format!("label {name}"),
        Field::Annotation(name) => format!("annotation {name}"),
        Field::Value => "value".to_owned(),
    };
    let text = |side: &Option<String>| side.as_deref().map_or("(none)".to_owned(), line);
    let (expected, got) = (text(&pair.expected), text(&pair.got));
    let _ = write!(
        out,
        "\n      {}\n        expected: {}\n        got:      {}",
        line(&field),
        green(&expected, style),
        red(&got, style)
    );
    if pair.expected.is_some() && pair.got.is_some() {
        let (skip, length) = differing(&expected, &got);
        let _ = write!(
            out,
            "\n                  {}{}",
            " ".repeat(skip),
            "^".repeat(length)
        );
    }
}

/// Returns where the second text begins to differ from the first, and for how many characters; one
/// at least, since something may be missing there.
fn differing(expected: &str, got: &str) -> (usize, usize) {
    let (expected, got): (Vec<char>, Vec<char>) =
        (expected.chars().collect(), got.chars().collect());
    let same =
        |pairs: &mut dyn Iterator<Item = (&char, &char)>| pairs.take_while(|(a, b)| a == b).count();
    let prefix = same(&mut expected.iter().zip(&got));
    let rest = expected.len().min(got.len()) - prefix;
    let suffix = same(&mut expected.iter().rev().zip(got.iter().rev())).min(rest);
    (prefix, (got.len() - prefix - suffix).max(1))
}

fn line(text: &str) -> String {
    sanitise::line(text).into_owned()
}

fn plural(count: usize, noun: &str) -> String {
    let s = if count == 1 { "" } else { "s" };
    format!("{count} {noun}{s}")
}

fn green(text: &str, style: Style) -> String {
    coloured(text, "32", style)
}

fn red(text: &str, style: Style) -> String {
    coloured(text, "31", style)
}

fn coloured(text: &str, code: &str, style: Style) -> String {
    match style {
        Style::Plain => text.to_owned(),
        Style::Colour => format!("\u{1b}[{code}m{text}\u{1b}[0m"),
    }
}

#[cfg(test)]
mod tests {
    use super::differing;

    #[test]
    fn the_mark_covers_what_differs() {
        assert_eq!(differing("20% fail", "25% fail"), (1, 1));
        assert_eq!(differing("critical", "warning"), (0, 7));
        assert_eq!(differing("aa", "aaa"), (2, 1));
        assert_eq!(differing("abc", "ab"), (2, 1));
        assert_eq!(differing("", ""), (0, 1));
    }
}
