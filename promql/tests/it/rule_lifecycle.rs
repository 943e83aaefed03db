//! What happens to rules around their evaluation: reloads, restarts, offsets, limits, news.

use std::time::Duration;

use promql::rules::{AlertState, Config, Evaluator, Health, Restore, RuleFile};
use promql::value::{is_stale, stale_nan};
use promql::{Labels, Store};

const MINUTE_MS: i64 = 60_000;

fn file(text: &str) -> RuleFile {
    RuleFile::parse(text).unwrap_or_else(|problems| panic!("{problems:?}"))
}

fn metric(name: &str) -> Labels {
    Labels::from_pairs([("__name__", name)])
}

/// Returns the last value of a series and its time in minutes; stale markers are `None`.
fn last(store: &Store, labels: &Labels) -> (i64, Option<f64>) {
    let last = store
        .last(labels)
        .unwrap_or_else(|| panic!("{labels} is missing"));
    let value = (!is_stale(last.value)).then_some(last.value);
    (last.t_ms / MINUTE_MS, value)
}

fn alerts(alert: &str, state: &str) -> Labels {
    metric("ALERTS")
        .with("alertname", alert)
        .with("alertstate", state)
}

const BEFORE: &str = "
groups:
- name: kept
  rules:
  - {alert: Waits, expr: m > 0, for: 5m}
  - {record: gone, expr: m}
  - {record: twice, expr: m}
  - {record: twice, expr: m, labels: {a: b}}
- name: removed
  interval: 2m
  rules:
  - {record: of_removed, expr: m}
";

const AFTER: &str = "
groups:
- name: kept
  rules:
  - {record: twice, expr: m * 2}
  - {alert: Waits, expr: m > 0, for: 6m, labels: {}}
";

#[test]
fn a_reload_keeps_what_stays_and_ends_the_rest() {
    let mut evaluator = Evaluator::new(vec![file(BEFORE)], Config::default());
    let mut store = Store::new(i64::MAX);
    for minute in 0..4 {
        store.append(&metric("m"), minute * MINUTE_MS, 1.0).unwrap();
        evaluator.evaluate(0, &mut store, minute * MINUTE_MS);
        evaluator.evaluate(1, &mut store, minute * MINUTE_MS);
    }
    evaluator.reload(vec![file(AFTER)], 3 * MINUTE_MS + 1);
    assert_eq!(evaluator.groups().len(), 1);
    assert_eq!(evaluator.rules()[1].health, Health::Unknown);
    for minute in 4..8 {
        store.append(&metric("m"), minute * MINUTE_MS, 1.0).unwrap();
        evaluator.evaluate(0, &mut store, minute * MINUTE_MS);
        let ended = last(&store, &metric("of_removed"));
        // Two intervals of two minutes later, with the time of the reload.
        assert_eq!(ended, (3, (minute < 8).then_some(1.0)), "{minute}");
    }
    // The alert waits since the start, so that the new `for` is over after six minutes.
    assert_eq!(evaluator.rules()[1].state, AlertState::Firing);
    assert_eq!(last(&store, &alerts("Waits", "firing")), (7, Some(1.0)));
    assert_eq!(last(&store, &metric("gone")), (4, None));
    assert_eq!(last(&store, &metric("twice")), (7, Some(2.0)));
    assert_eq!(last(&store, &metric("twice").with("a", "b")), (4, None));
    evaluator.evaluate(0, &mut store, 8 * MINUTE_MS);
    assert_eq!(last(&store, &metric("of_removed")), (3, None));
}

#[test]
fn a_reload_that_changes_nothing_changes_nothing() {
    let mut evaluator = Evaluator::new(vec![file(BEFORE)], Config::default());
    let mut store = Store::new(i64::MAX);
    store.append(&metric("m"), 0, 1.0).unwrap();
    evaluator.evaluate(0, &mut store, 0);
    let before = evaluator.rules();
    evaluator.reload(vec![file(&format!("# moved\n{BEFORE}"))], 1);
    assert_eq!(evaluator.rules(), before);
}

