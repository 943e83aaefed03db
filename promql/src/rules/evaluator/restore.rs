//! Picks up the states of alerts that another run left behind.

use super::super::alerts::Alerts;
use super::Restore;
use super::group::RunningGroup;
use crate::engine::Profile;
use crate::labels::{Labels, METRIC_NAME};
use crate::query::matcher::Matcher;
use crate::store::Store;
use crate::value::is_stale;

/// Moves the alerts of a group back to when they began before the restart, as far as that is known.
pub(super) fn restore(
    group: &mut RunningGroup,
    store: &Store,
    restore: Restore,
    t_ms: i64,
    profile: Profile,
) {
    let rules = group.rules.iter_mut();
    for alerts in rules.filter_map(|rule| rule.alerts.as_mut()) {
        if alerts.for_ms() >= restore.grace_ms {
            let found = found(alerts, store, profile);
            alerts.restore(t_ms, |labels| {
                let (_, id) = found.iter().find(|(known, _)| known == labels)?;
                let last = store.at(*id, t_ms)?;
                let is_old = last.t_ms < t_ms.saturating_sub(restore.outage_tolerance_ms);
                (!is_old && !is_stale(last.value)).then_some((last, restore.grace_ms))
            });
        }
        alerts.end_restore();
    }
}

/// Returns the series of a rule by the labels of their alerts.
fn found(
    alerts: &Alerts,
    store: &Store,
    profile: Profile,
) -> Vec<(Labels, crate::store::SeriesId)> {
    let wanted = alerts.state_labels();
    // Since 2.53 the labels are looked for as they are written in the rule: where a template made
    // them, nothing is found.
    let matchers: Vec<Matcher> = match profile {
        Profile::V2_42 => vec![Matcher::equal(METRIC_NAME, super::super::alerts::FOR_STATE)],
        Profile::V2_53 | Profile::V3_5 => {
            let labels = wanted.iter();
            labels
                .map(|(name, value)| Matcher::equal(name, value))
                .collect()
        }
    };
    let series = store.select(&matchers);
    series
        .iter()
        .map(|id| (store.labels(*id).retain(|name| name != METRIC_NAME), *id))
        .collect()
}
