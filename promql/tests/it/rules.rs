//! Rules from text to alert states.

use promql::rules::{AlertState, Config, Evaluator, RuleFile};
use promql::{Labels, Store};

const RULES: &str = r#"
groups:
  - name: shop
    rules:
      - record: shop:error_ratio
        expr: sum(rate(errors_total[1m])) / sum(rate(requests_total[1m]))
      - alert: ErrorsHigh
        expr: shop:error_ratio > 0.1
        for: 30s
        labels: { severity: critical }
        annotations:
          summary: "{{ $value | humanizePercentage }} of requests fail"
"#;

fn labels(name: &str) -> Labels {
    Labels::from_pairs([("__name__", name)])
}

#[test]
fn an_alert_goes_through_its_states() {
    let file = RuleFile::parse(RULES).unwrap();
    let mut evaluator = Evaluator::new(vec![file], Config::default());
    let mut store = Store::new(3_600_000);
    let (mut requests, mut errors) = (0.0, 0.0);
    let mut seen = Vec::new();
    for t in (0..600).step_by(10) {
        let t_ms = t * 1000;
        requests += 100.0;
        if (120..300).contains(&t) {
            errors += 50.0;
        }
        store
            .append(&labels("requests_total"), t_ms, requests)
            .unwrap();
        store.append(&labels("errors_total"), t_ms, errors).unwrap();
        let outcome = evaluator.evaluate(0, &mut store, t_ms);
        assert_eq!(outcome.errors, []);
        seen.extend(
            outcome
                .transitions
                .into_iter()
                .map(|x| (x.t_ms / 1000, x.from, x.to, x.annotations[0].1.clone())),
        );
    }
    let states: Vec<_> = seen
        .iter()
        .map(|(t, from, to, _)| (*t, *from, *to))
        .collect();
    assert_eq!(
        states,
        [
            (130, AlertState::Inactive, AlertState::Pending),
            (160, AlertState::Pending, AlertState::Firing),
            (330, AlertState::Firing, AlertState::Inactive),
        ]
    );
    assert!(seen[1].3.ends_with("% of requests fail"), "{}", seen[1].3);
}

#[test]
fn every_problem_is_reported_at_once() {
    let text = "groups:\n- name: a\n  intervall: 1m\n  rules:\n  - alert: X\n    expr: sum(\n    for: 5 minutes\n    annotations: { a: '{{ nope }}' }\n  - record: y\n    alert: y\n    expr: up\n- name: a\n";
    let problems = RuleFile::parse(text).unwrap_err();
    let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
    insta::assert_snapshot!(lines.join("\n"));
}
