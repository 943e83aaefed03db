//! The wire form: what is read, what is refused and with which words.

use fault::{ArmRequest, FaultBody, FaultId, FieldError, Share};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::harness::body;

/// Checks that every problem is found: `field: message (help: …)`, one line each.
fn refused(value: &Value, expect: &[&str]) {
    let errors = FaultBody::decode(value).unwrap_err();
    let lines: Vec<String> = errors.iter().map(ToString::to_string).collect();
    assert_eq!(lines, expect);
}

#[test]
fn a_fault_is_read_and_written_back() {
    for value in [
        json!({"kind": "error", "status": 503, "share": 0.5, "where": {"service": "payments"},
               "ramp": {"over": "10s", "from": 0.0}}),
        json!({"kind": "error", "status": 429, "share": 1.0, "body": {"error": "slow down"}}),
        json!({"kind": "latency", "delay": "800ms", "jitter": "200ms", "distribution": "pareto",
               "share": 0.001, "where": {"route": "/payments/:id", "method": "GET"}}),
        json!({"kind": "db_stall", "mode": "lock", "where": {"service": "orders"}}),
        json!({"kind": "surge", "factor": 5.0, "ramp": {"over": "1m", "from": 0.5}}),
        json!({"kind": "surge", "rate": 200.0}),
        json!({"kind": "drop", "share": 1.0}),
    ] {
        assert_eq!(body(&value).to_value(), value);
    }
}

#[test]
fn shares_have_three_forms() {
    for (text, part) in [
        ("50%", 0.5),
        ("0.1%", 0.001),
        ("0.5", 0.5),
        ("0%", 0.0),
        ("100%", 1.0),
        ("1", 1.0),
    ] {
        assert_eq!(text.parse::<Share>().unwrap().part(), part, "{text}");
    }
    for (text, message) in [
        ("50", "`50` is not a share: a number stands between 0 and 1"),
        ("101%", "`101%` is not between 0% and 100%"),
        ("-1%", "`-1%` is not between 0% and 100%"),
        ("-0.1", "`-0.1` is not between 0% and 100%"),
        ("half", "`half` is not a share"),
        ("NaN", "`NaN` is not a share"),
        ("inf%", "`inf%` is not a share"),
        ("", "`` is not a share"),
        ("%", "`%` is not a share"),
    ] {
        assert_eq!(text.parse::<Share>().unwrap_err().to_string(), message);
    }
    assert_eq!(
        "50".parse::<Share>().unwrap_err().help(),
        "write `50%` for 50 percent, or a part such as 0.5"
    );
    assert_eq!("7%".parse::<Share>().unwrap().to_string(), "7%");
    assert_eq!("0.1%".parse::<Share>().unwrap().to_string(), "0.1%");
}

#[test]
fn every_problem_is_found_at_once() {
    refused(
        &json!({"kind": "error", "status": 200, "share": 50, "were": {"service": "x"},
                "where": {"sevice": "payments", "route": "pay", "method": "FETCH"},
                "ramp": {"from": "150%", "shape": "cubic"}}),
        &[
            "status: 200 is not an error (help: an error is 400 to 599, such as 503)",
            "share: `50` is not a share: a number stands between 0 and 1 (help: write `50%` for 50 percent, or a part such as 0.5)",
            "where.route: `pay` does not start with `/` (help: write `/pay`)",
            "where.method: unknown method `FETCH` (help: one of GET, POST, PUT, PATCH, DELETE, HEAD, OPTIONS)",
            "where.sevice: unknown field `sevice` (help: did you mean `service`?)",
            "ramp.over: is missing (help: how long the ramp takes, such as \"10s\")",
            "ramp.from: `150%` is not between 0% and 100% (help: write it like `50%`, `0.1%` or `0.5`)",
            "ramp.shape: unknown shape `cubic` (help: one of linear)",
            "were: unknown field `were` (help: did you mean `where`?)",
        ],
    );
}

#[test]
fn kinds_are_named() {
    refused(
        &json!({"kind": "latncy"}),
        &["kind: unknown kind `latncy` (help: did you mean `latency`?)"],
    );
    refused(
        &json!({"delay": "1s"}),
        &["kind: is missing (help: one of latency, error, db_stall, surge, drop)"],
    );
    refused(&json!(["latency"]), &["expected an object, found a list"]);
    refused(
        &json!({"kind": 7}),
        &["kind: expected text, found the number 7"],
    );
}

