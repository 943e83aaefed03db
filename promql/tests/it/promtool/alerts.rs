//! Alert states: `ALERTS` and `ALERTS_FOR_STATE` as promtool computes them.

use std::fmt::Write as _;
use std::ops::Range;

use promql::rules::{Config, Evaluator, RuleFile};
use promql::{Dialect, Engine, Options, Profile, Store};

use super::ask::{Case, Promtool};
use super::compare::agree;
use super::generate::{Random, SeriesLine};
use super::ours;

const EVALUATION_MS: i64 = 20_000;
/// Samples of a series, one every ten seconds.
const SAMPLES: u64 = 180;

/// Rules that chain: recordings of the input, alerts on both, recordings of alerts.
fn rules(random: &mut Random) -> String {
    let mut text = "groups:\n- name: g\n  rules:\n".to_owned();
    let durations = ["0s", "20s", "40s", "1m", "90s", "2m", "50s", "5m"];
    for index in 0..2 {
        let expr = random.pick(&[
            "m * 2",
            "sum by (a) (m)",
            "max_over_time(m[1m])",
            "m > 5",
            "-m",
        ]);
        let kind = random.pick(&["", "\n    labels: {kind: recorded, a_too: ''}"]);
        let _ = writeln!(text, "  - record: r{index}\n    expr: {expr}{kind}");
    }
    for index in 0..5 {
        let expr = random.pick(&[
            "m > 5",
            "r0 > 5",
            "r1 > 10",
            "m > 5 or r0 > 5",
            "absent(m{a=\"x\"})",
            "rate(m[1m]) != 0",
            "{__name__=~\"m|n\"} > 5",
            "count(m > 5) > 1",
            "ALERTS{alertname=\"Alert0\"} == 1",
            "changes(m[2m]) > 1",
            "m == 9 and on (a) r0",
        ]);
        let _ = write!(text, "  - alert: Alert{index}\n    expr: '{expr}'\n");
        if !random.one_in(3) {
            let _ = writeln!(text, "    for: {}", random.pick(&durations));
        }
        if random.one_in(2) {
            let _ = writeln!(text, "    keep_firing_for: {}", random.pick(&durations));
        }
        text.push_str(random.pick(&[
            "",
            "    labels: {severity: page}\n",
            "    labels: {a: '', from: '{{ $labels.a }}'}\n",
            "    labels: {gone: '{{ \"\" }}', alertname: other}\n",
            "    labels: {value: '{{ $value | printf \"%.4g\" }}'}\n",
            "    labels: {a: same}\n",
        ]));
    }
    for (index, expr) in [
        "sum by (alertname) (ALERTS{alertstate=\"firing\"})",
        "count(ALERTS_FOR_STATE)",
    ]
    .iter()
    .enumerate()
    {
        let _ = writeln!(text, "  - record: after{index}\n    expr: {expr}");
    }
    text
}

