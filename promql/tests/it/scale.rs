//! Scaled rule files: what changes, what stays, and what is said about the rest.

use promql::Query;
use promql::duration::parse_ms;
use promql::rules::{RuleFile, RuleType};
use promql::scale::{Scale, Scaled, scale};
use proptest::prelude::*;

fn by(by: f64) -> Scale {
    Scale {
        by,
        scrape_interval_ms: 1000,
        original_scrape_interval_ms: 15_000,
    }
}

fn scaled(text: &str) -> Scaled {
    scale(text, by(30.0)).unwrap()
}

/// Scales one expression by 30; returns it and the messages.
fn expression(expr: &str) -> (String, Vec<String>) {
    let text =
        format!("groups:\n- name: g\n  rules:\n  - record: a:b\n    expr: |\n      {expr}\n");
    let scaled = scaled(&text);
    let file = RuleFile::parse(&scaled.text).unwrap();
    let expr = file.groups[0].rules[0].expr.text().trim().to_owned();
    let notes = scaled.notes.into_iter().map(|note| note.message);
    (expr, notes.collect())
}

/// Checks an expression that scales without a word.
#[track_caller]
fn becomes(expr: &str, wanted: &str) {
    assert_eq!(expression(expr), (wanted.to_owned(), Vec::new()), "{expr}");
}

/// Checks an expression about which something is said.
#[track_caller]
fn becomes_with(expr: &str, wanted: &str, said: &str) {
    let (text, notes) = expression(expr);
    assert_eq!(text, wanted);
    assert!(notes.iter().any(|note| note.contains(said)), "{notes:#?}");
}

#[test]
fn durations_are_divided_where_they_stand() {
    becomes("rate(a[5m])", "rate(a[10s])");
    becomes(
        "rate( a{b=\"x[5m]\"} [ 1h ] offset 1d ) # [1h]",
        "rate( a{b=\"x[5m]\"} [ 2m ] offset 48m ) # [1h]",
    );
    becomes("a offset -1h @ end()", "a offset -2m @ end()");
    becomes(
        "max_over_time(rate(a[5m])[1h:1m] offset 30m)",
        "max_over_time(rate(a[10s])[2m:2s] offset 1m)",
    );
    becomes("sum_over_time(a[1h:])", "sum_over_time(a[2m:])");
    becomes(
        "predict_linear(a[1h], 4 * 3600)",
        "predict_linear(a[2m], 480)",
    );
    becomes("predict_linear(a[1h], 4h)", "predict_linear(a[2m], 8m)");
    becomes("time() + 5", "time() + 5");
}

#[test]
fn floors_are_told() {
    becomes_with(
        "rate(a[1m])",
        "rate(a[4s])",
        "1m would become 2s; it is 4s, four scrape",
    );
    becomes_with(
        "max_over_time(a[1h:15s])",
        "max_over_time(a[2m:1s])",
        "15s would become 500ms; it is 1s, one scrape",
    );
}

#[test]
fn counts_over_a_window_shrink_with_it() {
    becomes("increase(a[1h]) > 60", "increase(a[2m]) > 2");
    becomes(
        "(sum by (x) (increase(a[1h]))) >= (10 * 3)",
        "(sum by (x) (increase(a[2m]))) >= 1",
    );
    becomes("60 < increase(a[1h])", "2 < increase(a[2m])");
    becomes(
        "increase(a[1h]) > bool 100",
        "increase(a[2m]) > bool 3.33333",
    );
    becomes("delta(a[1h]) < -30", "delta(a[2m]) < -1");
    // A floored range divides the number by as much as the range.
    becomes_with("increase(a[1m]) > 15", "increase(a[4s]) > 1", "four scrape");
    // Nothing, shares and rates stay.
    becomes("increase(a[1h]) > 0", "increase(a[2m]) > 0");
    becomes(
        "increase(a[1h]) / increase(b[1h]) > 0.5",
        "increase(a[2m]) / increase(b[2m]) > 0.5",
    );
    becomes("rate(a[1h]) > 60", "rate(a[2m]) > 60");
    becomes(
        "increase(a[1h]) > increase(b[1h])",
        "increase(a[2m]) > increase(b[2m])",
    );
}

#[test]
fn whole_counts_stay_whole() {
    becomes("changes(a[1h]) >= 60", "changes(a[2m]) >= 2");
    becomes_with(
        "changes(a[1h]) >= 3",
        "changes(a[2m]) >= 1",
        "3 would become 0.1",
    );
    becomes_with(
        "changes(a[1h]) > 3",
        "changes(a[2m]) > 0",
        "counts are whole, so it is 0",
    );
    becomes_with("resets(a[1h]) < 3", "resets(a[2m]) < 1", "counts are whole");
    // 20 scrapes in five minutes are 10 in ten seconds.
    becomes(
        "count_over_time(a[5m]) < 20",
        "count_over_time(a[10s]) < 10",
    );
    becomes(
        "count_over_time(a[1h:1m]) > 30",
        "count_over_time(a[2m:2s]) > 30",
    );
}