#[test]
fn parameters_are_checked() {
    refused(
        &json!({"kind": "latency"}),
        &["delay: is missing (help: how long requests wait, such as \"800ms\")"],
    );
    refused(
        &json!({"kind": "latency", "delay": 800}),
        &[
            "delay: expected a duration such as \"800ms\", found the number 800 (help: write the unit: \"800s\" or \"800ms\")",
        ],
    );
    refused(
        &json!({"kind": "latency", "delay": "0s"}),
        &["delay: must be more than zero"],
    );
    refused(
        &json!({"kind": "latency", "delay": "1s", "distribution": "normal"}),
        &[
            "jitter: is missing for this distribution (help: how far the wait strays, such as \"200ms\")",
        ],
    );
    refused(
        &json!({"kind": "latency", "delay": "1s", "jitter": "1s", "distribution": "fixed"}),
        &[
            "jitter: has no meaning for a fixed wait (help: remove it, or choose uniform, normal, lognormal or pareto)",
        ],
    );
    refused(
        &json!({"kind": "surge"}),
        &["factor: is missing (help: `factor: 5`, or `rate:` in arrivals a second)"],
    );
    refused(
        &json!({"kind": "surge", "factor": 2, "rate": 3}),
        &["rate: cannot stand beside `factor` (help: give one of them)"],
    );
    refused(
        &json!({"kind": "surge", "factor": 0}),
        &["factor: 0 is not more than 0 and at most 1000 (help: to stop traffic use `kind: drop`)"],
    );
    refused(
        &json!({"kind": "drop", "ramp": {"over": "500000000000years"}}),
        &["ramp.over: must be at most 24h"],
    );
    refused(
        &json!({"kind": "db_stall", "mode": "freeze"}),
        &["mode: unknown mode `freeze` (help: one of connections, lock)"],
    );
}

/// A field that would silently do nothing is an error.
#[test]
fn fields_without_meaning_are_refused() {
    refused(
        &json!({"kind": "db_stall", "mode": "lock", "share": "50%", "ramp": {"over": "1s"},
                "where": {"route": "/pay", "method": "GET"}}),
        &[
            "share: has no meaning for this db_stall fault (help: remove it)",
            "ramp: has no meaning for this db_stall fault (help: remove it)",
            "where.route: has no meaning for a db_stall fault (help: it is about a whole service; remove it)",
            "where.method: has no meaning for a db_stall fault (help: it is about a whole service; remove it)",
        ],
    );
    refused(
        &json!({"kind": "surge", "factor": 2, "share": "50%"}),
        &["share: has no meaning for this surge fault (help: remove it)"],
    );
}

#[test]
fn a_request_to_arm_is_checked_with_its_fault() {
    let errors = ArmRequest::decode(&json!({
        "fault": {"kind": "error"}, "for": "0s", "lease": "2days", "owner": "a\nb", "seed": -1, "foo": 1
    }))
    .unwrap_err();
    let lines: Vec<String> = errors.iter().map(FieldError::to_string).collect();
    assert_eq!(
        lines,
        [
            "fault.status: is missing (help: the status to answer with, such as 503)",
            "for: must be more than zero and at most 24h",
            "lease: must be more than zero and at most 24h",
            "owner: must not be empty or hold control characters",
            "reason: is missing (help: why, for the audit log)",
            "seed: expected a whole number of at least 0, found the number -1",
            "foo: unknown field `foo` (help: did you mean `for`?)",
        ]
    );
}

#[test]
fn ids_are_narrow() {
    for good in [
        "a",
        "payments-503",
        "0123456789012345678901234567890123456789",
    ] {
        good.parse::<FaultId>().unwrap();
    }
    for bad in [
        "",
        "A",
        "a b",
        "a/b",
        "ä",
        "a\n",
        "01234567890123456789012345678901234567890",
    ] {
        bad.parse::<FaultId>().unwrap_err();
    }
    assert_eq!(
        FaultId::slug("Break  payments (50 %)!").as_str(),
        "break-payments-50"
    );
    assert_eq!(FaultId::slug("…").as_str(), "fault");
}

proptest! {
    /// Nothing that JSON can say makes the decoder panic, and an error always says where or what.
    #[test]
    fn any_json_is_answered(text in r#"\{("(kind|share|delay|where|ramp|status)":("latency"|"error"|[0-9]{1,4}|"[0-9.]{1,5}%"|null|\{\}|\[\]|"[a-z0-9 ]{0,8}"),?){0,5}\}"#) {
        if let Ok(value) = serde_json::from_str::<Value>(&text.replace(",}", "}"))
            && let Err(errors) = FaultBody::decode(&value)
        {
            prop_assert!(!errors.is_empty());
        }
    }

    /// A share written as percent is read as the same.
    #[test]
    fn shares_survive_their_text(parts in 0_u32..=1_000_000) {
        let share = Share::new(f64::from(parts) / 1e6).unwrap();
        prop_assert!((share.to_string().parse::<Share>().unwrap().part() - share.part()).abs() < 1e-12);
    }
}
