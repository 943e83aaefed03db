//! Random rule files and test files.

use std::fmt::Write as _;

use promql::unit_test::{Asked, Difference, Field, Report};

/// What random choices are drawn from: a counter, hashed.
pub(super) struct Random(u64);

impl Random {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x5555_aaaa)
    }

    pub(super) fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) % bound as u64) as usize
    }

    pub(super) fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }

    pub(super) fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }
}

/// An assertion without its expectation.
pub(super) enum Question {
    Alert { time: String, name: String },
    Expr { time: String, expr: String },
}

/// A rule file and the parts of a test file.
pub(super) struct Scenario {
    pub(super) rules: String,
    head: String,
    series: String,
    pub(super) questions: Vec<Question>,
}

const TIMES: [&str; 10] = [
    "0", "30s", "1m", "90s", "2m30s", "4m", "7m", "10m", "11m15s", "15m",
];
/// None whose last digit depends on the order of series: promtool shuffles them when it loads.
const EXPRS: [&str; 16] = [
    "m",
    "sum by (a) (m)",
    "m * 2 > bool 6",
    "rate(c[2m])",
    "increase(c[5m])",
    "rec:m:sum",
    "rec:m:sum offset 1m",
    "max_over_time(m[3m])",
    "ALERTS",
    "ALERTS_FOR_STATE",
    "count by (alertname, alertstate) (ALERTS)",
    "absent(m)",
    "avg_over_time(rec:m:sum[4m:])",
    "scalar(max(m))",
    "m / on (a) group_left () n",
    "max(m) - min(m)",
];

impl Scenario {
    /// Returns a random scenario. `is_3` allows what came with Prometheus 3.
    pub(super) fn new(random: &mut Random, is_3: bool) -> Self {
        let mut scenario = Self {
            rules: rules(random, is_3),
            head: head(random, is_3),
            series: series(random),
            questions: Vec::new(),
        };
        for _ in 0..3 + random.below(8) {
            let time = random.pick(&TIMES).to_owned();
            scenario.questions.push(if random.one_in(2) {
                let name = random.pick(&["A0", "A1", "A2", "B0", "Unknown"]).to_owned();
                Question::Alert { time, name }
            } else {
                let expr = random.pick(&EXPRS);
                // The mean of older versions collects other rounding errors.
                let expr = if is_3 {
                    expr.to_owned()
                } else {
                    expr.replace("avg_", "max_")
                };
                Question::Expr { time, expr }
            });
        }
        scenario
    }

    /// Returns a test file that expects `wanted`, one text for each question.
    pub(super) fn file(&self, wanted: &[String]) -> String {
        let (mut alerts, mut exprs) = (String::new(), String::new());
        for (question, wanted) in self.questions.iter().zip(wanted) {
            match question {
                Question::Alert { time, name } => {
                    let _ = writeln!(
                        alerts,
                        "  - {{eval_time: {time}, alertname: {name}, exp_alerts: [{wanted}]}}"
                    );
                }
                Question::Expr { time, expr } => {
                    let _ = writeln!(
                        exprs,
                        "  - {{eval_time: {time}, expr: '{expr}', exp_samples: [{wanted}]}}"
                    );
                }
            }
        }
        let section = |name: &str, items: &str| {
            if items.is_empty() {
                String::new()
            } else {
                format!("  {name}:\n{items}")
            }
        };
        format!(
            "{}{}{}{}",
            self.head,
            self.series,
            section("alert_rule_test", &alerts),
            section("promql_expr_test", &exprs)
        )
    }
}

fn head(random: &mut Random, is_3: bool) -> String {
    let mut text = "rule_files: ['*.rules.yml']\n".to_owned();
    if let Some(interval) = random.pick(&[None, Some("30s"), Some("1m"), Some("2m")]) {
        let _ = writeln!(text, "evaluation_interval: {interval}");
    }
    // Without an order the groups are shuffled by promtool.
    text.push_str("group_eval_order: [first, second]\n");
    if is_3 && random.one_in(3) {
        text.push_str("fuzzy_compare: true\n");
    }
    text.push_str("tests:\n- name: 'the only test'\n");
    // Without an interval 2.42 loads every sample at time 0; later versions have a default.
    let interval = random.pick(&[None, Some("15s"), Some("1m")]);
    if let Some(interval) = interval.or((!is_3).then_some("30s")) {
        let _ = writeln!(text, "  interval: {interval}");
    }
    if random.one_in(3) {
        text.push_str("  external_labels: {region: eu}\n  external_url: http://prom/x\n");
    }
    text
}

