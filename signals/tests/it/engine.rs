//! The embedded engine as a running thing: targets that come and go, transitions, its end.

use std::time::Duration;

use axum::Router;
use axum::routing::get;
use promql::labels::Labels;
use promql::rules::AlertState::{Firing, Inactive, Pending};
use promql::rules::RuleFile;
use promql::value::Value;
use signals::embedded::{ContentTypeCheck, EmbeddedError};
use signals::source::{Health, RuleKind};
use signals::{Connection, Embedded, EmbeddedConfig, Source, SourceError, TargetSpec};

use crate::stub::Stub;
use crate::target::{Mood, STEADY, Target};

const WAIT: Duration = Duration::from_secs(20);

fn spec(instance: &str, url: &str) -> TargetSpec {
    TargetSpec {
        job: "shop".to_owned(),
        instance: instance.to_owned(),
        url: url.to_owned(),
    }
}

/// An engine that scrapes and evaluates five times a second.
fn quick(targets: Vec<TargetSpec>, rules: &str) -> EmbeddedConfig {
    EmbeddedConfig {
        targets,
        rules: vec![RuleFile::parse(rules).unwrap()],
        scrape_interval: Duration::from_millis(200),
        evaluation_interval: Duration::from_millis(200),
        ..EmbeddedConfig::default()
    }
}

const NO_RULES: &str = "groups: []";

async fn rows(engine: &Embedded, query: &str) -> Vec<(String, f64)> {
    match engine.instant(query, None).await.unwrap().value {
        Value::Vector(points) => points
            .into_iter()
            .map(|point| (point.labels.to_string(), point.sample.value))
            .collect(),
        other => panic!("{query}: {other:?}"),
    }
}

