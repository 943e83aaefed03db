//! Texts of alerts: labels that are not there, units that are not the value's.

use super::labels::shape;
use super::matching::had;
use super::value::{Measure, hundredfold, measure};
use super::world::Subject;
use super::{At, Found, Lint};
use crate::yaml::decode::Spot;

pub(super) const LINTS: &[Lint] = &[
    Lint {
        id: "template-label",
        finds: "a template that prints a label which the result cannot have",
        check: template_label,
    },
    Lint {
        id: "template-unit",
        finds: "a template that prints the value in the wrong unit",
        check: template_unit,
    },
];

/// Returns the templates of an alert with their places.
fn texts<'a>(subject: &Subject<'a>) -> Vec<(&'a str, Spot)> {
    let Some(alerting) = subject.alerting() else {
        return Vec::new();
    };
    let spots = &subject.rule.spots;
    let labels = subject.rule.labels.iter();
    let found = |texts: std::slice::Iter<'a, (String, String)>, spots: &'a [(String, Spot)]| {
        texts.filter_map(move |(name, text)| {
            let (_, spot) = spots.iter().find(|(other, _)| other == name)?;
            Some((text.as_str(), *spot))
        })
    };
    found(labels, &spots.labels)
        .chain(found(alerting.annotations.iter(), &spots.annotations))
        .collect()
}

/// Returns the actions of a template: what stands between `{{` and `}}`, and what follows.
fn actions(text: &str) -> impl Iterator<Item = (&str, &str)> {
    text.split("{{")
        .skip(1)
        .filter_map(|part| part.split_once("}}"))
}

fn template_label(subject: &Subject<'_>, found: &mut Found<'_>) {
    let shape = shape(subject.expr(), subject.world);
    for (text, spot) in texts(subject) {
        // Inside `range query …` and `with`, the dot is something else.
        let dot = !text.contains("range") && !text.contains("with");
        let mut told: Vec<&str> = Vec::new();
        for (action, _) in actions(text) {
            let prefixes = ["$labels.", ".Labels."];
            for prefix in prefixes
                .iter()
                .filter(|prefix| dot || **prefix == "$labels.")
            {
                for rest in action.split(prefix).skip(1) {
                    let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_');
                    let name = &rest[..end.unwrap_or(rest.len())];
                    if !shape.can_have(name) && !told.contains(&name) {
                        told.push(name);
                        found.at(At::Field(spot), missing(name, subject), had(&shape));
                    }
                }
            }
        }
    }
}

fn missing(name: &str, subject: &Subject<'_>) -> String {
    let is_set = name == "alertname" || subject.rule.labels.iter().any(|(other, _)| other == name);
    if is_set {
        format!(
            "`{name}` is set by the rule, and templates see only the labels of the expression: it prints nothing"
        )
    } else {
        format!("the result of the expression cannot have the label `{name}`: it prints nothing")
    }
}

fn template_unit(subject: &Subject<'_>, found: &mut Found<'_>) {
    let measured = measure(subject.expr(), subject.world);
    let is_hundredfold =
        measured == Some(Measure::Percent) || hundredfold(subject.expr()).is_some();
    for (text, spot) in texts(subject) {
        for (action, after) in actions(text) {
            if !action.contains("$value") && !action.contains(".Value") {
                continue;
            }
            let percentage = action.contains("humanizePercentage");
            let shown_percent = after.trim_start().starts_with('%');
            let (message, remedy) = if percentage && is_hundredfold {
                (
                    "the expression multiplies by 100 and humanizePercentage does it again",
                    "take the 100 out of the expression",
                )
            } else if percentage && shown_percent {
                (
                    "humanizePercentage prints the % itself; the text has another",
                    "drop the % behind it",
                )
            } else if shown_percent && measured == Some(Measure::Share) && !action.contains("mul") {
                (
                    "the value is a part of 1 and the text calls it percent",
                    "print it with humanizePercentage, and drop the %",
                )
            } else {
                continue;
            };
            found.at(At::Field(spot), message, remedy);
        }
    }
}
