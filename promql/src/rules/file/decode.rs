//! From the YAML tree to groups and rules.

use std::collections::HashSet;

use super::names::{self, Names};
use super::{Alerting, Group, GroupSpots, Rule, RuleSpots, RuleType};
use crate::duration::parse_ms;
use crate::engine::Profile;
use crate::query::{Dialect, Query};
use crate::rules::template::Template;
use crate::yaml::decode::{Fields, Item, Problem, Problems, Spot};
use crate::yaml::{Node, Yaml};

/// Names and values in the order of the file.
type Pairs = Vec<(String, String)>;

/// Decodes the groups of a document.
pub(super) fn groups(node: &Node, dialect: Dialect, problems: &mut Problems) -> Vec<Group> {
    if matches!(node.value, Yaml::Null) {
        return Vec::new();
    }
    let Some(mut fields) = Item::root(node).fields(problems) else {
        return Vec::new();
    };
    let items = fields
        .take("groups")
        .map(|item| item.list(problems))
        .unwrap_or_default();
    fields.finish(problems);
    let mut groups: Vec<Group> = Vec::new();
    let mut names = HashSet::new();
    for item in items.iter().filter(|item| is_set(item)) {
        let item = titled_group(item);
        let Some(group) = group(&item, dialect, problems) else {
            continue;
        };
        if !names.insert(group.name.clone()) {
            problems.push(Problem {
                place: group.spots.name.place,
                path: item.path,
                message: format!("the group name `{}` is used twice in this file", group.name),
                help: Some("rename one of the groups, or move its rules to the other".to_owned()),
            });
        }
        groups.push(group);
    }
    groups
}

/// Prometheus skips empty items of a list.
fn is_set(item: &Item<'_>) -> bool {
    !matches!(item.node.value, Yaml::Null)
}

/// Returns the text of a field, for titles: nothing that is wrong with it is reported here.
fn peek(item: &Item<'_>, name: &str) -> Option<String> {
    let Yaml::Map(entries) = &item.node.value else {
        return None;
    };
    let (_, node) = entries.iter().find(|(key, _)| key.text == name)?;
    Item::root(node)
        .scalar(&mut Problems::new())
        .filter(|text| !text.is_empty())
}

fn titled_group<'n>(item: &Item<'n>) -> Item<'n> {
    match peek(item, "name") {
        Some(name) => item.titled(format!("group {name:?}")),
        None => item.clone(),
    }
}

fn titled_rule<'n>(group: &Item<'n>, index: usize, item: &Item<'n>) -> Item<'n> {
    let number = index + 1;
    let name = peek(item, "alert").or_else(|| peek(item, "record"));
    item.titled(match name {
        Some(name) => format!("{}, rule {number} {name:?}", group.path),
        None => format!("{}, rule {number}", group.path),
    })
}

fn group(item: &Item<'_>, dialect: Dialect, problems: &mut Problems) -> Option<Group> {
    let mut fields = item.fields(problems)?;
    let name_item = fields.require("name", problems);
    let name = name_item.as_ref().and_then(|item| item.scalar(problems));
    if let (Some(item), Some("")) = (&name_item, name.as_deref()) {
        problems.at(item, "the group name must not be empty");
    }
    let interval = duration(&mut fields, "interval", problems);
    let query_offset = match dialect.profile {
        Profile::V2_42 => None,
        Profile::V2_53 | Profile::V3_5 => duration(&mut fields, "query_offset", problems),
    };
    let limit = fields
        .take("limit")
        .and_then(|item| limit(&item, problems))
        .unwrap_or(0);
    let labels = match dialect.profile {
        Profile::V2_42 | Profile::V2_53 => Decoded::default(),
        Profile::V3_5 => pairs(&mut fields, "labels", Names::Label, dialect, problems),
    };
    let items = fields.take("rules").map(|item| item.list(problems));
    let rules = items
        .iter()
        .flatten()
        .filter(|item| is_set(item))
        .enumerate()
        .filter_map(|(index, rule_item)| {
            let rule_item = titled_rule(item, index, rule_item);
            rule(&rule_item, &labels.pairs, dialect, problems)
        })
        .collect();
    fields.finish(problems);
    Some(Group {
        name: name?,
        interval_ms: interval.map(|(ms, _)| ms).filter(|ms| *ms > 0),
        limit,
        query_offset_ms: query_offset.map(|(ms, _)| ms),
        rules,
        spots: GroupSpots {
            group: item.node.place,
            name: name_item.map(|item| item.spot()).unwrap_or_default(),
            interval: interval.map(|(_, spot)| spot),
            query_offset: query_offset.map(|(_, spot)| spot),
            labels: labels.spots,
        },
        labels: labels.pairs,
    })
}

