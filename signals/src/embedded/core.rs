//! Everything the engine knows, changed only by what happened at which time.
//!
//! Invariant: no clock and no IO; the same calls leave the same state.

use std::collections::BTreeMap;

use promql::engine::{Engine, Evaluated, Options, QueryError};
use promql::query::Query;
use promql::rules::{Config, Evaluator, GroupOutcome, GroupStatus, Notification, RuleStatus};
use promql::store::Store;

use super::exemplars::Exemplars;
use super::scrape::{Reading, TargetState};
use super::{EmbeddedConfig, Progress, TargetSpec};
use crate::source::{Exemplar, Range, Target};

/// Job and instance.
pub(super) type TargetKey = (String, String);

/// Store, rules and targets.
pub(super) struct Core {
    store: Store,
    engine: Engine,
    evaluator: Evaluator,
    targets: BTreeMap<TargetKey, TargetState>,
    exemplars: Exemplars,
    progress: Progress,
    generation: u64,
}

impl Core {
    pub(super) fn new(config: EmbeddedConfig) -> Self {
        let evaluation_ms = config.evaluation_interval.as_millis() as i64;
        let options = Options {
            default_subquery_step_ms: evaluation_ms,
            ..Options::default()
        };
        let rules = Config {
            default_interval_ms: evaluation_ms,
            external_labels: config.external_labels,
            options: options.clone(),
            ..Config::default()
        };
        Self {
            store: Store::new(config.retention.as_millis() as i64),
            engine: Engine::new(options),
            evaluator: Evaluator::new(config.rules, rules),
            targets: BTreeMap::new(),
            exemplars: Exemplars::default(),
            progress: Progress::default(),
            generation: 0,
        }
    }

    /// Takes out the targets that are not wanted any more. Their series go on until
    /// [`Core::end`].
    pub(super) fn take_unwanted(
        &mut self,
        wanted: &BTreeMap<TargetKey, TargetSpec>,
    ) -> Vec<(TargetKey, TargetState)> {
        let is_gone = |key: &TargetKey, _: &mut TargetState| !wanted.contains_key(key);
        self.targets.extract_if(.., is_gone).collect()
    }

    /// Ends the series of a target that is gone, with the time at which it would have been scraped
    /// next. Those that another target has continued since go on.
    pub(super) fn end(&mut self, target: TargetState, t_ms: i64) {
        target.end(&mut self.store, t_ms);
    }

    /// Adds and moves targets; returns those to be scraped anew, with their generation.
    pub(super) fn set_targets(
        &mut self,
        mut wanted: BTreeMap<TargetKey, TargetSpec>,
    ) -> Vec<(TargetKey, TargetSpec, u64)> {
        wanted.retain(|key, spec| {
            self.targets
                .get(key)
                .is_none_or(|known| known.url() != spec.url)
        });
        let mut fresh = Vec::new();
        for (key, spec) in wanted {
            self.generation += 1;
            let generation = self.generation;
            self.targets
                .entry(key.clone())
                .or_insert_with(|| TargetState::new(&spec))
                .move_to(&spec.url, generation);
            fresh.push((key, spec, generation));
        }
        fresh
    }

    /// Says whether a target is still scraped.
    pub(super) fn has_target(&self, key: &TargetKey) -> bool {
        self.targets.contains_key(key)
    }

    /// Takes in the outcome of a scrape that began at `t_ms`, unless its target has changed since.
    pub(super) fn commit(
        &mut self,
        key: &TargetKey,
        generation: u64,
        t_ms: i64,
        reading: &Reading<'_>,
    ) -> Progress {
        if let Some(target) = self.targets.get_mut(key)
            && target.generation() == generation
        {
            target.commit(&mut self.store, &mut self.exemplars, t_ms, reading);
            self.progress.last_scrape_ms = self.progress.last_scrape_ms.max(Some(t_ms));
        }
        self.progress
    }

    pub(super) fn groups(&self) -> Vec<GroupStatus> {
        self.evaluator.groups()
    }

    /// Evaluates a group and returns what is due to be sent.
    pub(super) fn evaluate(
        &mut self,
        group: usize,
        t_ms: i64,
        resend_delay_ms: Option<i64>,
    ) -> (GroupOutcome, Vec<Notification>, Progress) {
        self.store.set_now(t_ms);
        let outcome = self.evaluator.evaluate(group, &mut self.store, t_ms);
        let due = match resend_delay_ms {
            Some(delay) => self.evaluator.notifications(group, t_ms, delay),
            None => Vec::new(),
        };
        self.progress.last_evaluation_ms = self.progress.last_evaluation_ms.max(Some(t_ms));
        (outcome, due, self.progress)
    }

    pub(super) fn instant(&self, query: &Query, t_ms: i64) -> Result<Evaluated, QueryError> {
        self.engine.instant(&self.store, query, t_ms)
    }

    pub(super) fn range(&self, query: &Query, range: Range) -> Result<Evaluated, QueryError> {
        self.engine.range(
            &self.store,
            query,
            range.start_ms,
            range.end_ms,
            range.step_ms,
        )
    }

    pub(super) fn rules(&self) -> (Vec<RuleStatus>, Vec<GroupStatus>) {
        (self.evaluator.rules(), self.evaluator.groups())
    }

    pub(super) fn targets(&self, interval_ms: i64) -> Vec<Target> {
        self.targets
            .values()
            .map(|target| target.shown(interval_ms))
            .collect()
    }

    pub(super) fn exemplars(&self, query: &Query, range: Range) -> Vec<Exemplar> {
        self.exemplars.select(query, range)
    }

    pub(super) fn progress(&self) -> Progress {
        self.progress
    }

    pub(super) fn size(&self) -> (usize, usize) {
        (self.store.series_count(), self.store.sample_count())
    }
}
