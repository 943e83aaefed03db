//! Runs groups of rules against a store.
//!
//! It decides nothing about time: the caller says when a group is evaluated. Rules of a group run
//! in order and each sees what the ones before it wrote. A rule that fails changes nothing: its
//! alerts stay as they are, none of its series goes stale.

use std::collections::BTreeSet;

use super::alerts::{Alerts, Element};
use super::file::{Group, Rule, RuleFile, RuleType};
use super::status::{
    AlertState, GroupOutcome, GroupStatus, Health, Notification, RuleError, RuleKind, RuleStatus,
};
use super::template::Template;
use crate::engine::{Engine, Options, Profile};
use crate::labels::{Labels, METRIC_NAME};
use crate::query::{Dialect, Query};
use crate::store::Store;
use crate::value::{Point, Value, stale_nan};

/// What the evaluation needs to know besides the rules.
#[derive(Debug, Clone)]
pub struct Config {
    /// Interval of groups that set none.
    pub default_interval_ms: i64,
    /// Query offset of groups that set none.
    pub default_query_offset_ms: i64,
    /// Labels of this Prometheus, for templates.
    pub external_labels: Labels,
    /// Address of this Prometheus, for templates.
    pub external_url: String,
    /// How queries are evaluated.
    pub options: Options,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            default_interval_ms: 60 * 1000,
            default_query_offset_ms: 0,
            external_labels: Labels::default(),
            external_url: String::new(),
            options: Options::default(),
        }
    }
}

/// Runs rules and holds the states of their alerts.
#[derive(Debug)]
pub struct Evaluator {
    engine: Engine,
    config: Config,
    groups: Vec<RunningGroup>,
}

#[derive(Debug)]
struct RunningGroup {
    file: usize,
    name: String,
    interval_ms: i64,
    query_offset_ms: i64,
    limit: usize,
    rules: Vec<RunningRule>,
    last_evaluation_ms: Option<i64>,
}

#[derive(Debug)]
struct RunningRule {
    rule: Rule,
    /// The alerts of an alerting rule.
    alerts: Option<Alerts>,
    /// The series written last time, to end those that do not come again.
    written: BTreeSet<Labels>,
    health: Health,
    last_error: Option<String>,
    last_evaluation_ms: Option<i64>,
}

impl Evaluator {
    /// Returns an evaluator for the groups of some files.
    pub fn new(files: Vec<RuleFile>, config: Config) -> Self {
        let groups = files
            .into_iter()
            .enumerate()
            .flat_map(|(file, content)| content.groups.into_iter().map(move |g| (file, g)))
            .map(|(file, group)| RunningGroup::new(file, group, &config))
            .collect();
        Self {
            engine: Engine::new(config.options.clone()),
            config,
            groups,
        }
    }

    /// Returns the groups in the order in which [`Evaluator::evaluate`] counts them.
    pub fn groups(&self) -> Vec<GroupStatus> {
        self.groups
            .iter()
            .map(|group| GroupStatus {
                file: group.file,
                name: group.name.clone(),
                interval_ms: group.interval_ms,
                last_evaluation_ms: group.last_evaluation_ms,
            })
            .collect()
    }

    /// Evaluates one group at a time; results are written to the store. An index beyond the groups
    /// does nothing.
    pub fn evaluate(&mut self, group: usize, store: &mut Store, t_ms: i64) -> GroupOutcome {
        let mut outcome = GroupOutcome::default();
        let Some(group) = self.groups.get_mut(group) else {
            return outcome;
        };
        group.last_evaluation_ms = Some(t_ms);
        let run = Run {
            engine: &self.engine,
            config: &self.config,
            group: &group.name,
            limit: group.limit,
            t_ms,
            query_ms: t_ms.saturating_sub(group.query_offset_ms),
        };
        for rule in &mut group.rules {
            rule.last_evaluation_ms = Some(t_ms);
            match run.rule(rule, store, &mut outcome) {
                Ok(()) => {
                    rule.health = Health::Ok;
                    rule.last_error = None;
                }
                Err(message) => {
                    rule.health = Health::Err;
                    rule.last_error = Some(message.clone());
                    outcome.errors.push(RuleError {
                        rule: rule.rule.name.clone(),
                        message,
                    });
                }
            }
        }
        outcome
    }

    /// Returns every rule and its state, in the order of groups and rules.
    pub fn rules(&self) -> Vec<RuleStatus> {
        self.groups
            .iter()
            .flat_map(|group| group.rules.iter().map(|rule| rule.status(&group.name)))
            .collect()
    }

    /// Returns the alerts of a group that are due to be sent at `t_ms`, and marks them as sent.
    ///
    /// A firing alert is due at once, when it resolves, and again after `resend_delay_ms`.
    pub fn notifications(
        &mut self,
        group: usize,
        t_ms: i64,
        resend_delay_ms: i64,
    ) -> Vec<Notification> {
        let Some(group) = self.groups.get_mut(group) else {
            return Vec::new();
        };
        // An alert that is not confirmed for four rounds counts as ended.
        let valid_for_ms = 4 * group.interval_ms.max(resend_delay_ms);
        group
            .rules
            .iter_mut()
            .filter_map(|rule| Some((rule.rule.expr.to_string(), rule.alerts.as_mut()?)))
            .flat_map(|(expr, alerts)| alerts.due(&expr, t_ms, resend_delay_ms, valid_for_ms))
            .collect()
    }
}