#[test]
fn what_cannot_be_scaled_is_told() {
    becomes_with(
        "time() - a_timestamp_seconds > 3600",
        "time() - a_timestamp_seconds > 3600",
        "an age is compared",
    );
    becomes_with(
        "increase(a[1h]) + rate(b[1h]) > 30",
        "increase(a[2m]) + rate(b[2m]) > 30",
        "shrinks in parts unlike",
    );
    becomes_with(
        "increase(a[1h]) > 0.1 * b",
        "increase(a[2m]) > 0.1 * b",
        "two sides shrink unlike",
    );
    becomes_with(
        "predict_linear(a[1h], scalar(b))",
        "predict_linear(a[2m], scalar(b))",
        "horizon",
    );
    becomes_with(
        "increase(a[1h]) > on () vector(60)",
        "increase(a[2m]) > on () vector(60)",
        "hidden",
    );
}

#[test]
fn recorded_counts_are_known_where_they_are_compared() {
    let text = "groups:\n- name: g\n  rules:\n  - {record: a:inc, expr: 'sum(increase(a[1h]))'}\n  \
                - {alert: A, expr: 'a:inc > 60', for: 1h, keep_firing_for: 90s}\n";
    let wanted = "groups:\n- name: g\n  rules:\n  - {record: a:inc, expr: 'sum(increase(a[2m]))'}\n  \
                  - {alert: A, expr: 'a:inc > 2', for: 2m, keep_firing_for: 3s}\n";
    assert_eq!(scaled(text).text, wanted);
}

/// Scales rules by 60; returns what they became and the messages.
fn by_sixty(rules: &str) -> (String, Vec<String>) {
    let head = "groups:\n- name: g\n  rules:\n";
    let scaled = scale(&format!("{head}{rules}"), by(60.0)).unwrap();
    let notes = scaled.notes.into_iter().map(|note| note.message);
    (scaled.text.replacen(head, "", 1), notes.collect())
}

#[test]
fn recorded_counts_are_known_above_their_rule_and_through_others() {
    let (rules, notes) = by_sixty(
        "  - {alert: A, expr: 't > 600'}\n  - {record: t, expr: 'max(s)'}\n  \
         - {record: s, expr: 'r'}\n  - {record: r, expr: 'sum(increase(e_total[1h]))'}\n",
    );
    assert!(rules.contains("t > 10'"), "{rules}");
    assert_eq!(notes, [] as [String; 0]);
    // What is made of itself never settles, nor does what is made of that.
    let (rules, notes) = by_sixty(
        "  - {alert: A, expr: 's > 600'}\n  - {record: s, expr: 'r'}\n  \
         - {record: r, expr: 'increase(r[1h])'}\n",
    );
    assert!(rules.contains("s > 600'"), "{rules}");
    assert!(notes[0].contains("shrinks in parts unlike"), "{notes:?}");
    let (rules, notes) = by_sixty(
        "  - {alert: A, expr: 'r > 600'}\n  - {record: r, expr: 'increase(a[1h])'}\n  \
         - {record: r, expr: 'vector(0)'}\n",
    );
    assert!(rules.contains("r > 10'"), "{rules}");
    assert_eq!(notes, [] as [String; 0]);
}

#[test]
fn parts_that_shrink_unlike_stay_so_in_sums() {
    for (expr, wanted) in [
        (
            "(increase(a[1h]) + b) + c > 600",
            "(increase(a[2m]) + b) + c > 600",
        ),
        (
            "(increase(a[1h]) + 5) + on () b > 600",
            "(increase(a[2m]) + 5) + on () b > 600",
        ),
        (
            "(increase(a[1h]) + b) - (increase(c[1h]) + d) > 600",
            "(increase(a[2m]) + b) - (increase(c[2m]) + d) > 600",
        ),
    ] {
        becomes_with(expr, wanted, "shrinks in parts unlike");
    }
}

#[test]
fn a_change_since_an_offset_shrinks_with_it() {
    becomes(
        "a_total - a_total offset 1h > 600",
        "a_total - a_total offset 2m > 20",
    );
    becomes(
        "sum(a offset 30m) - (sum(a offset 90m)) > 600",
        "sum(a offset 1m) - (sum(a offset 3m)) > 20",
    );
    becomes("a - b offset 1h > 600", "a - b offset 2m > 600");
    becomes("a / a offset 1h > 2", "a / a offset 2m > 2");
}