/// Runs two evaluations after a restart at 30 minutes. The alert was active since `active` minutes,
/// and was last heard of at `down` minutes; returns since when it counts as active, in seconds.
fn restored(for_minutes: i64, active: i64, down: i64, value: Option<f64>) -> f64 {
    let text = format!(
        "groups: [{{name: g, rules: [{{alert: A, expr: m > 0, for: {for_minutes}m, labels: {{a: b}}}}]}}]"
    );
    let config = Config {
        restore: Some(Restore::default()),
        ..Config::default()
    };
    let mut evaluator = Evaluator::new(vec![file(&text)], config);
    let mut store = Store::new(i64::MAX);
    let state = metric("ALERTS_FOR_STATE")
        .with("alertname", "A")
        .with("a", "b");
    let value = value.unwrap_or((active * 60) as f64);
    store.append(&state, down * MINUTE_MS, value).unwrap();
    for minute in 100..103 {
        store.append(&metric("m"), minute * MINUTE_MS, 1.0).unwrap();
        evaluator.evaluate(0, &mut store, minute * MINUTE_MS);
        // Nothing is written before the states are known.
        let (written, _) = last(&store, &state);
        assert_eq!(written == minute, minute == 102);
    }
    last(&store, &state).1.unwrap()
}

#[test]
fn a_restart_does_not_begin_anew() {
    let minutes = |minutes: i64| (minutes * 60) as f64;
    // It fired: it goes on firing.
    assert_eq!(restored(30, 55, 90, None), minutes(55));
    // Five minutes were left: it gets the grace of ten.
    assert_eq!(restored(30, 65, 90, None), minutes(101 + 10 - 30));
    // Twenty were left: the time down does not count.
    assert_eq!(restored(30, 80, 90, None), minutes(80 + 11));
    // A short wait, a long outage, an alert that had ended: nothing to restore.
    assert_eq!(restored(9, 80, 90, None), minutes(100));
    assert_eq!(restored(30, 35, 40, None), minutes(100));
    assert_eq!(restored(30, 80, 90, Some(stale_nan())), minutes(100));
}

#[test]
fn an_offset_moves_queries_and_results_but_no_timers() {
    let text = "groups: [{name: g, query_offset: 2m, rules: [{alert: A, expr: m > 0, for: 1m}, {record: r, expr: m}]}]";
    let mut evaluator = Evaluator::new(vec![file(text)], Config::default());
    let mut store = Store::new(i64::MAX);
    for minute in 0..6 {
        store
            .append(&metric("m"), minute * MINUTE_MS, minute as f64)
            .unwrap();
    }
    evaluator.evaluate(0, &mut store, 5 * MINUTE_MS);
    assert_eq!(last(&store, &metric("r")), (3, Some(3.0)));
    assert_eq!(last(&store, &alerts("A", "pending")), (3, Some(1.0)));
    assert_eq!(evaluator.rules()[0].alerts[0].active_at_ms, 5 * MINUTE_MS);
}

#[test]
fn a_limit_forgets_the_alerts_and_refuses_the_series() {
    let text =
        "groups: [{name: g, limit: 1, rules: [{alert: A, expr: m > 0}, {record: r, expr: m}]}]";
    let mut evaluator = Evaluator::new(vec![file(text)], Config::default());
    let mut store = Store::new(i64::MAX);
    for (minute, other) in [(0, 0.0), (1, 1.0), (2, 0.0)] {
        let t_ms = minute * MINUTE_MS;
        store.append(&metric("m"), t_ms, 1.0).unwrap();
        if minute == 1 {
            store
                .append(&metric("m").with("a", "b"), t_ms, other)
                .unwrap();
        } else if minute == 2 {
            store
                .append(&metric("m").with("a", "b"), t_ms, stale_nan())
                .unwrap();
        }
        let outcome = evaluator.evaluate(0, &mut store, t_ms);
        let errors: Vec<&str> = outcome.errors.iter().map(|e| e.message.as_str()).collect();
        let active = evaluator.rules()[0].alerts.len();
        if minute == 1 {
            let expected = [
                "exceeded limit of 1 with 2 alerts",
                "exceeded limit of 1 with 2 series",
            ];
            assert_eq!((errors.as_slice(), active), (expected.as_slice(), 0));
            // What was written before has not ended.
            assert_eq!(last(&store, &metric("r")), (0, Some(1.0)));
            assert_eq!(last(&store, &alerts("A", "firing")), (0, Some(1.0)));
        } else {
            assert_eq!((errors.as_slice(), active), ([].as_slice(), 1));
        }
    }
}

