//! Which series end before an assertion needs them.
//!
//! A test whose series stop too early often passes for the wrong reason: nothing fires where there
//! is no data. From an assertion the search follows selectors, with their offsets, through
//! recording rules down to the input series.

use std::collections::{BTreeMap, BTreeSet};

use super::report::EndedSeries;
use super::{InputSeries, Test, TestFile};
use crate::labels::METRIC_NAME;
use crate::query::Query;
use crate::query::ast::{At, Expr, Selector, Shift};
use crate::rules::{Rule, RuleFile, RuleType};

/// Most rules and times that are followed from one assertion.
const MAX_VISITS: usize = 10_000;
const ALERT_SERIES: [&str; 2] = ["ALERTS", "ALERTS_FOR_STATE"];

/// The rules and series of a test.
#[derive(Debug)]
pub(super) struct Coverage<'t> {
    test: &'t Test,
    evaluation_interval_ms: i64,
    rules: Vec<&'t Rule>,
    /// Series that just stop, and the time of their last sample.
    stopping: Vec<(&'t InputSeries, i64)>,
}

/// The search from one assertion. Times count from the start of the test.
#[derive(Default)]
struct Search {
    visited: BTreeSet<(usize, i64)>,
    open: Vec<(usize, i64)>,
    /// Positions of stopping series and the latest time that is looked at.
    needed_ms: BTreeMap<usize, i64>,
}

impl<'t> Coverage<'t> {
    pub(super) fn new(file: &TestFile, test: &'t Test, rules: &'t [RuleFile]) -> Self {
        let groups = rules.iter().flat_map(|file| &file.groups);
        let stopping = test.series.iter().filter_map(|series| {
            let step = i64::try_from(series.stops_at()?).ok()?;
            Some((series, step.saturating_mul(test.interval_ms)))
        });
        Self {
            test,
            evaluation_interval_ms: file.evaluation_interval_ms,
            rules: groups.flat_map(|group| &group.rules).collect(),
            stopping: stopping.collect(),
        }
    }

    /// Returns the series that end before an assertion on alerts needs them.
    pub(super) fn alert(&self, name: &str, eval_time_ms: i64) -> Option<Vec<EndedSeries>> {
        let mut search = Search::default();
        for (index, rule) in self.rules.iter().enumerate() {
            if matches!(rule.kind, RuleType::Alerting(_)) && rule.name == name {
                self.push(index, eval_time_ms, &mut search);
            }
        }
        self.finish(search)
    }

    /// Returns the series that end before an assertion on an expression needs them.
    pub(super) fn expr(&self, expr: &Query, eval_time_ms: i64) -> Option<Vec<EndedSeries>> {
        let mut search = Search::default();
        self.follow(expr.expr(), eval_time_ms, &mut search);
        self.finish(search)
    }

    fn finish(&self, mut search: Search) -> Option<Vec<EndedSeries>> {
        while let Some((index, at_ms)) = search.open.pop() {
            self.follow(self.rules[index].expr.expr(), at_ms, &mut search);
        }
        let ended: Vec<EndedSeries> = search
            .needed_ms
            .into_iter()
            .map(|(index, needed_ms)| {
                let (series, ended_ms) = self.stopping[index];
                EndedSeries {
                    place: series.place,
                    labels: series.labels.clone(),
                    ended_ms,
                    needed_ms,
                }
            })
            .collect();
        (!ended.is_empty()).then_some(ended)
    }

    /// Follows a rule at its last evaluation up to a time.
    fn push(&self, index: usize, at_ms: i64, search: &mut Search) {
        let at_ms = at_ms - at_ms.rem_euclid(self.evaluation_interval_ms);
        let is_new = at_ms >= 0
            && search.visited.len() < MAX_VISITS
            && search.visited.insert((index, at_ms));
        if is_new {
            search.open.push((index, at_ms));
        }
    }

    fn follow(&self, expr: &Expr, at_ms: i64, search: &mut Search) {
        match expr {
            Expr::Number(_) | Expr::Text(_) => {}
            Expr::Selector(selector) | Expr::Range { selector, .. } => {
                self.select(selector, self.shifted(selector.shift, at_ms), search);
            }
            Expr::Subquery(subquery) => {
                let end_ms = self.shifted(subquery.shift, at_ms);
                let step_ms = subquery.step_ms.unwrap_or(self.evaluation_interval_ms);
                let end_ms = end_ms - end_ms.rem_euclid(step_ms.max(1));
                self.follow(&subquery.expr, end_ms, search);
            }
            Expr::Negate(inner) | Expr::Paren(inner) => self.follow(inner, at_ms, search),
            Expr::Binary(binary) => {
                self.follow(&binary.left, at_ms, search);
                self.follow(&binary.right, at_ms, search);
            }
            Expr::Aggregate(aggregate) => {
                if let Some(parameter) = &aggregate.parameter {
                    self.follow(parameter, at_ms, search);
                }
                self.follow(&aggregate.expr, at_ms, search);
            }
            Expr::Call(call) => {
                for arg in &call.args {
                    self.follow(arg, at_ms, search);
                }
            }
        }
    }

    fn shifted(&self, shift: Shift, at_ms: i64) -> i64 {
        let base_ms = match shift.at {
            None | Some(At::Start | At::End) => at_ms,
            Some(At::Ms(ms)) => ms.saturating_sub(self.test.start_ms),
        };
        base_ms.saturating_sub(shift.offset_ms)
    }

    fn select(&self, selector: &Selector, at_ms: i64, search: &mut Search) {
        for (index, (series, ended_ms)) in self.stopping.iter().enumerate() {
            let fits = selector.matchers.iter().all(|matcher| {
                matcher.matches(series.labels.get(&matcher.name).unwrap_or_default())
            });
            if fits && at_ms >= ended_ms.saturating_add(self.test.interval_ms) {
                let needed_ms = search.needed_ms.entry(index).or_insert(at_ms);
                *needed_ms = at_ms.max(*needed_ms);
            }
        }
        for (index, rule) in self.rules.iter().enumerate() {
            if writes(rule, selector) {
                self.push(index, at_ms, search);
            }
        }
    }
}

/// Says whether a selector may select what a rule writes.
fn writes(rule: &Rule, selector: &Selector) -> bool {
    let accepts = |label: &str, value: &str| {
        let mut matchers = selector.matchers.iter();
        matchers.all(|matcher| matcher.name != label || matcher.matches(value))
    };
    match rule.kind {
        RuleType::Recording => accepts(METRIC_NAME, &rule.name),
        RuleType::Alerting(_) => {
            ALERT_SERIES.iter().any(|name| accepts(METRIC_NAME, name))
                && accepts("alertname", &rule.name)
        }
    }
}