#[test]
fn numbers_beside_a_value_that_shrinks_are_told() {
    for (expr, wanted) in [
        (
            "clamp_min(increase(a[1h]), 50) > 600",
            "clamp_min(increase(a[2m]), 50) > 600",
        ),
        (
            "clamp(increase(a[1h]), 0, 50) > 6",
            "clamp(increase(a[2m]), 0, 50) > 6",
        ),
        (
            "round(increase(a[1h]), 100) > 10",
            "round(increase(a[2m]), 100) > 10",
        ),
        (
            "increase(a[1h]) or vector(100) > 600",
            "increase(a[2m]) or vector(100) > 600",
        ),
        (
            "(increase(a[1h]) or vector(100)) > 600",
            "(increase(a[2m]) or vector(100)) > 600",
        ),
    ] {
        let (text, notes) = expression(expr);
        assert_eq!(text, wanted);
        // `or` binds weaker than `>`: without parentheses only the number is compared.
        let is_compared = !expr.starts_with("increase");
        assert_eq!(!notes.is_empty(), is_compared, "{expr}: {notes:?}");
    }
    becomes(
        "clamp_min(increase(a[1h]), 0) > 600",
        "clamp_min(increase(a[2m]), 0) > 20",
    );
    becomes(
        "clamp_max(rate(a[1h]), 50) > 6",
        "clamp_max(rate(a[2m]), 50) > 6",
    );
    becomes(
        "(increase(a[1h]) or vector(0)) > 600",
        "(increase(a[2m]) or vector(0)) > 20",
    );
}

#[test]
fn the_variance_over_time_shrinks_by_the_square() {
    let (rules, notes) = by_sixty(
        "  - {record: r, expr: 'increase(a[1h])'}\n  \
         - {alert: A, expr: 'stdvar_over_time(r[1h]) > 3600'}\n",
    );
    assert!(rules.contains("stdvar_over_time(r[1m]) > 1'"), "{rules}");
    assert_eq!(notes, [] as [String; 0]);
}

/// Every way to write a scalar, comments everywhere, odd indentation and line ends.
const STYLES: &str = r#"# head
groups:   # tail
  - name: plain   # "for": 5m
    interval: 5m
    query_offset: "1m"
    rules:
      - alert: Folded
        expr: >-   # a comment of the header
          sum(rate(a{x="it's [1h]"}[1h]))

            > 1
        for: '30m'   # half an hour
        keep_firing_for: "1h"
        labels: {for: 5m, severity: page}
        annotations:
          summary: 'rate(a[5m]) for 5m'
      - expr: "rate(a{x=\"\\\\d\"}[5m]) \
               + rate(\u0061[1h])"
        alert: Double
      - expr: 'rate(a{x=''y''}[5m])
          > 0'
        alert: Single
      - expr: rate(a[5m])
            + rate(b[1h])   # last
        alert: Plain
      - { alert: Flow, expr: "rate(é{x='ü'}[5m]) > 0", for: 5m }
      - alert: Literal
        expr: |2+
            # a comment of PromQL: [5m]
            rate(a[5m]) # more [5m]
            > 2
        for: 1h

"#;

#[test]
fn only_the_durations_change_however_they_are_written() {
    let text = STYLES.replace("é{x='ü'}", "{'é', x='ü'}");
    for text in [text.clone(), text.replace('\n', "\r\n")] {
        let scaled = scaled(&text);
        assert_eq!(scaled.notes, []);
        let mut wanted = text.clone();
        for (from, to) in [
            ("interval: 5m", "interval: 10s"),
            ("\"1m\"", "\"2s\""),
            ("}[1h]))", "}[2m]))"),
            ("'30m'", "'1m'"),
            ("for: \"1h\"", "for: \"2m\""),
            ("\\\"}[5m])", "\\\"}[10s])"),
            ("rate(\\u0061[1h])", "rate(\\u0061[2m])"),
            ("''}[5m])", "''}[10s])"),
            ("expr: rate(a[5m])", "expr: rate(a[10s])"),
            ("rate(b[1h])", "rate(b[2m])"),
            ("'}[5m])", "'}[10s])"),
            ("0\", for: 5m", "0\", for: 10s"),
            ("rate(a[5m]) # more", "rate(a[10s]) # more"),
            ("for: 1h", "for: 2m"),
        ] {
            assert!(wanted.contains(from), "{from}");
            wanted = wanted.replacen(from, to, 1);
        }
        assert_eq!(scaled.text, wanted);
        assert_eq!(scaled.changed, 14);
    }
}

