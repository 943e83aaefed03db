//! The made-up shop: its numbers, faults, rules and playbooks at any moment.

use crate::dashboard::msg::{FaultView, PlaybookView};
use promql::labels::Labels;
use promql::value::{Sample, Series};
use signals::source::{Alert, AlertState, Health, Range, Rule, RuleKind};

/// What happens in the made-up shop; times in milliseconds since the epoch.
#[derive(Debug, Clone, Copy, Default)]
pub struct Story {
    /// When payments begin to fail.
    pub breaks_ms: Option<i64>,
    /// When they work again.
    pub mends_ms: Option<i64>,
    /// The first moment there are samples of.
    pub begins_ms: i64,
    /// A stretch without samples.
    pub hole_ms: Option<(i64, i64)>,
}

/// Returns the samples of a panel on a grid.
pub(crate) fn series(story: Story, panel: usize, range: Range) -> Vec<Series> {
    let mut samples = Vec::new();
    let mut t_ms = range.start_ms;
    while t_ms <= range.end_ms {
        let in_hole = story
            .hole_ms
            .is_some_and(|(from, to)| (from..to).contains(&t_ms));
        if t_ms >= story.begins_ms && !in_hole {
            let value = value(story, panel, t_ms);
            samples.push(Sample { t_ms, value });
        }
        t_ms += range.step_ms;
    }
    vec![Series {
        labels: Labels::default(),
        samples,
    }]
}

fn value(story: Story, panel: usize, t_ms: i64) -> f64 {
    let noise = |period_ms: i64, salt: i64| {
        let knot = |k: i64| {
            let mixed = (k.wrapping_mul(1_103_515_245) ^ salt)
                .wrapping_mul(0x9e37_79b9_7f4a_7c15_u64 as i64);
            ((mixed >> 33) & 0xffff) as f64 / 65_535.0 - 0.5
        };
        let k = t_ms.div_euclid(period_ms);
        let share = t_ms.rem_euclid(period_ms) as f64 / period_ms as f64;
        knot(k) * (1.0 - share) + knot(k + 1) * share
    };
    // How broken payments are: up within ten seconds, down within ten.
    let ramp = |since_ms: i64| ((t_ms - since_ms) as f64 / 10_000.0).clamp(0.0, 1.0);
    let broken = story.breaks_ms.map_or(0.0, ramp) - story.mends_ms.map_or(0.0, ramp);
    match panel {
        0 => 61.0 + 9.0 * noise(7_000, 1) + 4.0 * noise(1_500, 2) - 14.0 * broken,
        1 => (0.021 + 0.006 * noise(9_000, 3) + 0.004 * noise(2_000, 4)) + 0.031 * broken,
        _ => {
            let base = (0.0015 + 0.003 * noise(11_000, 5)).max(0.0);
            (base + broken * (0.165 + 0.04 * noise(3_000, 6))).max(0.0)
        }
    }
}

pub(super) fn playbooks() -> Vec<PlaybookView> {
    let one =
        |name: &str, title: &str, breaks: &[&str], expects: &[&str], about_s: i64| PlaybookView {
            name: name.to_owned(),
            title: title.to_owned(),
            description: format!("{title} for a while; the on-call is paged and the page clears."),
            breaks: breaks.iter().map(|text| (*text).to_owned()).collect(),
            expects: expects.iter().map(|text| (*text).to_owned()).collect(),
            about_ms: about_s * 1_000,
        };
    vec![
        one(
            "control",
            "Nothing is broken, nothing may fire",
            &[],
            &[],
            300,
        ),
        one(
            "db-stall",
            "The database stops answering",
            &["db_stall connections on orders for 45s"],
            &["DbStalled within 40s"],
            150,
        ),
        one(
            "no-traffic",
            "Traffic stays away",
            &["drop 100% of arrivals for 1m"],
            &["NoTraffic within 40s"],
            140,
        ),
        one(
            "payments-503",
            "Payments return 503",
            &["error 503 on payments, 50% for 45s"],
            &["PaymentFailureRateHigh within 40s"],
            150,
        ),
        one(
            "slow-catalog",
            "The catalog gets slow",
            &["latency 800ms on catalog, 80% for 45s"],
            &["HighLatencyP95 within 40s"],
            140,
        ),
        one(
            "traffic-surge",
            "Three times the traffic",
            &["surge x3 for 1m"],
            &[],
            120,
        ),
    ]
}

