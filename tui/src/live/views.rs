//! From what the other crates know to what the screen shows.

use std::collections::BTreeMap;

use chaos::{Playbook, library};
use fault::{FaultStatus, Listing, Scope};
use serde_json::Value;

use crate::dashboard::{FaultView, PlaybookView};

/// Returns the live faults and the ended ones of a fault control.
pub(crate) fn faults(listing: &Listing) -> Vec<FaultView> {
    listing
        .faults
        .iter()
        .chain(&listing.ended)
        .map(fault_view)
        .collect()
}

/// Returns one fault as the screen and `fault list` show it.
pub(crate) fn fault_view(status: &FaultStatus) -> FaultView {
    let wire = status.fault.to_value();
    FaultView {
        id: status.id.to_string(),
        kind: status.fault.kind().name().to_owned(),
        what: what(&wire),
        place: place(&status.fault.scope),
        // As it was asked for: what a ramp has reached by now would change the label every second.
        share: status.fault.share.to_string(),
        owner: status.owner.clone(),
        reason: status.reason.clone(),
        age_ms: status.age_ms as i64,
        remaining_ms: status.ended.is_none().then_some(status.remaining_ms as i64),
        evaluated: status.evaluated,
        injected: status.injected,
        ended: status.ended.map(|ended| {
            (
                ended.name().replace('_', " "),
                status.ended_ago_ms.map(|ms| ms as i64),
            )
        }),
    }
}

/// The parameters of the kind, in a row: `503`, `800ms 200ms normal`.
fn what(wire: &Value) -> String {
    let Some(fields) = wire.as_object() else {
        return String::new();
    };
    let shown = fields
        .iter()
        .filter(|(name, _)| !["kind", "share", "where", "ramp", "body"].contains(&name.as_str()))
        .map(|(name, value)| match (name.as_str(), value) {
            ("factor", value) => format!("×{value}"),
            (_, Value::String(text)) => text.clone(),
            (_, value) => value.to_string(),
        });
    shown.collect::<Vec<_>>().join(" ")
}

fn place(scope: &Scope) -> String {
    let parts = [&scope.service, &scope.method, &scope.route];
    let words: Vec<&str> = parts
        .into_iter()
        .filter_map(|part| part.as_deref())
        .collect();
    words.join(" ")
}

/// What steady state and resolving alerts take around the method, about, in milliseconds.
const AROUND_MS: i64 = 15_000;

/// Returns the shipped playbooks as the list shows them.
pub(crate) fn shipped() -> Vec<PlaybookView> {
    library::names()
        .into_iter()
        .filter_map(|name| Playbook::parse(name, library::get(name)?, &BTreeMap::new()).ok())
        .map(|playbook| playbook_view(&playbook))
        .collect()
}

fn playbook_view(playbook: &Playbook) -> PlaybookView {
    PlaybookView {
        name: playbook.name.clone(),
        title: playbook.title.clone(),
        description: playbook.description.clone(),
        breaks: playbook
            .faults()
            .map(|(_, _, fault)| fault.injection.summary())
            .collect(),
        expects: playbook
            .expect_alerts
            .iter()
            .map(|expected| expected.pattern.to_string())
            .collect(),
        about_ms: playbook.least_body_ms() + AROUND_MS,
    }
}
