//! Alert states: `ALERTS` and `ALERTS_FOR_STATE` as promtool computes them.

use promql::rules::{Config, Evaluator, RuleFile};

use super::ask::{Case, Promtool};
use super::generate::{Random, SeriesLine};
use super::{agree, ours};
use promql::{Dialect, Engine, Store};

const EVALUATION_MS: i64 = 20_000;

const RULES: &str = r#"groups:
- name: g
  rules:
  - record: doubled
    expr: m * 2
    labels: {kind: recorded}
  - alert: AtOnce
    expr: doubled > 10
  - alert: Waits
    expr: m > 5
    for: 1m
    labels: {severity: page, a_is: '{{ $labels.a }}', empty: ''}
  - alert: Keeps
    expr: m > 5
    keep_firing_for: 90s
  - alert: WaitsAndKeeps
    expr: m > 5
    for: 40s
    keep_firing_for: 50s
  - alert: Collides
    expr: '{__name__=~"m|n"} > 5'
  - record: firing:count
    expr: sum by (alertname) (ALERTS{alertstate="firing"})
"#;

fn flapping(random: &mut Random) -> String {
    let mut text = String::new();
    let mut high = false;
    for _ in 0..180 {
        if random.one_in(10) {
            high = !high;
        }
        text.push_str(match random.below(30) {
            0..=2 => "_ ",
            3 => "stale ",
            _ if high => "9 ",
            _ => "1 ",
        });
    }
    text
}

/// Replays the series into a store and evaluates the rules on the way, as promtool does.
fn replay(lines: &[SeriesLine], end_ms: i64) -> Store {
    let mut all: Vec<(i64, promql::Labels, f64)> = Vec::new();
    for line in lines {
        let text = format!("{} {}", line.name, line.values);
        let notation = promql::script::series::parse(&text).unwrap();
        for (index, sample) in notation.samples.iter().enumerate() {
            if let Some(value) = sample {
                all.push((
                    index as i64 * super::INTERVAL_MS,
                    notation.labels.clone(),
                    *value,
                ));
            }
        }
    }
    all.sort_by_key(|(t_ms, _, _)| *t_ms);
    let file = RuleFile::parse(RULES).unwrap();
    let mut evaluator = Evaluator::new(vec![file], Config::default());
    let mut store = Store::new(i64::MAX);
    let mut next = 0;
    let mut t_ms = 0;
    while t_ms <= end_ms {
        while next < all.len() && all[next].0 <= t_ms {
            let (sample_ms, labels, value) = &all[next];
            store.append(labels, *sample_ms, *value).unwrap();
            next += 1;
        }
        evaluator.evaluate(0, &mut store, t_ms);
        t_ms += EVALUATION_MS;
    }
    store
}

#[test]
fn alert_states_agree_with_promtool() {
    let Some(promtool) = Promtool::find("alert_states_agree_with_promtool") else {
        return;
    };
    for seed in 0..6 {
        let mut random = Random::new(seed);
        let lines: Vec<SeriesLine> = ["m{a=\"x\"}", "m{a=\"y\"}"]
            .iter()
            .map(|name| SeriesLine {
                name: (*name).to_owned(),
                values: flapping(&mut random),
            })
            .collect();
        let end_ms = 180 * super::INTERVAL_MS;
        let store = replay(&lines, end_ms);
        let cases: Vec<Case> = (0..=end_ms / EVALUATION_MS)
            .flat_map(|step| {
                ["ALERTS", "ALERTS_FOR_STATE", "doubled", "firing:count"].map(|name| Case {
                    expr: name.to_owned(),
                    t_ms: step * EVALUATION_MS,
                })
            })
            .collect();
        let answers = promtool.ask_with_rules(&[], Some(RULES), "20s", &lines, &cases);
        assert_eq!(answers.len(), cases.len());
        let engine = Engine::default();
        for (case, theirs) in cases.iter().zip(&answers) {
            let ours = ours(&engine, Dialect::default(), &store, case);
            assert!(
                agree(&case.expr, &ours, theirs),
                "seed {seed}, {} at {} s\n  ours:   {ours:?}\n  theirs: {theirs:?}",
                case.expr,
                case.t_ms / 1000
            );
        }
    }
}