pub(super) fn faults(story: Story, now_ms: i64) -> Vec<FaultView> {
    let Some(breaks_ms) = story.breaks_ms.filter(|breaks_ms| *breaks_ms <= now_ms) else {
        return Vec::new();
    };
    let age_ms = now_ms - breaks_ms;
    let mended_ms = story.mends_ms.filter(|mends_ms| *mends_ms <= now_ms);
    vec![FaultView {
        id: "break-payments".to_owned(),
        kind: "error".to_owned(),
        what: "503".to_owned(),
        place: "payments".to_owned(),
        share: "50%".to_owned(),
        owner: "run-1".to_owned(),
        reason: String::new(),
        age_ms,
        remaining_ms: Some((90_000 - age_ms).max(0)),
        evaluated: (age_ms / 50) as u64,
        injected: (age_ms / 101) as u64,
        ended: mended_ms.map(|mends_ms| ("withdrawn".to_owned(), Some(now_ms - mends_ms))),
    }]
}

pub(super) fn rules(story: Story, now_ms: i64) -> Vec<Rule> {
    let broken_ms = story.breaks_ms.map(|breaks_ms| breaks_ms + 6_000);
    let mended_ms = story
        .mends_ms
        .map_or(i64::MAX, |mends_ms| mends_ms + 20_000);
    let active = |delay_s: i64| {
        broken_ms
            .map(|since_ms| since_ms + delay_s * 1_000)
            .filter(|since_ms| (*since_ms..mended_ms).contains(&now_ms))
    };
    let always = ("Watchdog", "vector(1)", "none", 0, Some(now_ms - 3_600_000));
    let list = [
        always,
        (
            "HighErrorRate",
            "shop:error_ratio:short > 0.1",
            "critical",
            20,
            active(2),
        ),
        (
            "PaymentFailureRateHigh",
            "shop:payment_failure_ratio:short > 0.25",
            "critical",
            10,
            active(0),
        ),
        (
            "HighLatencyP95",
            "shop:latency_p95:short > 0.5",
            "warning",
            20,
            None,
        ),
        (
            "ErrorBudgetBurn",
            "shop:burn_rate:short > 14.4",
            "critical",
            60,
            active(8),
        ),
        (
            "DbStalled",
            "max by (service) (db_queries_in_flight) > 20",
            "critical",
            20,
            None,
        ),
        ("TargetDown", "up == 0", "critical", 10, None),
        (
            "NoTraffic",
            "shop:request_rate:short < 1",
            "critical",
            20,
            None,
        ),
    ];
    list.into_iter()
        .map(|(name, expr, severity, for_s, active_at_ms)| {
            rule(name, expr, severity, for_s * 1_000, active_at_ms, now_ms)
        })
        .collect()
}

fn rule(
    name: &str,
    expr: &str,
    severity: &str,
    for_ms: i64,
    active_at_ms: Option<i64>,
    now_ms: i64,
) -> Rule {
    let mut labels = vec![("alertname", name), ("severity", severity)];
    match name {
        "Watchdog" => labels.push(("obs_tui_expect", "always")),
        "PaymentFailureRateHigh" => labels.push(("service", "orders")),
        _ => labels.push(("service", "storefront")),
    }
    let labels = Labels::from_pairs(labels);
    let annotation = |key: &str, value: &str| (key.to_owned(), value.to_owned());
    let runbook = format!("https://example.org/runbooks/{name}.md");
    let annotations = vec![
        annotation("summary", &format!("{name}: the shop is not well")),
        annotation(
            "description",
            "More requests fail than the objective allows.",
        ),
        annotation("runbook_url", &runbook),
    ];
    let alerts = active_at_ms
        .map(|active_at_ms| Alert {
            labels: labels.clone(),
            annotations: annotations.clone(),
            state: if now_ms - active_at_ms >= for_ms {
                AlertState::Firing
            } else {
                AlertState::Pending
            },
            active_at_ms,
            value: match name {
                "ErrorBudgetBurn" => 41.3,
                "PaymentFailureRateHigh" => 0.523,
                _ => 0.154,
            },
        })
        .into_iter()
        .collect();
    Rule {
        group: "shop".to_owned(),
        name: name.to_owned(),
        expr: expr.to_owned(),
        labels,
        annotations,
        kind: RuleKind::Alerting {
            for_ms,
            keep_firing_for_ms: 0,
            alerts,
        },
        health: Health::Ok,
        last_evaluation_ms: Some(now_ms),
        interval_ms: 1_000,
    }
}
