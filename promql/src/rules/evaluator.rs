//! Runs groups of rules against a store.
//!
//! Files in reading order: `group` is what is known of a running group, `run` evaluates its rules,
//! `restore` picks up where another run ended.
//!
//! It decides nothing about time: the caller says when a group is evaluated. Rules of a group run
//! in order and each sees what the ones before it wrote. A rule that fails changes nothing: its
//! alerts stay as they are, none of its series goes stale.

mod batch;
mod group;
mod independence;
mod restore;
mod run;

pub(crate) use batch::Redo;

use std::time::Duration;

use super::alerts::Alerts;
use super::file::RuleFile;
use super::status::{GroupOutcome, GroupStatus, Health, Notification, RuleError, RuleStatus};
use super::template::Template;
use crate::engine::{Engine, Options, Profile};
use crate::labels::Labels;
use crate::store::Store;
use group::RunningGroup;
use run::Run;

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
    /// Whether pending alerts are restored from an earlier run; the store holds its samples then.
    pub restore: Option<Restore>,
}

/// How the states of alerts are picked up after a restart.
///
/// The second evaluation of a group looks for the `ALERTS_FOR_STATE` of its alerts; until then
/// nothing is written for them. `keep_firing_for` is not restored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Restore {
    /// Rules with a shorter `for` are not restored, and an alert that had less than this left to
    /// wait waits this long.
    pub grace_ms: i64,
    /// How old the last sample may be.
    pub outage_tolerance_ms: i64,
}

impl Default for Restore {
    fn default() -> Self {
        Self {
            grace_ms: 10 * 60 * 1000,
            outage_tolerance_ms: 60 * 60 * 1000,
        }
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            default_interval_ms: 60 * 1000,
            default_query_offset_ms: 0,
            external_labels: Labels::default(),
            external_url: String::new(),
            options: Options::default(),
            restore: None,
        }
    }
}

/// Runs rules and holds the states of their alerts.
#[derive(Debug)]
pub struct Evaluator {
    engine: Engine,
    config: Config,
    groups: Vec<RunningGroup>,
    leaving: Vec<Leaving>,
}

/// The series of a group that a reload removed. They are ended two intervals later, so that a
/// renamed group can go on with them.
#[derive(Debug)]
struct Leaving {
    series: Vec<Labels>,
    /// The time of the markers.
    ended_ms: i64,
    due_ms: i64,
}

impl Evaluator {
    /// Returns an evaluator for the groups of some files.
    pub fn new(files: Vec<RuleFile>, config: Config) -> Self {
        let mut groups = running(files, &config);
        if config.restore.is_some() {
            let rules = groups.iter_mut().flat_map(|group| &mut group.rules);
            rules
                .filter_map(|rule| rule.alerts.as_mut())
                .for_each(Alerts::await_restore);
        }
        Self {
            engine: Engine::new(config.options.clone()),
            config,
            groups,
            leaving: Vec::new(),
        }
    }

    /// Replaces the rules at `t_ms`; groups count anew, in the order of the files. A group is the
    /// same when the index of its file and its name are.
    ///
    /// A group that does what it did goes on. In one that changed, rules with the same name and
    /// labels keep their alerts, and what the others wrote ends with its next evaluation. What a
    /// removed group wrote ends two of its intervals later.
    pub fn reload(&mut self, files: Vec<RuleFile>, t_ms: i64) {
        let mut old = std::mem::take(&mut self.groups);
        for mut group in running(files, &self.config) {
            let same = |old: &RunningGroup| old.file == group.file && old.name == group.name;
            let known = old.iter().position(same).map(|at| old.remove(at));
            self.groups.push(match known {
                Some(known) if known.does_as(&group) => known,
                Some(known) => {
                    group.take_over(known);
                    group
                }
                None => group,
            });
        }
        for group in old {
            self.leaving.push(Leaving {
                ended_ms: t_ms.saturating_sub(group.query_offset_ms),
                due_ms: t_ms.saturating_add(group.interval_ms.saturating_mul(2)),
                series: group.into_series(),
            });
        }
    }