/// A series that goes up and down, has gaps, and ends now and then.
fn flapping(random: &mut Random) -> String {
    let mut text = String::new();
    let mut high = false;
    let calm = 4 + random.below(30);
    let mut gap = 0;
    for _ in 0..SAMPLES {
        if random.one_in(calm) {
            high = !high;
        }
        if random.one_in(60) {
            gap = random.below(45);
        }
        if gap > 0 {
            gap -= 1;
            text.push_str("_ ");
            continue;
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
fn replay(
    rules: &str,
    lines: &[SeriesLine],
    end_ms: i64,
    profile: Profile,
) -> Result<Store, String> {
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
    let dialect = Dialect {
        profile,
        experimental: false,
    };
    let file = RuleFile::parse_as(rules, dialect).unwrap_or_else(|problems| panic!("{problems:?}"));
    let options = Options {
        profile,
        default_subquery_step_ms: EVALUATION_MS,
        ..Options::default()
    };
    let config = Config {
        default_interval_ms: EVALUATION_MS,
        options,
        ..Config::default()
    };
    let mut evaluator = Evaluator::new(vec![file], config);
    let mut store = Store::new(i64::MAX);
    let mut next = 0;
    let mut t_ms = 0;
    while t_ms <= end_ms {
        while next < all.len() && all[next].0 <= t_ms {
            let (sample_ms, labels, value) = &all[next];
            store.append(labels, *sample_ms, *value).unwrap();
            next += 1;
        }
        // promtool gives up at the first rule that fails.
        let outcome = evaluator.evaluate(0, &mut store, t_ms);
        if let Some(error) = outcome.errors.first() {
            return Err(error.message.clone());
        }
        t_ms += EVALUATION_MS;
    }
    Ok(store)
}

/// Compares the states after every evaluation of random rules.
fn compare(promtool: &Promtool, seeds: Range<u64>) {
    let (mut evaluations, mut compared, mut failed) = (0, 0, 0);
    for seed in seeds {
        let mut random = Random::new(seed ^ 0xa1e7);
        let lines: Vec<SeriesLine> = ["m{a=\"x\"}", "m{a=\"y\"}", "n{b=\"z\"}"]
            .iter()
            .map(|name| SeriesLine {
                name: (*name).to_owned(),
                values: flapping(&mut random),
            })
            .collect();
        let rules = rules(&mut random);
        // promtool loads samples up to the last test only.
        let end_ms = (SAMPLES as i64 - 1) * super::INTERVAL_MS / EVALUATION_MS * EVALUATION_MS;
        let store = replay(&rules, &lines, end_ms, promtool.profile);
        let names = ["ALERTS", "ALERTS_FOR_STATE", "r0", "r1", "after0", "after1"];
        let cases: Vec<Case> = (0..=end_ms / EVALUATION_MS)
            .flat_map(|step| {
                names.map(|name| Case {
                    expr: name.to_owned(),
                    t_ms: step * EVALUATION_MS,
                })
            })
            .collect();
        let answers = promtool.ask_with_rules(&[], Some(&rules), "20s", &lines, &cases);
        let store = match store {
            Ok(store) => store,
            Err(error) => {
                assert!(
                    answers.is_empty(),
                    "seed {seed}: only we fail: {error}\n{rules}"
                );
                failed += 1;
                continue;
            }
        };
        assert_eq!(answers.len(), cases.len(), "seed {seed}:\n{rules}");
        let engine = Engine::new(Options {
            profile: promtool.profile,
            ..Options::default()
        });
        let dialect = Dialect::default();
        for (case, theirs) in cases.iter().zip(&answers) {
            let ours = ours(&engine, dialect, &store, case);
            assert!(
                agree(&case.expr, &ours, theirs),
                "seed {seed}, {} at {} s\n  ours:   {ours:?}\n  theirs: {theirs:?}\n{rules}",
                case.expr,
                case.t_ms / 1000
            );
        }
        evaluations += cases.len() / names.len();
        compared += cases.len();
    }
    println!(
        "{evaluations} evaluations of 9 rules against {}: {compared} vectors are the same; {failed} \
         rule files fail on both sides",
        promtool.version
    );
}

/// How many rule files are compared: `OBS_TUI_ALERT_FILES` for a long run.
fn check(test: &str, program: &str, start: u64) {
    let files = std::env::var("OBS_TUI_ALERT_FILES").ok();
    let files = files.and_then(|text| text.parse().ok()).unwrap_or(6);
    if let Some(promtool) = Promtool::find_program(test, program) {
        compare(&promtool, start..start + files);
    }
}

#[test]
fn alert_states_agree_with_promtool() {
    check("alert_states_agree_with_promtool", "promtool", 0);
}

#[test]
fn alert_states_agree_with_promtool_2_53() {
    check(
        "alert_states_agree_with_promtool_2_53",
        "promtool-2.53",
        1_000_000,
    );
}

#[test]
fn alert_states_agree_with_promtool_2_42() {
    check(
        "alert_states_agree_with_promtool_2_42",
        "promtool-2.42",
        2_000_000,
    );
}
