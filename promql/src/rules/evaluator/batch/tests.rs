//! Both ways of evaluating come to the same: every sample, every state, every step.

use std::fmt::Write as _;

use proptest::prelude::*;

use crate::engine::Grid;
use crate::labels::Labels;
use crate::query::matcher::Matcher;
use crate::rules::{AlertStatus, Config, Evaluator, RuleFile};
use crate::store::{Scratch, Store};

const STEP_MS: i64 = 60_000;
const STEPS: usize = 40;
const EXPRS: [&str; 13] = [
    "m > 2",
    "sum by (a) (m) > 1",
    "rec > 2",
    "rec offset 2m",
    "max_over_time(rec[3m]) > 4",
    "avg_over_time(m[4m]) > 2",
    "changes(m[5m]) > 1",
    "absent(m{a=\"1\"})",
    "max_over_time(sum(m)[5m:1m]) > 6",
    "vector(time()) > 600",
    "stddev_over_time(m[9m]) > 0.1",
    "sum_over_time(m[30m]) > avg(m) * 3",
    "deriv(rec[10m]) > 0 or rate(m[7m]) > 0.01",
];

fn evaluator(rules: &str) -> Evaluator {
    Evaluator::new(vec![RuleFile::parse(rules).unwrap()], Config::default())
}

fn rules(alerts: &[(usize, u8, u8)]) -> String {
    let mut text =
        "groups:\n- name: g\n  rules:\n  - {record: rec, expr: sum by (a) (m)}\n".to_owned();
    for (index, (expr, hold, keep)) in alerts.iter().enumerate() {
        let _ = writeln!(
            text,
            "  - {{alert: A{index}, expr: '{}', for: {hold}m, keep_firing_for: {keep}m, \
             labels: {{of: '{{{{ $labels.a }}}}'}}, annotations: {{is: '{{{{ $value }}}}'}}}}",
            EXPRS[*expr]
        );
    }
    text + "  - {record: end, expr: 'count by (alertstate) (ALERTS)'}\n"
}

fn loaded(series: &[Vec<Option<u8>>]) -> Store {
    let mut store = Store::new(i64::MAX);
    for (index, values) in series.iter().enumerate() {
        let a = index.to_string();
        let labels = Labels::from_pairs([("__name__", "m"), ("a", a.as_str())]);
        for (step, value) in values.iter().enumerate() {
            if let Some(value) = value {
                let t_ms = step as i64 * STEP_MS;
                // Tenths, so that sums round.
                store
                    .append(&labels, t_ms, f64::from(*value) * 1.1)
                    .unwrap();
            }
        }
    }
    store
}

/// Returns every sample of every series, values as bits.
fn dump(store: &Store) -> Vec<(Labels, Vec<i64>, Vec<u64>)> {
    let all = Matcher::not_equal("__name__", "");
    let mut scratch = Scratch::default();
    let mut series: Vec<_> = store
        .select(&[all])
        .iter()
        .map(|id| {
            let (times_ms, values) = store.samples(*id, i64::MIN, i64::MAX, &mut scratch);
            let bits = values.iter().map(|value| value.to_bits()).collect();
            (store.labels(*id).clone(), times_ms.to_vec(), bits)
        })
        .collect();
    series.sort();
    series
}

fn states(evaluator: &Evaluator) -> Vec<AlertStatus> {
    let rules = evaluator.rules();
    rules.into_iter().flat_map(|rule| rule.alerts).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn many_steps_at_once_leave_the_same_samples_and_states(
        alerts in prop::collection::vec((0..EXPRS.len(), 0_u8..4, 0_u8..4), 1..5),
        series in prop::collection::vec(
            prop::collection::vec(prop::option::weighted(0.8, 0_u8..6), STEPS),
            1..6,
        ),
        chunks in prop::collection::vec(1_usize..17, STEPS),
    ) {
        let text = rules(&alerts);
        let (mut one_by_one, mut at_once) = (evaluator(&text), evaluator(&text));
        let inputs = [Labels::from_pairs([("__name__", "m")])];
        prop_assert!(at_once.is_independent(&[0], inputs.iter()));
        prop_assert!(at_once.reads_alerts(std::iter::empty()));
        let (mut expected, mut store) = (loaded(&series), loaded(&series));
        let mut step = 0;
        for chunk in chunks {
            let grid = Grid {
                start_ms: step as i64 * STEP_MS,
                step_ms: STEP_MS,
                steps: chunk.min(STEPS - step),
            };
            for at in 0..grid.steps {
                let outcome = one_by_one.evaluate(0, &mut expected, grid.at(at));
                prop_assert_eq!(outcome.errors, vec![]);
            }
            prop_assert!(at_once.evaluate_grid(&[0], &mut store, grid, true).is_ok());
            prop_assert_eq!(states(&one_by_one), states(&at_once));
            step += grid.steps;
        }
        prop_assert_eq!(dump(&expected), dump(&store));
    }
}

#[test]
fn what_reads_ahead_goes_step_by_step() {
    let is_independent = |rules: &str, input: &str| {
        let text = format!("groups: [{{name: g, rules: [{rules}]}}]");
        let inputs = [Labels::from_pairs([("__name__", input)])];
        evaluator(&text).is_independent(&[0], inputs.iter())
    };
    for (rules, expected) in [
        ("{record: a, expr: x}, {record: b, expr: a}", true),
        ("{record: b, expr: a}, {record: a, expr: x}", false),
        ("{record: a, expr: a offset 1m or x}", false),
        ("{record: a, expr: '{job=\"x\"}'}", false),
        ("{record: a, expr: '{job=\"x\"}', labels: {job: y}}", true),
        ("{record: b, expr: '{__name__=~\"a|b\"}'}", false),
        ("{record: a, expr: x offset -1m}", false),
        (
            "{record: a, expr: 'max_over_time(x[5m:1m] offset -1m)'}",
            false,
        ),
        (
            "{record: a, expr: 'max_over_time((x offset -1m)[5m:1m] offset 1m)'}",
            true,
        ),
        ("{record: a, expr: x @ 60}", false),
        ("{record: a, expr: x @ start()}", true),
        ("{record: a, expr: x}, {record: a, expr: y}", false),
        (
            "{record: a, expr: x, labels: {w: s}}, {record: a, expr: y, labels: {w: t}}",
            true,
        ),
        ("{record: input, expr: x}", false),
        (
            "{alert: A, expr: x}, {alert: B, expr: 'ALERTS{alertname=\"A\"}'}",
            true,
        ),
        (
            "{alert: A, expr: x}, {alert: B, expr: 'ALERTS{alertname=\"B\"}'}",
            false,
        ),
        ("{alert: A, expr: x}, {alert: A, expr: y}", false),
        ("{alert: A, expr: x, labels: {v: '{{ $value }}'}}", false),
        ("{alert: A, expr: x, labels: {v: '{{ . }}'}}", false),
        (
            "{alert: A, expr: x, labels: {v: '{{ $labels.job }}'}}",
            true,
        ),
        (
            "{alert: A, expr: x, annotations: {v: '{{ query \"a\" }}'}}",
            false,
        ),
        (
            "{alert: A, expr: x, annotations: {v: '{{ $value }}'}}",
            true,
        ),
    ] {
        assert_eq!(is_independent(rules, "input"), expected, "{rules}");
    }
}
