//! The embedded engine beside a real Prometheus, both on the same target.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use promql::rules::RuleFile;
use promql::value::Value;
use signals::source::{Range, RuleKind};
use signals::{
    Connection, Embedded, EmbeddedConfig, Prometheus, PrometheusConfig, Source, TargetSpec,
};

use crate::peers::{self, Peer};
use crate::target::{Mood, STEADY, Target};

const RULES: &str = "
groups:
- name: shop
  rules:
  - { record: 'shop:error_ratio:short', expr: 'sum(requests_total{status=~\"5..\"}) / sum(requests_total)' }
  - alert: ManyErrors
    expr: shop:error_ratio:short > 0.1
    labels: { severity: critical }
    annotations: { summary: 'ratio is {{ $value | humanizePercentage }} on {{ $labels.missing }}.' }
  - alert: Slow
    expr: histogram_quantile(0.95, sum by (le) (latency_bucket)) > 0.5
    for: 1h
  - alert: TargetDown
    expr: up == 0
    for: 2s
    annotations: { summary: '{{ $labels.job }}/{{ $labels.instance }} is down' }
";

/// Both sources on one target.
struct Twins {
    real: Prometheus,
    own: Embedded,
    _peer: Peer,
    _folder: tempfile::TempDir,
}

impl Twins {
    async fn start(program: &Path, target: &Target) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let address = target.address.to_string();
        let peer = peers::prometheus(program, folder.path(), &address, RULES, None).await;
        let own = Embedded::start(EmbeddedConfig {
            targets: vec![TargetSpec {
                job: "shop".to_owned(),
                instance: "one".to_owned(),
                url: target.url(),
            }],
            rules: vec![RuleFile::parse(RULES).unwrap()],
            ..EmbeddedConfig::default()
        })
        .unwrap();
        let config = PrometheusConfig::new(Connection::new(&peer.url));
        Self {
            real: Prometheus::new(&config).unwrap(),
            own,
            _peer: peer,
            _folder: folder,
        }
    }

    fn both(&self) -> [&dyn Source; 2] {
        [&self.real, &self.own]
    }

    /// Waits until a query has a result in both.
    async fn wait_for(&self, query: &str) {
        for source in self.both() {
            let start = Instant::now();
            loop {
                let answer = source.instant(query, None).await.unwrap();
                if matches!(&answer.value, Value::Vector(points) if !points.is_empty()) {
                    break;
                }
                assert!(
                    start.elapsed() < Duration::from_secs(30),
                    "{query}: {}",
                    source.describe()
                );
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
}

/// Elements by labels with their values as text, which makes NaN equal to itself.
fn facts(value: &Value) -> BTreeMap<String, String> {
    match value {
        Value::Scalar(sample) => [("scalar".to_owned(), sample.value.to_string())].into(),
        Value::String(text) => [("string".to_owned(), text.clone())].into(),
        Value::Vector(points) => points
            .iter()
            .map(|point| (point.labels.to_string(), point.sample.value.to_string()))
            .collect(),
        Value::Matrix(list) => list
            .iter()
            .map(|series| {
                let values: Vec<String> = series
                    .samples
                    .iter()
                    .map(|sample| sample.value.to_string())
                    .collect();
                (series.labels.to_string(), values.join(" "))
            })
            .collect(),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn same_target_same_answers() {
    let Some(program) = peers::find("same_target_same_answers", &["prometheus"]) else {
        return;
    };
    let target = Target::start(STEADY);
    let twins = Twins::start(&program, &target).await;
    println!("against Prometheus {}", twins.real.version().await.unwrap());
    twins.wait_for("ALERTS{alertname=\"Slow\"}").await;
    twins.wait_for("ALERTS{alertname=\"ManyErrors\"}").await;
    // Windows that reach back before the first scrape differ, as the starts do.
    tokio::time::sleep(Duration::from_secs(3)).await;
    let now_ms = twins.own.instant("time()", None).await.unwrap();
    let Value::Scalar(now) = now_ms.value else {
        panic!("time() is a scalar")
    };
    let (end_ms, second) = (now.t_ms, 1_000);
    for query in [
        "{job=\"shop\", __name__!~\"scrape_duration_seconds|scrape_series_added\"}",
        "clash",
        "temperature > 1 or temperature != temperature",
        "sum by (path) (requests_total)",
        "increase(requests_total[2s])",
        "histogram_quantile(0.95, latency_bucket)",
        "shop:error_ratio:short",
        "ALERTS",
        "absent(nothing{a=\"b\"})",
        "up",
        "scrape_samples_scraped",
        "scalar(sometimes)",
        "\"text\"",
        "42 / 0",
    ] {
        let mut answers = Vec::new();
        for source in twins.both() {
            let instant = source.instant(query, Some(end_ms)).await.unwrap();
            let mut all = vec![facts(&instant.value)];
            if query != "\"text\"" {
                let range = Range {
                    start_ms: end_ms - second,
                    end_ms,
                    step_ms: 250,
                };
                let series = source.range(query, range).await.unwrap().value;
                all.push(facts(&Value::Matrix(series)));
            }
            answers.push(all);
        }
        assert!(!answers[0][0].is_empty(), "{query} has no result");
        assert_eq!(answers[0], answers[1], "{query}: real, own");
    }
    same_status(&twins, end_ms).await;
    same_errors(&twins).await;
}

async fn same_status(twins: &Twins, end_ms: i64) {
    let (mut rules, mut alerts, mut targets, mut exemplars) = (vec![], vec![], vec![], vec![]);
    for source in twins.both() {
        let mut seen: Vec<_> = source.rules().await.unwrap().value;
        for rule in &mut seen {
            assert!(
                rule.last_evaluation_ms
                    .take()
                    .is_some_and(|t| t > end_ms - 10_000)
            );
            if let RuleKind::Alerting { alerts, .. } = &mut rule.kind {
                for alert in alerts {
                    alert.active_at_ms = 0;
                }
            }
        }
        rules.push(seen);
        let mut active = source.alerts().await.unwrap().value;
        for alert in &mut active {
            alert.active_at_ms = 0;
        }
        active.sort_by(|a, b| a.labels.cmp(&b.labels));
        alerts.push(active);
        let mut scraped = source.targets().await.unwrap().value;
        for target in &mut scraped {
            assert!(
                target
                    .last_scrape_ms
                    .take()
                    .is_some_and(|t| t > end_ms - 10_000)
            );
            assert!(target.last_duration_ms > 0.0);
            target.last_duration_ms = 0.0;
        }
        targets.push(scraped);
        let range = Range {
            start_ms: end_ms - 60_000,
            end_ms,
            step_ms: 1,
        };
        let found = source
            .exemplars("rate(requests_total[1m])", range)
            .await
            .unwrap();
        let found: Vec<_> = found
            .value
            .into_iter()
            .map(|e| (e.series, e.labels, e.value))
            .collect();
        exemplars.push(found);
    }
    assert_eq!(alerts[0].len(), 2, "{:?}", alerts[0]);
    assert_eq!(exemplars[0].len(), 1);
    assert_eq!(rules[0], rules[1], "rules: real, own");
    assert_eq!(alerts[0], alerts[1], "alerts: real, own");
    assert_eq!(targets[0], targets[1], "targets: real, own");
    assert_eq!(exemplars[0], exemplars[1], "exemplars: real, own");
}

async fn same_errors(twins: &Twins) {
    for query in [
        "sum(",
        "rate(up)",
        "up + on(job) group_left up + on(x) temperature",
    ] {
        let mut kinds = Vec::new();
        for source in twins.both() {
            let error = source.instant(query, None).await.unwrap_err();
            kinds.push(std::mem::discriminant(&error));
        }
        assert_eq!(kinds[0], kinds[1], "{query}");
    }
}

/// What a target goes through, and for how long.
const ORDEAL: [(Mood, u64); 8] = [
    (Mood::Good, 4),
    (Mood::Less, 3),
    (Mood::Good, 2),
    (Mood::Broken, 4),
    (Mood::Good, 3),
    (Mood::Hung, 4),
    (Mood::Slow(Duration::from_millis(300)), 3),
    (Mood::Good, 3),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failing_target_looks_the_same() {
    let Some(program) = peers::find("a_failing_target_looks_the_same", &["prometheus"]) else {
        return;
    };
    let mut target = Target::start(STEADY);
    let twins = Twins::start(&program, &target).await;
    twins.wait_for("sometimes").await;
    let Value::Scalar(start) = twins.own.instant("time()", None).await.unwrap().value else {
        panic!("time() is a scalar")
    };
    for (mood, seconds) in ORDEAL {
        target.be(mood);
        tokio::time::sleep(Duration::from_secs(seconds)).await;
    }
    target.kill().await;
    tokio::time::sleep(Duration::from_secs(4)).await;
    target.restart();
    tokio::time::sleep(Duration::from_secs(4)).await;
    let Value::Scalar(end) = twins.own.instant("time()", None).await.unwrap().value else {
        panic!("time() is a scalar")
    };
    // The last 2 s may be on their way still.
    let range = Range {
        start_ms: start.t_ms,
        end_ms: end.t_ms - 2_000,
        step_ms: 50,
    };
    for (query, changes) in [
        ("count(sometimes) or vector(0)", 8),
        ("count(temperature) or vector(0)", 6),
        ("sum(up)", 6),
        (
            "count(ALERTS{alertname=\"TargetDown\",alertstate=\"firing\"}) or vector(0)",
            2,
        ),
    ] {
        let mut seen = Vec::new();
        for source in twins.both() {
            let list = source.range(query, range).await.unwrap().value;
            seen.push(steps(&list[0].samples));
        }
        println!("{query}: real {:?}, own {:?}", seen[0], seen[1]);
        assert!(
            seen[0].len() >= changes,
            "{query} changed only {} times",
            seen[0].len()
        );
        assert_eq!(
            seen[0].len(),
            seen[1].len(),
            "{query}: real {:?}, own {:?}",
            seen[0],
            seen[1]
        );
        for (real, own) in seen[0].iter().zip(&seen[1]) {
            assert_eq!(real.1, own.1, "{query}");
            // One scrape and one evaluation apart, as phases differ; a hung scrape ends a second late.
            let apart_ms = (real.0 - own.0).abs();
            assert!(apart_ms <= 2_100, "{query}: {apart_ms} ms apart: {seen:?}");
        }
    }
}

/// Returns the moments at which a value changed, and to what.
fn steps(samples: &[promql::value::Sample]) -> Vec<(i64, f64)> {
    samples
        .windows(2)
        .filter(|pair| pair[0].value != pair[1].value)
        .map(|pair| (pair[1].t_ms, pair[1].value))
        .collect()
}
