//! A server behind the HTTP API: what is sent to it, and what its answers become.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::{any, get};
use futures_util::stream;
use promql::value::{Sample, Value};
use signals::source::{Health, Range, RuleKind, Source};
use signals::{Connection, Prometheus, PrometheusConfig, SourceError};

use crate::stub::Stub;

pub(crate) const UP: &str = r#"{"status":"success","data":{"resultType":"vector","result":[
    {"metric":{"__name__":"up"},"value":[1,"1"]}]}}"#;

pub(crate) fn source(connection: Connection) -> Prometheus {
    Prometheus::new(&PrometheusConfig::new(connection)).unwrap()
}

pub(crate) fn quick(url: &str) -> Connection {
    Connection {
        timeout: Duration::from_millis(500),
        ..Connection::new(url)
    }
}

async fn instant_error(url: &str) -> SourceError {
    let answer = source(quick(url)).instant("up", Some(1_000)).await;
    answer.map(|a| a.value).unwrap_err()
}

/// What a stub was sent.
#[derive(Debug, Clone, Default)]
pub(crate) struct Seen {
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

/// A router that answers every path alike and writes down the newest request.
pub(crate) fn recorder(answer: &'static str) -> (Router, Arc<Mutex<Seen>>) {
    let seen = Arc::new(Mutex::new(Seen::default()));
    let writer = seen.clone();
    let router = Router::new().fallback(any(move |request: Request| {
        let writer = writer.clone();
        async move {
            let (head, body) = request.into_parts();
            let body = axum::body::to_bytes(body, 1 << 20).await.unwrap();
            *writer.lock().unwrap() = Seen {
                method: head.method,
                path: head.uri.to_string(),
                headers: head.headers,
                body: String::from_utf8_lossy(&body).into_owned(),
            };
            answer
        }
    }));
    (router, seen)
}

#[tokio::test]
async fn a_server_that_takes_no_post_is_asked_by_get() {
    let stub = Stub::http(Router::new().route("/api/v1/query", get(async || UP))).await;
    source(quick(&stub.url()))
        .instant("up", None)
        .await
        .unwrap();
}

#[tokio::test]
async fn a_dead_server() {
    let stub = Stub::http(Router::new()).await;
    let url = stub.url();
    stub.stop().await;
    let error = instant_error(&url).await;
    assert!(matches!(error, SourceError::Unreachable { .. }), "{error}");
    assert!(error.to_string().contains("check host and port"), "{error}");
}

#[tokio::test]
async fn a_server_that_hangs_before_or_within_its_answer() {
    let never = async || {
        std::future::pending::<()>().await;
    };
    let half = async || {
        let first = stream::iter([Ok::<_, std::io::Error>(Bytes::from_static(b"{"))]);
        let parts = futures_util::StreamExt::chain(first, stream::pending());
        Body::from_stream(parts).into_response()
    };
    for router in [
        Router::new().fallback(any(never)),
        Router::new().fallback(any(half)),
    ] {
        let stub = Stub::http(router).await;
        let start = Instant::now();
        let error = instant_error(&stub.url()).await;
        assert!(
            matches!(
                error,
                SourceError::Timeout {
                    timeout_ms: 500,
                    ..
                }
            ),
            "{error}"
        );
        assert!(start.elapsed() < Duration::from_secs(5));
    }
}

#[tokio::test]
async fn a_hundred_megabytes_are_not_read() {
    let large = async || {
        let piece = Bytes::from(vec![b' '; 1 << 20]);
        let pieces = (0..100).map(move |_| Ok::<_, std::io::Error>(piece.clone()));
        Body::from_stream(stream::iter(pieces)).into_response()
    };
    let stub = Stub::http(Router::new().fallback(any(large))).await;
    let connection = Connection {
        timeout: Duration::from_secs(30),
        ..Connection::new(&stub.url())
    };
    let error = source(connection)
        .instant("up", None)
        .await
        .unwrap_err()
        .to_string();
    assert!(error.contains("larger than 32 MiB"), "{error}");
}

fn json_error(status: StatusCode, kind: &str, error: &str) -> Response {
    let body = format!(r#"{{"status":"error","errorType":"{kind}","error":"{error}"}}"#);
    (status, body).into_response()
}

#[tokio::test]
async fn failures_become_errors_that_say_what_to_do() {
    let status = |code: u16| StatusCode::from_u16(code).unwrap().into_response();
    let cases: Vec<(Response, &str)> = vec![
        (status(401), "answered 401: check the token"),
        (status(403), "answered 403: check the token"),
        (status(404), "there is no /api/v1/query; is the path prefix"),
        (status(502), "failed with 502: no reason given"),
        (
            (StatusCode::BAD_GATEWAY, "no\u{1b}[1m upstream").into_response(),
            "502: no[1m upstream",
        ),
        (
            Html("<html>").into_response(),
            "is a web page; is the path prefix",
        ),
        (
            "pong".into_response(),
            "not Prometheus': /api/v1/query: expected value",
        ),
        (
            r#"{"status":"success"}"#.into_response(),
            "its status is `success`",
        ),
        (
            Redirect::temporary("http://elsewhere/").into_response(),
            "redirects to http://elsewhere/;",
        ),
        (
            json_error(StatusCode::BAD_REQUEST, "bad_data", "1:3: parse error"),
            "query `up`: 1:3: parse",
        ),
        (
            json_error(
                StatusCode::UNPROCESSABLE_ENTITY,
                "execution",
                "many-to-many",
            ),
            "many-to-many",
        ),
        (
            json_error(StatusCode::SERVICE_UNAVAILABLE, "unavailable", "not ready"),
            "503: not ready",
        ),
    ];
    for (response, expect) in cases {
        let response = Mutex::new(Some(response));
        let answer = Arc::new(move || response.lock().unwrap().take().unwrap());
        let router = Router::new().fallback(any(move || {
            let answer = answer.clone();
            async move { answer() }
        }));
        let stub = Stub::http(router).await;
        let error = instant_error(&stub.url()).await.to_string();
        assert!(error.contains(expect), "{expect}: {error}");
        assert!(!error.contains('\u{1b}'), "{error:?}");
    }
}

#[tokio::test]
async fn warnings_become_notes() {
    let body = r#"{"status":"success","data":{"resultType":"scalar","result":[1,"2"]},
        "warnings":["w"],"infos":["i\u0007"]}"#;
    let stub = Stub::http(recorder(body).0).await;
    let answer = source(quick(&stub.url())).instant("2", None).await.unwrap();
    assert_eq!(
        answer.value,
        Value::Scalar(Sample {
            t_ms: 1_000,
            value: 2.0
        })
    );
    assert_eq!(answer.notes, ["w", "i"]);
}

#[tokio::test]
async fn a_range_is_checked_before_it_is_sent() {
    let range = |start_ms, end_ms, step_ms| Range {
        start_ms,
        end_ms,
        step_ms,
    };
    let source = source(quick("http://127.0.0.1:9"));
    for (range, expect) in [
        (range(0, 1, 0), "at least 1 ms"),
        (range(5, 1, 1), "ends before"),
        (range(0, 11_000_000, 1_000), "more than 11000 steps"),
    ] {
        let error = source.range("up", range).await.unwrap_err().to_string();
        assert!(error.contains(expect), "{error}");
    }
}

#[tokio::test]
async fn rules_and_alerts_of_a_foreign_server() {
    let body = r#"{"status":"success","data":{"groups":[{"name":"g","file":"f","interval":1.5,"rules":[
        {"type":"recording","name":"a:b","query":"sum(a)","health":"ok","lastEvaluation":"2020-01-01T00:00:00Z"},
        {"type":"alerting","name":"Down","query":"up == 0","duration":90,"keepFiringFor":0.5,
         "labels":{"severity":"page"},"annotations":{"d":"a\nb\u001b"},"health":"err","lastError":"boom",
         "lastEvaluation":"0001-01-01T00:00:00Z",
         "alerts":[{"labels":{"alertname":"Down"},"annotations":{},"state":"firing",
                    "activeAt":"2020-01-01T00:00:01Z","value":"1e+00"}]}]}]}}"#;
    let stub = Stub::http(recorder(body).0).await;
    let source = source(quick(&stub.url()));
    let rules = source.rules().await.unwrap().value;
    assert_eq!(
        (rules[0].kind.clone(), rules[0].interval_ms),
        (RuleKind::Recording, 1_500)
    );
    assert_eq!(rules[0].last_evaluation_ms, Some(1_577_836_800_000));
    assert_eq!(rules[1].health, Health::Err("boom".to_owned()));
    assert_eq!(rules[1].last_evaluation_ms, None);
    assert_eq!(rules[1].annotations, [("d".to_owned(), "a b".to_owned())]);
    let RuleKind::Alerting {
        for_ms,
        keep_firing_for_ms,
        alerts,
    } = &rules[1].kind
    else {
        panic!("not alerting")
    };
    assert_eq!((*for_ms, *keep_firing_for_ms), (90_000, 500));
    assert_eq!(alerts[0].active_at_ms, 1_577_836_801_000);
    assert_eq!(&source.alerts().await.unwrap().value, alerts);
}
