//! The state machine of alerts against a model that is slow and plainly right.
//!
//! The model keeps what has happened and works out the present from it; the engine keeps the
//! present only.

use std::collections::BTreeMap;

use promql::rules::{AlertState, Config, Evaluator, RuleFile};
use promql::value::stale_nan;
use promql::{Labels, Store};
use proptest::prelude::*;

const INTERVAL_MS: i64 = 15_000;
const RESEND_MS: i64 = 60_000;
const RETENTION_MS: i64 = 15 * 60_000;
const SERIES: usize = 3;

/// What one evaluation finds: which elements there are, or that the query fails.
#[derive(Debug, Clone)]
enum Finding {
    Elements([bool; SERIES]),
    Failure,
}

#[derive(Debug, Clone, Copy)]
struct Rule {
    for_ms: i64,
    keep_firing_for_ms: i64,
    limit: usize,
}

/// Everything that was found about one element since its alert was last forgotten.
#[derive(Debug, Clone, Default)]
struct History {
    /// Time of each evaluation that had a result, and whether the element was in it.
    seen: Vec<(i64, bool)>,
    sent_ms: Option<i64>,
}

/// What the history says of the alert.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Story {
    Nothing,
    Pending { active_ms: i64 },
    Firing { active_ms: i64, fired_ms: i64 },
    Resolved { fired_ms: i64, at_ms: i64 },
}

impl History {
    /// Tells the story from the beginning.
    fn story(&self, rule: Rule) -> Story {
        let mut story = Story::Nothing;
        let mut missing_since = None;
        for (t_ms, is_there) in self.seen.iter().copied() {
            if is_there {
                missing_since = None;
            } else {
                missing_since = missing_since.or(Some(t_ms));
            }
            story = match (story, missing_since) {
                (Story::Nothing | Story::Resolved { .. }, None) => {
                    Story::Pending { active_ms: t_ms }
                }
                (Story::Pending { .. }, Some(_)) => Story::Nothing,
                (Story::Firing { fired_ms, .. }, Some(since_ms))
                    if t_ms - since_ms >= rule.keep_firing_for_ms =>
                {
                    Story::Resolved {
                        fired_ms,
                        at_ms: t_ms,
                    }
                }
                (Story::Resolved { at_ms, .. }, Some(_)) if t_ms - at_ms > RETENTION_MS => {
                    Story::Nothing
                }
                (story, _) => story,
            };
            if let Story::Pending { active_ms } = story
                && t_ms - active_ms >= rule.for_ms
            {
                story = Story::Firing {
                    active_ms,
                    fired_ms: t_ms,
                };
            }
        }
        story
    }

    /// Says whether an Alertmanager hears of the alert now, and until when it counts.
    fn news(&mut self, story: Story, t_ms: i64) -> Option<(i64, i64)> {
        let (starts_ms, ends_ms, resolved_ms) = match story {
            Story::Firing { fired_ms, .. } => (fired_ms, t_ms + 4 * RESEND_MS, None),
            Story::Resolved { fired_ms, at_ms } => (fired_ms, at_ms, Some(at_ms)),
            Story::Nothing | Story::Pending { .. } => return None,
        };
        let is_due = match self.sent_ms {
            None => true,
            Some(sent_ms) => {
                resolved_ms.is_some_and(|at_ms| at_ms > sent_ms) || t_ms > sent_ms + RESEND_MS
            }
        };
        if !is_due {
            return None;
        }
        self.sent_ms = Some(t_ms);
        Some((starts_ms, ends_ms))
    }
}

fn element(index: usize) -> Labels {
    Labels::from_pairs([("__name__", "m".to_owned()), ("i", index.to_string())])
}

fn alert(index: usize) -> Labels {
    Labels::from_pairs([("alertname", "A".to_owned()), ("i", index.to_string())])
}

/// Puts into the store what the next evaluation is to find. Two metrics that differ in their name
/// only collide, and the rule fails.
fn prepare(store: &mut Store, finding: &Finding, t_ms: i64) {
    let wanted = match finding {
        Finding::Elements(wanted) => *wanted,
        Finding::Failure => [true; SERIES],
    };
    let fails = matches!(finding, Finding::Failure);
    for (index, is_there) in wanted.into_iter().enumerate() {
        let value = if is_there { 1.0 } else { stale_nan() };
        store.append(&element(index), t_ms, value).unwrap();
    }
    let value = if fails { 1.0 } else { stale_nan() };
    let other = element(0).with("__name__", "n");
    store.append(&other, t_ms, value).unwrap();
}