/// A limit below zero is none.
fn limit(item: &Item<'_>, problems: &mut Problems) -> Option<usize> {
    match item.node.value {
        Yaml::Int(value) => Some(usize::try_from(value).unwrap_or(0)),
        ref other => {
            problems.at_with_help(
                item,
                format!("expected a whole number, found {}", other.kind()),
                "write the most series or alerts that a rule may produce; 0 is no limit",
            );
            None
        }
    }
}

fn rule(
    item: &Item<'_>,
    group_labels: &Pairs,
    dialect: Dialect,
    problems: &mut Problems,
) -> Option<Rule> {
    let mut fields = item.fields(problems)?;
    let naming = naming(item, &mut fields, dialect, problems);
    let expr_item = expression_item(&mut fields, problems);
    let expr = expr_item
        .as_ref()
        .and_then(|item| item.parse(problems, |text| Query::parse_as(text, dialect)));
    let hold = duration(&mut fields, "for", problems);
    let keep = duration(&mut fields, "keep_firing_for", problems);
    let labels = pairs(&mut fields, "labels", Names::Label, dialect, problems);
    let annotations = pairs(
        &mut fields,
        "annotations",
        Names::Annotation,
        dialect,
        problems,
    );
    match naming.kind {
        Some(Kind::Alert) => {
            check_templates(&mut fields, "labels", dialect, problems);
            check_templates(&mut fields, "annotations", dialect, problems);
        }
        Some(Kind::Record) => {
            let ms = |field: Option<(i64, Spot)>| field.map_or(0, |(ms, _)| ms);
            let set = [
                ("for", ms(hold) != 0),
                ("keep_firing_for", ms(keep) != 0),
                ("annotations", !annotations.pairs.is_empty()),
            ];
            refuse_alert_fields(&mut fields, set, problems);
        }
        None => {}
    }
    fields.finish(problems);
    let spots = RuleSpots {
        name: naming.spot,
        expr: expr_item.map(|item| item.spot()).unwrap_or_default(),
        hold: hold.map(|(_, spot)| spot),
        keep_firing_for: keep.map(|(_, spot)| spot),
        labels: labels.spots,
        annotations: annotations.spots,
    };
    let kind = match naming.kind? {
        Kind::Alert => RuleType::Alerting(Alerting {
            for_ms: hold.map_or(0, |(ms, _)| ms),
            keep_firing_for_ms: keep.map_or(0, |(ms, _)| ms),
            annotations: annotations.pairs,
        }),
        Kind::Record => RuleType::Recording,
    };
    Some(Rule {
        name: naming.name?,
        expr: expr?,
        labels: merged(group_labels, labels.pairs),
        kind,
        place: item.node.place,
        spots,
    })
}

#[derive(Clone, Copy)]
enum Kind {
    Record,
    Alert,
}

/// What a rule is and how it is called.
struct Naming {
    kind: Option<Kind>,
    name: Option<String>,
    spot: Spot,
}

