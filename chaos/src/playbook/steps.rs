//! Decoding of the steps of the method: exactly one action each, and the fields that go with it.

use promql::yaml::decode::{Fields, Item, Problems};

use super::{
    Action, AlertPattern, Condition, DEFAULT_LEASE_MS, FaultStep, OnTimeout, Step, WaitFor,
    WaitState, alerts, fields, injection,
};

const ACTIONS: [&str; 4] = ["fault", "load", "wait_for", "pause"];
const NOT_YET: [&str; 3] = ["parallel", "repeat", "annotate"];
const DEFAULT_INTERVAL_MS: i64 = 1000;

/// Decodes one step.
pub(super) fn step(item: &Item<'_>, problems: &mut Problems) -> Option<Step> {
    let mut step = item.fields(problems)?;
    let name = step.take("name").map(|item| fields::name(&item, problems));
    let actions: Vec<(&str, Item<'_>)> = ACTIONS
        .into_iter()
        .filter_map(|action| Some((action, step.take(action)?)))
        .collect();
    let mut refused = false;
    for action in NOT_YET {
        if let Some(item) = step.take(action) {
            problems.at(
                &item,
                format!("`{action}` is not supported in this version"),
            );
            refused = true;
        }
    }
    let action = match actions.as_slice() {
        [(action, body)] => one_action(action, body, &mut step, problems),
        [] => {
            if !refused {
                problems.at(
                    item,
                    "the step does nothing: it needs one of fault, load, wait_for, pause",
                );
            }
            None
        }
        [(first, _), (second, extra), ..] => {
            problems.at_with_help(
                extra,
                format!("the step has both `{first}` and `{second}`; it can have one"),
                "write two steps",
            );
            None
        }
    };
    // With no action known, which fields may stand beside it is not known either.
    if actions.len() != 1 {
        step.take("for");
        step.take("lease");
    }
    step.finish(problems);
    let action = action?;
    let name = match name {
        Some(given) => given?,
        None => made_name(&action),
    };
    Some(Step { name, action })
}

fn one_action(
    action: &str,
    body: &Item<'_>,
    step: &mut Fields<'_>,
    problems: &mut Problems,
) -> Option<Action> {
    match action {
        "fault" | "load" => {
            let times = times(step, action, problems);
            let injection = if action == "fault" {
                injection::fault(body, problems)
            } else {
                injection::load(body, problems)
            };
            let (for_ms, lease_ms) = times?;
            Some(Action::Fault(FaultStep {
                injection: injection?,
                for_ms,
                lease_ms,
            }))
        }
        other => {
            for field in ["for", "lease"] {
                if let Some(item) = step.take(field) {
                    problems.at(
                        &item,
                        format!("`{field}` goes with fault and load, not with {other}"),
                    );
                }
            }
            if other == "pause" {
                let for_ms = fields::duration(body, problems)?;
                Some(Action::Pause { for_ms })
            } else {
                wait_for(body, problems).map(Action::WaitFor)
            }
        }
    }
}

/// Takes `for` and `lease`.
fn times(step: &mut Fields<'_>, action: &str, problems: &mut Problems) -> Option<(i64, i64)> {
    let lease = step.take("lease").map_or(Some(DEFAULT_LEASE_MS), |item| {
        let lease = fields::positive_duration(&item, problems)?;
        if lease < 1000 {
            problems.at(
                &item,
                "a lease is at least 1s: it is renewed over the network",
            );
            return None;
        }
        Some(lease)
    });
    let Some(item) = step.take("for") else {
        problems.at_with_help(
            step.item(),
            format!("the {action} has no end: `for` is missing"),
            "write for example `for: 60s` beside it",
        );
        return None;
    };
    let for_ms = fields::positive_duration(&item, problems);
    Some((for_ms?, lease?))
}

fn wait_for(item: &Item<'_>, problems: &mut Problems) -> Option<WaitFor> {
    let mut fields = item.fields(problems)?;
    let alert = fields.take("alert");
    let query = fields.take("query");
    let condition = match (&alert, &query) {
        (Some(_), None) => wait_alert(&mut fields, problems),
        (None, Some(query)) => wait_query(query, &mut fields, problems),
        (Some(_), Some(query)) => {
            problems.at(
                query,
                "wait_for has both `alert` and `query`; it can have one",
            );
            for field in ["comparator", "exp_labels", "state"] {
                fields.take(field);
            }
            None
        }
        (None, None) => {
            problems.at(item, "wait_for needs `alert` or `query`");
            for field in ["comparator", "exp_labels", "state"] {
                fields.take(field);
            }
            None
        }
    };
    let timeout = fields
        .require("timeout", problems)
        .and_then(|item| fields::positive_duration(&item, problems));
    let interval = fields
        .take("interval")
        .map_or(Some(DEFAULT_INTERVAL_MS), |item| {
            fields::positive_duration(&item, problems)
        });
    let on_timeout = fields
        .take("on_timeout")
        .map_or(Some(OnTimeout::Fail), |item| {
            let words = [
                ("fail", OnTimeout::Fail),
                ("skip", OnTimeout::Skip),
                ("run_anyway", OnTimeout::RunAnyway),
            ];
            fields::word(&item, &words, problems)
        });
    fields.finish(problems);
    Some(WaitFor {
        condition: condition?,
        timeout_ms: timeout?,
        interval_ms: interval?,
        on_timeout: on_timeout?,
    })
}

fn wait_alert(fields: &mut Fields<'_>, problems: &mut Problems) -> Option<Condition> {
    let pattern = alerts::pattern(fields, "alert", problems);
    let state = fields
        .take("state")
        .map_or(Some(WaitState::Firing), |item| {
            let words = [
                ("firing", WaitState::Firing),
                ("pending", WaitState::Pending),
                ("inactive", WaitState::Inactive),
            ];
            fields::word(&item, &words, problems)
        });
    let pattern: AlertPattern = pattern?;
    Some(Condition::Alert {
        pattern,
        state: state?,
    })
}

fn wait_query(
    query: &Item<'_>,
    fields: &mut Fields<'_>,
    problems: &mut Problems,
) -> Option<Condition> {
    let query = fields::expr(query, problems);
    let comparator = fields
        .require("comparator", problems)
        .and_then(|item| fields::tolerance(&item, problems));
    Some(Condition::Query {
        query: query?,
        comparator: comparator?,
    })
}

fn made_name(action: &Action) -> String {
    match action {
        Action::Fault(fault) => fault.injection.summary(),
        Action::Pause { for_ms } => format!("pause {}", crate::span(*for_ms)),
        Action::WaitFor(wait) => match &wait.condition {
            Condition::Alert { pattern, state } => {
                let state = match state {
                    WaitState::Firing => "firing",
                    WaitState::Pending => "pending",
                    WaitState::Inactive => "inactive",
                };
                format!("wait for {pattern} {state}")
            }
            Condition::Query { query, comparator } => {
                format!("wait for {} {comparator}", query.text)
            }
        },
    }
}
