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
fn refusals_say_what_is_wrong_and_where() {
    let refused = |text: &str| {
        let error = Template::parse(text).unwrap_err();
        format!("{}: {error}", error.line)
    };
    insta::assert_snapshot!(
        [
            "{{ nonsense }}",
            "{{ now }}",
            "\n{{ $nope }}",
            "{{ if true }}",
            "{{ end }}",
            "{{ else }}",
            "{{ if true }}{{ else if }}{{ end }}",
            "{{ break }}",
            "{{ $value",
            "{{ \"a }}",
            "{{ `a }}",
            "{{ \"\\z\" }}",
            "{{ 'ab' }}",
            "{{ (humanize $value }}",
            "{{ humanize $value) }}",
            "{{ 1 | 2 }}",
            "{{ 1e400 }}",
            "{{ true.x }}",
            "{{ : }}",
            "{{/* a }}",
            "{{}}",
            "{{ template nope }}",
            "{{ define \"a\" }}",
            "{{ range $a, $b, $c := $labels }}{{ end }}",
        ]
        .map(refused)
        .join("\n")
    );
}

#[test]
fn no_template_runs_away() {
    let endless = [
        "{{ range 1000000000 }}a{{ end }}",
        "{{ range 1000000000 }}{{ end }}",
        "{{ define \"a\" }}{{ template \"a\" }}{{ end }}{{ template \"a\" }}",
        "{{ $x := \"aaaaaaaaaaaaaaaa\" }}{{ range 60 }}{{ $x = print $x $x }}{{ end }}",
        "{{ range 1000 }}{{ printf \"%1000000d\" 1 }}{{ end }}",
        "{{ range 100000 }}{{ $x := query \"m\" }}{{ end }}",
        "{{ $x := printf \"%100000d\" 1 }}{{ reReplaceAll \"\" $x $x }}",
        "{{ range $i := 1000 }}{{ $x := match (print \"a\" $i) \"a\" }}{{ end }}",
    ];
    for template in endless {
        let text = expand(template, 1.0);
        assert!(
            text.starts_with("<error expanding template: "),
            "{template}: {} bytes",
            text.len()
        );
    }
    let deep = format!("{}1{}", "(".repeat(5000), ")".repeat(5000));
    assert!(Template::parse(&format!("{{{{ {deep} }}}}")).is_err());
    assert!(Template::parse(&"{{ if true }}".repeat(5000)).is_err());
    assert!(Template::parse(&"{{ define \"a\" }}".repeat(5000)).is_err());
}

#[test]
fn an_error_says_where() {
    assert_eq!(
        expand("a\nb {{ gt $value 1 }}", 2.0),
        "<error expanding template: error executing template __alert_A: template: __alert_A:2:5: \
         executing \"__alert_A\" at <gt $value 1>: error calling gt: incompatible types for \
         comparison: float64 and int>"
    );
}

#[test]
fn queries_are_asked_at_the_time_of_the_evaluation() {
    let template = "{{ range query \"m\" }}{{ .Labels.a }}={{ .Value }}{{ end }}, {{ query \"nope\" | \
                    len }}, {{ with query \"m\" }}{{ . | first | label \"host\" }}{{ end }}";
    assert_eq!(expand(template, 7.0), "x y=7, 0, h.dom:90");
    let failing = expand("{{ query \"sum(\" }}", 0.0);
    assert!(failing.contains("error calling query: "), "{failing}");
}

#[test]
fn links_and_addresses() {
    assert_eq!(
        expand(
            "{{ graphLink \"a{b=\\\"c d\\\"}\" }} {{ tableLink \"up\" }}",
            0.0
        ),
        "/graph?g0.expr=a%7Bb%3D%22c+d%22%7D&g0.tab=0 /graph?g0.expr=up&g0.tab=1"
    );
}
