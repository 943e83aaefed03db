//! Decoding of what a playbook says about alerts.

use promql::yaml::decode::{Fields, Item, Problems, closest};

use super::{AlertPattern, ExpectState, Expectation, Step, fields};

/// Takes `alertname` (or another field of that meaning) and `exp_labels`.
pub(super) fn pattern(
    fields: &mut Fields<'_>,
    name_field: &'static str,
    problems: &mut Problems,
) -> Option<AlertPattern> {
    let name = fields.require(name_field, problems);
    let labels = fields
        .take("exp_labels")
        .map(|item| fields::labels(&item, problems))
        .unwrap_or_default();
    let name = name?;
    let alertname = fields::name(&name, problems)?;
    Some(AlertPattern {
        alertname,
        exp_labels: labels,
    })
}

/// Decodes an entry of `must_not_fire` or `may_fire`.
pub(super) fn listed(item: &Item<'_>, problems: &mut Problems) -> Option<AlertPattern> {
    let mut fields = item.fields(problems)?;
    let pattern = pattern(&mut fields, "alertname", problems);
    fields.finish(problems);
    pattern
}

/// Decodes an entry of `expect_alerts`. `steps` are the decoded steps, for `after`.
pub(super) fn expectation(
    item: &Item<'_>,
    steps: &[Option<Step>],
    problems: &mut Problems,
) -> Option<Expectation> {
    let mut fields = item.fields(problems)?;
    let pattern = pattern(&mut fields, "alertname", problems);
    if pattern.as_ref().is_some_and(AlertPattern::is_any) {
        problems.at(
            item,
            "an expected alert is named; `*` only goes with must_not_fire and may_fire",
        );
    }
    let state = fields
        .take("state")
        .map_or(Some(ExpectState::Firing), |item| {
            let words = [
                ("firing", ExpectState::Firing),
                ("pending", ExpectState::Pending),
            ];
            fields::word(&item, &words, problems)
        });
    let within = fields
        .require("within", problems)
        .and_then(|item| fields::positive_duration(&item, problems));
    let resolve_within = fields
        .take("resolve_within")
        .map(|item| fields::positive_duration(&item, problems));
    let after = fields
        .take("after")
        .map(|item| step_named(&item, steps, problems));
    fields.finish(problems);
    Some(Expectation {
        pattern: pattern?,
        state: state?,
        within_ms: within?,
        // A field that was there but wrong has been reported; it must not read as absent.
        after: after.map_or(Some(None), |found| found.map(Some))?,
        resolve_within_ms: resolve_within.map_or(Some(None), |found| found.map(Some))?,
    })
}

fn step_named(item: &Item<'_>, steps: &[Option<Step>], problems: &mut Problems) -> Option<usize> {
    let name = item.scalar(problems)?;
    let names: Vec<&str> = steps
        .iter()
        .map(|step| step.as_ref().map_or("", |step| step.name.as_str()))
        .collect();
    if let Some(index) = names.iter().position(|known| *known == name) {
        return Some(index);
    }
    let known: Vec<&str> = names
        .iter()
        .copied()
        .filter(|name| !name.is_empty())
        .collect();
    problems.at_with_help(
        item,
        format!("no step is named `{name}`"),
        match closest(&name, &known) {
            Some(close) => format!("did you mean `{close}`?"),
            None => format!("the steps: {}", known.join(", ")),
        },
    );
    None
}
