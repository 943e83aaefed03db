//! How test files went, as one JSON document.

use promql::unit_test::{Asked, Difference, EndedSeries, Failure, Field, Side};
use serde_json::{Value, json};

use super::{Outcome, TestOutcome};

pub(super) fn document(outcomes: &[Outcome]) -> Value {
    let passed = outcomes
        .iter()
        .all(|file| file.invalid.is_empty() && file.failed_tests() == 0);
    json!({
        "passed": passed,
        "files": outcomes.iter().map(file).collect::<Vec<_>>(),
    })
}

fn file(outcome: &Outcome) -> Value {
    json!({
        "file": outcome.name,
        "errors": outcome.invalid,
        "tests": outcome.tests.iter().map(test).collect::<Vec<_>>(),
    })
}

fn test(test: &TestOutcome) -> Value {
    json!({
        "name": test.title,
        "line": test.place.line,
        "column": test.place.column,
        "passed": test.report.failures.is_empty(),
        "assertions": test.assertions,
        "assertions_passed": test.report.passed,
        "assertions_not_reached": test.report.unreached,
        "failures": test.report.failures.iter().map(failure).collect::<Vec<_>>(),
    })
}

fn failure(failure: &Failure) -> Value {
    let mut document = match &failure.asked {
        Asked::Load { message } => json!({ "kind": "load", "error": message }),
        Asked::Rule {
            group,
            rule,
            message,
        } => json!({ "kind": "rule", "group": group, "rule": rule, "error": message }),
        Asked::Query { expr, message } => {
            json!({ "kind": "query", "expr": expr, "error": message })
        }
        Asked::Alerts {
            alertname,
            state,
            counts,
            differences,
        } => json!({
            "kind": "alerts",
            "alertname": alertname,
            "state": state,
            "expected": counts.0,
            "got": counts.1,
            "differences": all(differences),
        }),
        Asked::Expr {
            expr,
            counts,
            differences,
        } => json!({
            "kind": "expr",
            "expr": expr,
            "expected": counts.0,
            "got": counts.1,
            "differences": all(differences),
        }),
        Asked::Data { what, ended } => json!({
            "kind": "data",
            "what": what,
            "ended": ended.iter().map(self::ended).collect::<Vec<_>>(),
        }),
    };
    document["line"] = failure.place.line.into();
    document["column"] = failure.place.column.into();
    document["eval_time_ms"] = failure.eval_time_ms.into();
    document
}

fn ended(series: &EndedSeries) -> Value {
    json!({
        "series": series.labels.to_string(),
        "line": series.place.line,
        "ended_ms": series.ended_ms,
        "needed_ms": series.needed_ms,
    })
}

fn all(differences: &[Difference]) -> Vec<Value> {
    differences.iter().map(difference).collect()
}

fn difference(difference: &Difference) -> Value {
    let side = match difference.side {
        Side::Missing => "missing",
        Side::Unexpected => "unexpected",
        Side::Changed => "changed",
    };
    let fields: Vec<Value> = difference
        .fields
        .iter()
        .map(|pair| {
            let (kind, name) = match &pair.field {
                Field::Label(name) => ("label", Some(name)),
                Field::Annotation(name) => ("annotation", Some(name)),
                Field::Value => ("value", None),
            };
            json!({
                "kind": kind,
                "name": name,
                "expected": pair.expected,
                "got": pair.got,
                "differs": pair.differs,
            })
        })
        .collect();
    json!({
        "side": side,
        "line": difference.place.map(|place| place.line),
        "fields": fields,
        "note": difference.note,
    })
}
