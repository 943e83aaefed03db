//! From the YAML tree to groups and rules.

use super::{Alerting, Group, Rule, RuleType};
use crate::duration::parse_ms;
use crate::labels::METRIC_NAME;
use crate::query::Query;
use crate::rules::template::Template;
use crate::yaml::Node;
use crate::yaml::decode::{Fields, Item, Problems};

type Pairs = Vec<(String, String)>;

pub(super) fn groups(node: &Node, problems: &mut Problems) -> Vec<Group> {
    let root = Item::root(node);
    if matches!(node.value, crate::yaml::Yaml::Null) {
        return Vec::new();
    }
    let Some(mut fields) = root.fields(problems) else {
        return Vec::new();
    };
    let items = fields
        .take("groups")
        .map(|item| item.list(problems))
        .unwrap_or_default();
    fields.finish(problems);
    let mut groups: Vec<Group> = Vec::new();
    for item in items {
        let Some(group) = group(&item, problems) else {
            continue;
        };
        if groups.iter().any(|other| other.name == group.name) {
            problems.at(
                &item,
                format!("the group name `{}` is used twice in this file", group.name),
            );
        }
        groups.push(group);
    }
    groups
}

fn group(item: &Item<'_>, problems: &mut Problems) -> Option<Group> {
    let mut fields = item.fields(problems)?;
    let name = fields
        .require("name", problems)
        .and_then(|item| item.scalar(problems));
    if name.as_deref() == Some("") {
        problems.at(item, "the group name must not be empty");
    }
    let interval_ms = duration(&mut fields, "interval", problems).filter(|ms| *ms > 0);
    let query_offset_ms = duration(&mut fields, "query_offset", problems);
    let limit = fields
        .take("limit")
        .and_then(|item| item.unsigned(problems))
        .unwrap_or(0);
    let labels = labels(&mut fields, problems);
    let rules = fields
        .take("rules")
        .map(|item| item.list(problems))
        .unwrap_or_default()
        .iter()
        .filter_map(|item| rule(item, &labels, problems))
        .collect();
    fields.finish(problems);
    Some(Group {
        name: name?,
        interval_ms,
        limit: usize::try_from(limit).unwrap_or(usize::MAX),
        query_offset_ms,
        labels,
        rules,
    })
}

fn rule(item: &Item<'_>, group_labels: &Pairs, problems: &mut Problems) -> Option<Rule> {
    let mut fields = item.fields(problems)?;
    let record = fields.take("record");
    let alert = fields.take("alert");
    let expr = fields
        .require("expr", problems)
        .and_then(|item| item.parse(problems, Query::parse));
    let for_ms = duration(&mut fields, "for", problems);
    let keep_firing_for_ms = duration(&mut fields, "keep_firing_for", problems);
    let own_labels = labels(&mut fields, problems);
    let annotations_item = fields.take("annotations");
    let is_alert = alert.is_some();
    let annotations = annotations_item
        .as_ref()
        .map(|item| pairs(item, problems))
        .unwrap_or_default();
    let name = match (&record, &alert) {
        (Some(record), None) => record_name(record, problems),
        (None, Some(alert)) => alert.scalar(problems).filter(|name| {
            if name.is_empty() {
                problems.at(alert, "the alert name must not be empty");
            }
            !name.is_empty()
        }),
        (Some(_), Some(_)) => {
            problems.at(item, "a rule has either `record` or `alert`, not both");
            None
        }
        (None, None) => {
            problems.at(item, "a rule needs `record` or `alert`");
            None
        }
    };
    if is_alert {
        check_templates(&mut fields, problems);
    } else if record.is_some() {
        refuse_alert_fields(&mut fields, problems);
    }
    fields.finish(problems);
    let kind = if is_alert {
        RuleType::Alerting(Alerting {
            for_ms: for_ms.unwrap_or(0),
            keep_firing_for_ms: keep_firing_for_ms.unwrap_or(0),
            annotations,
        })
    } else {
        RuleType::Recording
    };
    Some(Rule {
        name: name?,
        expr: expr?,
        labels: merged(group_labels, own_labels),
        kind,
        place: item.node.place,
    })
}

fn record_name(item: &Item<'_>, problems: &mut Problems) -> Option<String> {
    let name = item.scalar(problems)?;
    if name.is_empty() {
        problems.at(item, "the name of the recorded series must not be empty");
        return None;
    }
    if name.contains(['{', '}']) {
        problems.at_with_help(
            item,
            format!("`{name}` is not a metric name"),
            "labels are set under `labels`; an expression belongs under `expr`",
        );
        return None;
    }
    Some(name)
}

/// The labels of the group, overridden by those of the rule.
fn merged(group: &Pairs, own: Pairs) -> Pairs {
    let mut all: Pairs = group
        .iter()
        .filter(|(name, _)| own.iter().all(|(other, _)| other != name))
        .cloned()
        .collect();
    all.extend(own);
    all
}

fn duration(fields: &mut Fields<'_>, name: &'static str, problems: &mut Problems) -> Option<i64> {
    fields.take(name)?.parse(problems, parse_ms)
}

fn labels(fields: &mut Fields<'_>, problems: &mut Problems) -> Pairs {
    let Some(item) = fields.take("labels") else {
        return Vec::new();
    };
    for (key, child) in item.entries(&mut Problems::new()) {
        if key.text.is_empty() || key.text == METRIC_NAME {
            problems.at(&child, format!("`{}` cannot be set as a label", key.text));
        }
    }
    pairs(&item, problems)
}

fn pairs(item: &Item<'_>, problems: &mut Problems) -> Pairs {
    item.entries(problems)
        .into_iter()
        .filter_map(|(key, child)| Some((key.text.clone(), child.scalar(problems)?)))
        .collect()
}

/// Labels and annotations of an alert are templates.
fn check_templates(fields: &mut Fields<'_>, problems: &mut Problems) {
    for name in ["labels", "annotations"] {
        let Some(item) = fields.take(name) else {
            continue;
        };
        for (_, child) in item.entries(&mut Problems::new()) {
            let Some(text) = child.scalar(&mut Problems::new()) else {
                continue;
            };
            if let Err(error) = Template::parse(&text) {
                problems.at(&child, error.to_string());
            }
        }
    }
}

fn refuse_alert_fields(fields: &mut Fields<'_>, problems: &mut Problems) {
    for name in ["for", "keep_firing_for", "annotations"] {
        if let Some(item) = fields.take(name) {
            problems.at(&item, format!("a recording rule has no `{name}`"));
        }
    }
}