/// Decides whether the rule records or alerts; an empty name is none.
fn naming(
    item: &Item<'_>,
    fields: &mut Fields<'_>,
    dialect: Dialect,
    problems: &mut Problems,
) -> Naming {
    let mut named = |field: &'static str| {
        let item = fields.take(field)?;
        let name = item.scalar(problems);
        (name.as_deref() != Some("")).then_some((item, name))
    };
    let (record, alert) = (named("record"), named("alert"));
    let (kind, (item, name)) = match (record, alert) {
        (Some(record), None) => (Kind::Record, record),
        (None, Some(alert)) => (Kind::Alert, alert),
        (record, _) => {
            let (message, help) = if record.is_some() {
                (
                    "a rule has either `record` or `alert`, not both",
                    "make it two rules",
                )
            } else {
                (
                    "a rule needs `record` or `alert`",
                    "`record: name` stores the result under a name, `alert: Name` raises alerts",
                )
            };
            problems.at_with_help(item, message, help);
            return Naming {
                kind: None,
                name: None,
                spot: Spot::default(),
            };
        }
    };
    if let (Kind::Record, Some(name)) = (kind, &name)
        && let Err(wrong) = names::check(Names::Record, name, dialect.profile)
    {
        problems.at_with_help(&item, wrong.message, wrong.help);
    }
    Naming {
        kind: Some(kind),
        name,
        spot: item.spot(),
    }
}

fn expression_item<'n>(fields: &mut Fields<'n>, problems: &mut Problems) -> Option<Item<'n>> {
    let item = fields.require("expr", problems)?;
    if matches!(&item.node.value, Yaml::Str(text) if text.trim().is_empty()) {
        problems.at_with_help(
            &item,
            "the expression is empty",
            "write the PromQL expression that the rule evaluates",
        );
        return None;
    }
    Some(item)
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

fn duration(
    fields: &mut Fields<'_>,
    name: &'static str,
    problems: &mut Problems,
) -> Option<(i64, Spot)> {
    let item = fields.take(name)?;
    Some((item.parse(problems, parse_ms)?, item.spot()))
}

/// A mapping of texts and where its values are written.
#[derive(Default)]
struct Decoded {
    pairs: Pairs,
    spots: Vec<(String, Spot)>,
}

fn pairs(
    fields: &mut Fields<'_>,
    field: &'static str,
    names: Names,
    dialect: Dialect,
    problems: &mut Problems,
) -> Decoded {
    let mut decoded = Decoded::default();
    let Some(item) = fields.take(field) else {
        return decoded;
    };
    for (key, child) in item.entries(problems) {
        if let Err(wrong) = names::check(names, &key.text, dialect.profile) {
            problems.push(Problem {
                place: key.place,
                path: item.path.clone(),
                message: wrong.message,
                help: Some(wrong.help.to_owned()),
            });
        }
        if let Some(value) = child.scalar(problems) {
            decoded.spots.push((key.text.clone(), child.spot()));
            decoded.pairs.push((key.text.clone(), value));
        }
    }
    decoded
}

/// Labels and annotations of an alert are templates.
fn check_templates(
    fields: &mut Fields<'_>,
    field: &'static str,
    dialect: Dialect,
    problems: &mut Problems,
) {
    let Some(item) = fields.take(field) else {
        return;
    };
    for (_, child) in item.entries(&mut Problems::new()) {
        let Some(text) = child.scalar(&mut Problems::new()) else {
            continue;
        };
        if let Err(error) = Template::parse_for(&text, dialect.profile) {
            let line = match error.line {
                1 => String::new(),
                line => format!(" (line {line} of the text)"),
            };
            problems.at(&child, format!("{error}{line}"));
        }
    }
}

/// Refuses what only alerts have, unless it says nothing.
fn refuse_alert_fields(
    fields: &mut Fields<'_>,
    set: [(&'static str, bool); 3],
    problems: &mut Problems,
) {
    for (name, is_set) in set {
        if let (true, Some(item)) = (is_set, fields.take(name)) {
            problems.at_with_help(
                &item,
                format!("a recording rule has no `{name}`"),
                "remove it, or make the rule an alert: `alert` in place of `record`",
            );
        }
    }
}
