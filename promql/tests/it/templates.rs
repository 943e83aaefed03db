//! Templates in annotations, seen through a rule.

use promql::rules::{Config, Evaluator, RuleFile, Template};
use promql::{Labels, Store};

/// Expands a template for an element with a value and the labels `a="x y"`, `host="h.dom:90"`.
fn expand(template: &str, value: f64) -> String {
    let rules = format!(
        "groups: [{{name: g, rules: [{{alert: A, expr: m == m or m != m, annotations: {{t: {template:?}}}}}]}}]"
    );
    let file = RuleFile::parse(&rules).unwrap_or_else(|problems| panic!("{problems:?}"));
    let mut evaluator = Evaluator::new(vec![file], Config::default());
    let mut store = Store::new(i64::MAX);
    let labels = Labels::from_pairs([("__name__", "m"), ("a", "x y"), ("host", "h.dom:90")]);
    store.append(&labels, 0, value).unwrap();
    let outcome = evaluator.evaluate(0, &mut store, 0);
    outcome.transitions[0].annotations[0].1.clone()
}

#[test]
fn expansions() {
    let cases = [
        ("{{ $labels.a }} {{ .Labels.nope }}!", 1.0, "x y !"),
        ("{{ $value }}", 1_234_567.891, "1.234567891e+06"),
        ("{{ $value }}", 100_000.0, "100000"),
        ("{{ $value }}", 0.000_012, "1.2e-05"),
        ("{{ .Value }}", f64::INFINITY, "+Inf"),
        ("{{ $value | humanize }}", 1_234_567.0, "1.235M"),
        ("{{ $value | humanize }}", 0.0123, "12.3m"),
        ("{{ humanize1024 $value }}", 1_048_576.0, "1Mi"),
        ("{{ $value | humanizePercentage }}", 0.1234, "12.34%"),
        ("{{ $value | humanizeDuration }}", 3_725.0, "1h 2m 5s"),
        ("{{ $value | humanizeDuration }}", 0.0015, "1.5ms"),
        ("{{ $value | humanizeDuration }}", -90_061.0, "-1d 1h 1m 1s"),
        (
            "{{ printf \"%.2f|%5.1f|%-6s|%v\" $value $value $labels.a true }}",
            1.5,
            "1.50|  1.5|x y   |true",
        ),
        ("{{ printf \"%d\" $value }}", 1.5, "%!d(float64=1.5)"),
        (
            "{{ $labels.a | toUpper }} {{ $labels.a | title }}",
            0.0,
            "X Y X Y",
        ),
        (
            "{{ $labels.host | stripPort }} {{ $labels.host | stripDomain }}",
            0.0,
            "h.dom h:90",
        ),
        (
            "{{ if gt $value 1.0 }}high{{ else if eq $value 1.0 }}one{{ else }}low{{ end }}",
            1.0,
            "one",
        ),
        ("a {{- \" b \" -}} c{{/* no */}}", 0.0, "a b c"),
        (
            "{{ reReplaceAll \"(.*) (.*)\" \"$2-$1\" $labels.a }}",
            0.0,
            "y-x",
        ),
        (
            "{{ index $labels \"a\" }} {{ len $labels.a }}",
            0.0,
            "x y 3",
        ),
    ];
    for (template, value, expected) in cases {
        assert_eq!(expand(template, value), expected, "{template}");
    }
    assert!(expand("{{ gt $value 1 }}", 2.0).starts_with("<error expanding template: "));
}

#[test]
fn what_is_not_built_is_named() {
    let refused = |text: &str| Template::parse(text).unwrap_err().to_string();
    insta::assert_snapshot!(
        [
            "{{ range query \"up\" }}{{ end }}",
            "{{ query \"up\" | first | value }}",
            "{{ nonsense }}",
            "{{ $x := 1 }}",
            "{{ $nope }}",
            "{{ if true }}",
            "{{ end }}",
            "{{ $value",
            "{{ \"a }}",
            "{{ (humanize $value }}",
            "{{ humanize }}",
            "{{}}",
        ]
        .map(refused)
        .join("\n")
    );
}
