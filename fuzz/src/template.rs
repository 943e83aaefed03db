//! A template of an annotation, expanded for a few elements.

use promql::Labels;
use promql::rules::{Config, Evaluator, RuleFile, Template};

use super::fixture::{self, END_MS, STEP_MS};

/// Reads, expands through an alert, prints what came out.
pub fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    if Template::parse(text).is_err() {
        return;
    }
    let rules = "groups: [{name: g, rules: [{alert: A, expr: '{a!=\"\"}', labels: {t: T}, \
                 annotations: {t: T}}]}]";
    let mut file = RuleFile::parse(rules).expect("the rules are well-formed");
    let rule = &mut file.groups[0].rules[0];
    text.clone_into(&mut rule.labels[0].1);
    if let promql::rules::RuleType::Alerting(alerting) = &mut rule.kind {
        text.clone_into(&mut alerting.annotations[0].1);
    }
    let mut store = fixture::store();
    let mut evaluator = Evaluator::new(
        vec![file],
        Config {
            external_labels: Labels::from_pairs([("region", "x")]),
            external_url: "http://localhost:9090/p".to_owned(),
            ..Config::default()
        },
    );
    for step in 0..2 {
        let _ = evaluator.evaluate(0, &mut store, END_MS + step * STEP_MS);
    }
    let _ = evaluator.notifications(0, END_MS + STEP_MS, 60_000);
}
