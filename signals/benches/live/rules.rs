//! The rules: five that every service has, for ten services; two services of which look at all.

use std::time::Duration;

pub(crate) const COUNT: usize = 50;

/// Returns the rule file, one group per service; its seconds have some length.
pub(crate) fn text(second: Duration) -> String {
    let groups: String = (0..10).map(|number| group(number, second)).collect();
    format!("groups:\n{groups}")
}

fn group(number: usize, second: Duration) -> String {
    let lasting = |seconds: u32| format!("{}ms", (seconds * second).as_millis());
    let (soon, later, minute) = (lasting(5), lasting(10), lasting(60));
    let busy = 20.0 / second.as_secs_f64();
    let (of, and) = if number < 2 {
        (String::new(), String::new())
    } else {
        let own = format!("service='s{number}'");
        (format!("{{{own}}}"), format!(", {own}"))
    };
    format!(
        "- name: s{number}
  rules:
  - alert: TargetMissing{number}
    expr: absent(up{{job='shop'}}) or up{{job='shop'}} == 0
    for: {soon}
  - alert: StockLow{number}
    expr: inventory_level{of} < 2
    for: {later}
    labels: {{ severity: warning }}
    annotations: {{ summary: '{{{{ $labels.product_id }}}} has {{{{ $value }}}} left' }}
  - alert: TrafficHigh{number}
    expr: rate(http_requests_total{of}[{minute}]) > {busy}
    for: {later}
  - alert: ErrorRatioHigh{number}
    expr: sum by (service) (rate(http_requests_total{{status=~'5..'{and}}}[{minute}])) / sum by (service) (rate(http_requests_total{of}[{minute}])) > 0.2
    for: {later}
    labels: {{ severity: critical }}
    annotations: {{ summary: '{{{{ $value | humanizePercentage }}}} of {{{{ $labels.service }}}} fails' }}
  - alert: Slow{number}
    expr: histogram_quantile(0.99, sum by (le, service) (rate(http_request_duration_seconds_bucket{of}[{minute}]))) > 4
    for: {later}
"
    )
}
