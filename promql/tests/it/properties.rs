//! Properties: printing and parsing, windows against brute force, alerts against a small model.

use promql::rules::{AlertState, Config, Evaluator, RuleFile, Template};
use promql::value::Value;
use promql::{Engine, Labels, Query, Store};
use proptest::prelude::*;

/// Expressions that parse, built from the bottom.
fn vector() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        "[a-z_:][a-z0-9_]{0,8}".prop_map(|name| format!("{{__name__=\"{name}\"}}")),
        "[xyz]_total".prop_map(|name| name),
        ("[xyz]", "[^\"\\\\\n]{0,6}").prop_map(|(name, value)| format!("{name}{{l=\"{value}\"}}")),
        ("[xyz]", -500_i64..500).prop_map(|(name, at)| format!("{name} @ {at} offset -5m")),
        (0..100_000_i64).prop_map(|n| format!("vector({})", n as f64 / 7.0)),
    ];
    leaf.prop_recursive(4, 24, 2, |inner| {
        prop_oneof![
            inner.clone().prop_map(|x| format!("-({x})")),
            inner
                .clone()
                .prop_map(|x| format!("rate(({x})[5m:30s] offset 1h)")),
            inner.clone().prop_map(|x| format!("sum by (a, b) ({x})")),
            inner
                .clone()
                .prop_map(|x| format!("topk without (a) (3, {x})")),
            inner.clone().prop_map(|x| format!("clamp_min({x}, -1e-3)")),
            (inner.clone(), inner.clone()).prop_map(|(x, y)| format!("({x}) > bool on (a) ({y})")),
            (inner.clone(), inner.clone())
                .prop_map(|(x, y)| format!("({x}) * ignoring (a) group_left (b) ({y})")),
            (inner.clone(), inner).prop_map(|(x, y)| format!("({x}) unless ({y})")),
        ]
    })
}

proptest! {
    #[test]
    fn printing_and_parsing_are_inverse(text in vector()) {
        let query = Query::parse(&text).unwrap();
        let printed = query.to_string();
        let again = Query::parse(&printed).unwrap();
        prop_assert_eq!(again.to_string(), printed);
    }

    #[test]
    fn no_text_panics(text in "[a-z0-9(){}\\[\\]:=~!<>+*/%^@.,\" \\-\\\\]{0,60}") {
        if let Ok(query) = Query::parse(&text) {
            let store = Store::new(1000);
            let _ = Engine::default().instant(&store, &query, 0);
        }
        let _ = Template::parse(&format!("{{{{{text}}}}}"));
        let _ = RuleFile::parse(&text);
        let _ = promql::script::series::parse(&text);
        let _ = promql::duration::parse_ms(&text);
    }

    #[test]
    fn durations_print_and_parse(duration_ms in 0_i64..=9_223_372_036_854) {
        let text = promql::duration::format_ms(duration_ms);
        prop_assert_eq!(promql::duration::parse_ms(&text).unwrap(), duration_ms);
    }

    #[test]
    fn windows_agree_with_brute_force(
        gaps in prop::collection::vec(1_i64..40_000, 1..40),
        values in prop::collection::vec(-100_i32..100, 40),
        at_ms in 0_i64..900_000,
        range_s in 1_i64..400,
    ) {
        let labels = Labels::from_pairs([("__name__", "m")]);
        let mut store = Store::new(i64::MAX);
        let mut t_ms = 0;
        let mut samples = Vec::new();
        for (gap, value) in gaps.iter().zip(&values) {
            t_ms += gap;
            samples.push((t_ms, f64::from(*value)));
            store.append(&labels, t_ms, f64::from(*value)).unwrap();
        }
        let window: Vec<f64> = samples
            .iter()
            .filter(|(t_ms, _)| *t_ms > at_ms - range_s * 1000 && *t_ms <= at_ms)
            .map(|(_, value)| *value)
            .collect();
        let ask = |function: &str| {
            let query = Query::parse(&format!("{function}(m[{range_s}s])")).unwrap();
            match Engine::default().instant(&store, &query, at_ms).unwrap().value {
                Value::Vector(points) => points.first().map(|point| point.sample.value),
                other => panic!("{other:?}"),
            }
        };
        prop_assert_eq!(ask("count_over_time").unwrap_or(0.0), window.len() as f64);
        let sum: f64 = window.iter().sum();
        prop_assert_eq!(ask("sum_over_time").unwrap_or(0.0), sum);
        prop_assert_eq!(ask("max_over_time"), window.iter().copied().reduce(f64::max));
        prop_assert_eq!(ask("last_over_time"), window.last().copied());
        let resets = window.windows(2).filter(|pair| pair[1] < pair[0]).count();
        prop_assert_eq!(ask("resets").unwrap_or(0.0), resets as f64);
    }

    #[test]
    fn alerts_agree_with_a_model(
        present in prop::collection::vec(any::<bool>(), 1..60),
        for_steps in 0_i64..5,
        keep_steps in 0_i64..4,
    ) {
        let rules = format!(
            "groups: [{{name: g, rules: [{{alert: A, expr: m > 0, for: {for_steps}s, \
             keep_firing_for: {keep_steps}s}}]}}]"
        );
        let file = RuleFile::parse(&rules).unwrap();
        let mut evaluator = Evaluator::new(vec![file], Config::default());
        let labels = Labels::from_pairs([("__name__", "m")]);
        let mut store = Store::new(i64::MAX);
        let mut model = Model { since: None, firing: false, gone: None };
        for (step, present) in present.iter().enumerate() {
            let t_ms = step as i64 * 1000;
            store.append(&labels, t_ms, f64::from(u8::from(*present))).unwrap();
            let before = model.state();
            model.step(step as i64, *present, for_steps, keep_steps);
            let outcome = evaluator.evaluate(0, &mut store, t_ms);
            let after = evaluator.rules()[0].state;
            prop_assert_eq!(after, model.state());
            prop_assert_eq!(outcome.transitions.len(), usize::from(before != after));
        }
    }
}

/// The states of one alert, counted in steps.
struct Model {
    since: Option<i64>,
    firing: bool,
    gone: Option<i64>,
}

impl Model {
    fn step(&mut self, now: i64, present: bool, wait: i64, keep: i64) {
        if present {
            self.gone = None;
            let since = *self.since.get_or_insert(now);
            self.firing |= now - since >= wait;
            return;
        }
        let gone = *self.gone.get_or_insert(now);
        if !self.firing || now - gone >= keep {
            (self.since, self.firing, self.gone) = (None, false, None);
        }
    }

    fn state(&self) -> AlertState {
        match (self.since, self.firing) {
            (None, _) => AlertState::Inactive,
            (Some(_), false) => AlertState::Pending,
            (Some(_), true) => AlertState::Firing,
        }
    }
}