fn check(rule: Rule, findings: &[Finding]) {
    let text = format!(
        "groups: [{{name: g, interval: 15s, limit: {}, rules: [{{alert: A, expr: '{{__name__=~\"m|n\"}} > 0', \
         for: {}ms, keep_firing_for: {}ms}}]}}]",
        rule.limit, rule.for_ms, rule.keep_firing_for_ms
    );
    let file = RuleFile::parse(&text).unwrap();
    let mut evaluator = Evaluator::new(vec![file], Config::default());
    let mut store = Store::new(i64::MAX);
    let mut histories: BTreeMap<usize, History> = BTreeMap::new();
    for (step, finding) in findings.iter().enumerate() {
        let t_ms = (step as i64 + 1) * INTERVAL_MS;
        prepare(&mut store, finding, t_ms);
        let outcome = evaluator.evaluate(0, &mut store, t_ms);
        let sent = evaluator.notifications(0, t_ms, RESEND_MS);
        let mut failed = false;
        match finding {
            Finding::Failure => failed = true,
            Finding::Elements(there) => {
                for (index, is_there) in there.iter().enumerate() {
                    let history = histories.entry(index).or_default();
                    // Whoever comes back after it was resolved is somebody new.
                    if *is_there && matches!(history.story(rule), Story::Resolved { .. }) {
                        *history = History::default();
                    }
                    history.seen.push((t_ms, *is_there));
                    if history.story(rule) == Story::Nothing {
                        *history = History::default();
                    }
                }
            }
        }
        let is_active = |story| matches!(story, Story::Pending { .. } | Story::Firing { .. });
        let active = histories
            .values()
            .filter(|history| is_active(history.story(rule)));
        if !failed && rule.limit > 0 && active.count() > rule.limit {
            histories.clear();
            failed = true;
        }
        assert_eq!(!outcome.errors.is_empty(), failed, "step {step}");
        let mut news = Vec::new();
        let (mut states, mut series) = (Vec::new(), Vec::new());
        for (index, history) in &mut histories {
            let tale = history.story(rule);
            match tale {
                Story::Pending { active_ms } => {
                    states.push((alert(*index), AlertState::Pending, active_ms));
                }
                Story::Firing { active_ms, .. } => {
                    states.push((alert(*index), AlertState::Firing, active_ms));
                }
                Story::Nothing | Story::Resolved { .. } => {}
            }
            if !failed && let Some((starts_ms, ends_ms)) = history.news(tale, t_ms) {
                news.push((alert(*index), starts_ms, ends_ms));
            }
        }
        let found: Vec<_> = evaluator.rules()[0]
            .alerts
            .iter()
            .map(|alert| (alert.labels.clone(), alert.state, alert.active_at_ms))
            .collect();
        assert_eq!(found, states, "step {step}");
        let found: Vec<_> = sent
            .iter()
            .map(|news| (news.labels.clone(), news.starts_at_ms, news.ends_at_ms))
            .collect();
        assert_eq!(found, news, "step {step}");
        if failed {
            continue;
        }
        for (labels, state, active_ms) in states {
            series.push((
                labels
                    .with("__name__", "ALERTS")
                    .with("alertstate", state.as_str()),
                1.0,
            ));
            let name = labels.with("__name__", "ALERTS_FOR_STATE");
            series.push((name, (active_ms / 1000) as f64));
        }
        check_series(&store, &series, t_ms);
    }
}

/// The series of an alert are there as they should be, and no others.
fn check_series(store: &Store, wanted: &[(Labels, f64)], t_ms: i64) {
    for index in 0..SERIES {
        let alert = alert(index);
        let series = [
            alert
                .with("__name__", "ALERTS")
                .with("alertstate", "pending"),
            alert
                .with("__name__", "ALERTS")
                .with("alertstate", "firing"),
            alert.with("__name__", "ALERTS_FOR_STATE"),
        ];
        for labels in series {
            let value = wanted.iter().find(|(other, _)| *other == labels);
            let last = store
                .last(&labels)
                .filter(|last| !promql::value::is_stale(last.value));
            match value {
                Some((_, value)) => {
                    let last = last.unwrap_or_else(|| panic!("{labels} is missing"));
                    assert_eq!((last.t_ms, last.value), (t_ms, *value), "{labels}");
                }
                None => assert_eq!(last, None, "{labels} should have ended"),
            }
        }
    }
}

fn finding() -> impl Strategy<Value = Finding> {
    prop_oneof![
        12 => prop::array::uniform3(prop::bool::weighted(0.7)).prop_map(Finding::Elements),
        4 => Just(Finding::Elements([false; SERIES])),
        4 => Just(Finding::Elements([true; SERIES])),
        1 => Just(Finding::Failure),
    ]
}

/// Findings that last for some evaluations each.
fn findings() -> impl Strategy<Value = Vec<Finding>> {
    let runs = prop::collection::vec(
        (finding(), prop_oneof![4 => 1_usize..6, 1 => 55_usize..70]),
        1..14,
    );
    runs.prop_map(|runs| {
        runs.into_iter()
            .flat_map(|(finding, times)| vec![finding; times])
            .collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn the_state_machine_does_as_the_model(
        for_ms in prop_oneof![Just(0), Just(15_000), Just(40_000), 1_i64..200_000],
        keep_firing_for_ms in prop_oneof![Just(0), Just(30_000), 1_i64..200_000],
        limit in 0_usize..4,
        findings in findings(),
    ) {
        check(Rule { for_ms, keep_firing_for_ms, limit }, &findings);
    }
}
