//! The v2 API as it is on the wire.

use std::collections::BTreeMap;

use promql::labels::Labels;
use promql::rules::Notification;
use serde::{Deserialize, Serialize};

use super::{HeldAlert, HeldState};
use crate::clean;
use crate::times::{rfc3339, rfc3339_ms};

type Map = BTreeMap<String, String>;

/// An alert that is posted.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Posted<'a> {
    labels: BTreeMap<&'a str, &'a str>,
    annotations: BTreeMap<&'a str, &'a str>,
    starts_at: String,
    ends_at: String,
    /// Serde would spell it `generatorUrl`.
    #[serde(rename = "generatorURL")]
    generator_url: String,
}

impl<'a> Posted<'a> {
    pub(super) fn new(alert: &'a Notification, external_labels: &'a Labels) -> Self {
        let mut labels: BTreeMap<&str, &str> = external_labels.iter().collect();
        labels.extend(alert.labels.iter());
        let annotations = alert.annotations.iter();
        Self {
            labels,
            annotations: annotations.map(|(n, v)| (n.as_str(), v.as_str())).collect(),
            starts_at: rfc3339(alert.starts_at_ms),
            ends_at: rfc3339(alert.ends_at_ms),
            generator_url: alert.generator_path(),
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Alert {
    #[serde(default)]
    labels: Map,
    #[serde(default)]
    annotations: Map,
    #[serde(default)]
    starts_at: String,
    #[serde(default)]
    ends_at: String,
    #[serde(default)]
    updated_at: String,
    #[serde(default)]
    fingerprint: String,
    status: AlertStatus,
    #[serde(default)]
    receivers: Vec<Named>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct AlertStatus {
    state: String,
    #[serde(default)]
    silenced_by: Vec<String>,
    #[serde(default)]
    inhibited_by: Vec<String>,
}

#[derive(Deserialize)]
struct Named {
    name: String,
}

impl Alert {
    pub(super) fn checked(self) -> HeldAlert {
        HeldAlert {
            labels: labels(self.labels),
            annotations: clean::pairs(self.annotations),
            starts_at_ms: rfc3339_ms(&self.starts_at).unwrap_or_default(),
            ends_at_ms: rfc3339_ms(&self.ends_at).unwrap_or_default(),
            updated_at_ms: rfc3339_ms(&self.updated_at).unwrap_or_default(),
            fingerprint: clean::message(&self.fingerprint),
            state: match self.status.state.as_str() {
                "active" => HeldState::Active,
                "suppressed" => HeldState::Suppressed {
                    silenced_by: texts(&self.status.silenced_by),
                    inhibited_by: texts(&self.status.inhibited_by),
                },
                _ => HeldState::Unprocessed,
            },
            receivers: self
                .receivers
                .iter()
                .map(|one| clean::message(&one.name))
                .collect(),
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Silence {
    id: String,
    #[serde(default)]
    status: SilenceStatus,
    #[serde(default)]
    created_by: String,
    #[serde(default)]
    comment: String,
    #[serde(default)]
    matchers: Vec<Matcher>,
    #[serde(default)]
    starts_at: String,
    #[serde(default)]
    ends_at: String,
}

#[derive(Deserialize, Default)]
struct SilenceStatus {
    #[serde(default)]
    state: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Matcher {
    name: String,
    value: String,
    #[serde(default)]
    is_regex: bool,
    #[serde(default = "yes")]
    is_equal: bool,
}

fn yes() -> bool {
    true
}

impl Matcher {
    fn shown(&self) -> String {
        let operator = match (self.is_equal, self.is_regex) {
            (true, false) => "=",
            (true, true) => "=~",
            (false, false) => "!=",
            (false, true) => "!~",
        };
        clean::message(&format!("{}{operator}{:?}", self.name, self.value))
    }
}

impl Silence {
    pub(super) fn checked(self) -> super::Silence {
        super::Silence {
            id: clean::message(&self.id),
            state: clean::message(&self.status.state),
            created_by: clean::message(&self.created_by),
            comment: clean::message(&self.comment),
            matchers: self.matchers.iter().map(Matcher::shown).collect(),
            starts_at_ms: rfc3339_ms(&self.starts_at).unwrap_or_default(),
            ends_at_ms: rfc3339_ms(&self.ends_at).unwrap_or_default(),
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Status {
    version_info: Version,
    #[serde(default)]
    cluster: Cluster,
    #[serde(default)]
    config: Config,
}

#[derive(Deserialize)]
struct Version {
    version: String,
}

#[derive(Deserialize, Default)]
struct Cluster {
    #[serde(default)]
    status: String,
}

#[derive(Deserialize, Default)]
struct Config {
    #[serde(default)]
    original: String,
}

impl Status {
    pub(super) fn checked(self) -> super::Status {
        let config = self.config.original.lines().map(clean::text);
        super::Status {
            version: clean::message(&self.version_info.version),
            cluster: clean::message(&self.cluster.status),
            config: config.collect::<Vec<_>>().join("\n"),
        }
    }
}

fn labels(map: Map) -> Labels {
    Labels::from_pairs(clean::pairs(map))
}

fn texts(list: &[String]) -> Vec<String> {
    list.iter().map(|one| clean::message(one)).collect()
}