#[test]
fn aliases_follow_what_they_stand_for() {
    let text = "groups:\n- name: g\n  rules:\n  - {alert: A, expr: &e 'rate(a[5m]) > 0', for: &f 5m}\n  \
                - {alert: B, expr: *e, for: *f}\n";
    let scaled = scaled(text);
    assert_eq!(scaled.text, text.replace("5m", "10s"));
    assert_eq!(scaled.notes, []);
}

#[test]
fn a_broken_file_is_not_scaled() {
    let problems = scale("groups: [{name: g, rules: [{alert: A}]}]", by(30.0)).unwrap_err();
    assert!(problems[0].message.contains("expr"), "{problems:?}");
}

fn expressions() -> impl Strategy<Value = String> {
    let duration = || prop_oneof!["[1-9][0-9]{0,2}[smh]", "[1-9]h[1-5]m", "[1-9]00ms"];
    let leaf = prop_oneof![
        duration().prop_map(|d| format!("rate(a{{x=\"[5m] '#\"}}[{d}])")),
        (duration(), duration()).prop_map(|(d, e)| format!("increase(b[{d}] offset -{e})")),
        (duration(), 0..100_000_u32).prop_map(|(d, t)| format!("predict_linear(c[ {d} ], {t})")),
        duration().prop_map(|d| format!("(d offset {d} @ 100)")),
    ];
    leaf.prop_recursive(3, 16, 2, move |inner| {
        prop_oneof![
            (inner.clone(), 0..1000_u32).prop_map(|(x, n)| format!("({x} > {n})")),
            (inner.clone(), inner.clone()).prop_map(|(x, y)| format!("{x} and on () {y}")),
            (inner.clone(), inner.clone())
                .prop_map(|(x, y)| format!("{x}\n  / ignoring (a) # [1h]\n {y}")),
            (inner.clone(), duration()).prop_map(|(x, d)| format!("max_over_time(({x})[1h:{d}])")),
            inner.prop_map(|x| format!("sum without (y) ({x})")),
        ]
    })
}

/// Returns every duration of the canonical form, in its order.
fn ranges(query: &Query) -> Vec<i64> {
    let printed = query.to_string().replace("\"[5m] '#\"", "\"\"");
    let parts = printed.split(['[', ']', ':', ' ', ',', ')']);
    parts
        .filter_map(|part| parse_ms(part.trim_start_matches('-')).ok())
        .filter(|ms| *ms > 0)
        .collect()
}

proptest! {
    #[test]
    fn by_one_nothing_changes(expr in expressions(), hold in "[1-9][0-9]{0,2}[smh]") {
        let text = file(&expr, &hold);
        let scaled = scale(&text, Scale { original_scrape_interval_ms: 1000, ..by(1.0) }).unwrap();
        prop_assert_eq!(scaled.text, text);
        prop_assert_eq!(scaled.changed, 0);
        prop_assert_eq!(scaled.notes, []);
    }

    #[test]
    fn every_duration_is_divided_and_nothing_else_changes(expr in expressions(), n in 1..100_u32) {
        let text = file(&expr, "5m");
        let before = RuleFile::parse(&text).unwrap();
        let scaled = scale(&text, by(f64::from(n))).unwrap();
        let after = RuleFile::parse(&scaled.text).unwrap();
        let (before, after) = (&before.groups[0].rules[0], &after.groups[0].rules[0]);
        let divided = |ms: i64| ((ms as f64 / f64::from(n)).round() as i64).max(1);
        let (RuleType::Alerting(old), RuleType::Alerting(new)) = (&before.kind, &after.kind) else {
            panic!("no alerts");
        };
        prop_assert_eq!(new.for_ms, divided(old.for_ms));
        let (before, after) = (ranges(&before.expr), ranges(&after.expr));
        prop_assert_eq!(before.len(), after.len());
        for (before, after) in before.into_iter().zip(after) {
            let floors = [0, 1000, 4000].map(|floor| divided(before).max(floor.min(before)));
            prop_assert!(floors.contains(&after), "{} became {}", before, after);
        }
        // Comments survive, and so do all lines.
        prop_assert_eq!(scaled.text.matches('#').count(), text.matches('#').count());
        prop_assert_eq!(scaled.text.lines().count(), text.lines().count());
    }
}

fn file(expr: &str, hold: &str) -> String {
    let expr = expr.replace('\n', "\n      ");
    format!(
        "# head\ngroups:\n- name: g # 5m\n  rules:\n  - alert: A\n    expr: |\n      {expr}\n    \
         for: {hold} # hold\n"
    )
}
