//! Rules from text to alert states.

use promql::rules::{AlertState, Config, Evaluator, RuleFile};
use promql::yaml::decode::Spot;
use promql::{Dialect, Labels, Profile, Store};

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

fn problems(text: &str, profile: Profile) -> String {
    let dialect = Dialect {
        profile,
        experimental: false,
    };
    let problems = RuleFile::parse_as(text, dialect).unwrap_err();
    let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
    lines.join("\n")
}

#[test]
fn every_problem_is_reported_at_once() {
    insta::assert_snapshot!(problems(include_str!("rules/broken.yml"), Profile::V3_5));
}

#[test]
fn what_came_with_a_version_is_unknown_before_it() {
    let text = include_str!("rules/newer.yml");
    assert!(RuleFile::parse(text).is_ok());
    insta::assert_snapshot!("problems_2_53", problems(text, Profile::V2_53));
    insta::assert_snapshot!("problems_2_42", problems(text, Profile::V2_42));
}

#[test]
fn what_prometheus_lets_pass_passes() {
    let file = RuleFile::parse(include_str!("rules/lenient.yml")).unwrap();
    assert_eq!(file.groups.len(), 3);
    assert_eq!(file.groups[0].limit, 0);
    let rules = &file.groups[0].rules;
    assert_eq!(rules.len(), 3);
    assert_eq!(rules[0].name, "012");
    let labels: Vec<&str> = rules[0].labels.iter().map(|(_, v)| v.as_str()).collect();
    assert_eq!(
        labels,
        [
            "1.50",
            "0x10",
            "true",
            "",
            "2020-01-01",
            ".inf",
            "yes",
            "1e3"
        ]
    );
}

#[test]
fn scalars_know_where_they_are_written() {
    let text = include_str!("rules/places.yml");
    let file = RuleFile::parse(text).unwrap();
    let cut = |spot: &Spot| spot.span.map(|span| &text[span.start..span.end]);
    let group = &file.groups[0];
    assert_eq!(group.spots.interval.as_ref().and_then(cut), Some("30s"));
    let spots = &group.rules[0].spots;
    assert_eq!(cut(&spots.name), Some("Écart"));
    assert_eq!(cut(&spots.expr), Some("\"up == 0\""));
    assert_eq!(spots.expr.place.to_string(), "6:15");
    assert_eq!(spots.hold.as_ref().and_then(cut), Some("'5m'"));
    assert_eq!(spots.keep_firing_for.as_ref().and_then(cut), Some("1h"));
    assert_eq!(spots.labels[0].0, "severity");
    assert_eq!(cut(&spots.labels[0].1), Some("page"));
    assert_eq!(
        cut(&spots.annotations[0].1),
        Some("down since\n            {{ $value }}\n")
    );
    let spots = &group.rules[1].spots;
    // What stands elsewhere cannot be spliced here.
    assert_eq!(spots.hold.as_ref().map(cut), Some(None));
    assert_eq!(cut(&spots.expr), Some("up\n          == 1"));
}