impl RunningGroup {
    fn new(file: usize, group: Group, config: &Config) -> Self {
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
        }
    }
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
        }
    }

    fn status(&self, group: &str) -> RuleStatus {
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
        }
    }
}

/// One evaluation of one group.
struct Run<'r> {
    engine: &'r Engine,
    config: &'r Config,
    group: &'r str,
    limit: usize,
    t_ms: i64,
    query_ms: i64,
}

impl Run<'_> {
    fn rule(
        &self,
        running: &mut RunningRule,
        store: &mut Store,
        outcome: &mut GroupOutcome,
    ) -> Result<(), String> {
        let points = self.query(&running.rule.expr, store, self.query_ms)?;
        let samples = match &mut running.alerts {
            None => self.recorded(&running.rule, points)?,
            Some(alerts) => {
                let elements = self.alert_elements(alerts, &points, store)?;
                let before = outcome.transitions.len();
                let advanced = alerts.advance(elements, self.t_ms, &mut outcome.transitions);
                for transition in &mut outcome.transitions[before..] {
                    self.group.clone_into(&mut transition.group);
                }
                if self.limit > 0 && advanced > self.limit {
                    alerts.clear(self.t_ms, self.group, &mut outcome.transitions);
                    return Err(format!(
                        "exceeded limit of {} with {advanced} alerts",
                        self.limit
                    ));
                }
                alerts.samples()
            }
        };
        self.commit(running, samples, store, outcome)
    }

    fn query(&self, query: &Query, store: &Store, t_ms: i64) -> Result<Vec<Point>, String> {
        let evaluated = self
            .engine
            .instant(store, query, t_ms)
            .map_err(|error| error.to_string())?;
        match evaluated.value {
            Value::Vector(points) => Ok(points),
            Value::Scalar(sample) => Ok(vec![Point {
                labels: Labels::default(),
                sample,
            }]),
            Value::String(_) | Value::Matrix(_) => {
                Err("rule result is not a vector or scalar".to_owned())
            }
        }
    }

    fn recorded(&self, rule: &Rule, points: Vec<Point>) -> Result<Vec<(Labels, f64)>, String> {
        let mut seen = BTreeSet::new();
        let mut samples = Vec::with_capacity(points.len());
        for point in points {
            let own = rule
                .labels
                .iter()
                .map(|(name, value)| (name.as_str(), value.as_str()));
            let labels = Labels::from_pairs(
                point
                    .labels
                    .iter()
                    .chain([(METRIC_NAME, rule.name.as_str())])
                    .chain(own),
            );
            if !seen.insert(labels.clone()) {
                return Err(
                    "vector contains metrics with the same labelset after applying rule labels"
                        .to_owned(),
                );
            }
            samples.push((labels, point.sample.value));
        }
        if self.limit > 0 && samples.len() > self.limit {
            return Err(format!(
                "exceeded limit of {} with {} series",
                self.limit,
                samples.len()
            ));
        }
        Ok(samples)
    }

    fn alert_elements(
        &self,
        alerts: &Alerts,
        points: &[Point],
        store: &Store,
    ) -> Result<Vec<Element>, String> {
        let dialect = Dialect {
            profile: self.config.options.profile,
            experimental: false,
        };
        // Templates ask about the time of the evaluation, whatever the offset of the rule.
        let query = |text: &str| {
            let query = Query::parse_as(text, dialect).map_err(|error| error.to_string())?;
            self.query(&query, store, self.t_ms)
        };
        let mut seen = BTreeSet::new();
        let mut elements = Vec::with_capacity(points.len());
        for point in points {
            let element = alerts.element(point, self.config, &query);
            if !seen.insert(element.labels.clone()) {
                return Err(
                    "vector contains metrics with the same labelset after applying alert labels"
                        .to_owned(),
                );
            }
            elements.push(element);
        }
        Ok(elements)
    }

    /// Writes the results of a rule and ends the series that it wrote last time only.
    fn commit(
        &self,
        running: &mut RunningRule,
        samples: Vec<(Labels, f64)>,
        store: &mut Store,
        outcome: &mut GroupOutcome,
    ) -> Result<(), String> {
        let mut written = BTreeSet::new();
        let mut refused = None;
        for (labels, value) in samples {
            match store.append(&labels, self.query_ms, value) {
                Ok(()) => {
                    outcome.samples_written += 1;
                    written.insert(labels);
                }
                Err(error) => refused = refused.or_else(|| Some(error.to_string())),
            }
        }
        for labels in running.written.difference(&written) {
            // A refused marker means that somebody else writes the series: it has not ended.
            if store.append(labels, self.query_ms, stale_nan()).is_ok() {
                outcome.samples_written += 1;
            }
        }
        running.written = written;
        refused.map_or(Ok(()), Err)
    }
}

/// Compiles the templates of some pairs; they were checked when the file was read.
pub(super) fn compiled(pairs: &[(String, String)], profile: Profile) -> Vec<(String, Template)> {
    pairs
        .iter()
        .map(|(name, text)| {
            let template =
                Template::parse_for(text, profile).unwrap_or_else(|_| Template::literal(text));
            (name.clone(), template)
        })
        .collect()
}
