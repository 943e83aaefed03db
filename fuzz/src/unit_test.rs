//! A file of rule unit tests; behind a line of `%%`, the rules that it tests.

use promql::Profile;
use promql::rules::RuleFile;
use promql::unit_test::{self, Settings, Test, TestFile};

/// Most evaluations and samples of a test that is run.
const MOST: usize = 500;

const RULES: &str = r#"
groups:
  - name: g
    rules:
      - record: job:x:rate1m
        expr: sum by (job) (rate(x[1m]))
      - alert: A
        expr: job:x:rate1m > 1
        for: 1m
        keep_firing_for: 30s
        labels: {severity: page}
        annotations: {summary: "{{ $labels.job }} at {{ $value | humanize }}"}
      - alert: Gone
        expr: absent(x) or x == 0
"#;

/// Reads, and runs what is small.
pub fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let (tests, rules) = text.split_once("\n%%\n").unwrap_or((text, RULES));
    let file = match TestFile::parse(tests) {
        Ok(file) => file,
        Err(problems) => {
            assert!(!problems.is_empty(), "refused without a reason");
            for problem in problems {
                let _ = problem.to_string();
            }
            return;
        }
    };
    let Ok(rules) = RuleFile::parse(rules) else {
        return;
    };
    let rules = [rules];
    for (index, test) in file.tests.iter().enumerate().take(4) {
        let _ = test.title(index);
        if !is_small(&file, test) {
            continue;
        }
        let settings = Settings {
            profile: match text.len() % 4 {
                0 => Profile::V2_42,
                1 => Profile::V2_53,
                _ => Profile::V3_5,
            },
            promtool_limits: true,
            strict_data: text.len() % 2 == 0,
            step_by_step: false,
        };
        let report = unit_test::run(&file, test, &rules, settings);
        assert!(report.passed <= test.assertions());
        let again = unit_test::run(&file, test, &rules, settings);
        assert_eq!(format!("{report:?}"), format!("{again:?}"), "{text:?}");
        // Without promtool's limits many steps are evaluated at once where that is possible.
        let [at_once, one_by_one] = [false, true].map(|step_by_step| {
            let settings = Settings {
                promtool_limits: false,
                step_by_step,
                ..settings
            };
            format!("{:?}", unit_test::run(&file, test, &rules, settings))
        });
        assert_eq!(at_once, one_by_one, "{text:?}");
    }
}

fn is_small(file: &TestFile, test: &Test) -> bool {
    let alerts = test.alerts.iter().map(|alert| alert.eval_time_ms);
    let last_ms = alerts
        .chain(test.exprs.iter().map(|expr| expr.eval_time_ms))
        .max();
    let most_ms = file.evaluation_interval_ms.saturating_mul(MOST as i64);
    let step_ms = test.interval_ms.saturating_mul(MOST as i64);
    last_ms.unwrap_or(0) <= most_ms.min(step_ms)
}
