//! Alerts on their way: engine, a real Alertmanager, our receiver.

use std::sync::Arc;
use std::time::Duration;

use axum::http::StatusCode;
use promql::labels::Labels;
use promql::rules::RuleFile;
use signals::alertmanager::HeldState;
use signals::webhook::{Received, Receiver, ReceiverConfig};
use signals::{Alertmanager, Connection, Embedded, EmbeddedConfig, SourceError, TargetSpec};

use crate::peers::{self, Peer};
use crate::stub::Stub;
use crate::target::{Mood, STEADY, Target};

const RULES: &str = "
groups:
- name: g
  rules:
  - alert: SometimesGone
    expr: absent(sometimes)
    labels: { severity: page }
    annotations: { summary: 'gone' }";

/// Returns the notification that comes next.
async fn next(news: &mut tokio::sync::broadcast::Receiver<Arc<Received>>) -> Arc<Received> {
    let wait = tokio::time::timeout(Duration::from_secs(30), news.recv());
    wait.await.expect("a notification within 30 s").unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_alert_goes_through_a_real_alertmanager() {
    let names = ["alertmanager", "prometheus-alertmanager"];
    let Some(program) = peers::find("an_alert_goes_through_a_real_alertmanager", &names) else {
        return;
    };
    let receiver = Receiver::start(ReceiverConfig::default()).await.unwrap();
    let mut news = receiver.subscribe();
    let folder = tempfile::tempdir().unwrap();
    let config = format!(
        "route: {{ receiver: us, group_by: [alertname], group_wait: 0s, group_interval: 1s }}\n\
         receivers: [ {{ name: us, webhook_configs: [ {{ url: '{}', send_resolved: true }} ] }} ]\n",
        receiver.url()
    );
    std::fs::write(folder.path().join("am.yml"), config).unwrap();
    let arguments = [
        format!("--config.file={}", folder.path().join("am.yml").display()),
        format!("--storage.path={}", folder.path().join("data").display()),
        "--cluster.listen-address=".to_owned(),
    ];
    let peer = Peer::start(&program, folder.path(), &arguments).await;
    let target = Target::start(STEADY);
    let engine = Embedded::start(EmbeddedConfig {
        targets: vec![TargetSpec {
            job: "shop".to_owned(),
            instance: "one".to_owned(),
            url: target.url(),
        }],
        rules: vec![RuleFile::parse(RULES).unwrap()],
        alertmanager: Some(Connection::new(&peer.url)),
        external_labels: Labels::from_pairs([("lab", "test")]),
        scrape_interval: Duration::from_millis(200),
        evaluation_interval: Duration::from_millis(200),
        ..EmbeddedConfig::default()
    })
    .unwrap();
    let client = Alertmanager::new(&Connection::new(&peer.url)).unwrap();
    let status = client.status().await.unwrap();
    assert!(status.version.starts_with("0.") && status.config.contains("webhook_configs"));

    target.be(Mood::Less);
    let firing = loop {
        // A first evaluation before the first scrape may have fired and resolved.
        let one = next(&mut news).await;
        let held = client.alerts().await.unwrap();
        if one.alerts[0].firing && held.iter().any(|alert| alert.state == HeldState::Active) {
            break one;
        }
    };
    let expect = Labels::from_pairs([
        ("alertname", "SometimesGone"),
        ("severity", "page"),
        ("lab", "test"),
    ]);
    assert_eq!(firing.receiver, "us");
    assert_eq!(firing.alerts[0].labels, expect);
    assert_eq!(
        firing.alerts[0].annotations,
        [("summary".to_owned(), "gone".to_owned())]
    );
    assert!(firing.at_ms >= firing.alerts[0].starts_at_ms);
    let held = client.alerts().await.unwrap();
    assert_eq!(
        (held[0].labels.clone(), held[0].receivers.clone()),
        (expect, vec!["us".to_owned()])
    );
    assert!(held[0].ends_at_ms > held[0].starts_at_ms + 60_000);

    target.be(Mood::Good);
    let resolved = loop {
        let one = next(&mut news).await;
        if !one.alerts[0].firing {
            break one;
        }
    };
    assert!(
        resolved.alerts[0]
            .ends_at_ms
            .is_some_and(|end| end >= resolved.alerts[0].starts_at_ms)
    );
    assert!(receiver.received().len() >= 2);

    silence(&peer).await;
    let silences = client.silences().await.unwrap();
    assert_eq!(silences[0].matchers, [r#"alertname=~"Some.*""#]);
    assert_eq!(
        (silences[0].state.as_str(), silences[0].comment.as_str()),
        ("active", "why")
    );
    engine.shutdown().await;
    receiver.shutdown().await;
}

async fn silence(peer: &Peer) {
    let body = r#"{"matchers":[{"name":"alertname","value":"Some.*","isRegex":true}],"createdBy":"me",
        "comment":"why","startsAt":"2020-01-01T00:00:00Z","endsAt":"2099-01-01T00:00:00Z"}"#;
    let request = reqwest::Client::new()
        .post(format!("{}/api/v2/silences", peer.url))
        .header("content-type", "application/json")
        .body(body);
    assert!(request.send().await.unwrap().status().is_success());
}

#[tokio::test]
async fn the_receiver_keeps_the_newest_and_refuses_nonsense() {
    signals::connect::install_tls();
    let receiver = Receiver::start(ReceiverConfig {
        keep: 2,
        ..ReceiverConfig::default()
    })
    .await
    .unwrap();
    let post = async |body: String| {
        let request = reqwest::Client::new()
            .post(receiver.url())
            .header("content-type", "application/json")
            .body(body);
        request.send().await.unwrap().status()
    };
    for number in 0..3 {
        let body = format!(
            r#"{{"receiver":"r{number}","alerts":[{{"status":"firing","labels":{{"a":"\u001b[1m"}},
                "startsAt":"2020-01-01T00:00:00Z","endsAt":"0001-01-01T00:00:00Z"}}]}}"#
        );
        assert_eq!(post(body).await, StatusCode::OK);
    }
    let kept = receiver.received();
    let names: Vec<&str> = kept.iter().map(|one| one.receiver.as_str()).collect();
    assert_eq!(names, ["r1", "r2"]);
    assert_eq!(kept[0].alerts[0].ends_at_ms, None);
    assert_eq!(kept[0].alerts[0].labels.get("a"), Some("[1m"));
    assert_eq!(post("{".to_owned()).await, StatusCode::BAD_REQUEST);
    assert_eq!(
        post("{}".to_owned()).await,
        StatusCode::UNPROCESSABLE_ENTITY
    );
    let large = format!("{{\"receiver\":\"{}\",\"alerts\":[]}}", "x".repeat(5 << 20));
    assert_eq!(post(large).await, StatusCode::PAYLOAD_TOO_LARGE);
}

#[tokio::test]
async fn what_is_no_alertmanager_is_named() {
    let prometheus = axum::Router::new().route("/api/v2/status", axum::routing::get(async || "{}"));
    let stub = Stub::http(prometheus).await;
    let client = Alertmanager::new(&Connection::new(&stub.url())).unwrap();
    let error = client.status().await.unwrap_err();
    assert!(
        error.to_string().contains("is this an Alertmanager?"),
        "{error}"
    );
    let error = client.alerts().await.unwrap_err();
    assert!(matches!(error, SourceError::NotOffered { .. }), "{error}");
}