fn series(random: &mut Random) -> String {
    let mut text = "  input_series:\n".to_owned();
    for (name, labels) in [
        ("m", "{a=\"1\", b=\"x\"}"),
        ("m", "{a=\"2\", b=\"y\"}"),
        ("m", "{b=\"x\", a=\"3\"}"),
        ("n", "{a=\"1\"}"),
        ("n", "{a=\"2\"}"),
        ("c", "{a=\"1\"}"),
    ] {
        if random.one_in(8) {
            continue;
        }
        let values: Vec<String> = (0..2 + random.below(5))
            .map(|_| values(random, name == "c"))
            .collect();
        let _ = writeln!(
            text,
            "  - {{series: '{name}{labels}', values: '{}'}}",
            values.join(" ")
        );
    }
    text
}

fn values(random: &mut Random, counter: bool) -> String {
    if counter {
        return format!(
            "{}+{}x{}",
            random.below(50),
            random.below(9),
            random.below(9)
        );
    }
    let value = random.pick(&["0", "1", "3", "7.25", "9", "0.1", "-2", "1e3"]);
    let repeat = 1 + random.below(12);
    match random.below(8) {
        0 => format!("_x{repeat}"),
        1 => random.pick(&["stale", "NaN", "Inf", "-Inf NaN"]).to_owned(),
        2 => format!("{value}-0.1x{repeat}"),
        3 => value.to_owned(),
        _ => format!("{value}x{repeat}"),
    }
}

fn rules(random: &mut Random, is_3: bool) -> String {
    let mut text = "groups:\n- name: second\n".to_owned();
    if is_3 && random.one_in(4) {
        text.push_str("  labels: {team: shop, severity: none}\n");
    }
    text.push_str("  rules:\n");
    for number in 0..2 {
        alert(&mut text, random, &format!("A{number}"));
    }
    text.push_str("- name: first\n");
    if random.one_in(4) {
        text.push_str("  interval: 10m\n");
    }
    if is_3 && random.one_in(5) {
        text.push_str("  query_offset: 30s\n");
    }
    if random.one_in(10) {
        text.push_str("  limit: 2\n");
    }
    text.push_str("  rules:\n  - {record: 'rec:m:sum', expr: 'sum by (a) (m)'}\n");
    if random.one_in(12) {
        // Two elements with one label set: an error as soon as both are there.
        text.push_str("  - {record: same, expr: m, labels: {a: '1', b: ''}}\n");
    }
    alert(&mut text, random, "A2");
    alert(&mut text, random, "B0");
    text
}

fn alert(text: &mut String, random: &mut Random, name: &str) {
    let expr = random.pick(&[
        "m > 2",
        "rec:m:sum > 1",
        "rate(c[2m]) > 0",
        "m == 9 or n == 9",
        "absent(n)",
        "vector(time()) > 200",
        "sum(m) > 0",
        "ALERTS{alertstate=\"firing\"}",
        "rec:m:sum unless on (a) n > 3",
    ]);
    let _ = writeln!(text, "  - alert: {name}\n    expr: '{expr}'");
    if let Some(hold) = random.pick(&[None, Some("0s"), Some("1m"), Some("90s"), Some("5m")]) {
        let _ = writeln!(text, "    for: {hold}");
    }
    if let Some(keep) = random.pick(&[None, None, Some("1m"), Some("4m")]) {
        let _ = writeln!(text, "    keep_firing_for: {keep}");
    }
    if random.one_in(2) {
        text.push_str("    labels: {severity: page, of: 'a{{ $labels.a }}', b: ''}\n");
    }
    if random.one_in(2) {
        text.push_str(
            "    annotations: {value: '{{ $value | humanize }} in {{ $externalLabels.region }}', \
             empty: '', url: '{{ $externalURL }}'}\n",
        );
    }
}