#[test]
fn news_are_sent_as_an_alertmanager_needs_them() {
    let text = "groups: [{name: g, interval: 30s, rules: [{alert: A, expr: 'm > 0 unless on () {__name__=~\"x|y\"} / 0'}]}]";
    let mut evaluator = Evaluator::new(vec![file(text)], Config::default());
    let mut store = Store::new(i64::MAX);
    let mut seen = Vec::new();
    for step in 0..40 {
        let t_ms = step * 30_000;
        let value = if (2..10).contains(&step) { 1.0 } else { 0.0 };
        store.append(&metric("m"), t_ms, value).unwrap();
        evaluator.evaluate(0, &mut store, t_ms);
        for news in evaluator.notifications(0, t_ms, 60_000) {
            seen.push((step, news.starts_at_ms / 30_000, news.ends_at_ms / 30_000));
            assert_eq!(
                news.generator_path(),
                "/graph?g0.expr=m+%3E+0+unless+on+%28%29+%7B__name__%3D~%22x%7Cy%22%7D+%2F+0&g0.tab=1"
            );
        }
    }
    // Again when more than the delay has passed, four delays ahead; after the end a quarter of an
    // hour long with the end.
    assert_eq!(
        &seen[..4],
        [(2, 2, 10), (5, 2, 13), (8, 2, 16), (10, 2, 10)]
    );
    assert_eq!(seen.last(), Some(&(40 - 3, 2, 10)));
}

#[test]
fn a_rule_that_fails_sends_nothing() {
    let text = "groups: [{name: g, rules: [{alert: A, expr: '{__name__=~\"m|n\"} > 0'}]}]";
    let mut evaluator = Evaluator::new(vec![file(text)], Config::default());
    let mut store = Store::new(i64::MAX);
    let mut sent = Vec::new();
    for minute in 0..9 {
        let t_ms = minute * MINUTE_MS;
        store.append(&metric("m"), t_ms, 1.0).unwrap();
        if (3..6).contains(&minute) {
            store.append(&metric("n"), t_ms, 1.0).unwrap();
        } else if minute == 6 {
            store.append(&metric("n"), t_ms, stale_nan()).unwrap();
        }
        evaluator.evaluate(0, &mut store, t_ms);
        if !evaluator.notifications(0, t_ms, 30_000).is_empty() {
            sent.push(minute);
        }
    }
    assert_eq!(sent, [0, 1, 2, 6, 7, 8]);
}

#[test]
fn a_label_that_a_template_leaves_empty_is_written_as_it_stands() {
    let text = "groups: [{name: g, rules: [{alert: A, expr: m > 0, labels: {gone: '{{ \"\" }}', none: ''}}]}]";
    let mut evaluator = Evaluator::new(vec![file(text)], Config::default());
    let mut store = Store::new(i64::MAX);
    store.append(&metric("m"), 0, 1.0).unwrap();
    evaluator.evaluate(0, &mut store, 0);
    let alert = &evaluator.rules()[0].alerts[0];
    assert_eq!(alert.labels, Labels::from_pairs([("alertname", "A")]));
    let written = alerts("A", "firing").with("gone", "{{ \"\" }}");
    assert_eq!(last(&store, &written), (0, Some(1.0)));
}

#[test]
fn groups_tell_how_long_they_take_and_what_they_missed() {
    let text =
        "groups: [{name: g, interval: 1m, rules: [{record: a, expr: m}, {record: b, expr: m}]}]";
    let mut evaluator = Evaluator::new(vec![file(text)], Config::default());
    let mut store = Store::new(i64::MAX);
    let mut now = Duration::ZERO;
    let mut stopwatch = || {
        now += Duration::from_millis(10);
        now
    };
    for minute in [0, 1, 4, 5] {
        evaluator.evaluate_timed(0, &mut store, minute * MINUTE_MS, &mut stopwatch);
    }
    let group = &evaluator.groups()[0];
    assert_eq!(group.missed_evaluations, 2);
    assert_eq!(group.evaluation_duration, Some(Duration::from_millis(30)));
    let rules = evaluator.rules();
    assert_eq!(
        rules[1].evaluation_duration,
        Some(Duration::from_millis(10))
    );
    assert_eq!(rules[1].last_evaluation_ms, Some(5 * MINUTE_MS));
    // Nobody measures.
    evaluator.evaluate(0, &mut store, 6 * MINUTE_MS);
    assert_eq!(evaluator.groups()[0].evaluation_duration, None);
    assert_eq!(evaluator.rules()[1].evaluation_duration, None);
}
