//! The rules: five that every service has, for ten services; two services of which look at all.

pub(crate) const COUNT: usize = 50;

/// Returns the rule file, one group per service.
pub(crate) fn text() -> String {
    let groups: String = (0..10).map(group).collect();
    format!("groups:\n{groups}")
}

fn group(number: usize) -> String {
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
    for: 5s
  - alert: StockLow{number}
    expr: inventory_level{of} < 2
    for: 10s
    labels: {{ severity: warning }}
    annotations: {{ summary: '{{{{ $labels.product_id }}}} has {{{{ $value }}}} left' }}
  - alert: TrafficHigh{number}
    expr: rate(http_requests_total{of}[1m]) > 20
    for: 10s
  - alert: ErrorRatioHigh{number}
    expr: sum by (service) (rate(http_requests_total{{status=~'5..'{and}}}[1m])) / sum by (service) (rate(http_requests_total{of}[1m])) > 0.2
    for: 10s
    labels: {{ severity: critical }}
    annotations: {{ summary: '{{{{ $value | humanizePercentage }}}} of {{{{ $labels.service }}}} fails' }}
  - alert: Slow{number}
    expr: histogram_quantile(0.99, sum by (le, service) (rate(http_request_duration_seconds_bucket{of}[1m]))) > 4
    for: 10s
"
    )
}
