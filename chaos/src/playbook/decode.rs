//! Decoding of the playbook as a whole.

use promql::yaml::decode::{Fields, Item, Problems};
use promql::yaml::{Node, Yaml};

use super::substitute::{Used, plain};
use super::{
    AbortCondition, DEFAULT_DEADLINE_MS, Expr, Playbook, Probe, ProbeMode, SteadyState, Step,
    alerts, fields, steps,
};
use crate::tolerance::Tolerance;

/// Fields of the schema that later versions will read.
const NOT_YET: [&str; 3] = ["slo", "drill", "var_file"];

/// Decodes a playbook. `None` means that a problem was reported.
pub(super) fn playbook(
    name: &str,
    root: &Node,
    used: Used,
    text: &str,
    problems: &mut Problems,
) -> Option<Playbook> {
    let root = Item::root(root);
    let mut top = root.fields(problems)?;
    let title = top
        .require("title", problems)
        .and_then(|item| fields::name(&item, problems));
    let description = top
        .take("description")
        .and_then(|item| item.scalar(problems))
        .unwrap_or_default();
    let tags = list(&mut top, "tags", problems, |item, problems| {
        item.scalar(problems)
    });
    top.take("vars");
    let deadline = top.take("deadline");
    let deadline_ms = deadline
        .as_ref()
        .and_then(|item| fields::positive_duration(item, problems));
    let steady_state = steady_state(&mut top, problems);
    let method = method(&mut top, problems);
    let expect_alerts = list(&mut top, "expect_alerts", problems, |item, problems| {
        alerts::expectation(item, &method, problems)
    });
    let must_not_fire = list(&mut top, "must_not_fire", problems, alerts::listed);
    let may_fire = list(&mut top, "may_fire", problems, alerts::listed);
    let abort_conditions = list(&mut top, "abort_conditions", problems, abort_condition);
    rollbacks(&mut top, problems);
    refuse_later_fields(&mut top, problems);
    top.finish(problems);

    let playbook = Playbook {
        name: name.to_owned(),
        title: title.unwrap_or_default(),
        description,
        tags,
        vars: used
            .into_iter()
            .map(|(name, value)| (name, plain(&value)))
            .collect(),
        deadline_ms: deadline_ms.unwrap_or(DEFAULT_DEADLINE_MS),
        steady_state,
        method: method.into_iter().flatten().collect(),
        expect_alerts,
        must_not_fire,
        may_fire,
        abort_conditions,
        text: text.into(),
    };
    check_whole(&playbook, deadline.as_ref(), &root, problems);
    Some(playbook)
}

/// What only shows when the parts are seen together.
fn check_whole(
    playbook: &Playbook,
    deadline: Option<&Item<'_>>,
    root: &Item<'_>,
    problems: &mut Problems,
) {
    let least = playbook.least_body_ms();
    if let Some(item) = deadline
        && playbook.deadline_ms < least
    {
        problems.at(
            item,
            format!(
                "the deadline of {} ends before the method can: it takes at least {}",
                crate::span(playbook.deadline_ms),
                crate::span(least)
            ),
        );
    }
    for expected in &playbook.expect_alerts {
        if playbook.must_not_fire.contains(&expected.pattern) {
            problems.at(
                root,
                format!(
                    "the alert {} stands in both expect_alerts and must_not_fire",
                    expected.pattern
                ),
            );
        }
    }
    let judges = !playbook.expect_alerts.is_empty()
        || !playbook.must_not_fire.is_empty()
        || !playbook.steady_state.probes.is_empty();
    // A part with a problem of its own is missing here, so this is only said when all is well.
    if !judges && problems.is_empty() {
        problems.at_with_help(
            root,
            "the playbook judges nothing, so it could never fail",
            "add steady_state_hypothesis, expect_alerts or must_not_fire",
        );
    }
}

fn list<'n, T>(
    top: &mut Fields<'n>,
    name: &'static str,
    problems: &mut Problems,
    decode: impl Fn(&Item<'n>, &mut Problems) -> Option<T>,
) -> Vec<T> {
    let Some(item) = top.take(name) else {
        return Vec::new();
    };
    let items = item.list(problems);
    items
        .iter()
        .filter_map(|item| decode(item, problems))
        .collect()
}