/// Waits until a query has as many elements, looking again after every scrape and evaluation.
async fn until(engine: &Embedded, query: &str, count: usize) {
    let mut progress = engine.progress();
    let reached = async {
        while rows(engine, query).await.len() != count {
            progress.changed().await.unwrap();
        }
    };
    let waited = tokio::time::timeout(WAIT, reached).await;
    assert!(
        waited.is_ok(),
        "{query} has not {count} elements: {:?}",
        rows(engine, query).await
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn targets_come_and_go() {
    let (one, two) = (Target::start(STEADY), Target::start(STEADY));
    let engine = Embedded::start(quick(vec![spec("a", &one.url())], NO_RULES)).unwrap();
    until(&engine, "sometimes", 1).await;
    engine
        .set_targets(vec![spec("a", &one.url()), spec("b", &two.url())])
        .unwrap();
    until(&engine, "sometimes", 2).await;
    engine.set_targets(vec![spec("b", &two.url())]).unwrap();
    until(&engine, "{instance=\"a\"}", 0).await;
    until(&engine, "up{instance=\"b\"} == 1", 1).await;
    // Another address under the same name continues the same series.
    two.be(Mood::Broken);
    until(&engine, "up == 0", 1).await;
    engine.set_targets(vec![spec("b", &one.url())]).unwrap();
    until(&engine, "sometimes{instance=\"b\"}", 1).await;
    let targets = engine.targets().await.unwrap().value;
    assert_eq!(
        (targets.len(), targets[0].url.as_str()),
        (1, one.url().as_str())
    );
    assert_eq!(targets[0].health, Health::Ok);
    engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn transitions_are_told_in_order() {
    let rules = "
groups:
- name: g
  rules:
  - { alert: Gone, expr: up == 1 unless on (instance) sometimes, for: 500ms, annotations: { s: 'value {{ $value }}' } }";
    let target = Target::start(STEADY);
    let engine = Embedded::start(quick(vec![spec("a", &target.url())], rules)).unwrap();
    until(&engine, "sometimes", 1).await;
    let mut transitions = engine.transitions();
    target.be(Mood::Less);
    let mut seen = Vec::new();
    let mut times = Vec::new();
    while seen.last() != Some(&(Firing, Inactive)) {
        let next = tokio::time::timeout(WAIT, transitions.recv()).await;
        let transition = next.unwrap().unwrap();
        assert_eq!(transition.alert, "Gone");
        seen.push((transition.from, transition.to));
        times.push(transition.t_ms);
        if transition.to == Firing {
            let alerts = engine.alerts().await.unwrap().value;
            assert_eq!(
                alerts[0].annotations,
                [("s".to_owned(), "value 1".to_owned())]
            );
            target.be(Mood::Good);
        }
    }
    assert_eq!(
        seen,
        [(Inactive, Pending), (Pending, Firing), (Firing, Inactive)]
    );
    assert!(times[1] - times[0] >= 300, "{times:?}");
    let rules = engine.rules().await.unwrap().value;
    assert!(matches!(
        &rules[0].kind,
        RuleKind::Alerting { for_ms: 500, .. }
    ));
    assert_eq!((rules[0].interval_ms, &rules[0].health), (200, &Health::Ok));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_its_end_the_engine_still_answers() {
    let target = Target::start(STEADY);
    let engine = Embedded::start(quick(vec![spec("a", &target.url())], NO_RULES)).unwrap();
    until(&engine, "sometimes", 1).await;
    engine.shutdown().await;
    let answer = engine.instant("sometimes", None).await.unwrap();
    let again = engine.instant("sometimes", None).await.unwrap();
    assert_eq!(answer.at_ms, again.at_ms, "nothing is scraped any more");
    assert!(engine.size().0 > 10);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_last_handle_stops_the_engine() {
    let target = Target::start(STEADY);
    let engine = Embedded::start(quick(vec![spec("a", &target.url())], NO_RULES)).unwrap();
    until(&engine, "sometimes", 1).await;
    let mut progress = engine.progress();
    drop(engine);
    let ended = async { while progress.changed().await.is_ok() {} };
    tokio::time::timeout(WAIT, ended).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn control_characters_of_a_target_do_not_get_out() {
    let text = "# TYPE a gauge\na{x=\"\u{1b}[31mred\"} 1\n# EOF\n";
    let target = Target::start(text);
    let engine = Embedded::start(quick(vec![spec("a", &target.url())], NO_RULES)).unwrap();
    until(&engine, "a", 1).await;
    let (labels, _) = rows(&engine, "a").await.remove(0);
    assert_eq!(labels, r#"a{instance="a", job="shop", x="[31mred"}"#);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_foreign_content_type() {
    let router = Router::new().route("/metrics", get(async || axum::response::Html("a 1\n")));
    let stub = Stub::http(router).await;
    for (content_type, up) in [
        (ContentTypeCheck::Strict, 0.0),
        (ContentTypeCheck::Lenient, 1.0),
    ] {
        let targets = vec![spec("", &format!("{}/metrics", stub.url()))];
        let engine = Embedded::start(EmbeddedConfig {
            content_type,
            ..quick(targets, NO_RULES)
        })
        .unwrap();
        until(&engine, "up", 1).await;
        let expect = format!(r#"up{{instance="{}", job="shop"}}"#, stub.address);
        assert_eq!(rows(&engine, "up").await, [(expect, up)]);
    }
}

#[tokio::test]
async fn wrong_questions_and_wrong_settings() {
    let engine = Embedded::start(EmbeddedConfig::default()).unwrap();
    let error = engine.instant("sum(", None).await.unwrap_err();
    assert!(matches!(error, SourceError::BadQuery { .. }), "{error}");
    let twice = vec![spec("a", "http://h/metrics"), spec("a", "http://i/metrics")];
    for (targets, expect) in [
        (vec![spec("a", "ftp://h")], "the scheme is neither"),
        (vec![spec("a", "nothing")], "relative URL"),
        (twice, "two targets have job \"shop\" and instance \"a\""),
    ] {
        let error = engine.set_targets(targets).unwrap_err().to_string();
        assert!(error.contains(expect), "{error}");
    }
    let start = |config: EmbeddedConfig| Embedded::start(config).err().unwrap();
    let error = start(EmbeddedConfig {
        scrape_interval: Duration::ZERO,
        ..EmbeddedConfig::default()
    });
    assert!(matches!(error, EmbeddedError::Interval { .. }), "{error}");
    let error = start(EmbeddedConfig {
        alertmanager: Some(Connection::new("nowhere")),
        external_labels: Labels::default(),
        ..EmbeddedConfig::default()
    });
    assert!(
        error
            .to_string()
            .starts_with("Alertmanager: nowhere is not an address"),
        "{error}"
    );
}
