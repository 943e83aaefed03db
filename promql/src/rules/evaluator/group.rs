//! Groups and rules while they run.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use super::super::alerts::Alerts;
use super::super::file::{Group, Rule, RuleType};
use super::super::status::{AlertState, GroupStatus, Health, RuleKind, RuleStatus};
use super::Config;
use crate::engine::Profile;
use crate::labels::Labels;
use crate::store::Store;
use crate::value::stale_nan;

#[derive(Debug)]
pub(super) struct RunningGroup {
    pub(super) file: usize,
    pub(super) name: String,
    pub(super) interval_ms: i64,
    pub(super) query_offset_ms: i64,
    pub(super) limit: usize,
    pub(super) rules: Vec<RunningRule>,
    pub(super) last_evaluation_ms: Option<i64>,
    pub(super) evaluation_duration: Option<Duration>,
    /// Slots that passed without an evaluation.
    pub(super) missed: u64,
    /// Evaluations since the group runs; counted until the states are restored.
    pub(super) evaluations: u32,
    /// Series of rules that a reload removed, to be ended by the next evaluation.
    pub(super) orphans: Vec<Labels>,
}

#[derive(Debug)]
pub(super) struct RunningRule {
    pub(super) rule: Rule,
    /// The alerts of an alerting rule.
    pub(super) alerts: Option<Alerts>,
    /// The series written last time, to end those that do not come again.
    pub(super) written: BTreeSet<Labels>,
    pub(super) health: Health,
    pub(super) last_error: Option<String>,
    pub(super) last_evaluation_ms: Option<i64>,
    pub(super) evaluation_duration: Option<Duration>,
    /// The last evaluation that had a result; alerts are sent after no other.
    pub(super) evaluated_ms: Option<i64>,
}

/// What makes a rule the same after a reload.
type Identity = (String, Labels);

impl RunningGroup {
    pub(super) fn new(file: usize, group: Group, config: &Config) -> Self {
        Self {
            file,
            name: group.name,
            interval_ms: group.interval_ms.unwrap_or(config.default_interval_ms),
            query_offset_ms: group
                .query_offset_ms
                .unwrap_or(config.default_query_offset_ms),
            limit: group.limit,
            rules: group
                .rules
                .into_iter()
                .map(|rule| RunningRule::new(rule, config.options.profile))
                .collect(),
            last_evaluation_ms: None,
            evaluation_duration: None,
            missed: 0,
            evaluations: 0,
            orphans: Vec::new(),
        }
    }

    pub(super) fn status(&self) -> GroupStatus {
        GroupStatus {
            file: self.file,
            name: self.name.clone(),
            interval_ms: self.interval_ms,
            last_evaluation_ms: self.last_evaluation_ms,
            evaluation_duration: self.evaluation_duration,
            missed_evaluations: self.missed,
        }
    }

    /// Notes that an evaluation begins.
    pub(super) fn begin(&mut self, t_ms: i64) {
        if let Some(last_ms) = self.last_evaluation_ms {
            let slots = t_ms.saturating_sub(last_ms) / self.interval_ms.max(1);
            self.missed += u64::try_from(slots - 1).unwrap_or(0);
        }
        self.last_evaluation_ms = Some(t_ms);
        self.evaluations = self.evaluations.saturating_add(1);
    }

    /// Ends the series of rules that are gone; returns how many markers were written.
    pub(super) fn end_orphans(&mut self, store: &mut Store, t_ms: i64) -> usize {
        let query_ms = t_ms.saturating_sub(self.query_offset_ms);
        end(&std::mem::take(&mut self.orphans), store, query_ms)
    }

    /// Returns every series that the group has written and not ended.
    pub(super) fn into_series(self) -> Vec<Labels> {
        let written = self.rules.into_iter().flat_map(|rule| rule.written);
        self.orphans.into_iter().chain(written).collect()
    }