    /// Returns the groups in the order in which [`Evaluator::evaluate`] counts them.
    pub fn groups(&self) -> Vec<GroupStatus> {
        self.groups.iter().map(RunningGroup::status).collect()
    }

    /// Evaluates one group at a time; results are written to the store. An index beyond the groups
    /// does nothing.
    pub fn evaluate(&mut self, group: usize, store: &mut Store, t_ms: i64) -> GroupOutcome {
        self.evaluate_with(group, store, t_ms, &mut || None)
    }

    /// Evaluates as [`Evaluator::evaluate`] does and notes how long each rule takes; `elapsed` is a
    /// stopwatch that runs.
    pub fn evaluate_timed(
        &mut self,
        group: usize,
        store: &mut Store,
        t_ms: i64,
        elapsed: &mut dyn FnMut() -> Duration,
    ) -> GroupOutcome {
        self.evaluate_with(group, store, t_ms, &mut || Some(elapsed()))
    }

    fn evaluate_with(
        &mut self,
        group: usize,
        store: &mut Store,
        t_ms: i64,
        elapsed: &mut dyn FnMut() -> Option<Duration>,
    ) -> GroupOutcome {
        let mut outcome = GroupOutcome::default();
        let Some(group) = self.groups.get_mut(group) else {
            return outcome;
        };
        let start = elapsed();
        group.begin(t_ms);
        let run = Run {
            engine: &self.engine,
            config: &self.config,
            group: &group.name,
            limit: group.limit,
            t_ms,
            query_ms: t_ms.saturating_sub(group.query_offset_ms),
        };
        let mut before = start;
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
            let now = elapsed();
            rule.evaluation_duration = between(before, now);
            before = now;
        }
        outcome.samples_written += group.end_orphans(store, t_ms);
        if let (Some(restore), 2) = (self.config.restore, group.evaluations) {
            restore::restore(group, store, restore, t_ms, self.config.options.profile);
        }
        group.evaluation_duration = between(start, elapsed());
        outcome.samples_written += self.end_leaving(store, t_ms);
        outcome
    }

    /// Ends the series of removed groups whose time has come.
    fn end_leaving(&mut self, store: &mut Store, t_ms: i64) -> usize {
        let due = |leaving: &mut Leaving| leaving.due_ms <= t_ms;
        self.leaving
            .extract_if(.., due)
            .map(|leaving| group::end(&leaving.series, store, leaving.ended_ms))
            .sum()
    }

    /// Returns every rule and its state, in the order of groups and rules.
    pub fn rules(&self) -> Vec<RuleStatus> {
        self.groups
            .iter()
            .flat_map(|group| group.rules.iter().map(|rule| rule.status(&group.name)))
            .collect()
    }

    /// Returns the alerts of a group that are due to be sent after its evaluation at `t_ms`, and
    /// marks them as sent. A rule that failed sends nothing.
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
        let valid_for_ms = group.interval_ms.max(resend_delay_ms).saturating_mul(4);
        let last_ms = group.last_evaluation_ms;
        group
            .rules
            .iter_mut()
            .filter(|rule| rule.evaluated_ms.is_some() && rule.evaluated_ms == last_ms)
            .filter_map(|rule| Some((rule.rule.expr.to_string(), rule.alerts.as_mut()?)))
            .flat_map(|(expr, alerts)| alerts.due(&expr, t_ms, resend_delay_ms, valid_for_ms))
            .collect()
    }
}

fn between(start: Option<Duration>, end: Option<Duration>) -> Option<Duration> {
    Some(end?.saturating_sub(start?))
}

fn running(files: Vec<RuleFile>, config: &Config) -> Vec<RunningGroup> {
    files
        .into_iter()
        .enumerate()
        .flat_map(|(file, content)| content.groups.into_iter().map(move |g| (file, g)))
        .map(|(file, group)| RunningGroup::new(file, group, config))
        .collect()
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