fn steady_state(top: &mut Fields<'_>, problems: &mut Problems) -> SteadyState {
    let Some(item) = top.take("steady_state_hypothesis") else {
        return SteadyState::default();
    };
    let Some(mut fields) = item.fields(problems) else {
        return SteadyState::default();
    };
    let title = fields
        .take("title")
        .and_then(|item| item.scalar(problems))
        .unwrap_or_default();
    let warm_up_ms = fields
        .take("warm_up")
        .and_then(|item| fields::duration(&item, problems))
        .unwrap_or_default();
    let probes = list(&mut fields, "probes", problems, probe);
    fields.finish(problems);
    SteadyState {
        title,
        warm_up_ms,
        probes,
    }
}

/// What probes and guards share: a name, a query, and under `judge` what its answer must be.
fn judged_query(
    fields: &mut Fields<'_>,
    judge: &'static str,
    problems: &mut Problems,
) -> (Option<String>, Option<Expr>, Option<Tolerance>) {
    let name = fields
        .require("name", problems)
        .and_then(|item| fields::name(&item, problems));
    let query = fields
        .require("query", problems)
        .and_then(|item| fields::expr(&item, problems));
    let tolerance = fields
        .require(judge, problems)
        .and_then(|item| fields::tolerance(&item, problems));
    (name, query, tolerance)
}

fn probe(item: &Item<'_>, problems: &mut Problems) -> Option<Probe> {
    let mut fields = item.fields(problems)?;
    let (name, query, tolerance) = judged_query(&mut fields, "tolerance", problems);
    let mode = fields.take("mode").map_or(Some(ProbeMode::Edges), |item| {
        let words = [
            ("edges", ProbeMode::Edges),
            ("continuous", ProbeMode::Continuous),
        ];
        fields::word(&item, &words, problems)
    });
    fields.finish(problems);
    Some(Probe {
        name: name?,
        query: query?,
        tolerance: tolerance?,
        mode: mode?,
    })
}

fn method(top: &mut Fields<'_>, problems: &mut Problems) -> Vec<Option<Step>> {
    let Some(item) = top.require("method", problems) else {
        return Vec::new();
    };
    let items = item.list(problems);
    if items.is_empty() {
        problems.at_with_help(
            &item,
            "the method has no steps",
            "a control run without a fault is a single `pause`",
        );
    }
    let mut decoded: Vec<Option<Step>> = items
        .iter()
        .map(|item| steps::step(item, problems))
        .collect();
    unique_names(&items, &mut decoded, problems);
    decoded
}

/// A name that was given twice is a problem; a name that was made gets a number.
fn unique_names(items: &[Item<'_>], steps: &mut [Option<Step>], problems: &mut Problems) {
    for (index, item) in items.iter().enumerate() {
        let (before, rest) = steps.split_at_mut(index);
        let Some(step) = &mut rest[0] else { continue };
        let taken = |name: &str| before.iter().flatten().any(|other| other.name == name);
        if !taken(&step.name) {
            continue;
        }
        let given = matches!(&item.node.value, Yaml::Map(entries)
            if entries.iter().any(|(key, _)| key.text == "name"));
        if given {
            problems.at_with_help(
                item,
                format!("another step is already named `{}`", step.name),
                "give each step a `name` of its own",
            );
        } else {
            step.name = format!("{} ({})", step.name, index + 1);
        }
    }
}

fn abort_condition(item: &Item<'_>, problems: &mut Problems) -> Option<AbortCondition> {
    let mut fields = item.fields(problems)?;
    let (name, query, comparator) = judged_query(&mut fields, "comparator", problems);
    let for_ms = fields
        .take("for")
        .map_or(Some(0), |item| fields::duration(&item, problems));
    fields.finish(problems);
    Some(AbortCondition {
        name: name?,
        query: query?,
        comparator: comparator?,
        for_ms: for_ms?,
    })
}

fn rollbacks(top: &mut Fields<'_>, problems: &mut Problems) {
    let Some(item) = top.take("rollbacks") else {
        return;
    };
    if !item.list(problems).is_empty() {
        problems.at_with_help(
            &item,
            "rollbacks are not supported yet",
            "leave the list empty; faults are always withdrawn by themselves",
        );
    }
}

fn refuse_later_fields(top: &mut Fields<'_>, problems: &mut Problems) {
    for name in NOT_YET {
        if let Some(item) = top.take(name) {
            problems.at(&item, format!("`{name}` is not supported in this version"));
        }
    }
}