    /// Says whether a group does the same as another.
    pub(super) fn does_as(&self, other: &Self) -> bool {
        let settings = |group: &Self| (group.interval_ms, group.query_offset_ms, group.limit);
        let same = |(a, b): (&RunningRule, &RunningRule)| {
            (&a.rule.name, &a.rule.expr, &a.rule.labels, &a.rule.kind)
                == (&b.rule.name, &b.rule.expr, &b.rule.labels, &b.rule.kind)
        };
        settings(self) == settings(other)
            && self.rules.len() == other.rules.len()
            && self.rules.iter().zip(&other.rules).all(same)
    }

    /// Takes over the state of the group that this one replaces: rules with the same name and
    /// labels keep their alerts, the first the first's and so on; what the rest wrote is ended.
    pub(super) fn take_over(&mut self, old: Self) {
        self.last_evaluation_ms = old.last_evaluation_ms;
        self.evaluation_duration = old.evaluation_duration;
        self.missed = old.missed;
        self.orphans = old.orphans;
        let mut known: BTreeMap<Identity, VecDeque<RunningRule>> = BTreeMap::new();
        for rule in old.rules {
            known.entry(rule.identity()).or_default().push_back(rule);
        }
        for rule in &mut self.rules {
            let same = known.get_mut(&rule.identity());
            if let Some(old) = same.and_then(VecDeque::pop_front) {
                rule.written = old.written;
                if let (Some(alerts), Some(old)) = (&mut rule.alerts, old.alerts) {
                    alerts.take_over(old);
                }
            }
        }
        let gone = known.into_values().flatten();
        self.orphans.extend(gone.flat_map(|rule| rule.written));
    }
}

/// Writes stale markers. One that is refused means that somebody else writes the series: it has not
/// ended.
pub(super) fn end(series: &[Labels], store: &mut Store, t_ms: i64) -> usize {
    let ended = |labels: &&Labels| store.append(labels, t_ms, stale_nan()).is_ok();
    series.iter().filter(ended).count()
}

impl RunningRule {
    fn new(rule: Rule, profile: Profile) -> Self {
        let alerts = match &rule.kind {
            RuleType::Alerting(alerting) => Some(Alerts::new(&rule, alerting, profile)),
            RuleType::Recording => None,
        };
        Self {
            rule,
            alerts,
            written: BTreeSet::new(),
            health: Health::Unknown,
            last_error: None,
            last_evaluation_ms: None,
            evaluation_duration: None,
            evaluated_ms: None,
        }
    }

    fn identity(&self) -> Identity {
        let labels = self.rule.labels.iter();
        let labels = labels.map(|(name, value)| (name.as_str(), value.as_str()));
        (self.rule.name.clone(), Labels::from_pairs(labels))
    }

    pub(super) fn status(&self, group: &str) -> RuleStatus {
        let alerts = self.alerts.as_ref().map(Alerts::active).unwrap_or_default();
        let (kind, alerting) = match &self.rule.kind {
            RuleType::Recording => (RuleKind::Recording, None),
            RuleType::Alerting(alerting) => (RuleKind::Alerting, Some(alerting)),
        };
        RuleStatus {
            group: group.to_owned(),
            name: self.rule.name.clone(),
            kind,
            query: self.rule.expr.to_string(),
            for_ms: alerting.map_or(0, |alerting| alerting.for_ms),
            keep_firing_for_ms: alerting.map_or(0, |alerting| alerting.keep_firing_for_ms),
            labels: self.rule.labels.clone(),
            annotations: alerting
                .map(|alerting| alerting.annotations.clone())
                .unwrap_or_default(),
            state: alerts
                .iter()
                .map(|alert| alert.state)
                .max()
                .unwrap_or(AlertState::Inactive),
            alerts,
            health: self.health,
            last_error: self.last_error.clone(),
            last_evaluation_ms: self.last_evaluation_ms,
            evaluation_duration: self.evaluation_duration,
        }
    }
}