/// Returns, for each question, the items that came out.
pub(super) fn answers(scenario: &Scenario, report: &Report) -> Vec<Vec<String>> {
    scenario
        .questions
        .iter()
        .map(|question| {
            let failure = report.failures.iter().find(|failure| {
                let at = promql::duration::parse_ms;
                match (question, &failure.asked) {
                    (Question::Alert { time, name }, Asked::Alerts { alertname, .. }) => {
                        alertname == name && at(time) == Ok(failure.eval_time_ms)
                    }
                    (Question::Expr { time, expr }, Asked::Expr { expr: other, .. }) => {
                        other == expr && at(time) == Ok(failure.eval_time_ms)
                    }
                    _ => false,
                }
            });
            match failure.map(|failure| &failure.asked) {
                Some(Asked::Alerts { differences, .. }) => {
                    differences.iter().map(alert_item).collect()
                }
                Some(Asked::Expr { differences, .. }) => {
                    differences.iter().map(sample_item).collect()
                }
                _ => Vec::new(),
            }
        })
        .collect()
}

fn alert_item(got: &Difference) -> String {
    let (mut labels, mut annotations) = (Vec::new(), Vec::new());
    for pair in &got.fields {
        let Some(text) = &pair.got else { continue };
        let quoted = text.replace('\'', "''");
        match &pair.field {
            Field::Label(name) if name == "alertname" => {}
            Field::Label(name) => labels.push(format!("{name}: '{quoted}'")),
            Field::Annotation(name) => annotations.push(format!("{name}: '{quoted}'")),
            Field::Value => {}
        }
    }
    format!(
        "{{exp_labels: {{{}}}, exp_annotations: {{{}}}}}",
        labels.join(", "),
        annotations.join(", ")
    )
}

fn sample_item(got: &Difference) -> String {
    let (mut labels, mut value) = (Vec::new(), String::new());
    for pair in &got.fields {
        let Some(text) = &pair.got else { continue };
        match &pair.field {
            Field::Label(name) => labels.push(format!("{name}={text:?}")),
            Field::Value => value = yaml_number(text),
            Field::Annotation(_) => {}
        }
    }
    format!("{{labels: '{{{}}}', value: {value}}}", labels.join(", "))
}

fn yaml_number(text: &str) -> String {
    match text {
        "NaN" => ".nan".to_owned(),
        "inf" => ".inf".to_owned(),
        "-inf" => "-.inf".to_owned(),
        number => number.to_owned(),
    }
}

/// Spoils an expectation, mostly; some changes leave it true.
pub(super) fn perturb(items: &mut Vec<String>, random: &mut Random) {
    let Some(at) = (!items.is_empty()).then(|| random.below(items.len())) else {
        items.push("{}".to_owned());
        return;
    };
    let item = items[at].clone();
    match random.below(7) {
        0 => drop(items.remove(at)),
        1 => items.push(item),
        2 => items.reverse(),
        3 => items[at] = item.replace("exp_labels: {", "exp_labels: {more: '', "),
        4 => items[at] = item.replace("exp_annotations: {", "exp_annotations: {more: x, "),
        5 => {
            items[at] = item
                .replace("a: '1'", "a: '2'")
                .replace("a=\"1\"", "a=\"2\"");
        }
        _ => items[at] = nudged(&item, random),
    }
}

/// Moves the value of a sample by the smallest step, or by two, or not at all.
fn nudged(item: &str, random: &mut Random) -> String {
    let Some((head, tail)) = item.split_once("value: ") else {
        return item.to_owned();
    };
    let Ok(mut value) = tail.trim_end_matches('}').parse::<f64>() else {
        return item.to_owned();
    };
    for _ in 0..random.below(3) {
        value = value.next_up();
    }
    format!("{head}value: {value:?}}}")
}
