//! A rule file: what is accepted can be evaluated for a few steps.

use promql::engine::{Options, Profile};
use promql::rules::{Config, Evaluator, RuleFile};
use promql::{Labels, Query};

use super::fixture::{self, END_MS, STEP_MS};

/// Most groups that are evaluated.
const GROUPS: usize = 4;
const STEPS: i64 = 4;

/// Reads, evaluates, asks for states and notifications.
pub fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let file = match RuleFile::parse(text) {
        Ok(file) => file,
        Err(problems) => {
            assert!(!problems.is_empty(), "refused without a reason");
            for problem in problems {
                let _ = problem.to_string();
            }
            return;
        }
    };
    for rule in file.groups.iter().flat_map(|group| &group.rules) {
        let printed = rule.expr.to_string();
        let again = Query::parse(&printed).expect("a printed expression parses");
        assert_eq!(again.to_string(), printed);
    }
    let mut store = fixture::store();
    let mut evaluator = Evaluator::new(
        vec![file],
        Config {
            external_labels: Labels::from_pairs([("region", "x"), ("a", "outside")]),
            external_url: "http://localhost:9090/p".to_owned(),
            options: Options {
                profile: Profile::V3_5,
                max_samples: 20_000,
                ..Options::default()
            },
            ..Config::default()
        },
    );
    for step in 0..STEPS {
        let t_ms = END_MS + step * STEP_MS;
        for group in 0..evaluator.groups().len().min(GROUPS) {
            let _ = evaluator.evaluate(group, &mut store, t_ms);
            let _ = evaluator.notifications(group, t_ms, 60_000);
        }
    }
    let _ = evaluator.rules();
}
