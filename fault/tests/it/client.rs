//! The client: what it does, and where its token does not go.

use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::http::HeaderMap;
use axum::response::Redirect;
use axum::routing::get;
use fault::client::{Client, ClientError, Endpoint, EndpointError};
use fault::control::Problem;
use fault::{ArmRequest, token};
use serde_json::json;
use tokio::sync::mpsc;

use crate::harness::{arm, control, id, serve};

fn client_of(address: SocketAddr) -> Client {
    let url = format!("http://{address}");
    Client::new(Endpoint::new("shop", &url, token::generate()).unwrap()).unwrap()
}

#[tokio::test]
async fn arm_renew_list_withdraw() {
    let control = control().await;
    let client = control.client();
    let request = arm(json!({"kind": "latency", "delay": "800ms", "share": "50%"}));
    let armed = client.arm(&id("slow"), &request, false).await.unwrap();
    assert_eq!(
        (armed.fault, armed.owner.as_str()),
        (request.fault.clone(), "run-1")
    );
    client.renew(&id("slow"), "run-1").await.unwrap();
    let list = client.list().await.unwrap();
    assert_eq!(
        (list.boot_id.as_str(), list.faults.len()),
        (control.registry.boot_id(), 1)
    );
    assert!(
        client
            .withdraw(&id("slow"), Some("run-1"), "done")
            .await
            .unwrap()
            .ended
            .is_some()
    );
    assert!(
        client
            .withdraw(&id("slow"), Some("run-1"), "done")
            .await
            .unwrap()
            .ended
            .is_some()
    );
    assert!(
        client
            .renew(&id("slow"), "run-1")
            .await
            .unwrap_err()
            .is_gone()
    );
    assert!(
        client
            .withdraw(&id("other"), None, "done")
            .await
            .unwrap_err()
            .is_gone()
    );
    assert_eq!(
        client
            .withdraw_all(Some("run-1"), "done & dusted")
            .await
            .unwrap()
            .withdrawn,
        []
    );
}

#[tokio::test]
async fn refusals_are_typed() {
    let control = control().await;
    let client = control.client();
    let request = arm(json!({"kind": "error", "status": 503}));
    client.arm(&id("f"), &request, false).await.unwrap();
    let theirs = ArmRequest {
        owner: "run-2".to_owned(),
        ..request
    };
    let refused = client.arm(&id("g"), &theirs, false).await.unwrap_err();
    assert_eq!(refused.code(), Some("owned_by_another"));
    assert!(
        refused
            .to_string()
            .starts_with("`shop`: `run-1` has faults armed here; wait for it"),
        "{refused}"
    );
    client.arm(&id("g"), &theirs, true).await.unwrap();

    let stranger = client_of(control.address);
    assert_eq!(
        stranger.list().await.unwrap_err(),
        ClientError::Token {
            name: "shop".to_owned()
        }
    );
}

#[tokio::test]
async fn the_token_follows_no_redirect() {
    let (seen, mut arrivals) = mpsc::unbounded_channel();
    let thief = serve(Router::new().fallback(async move |headers: HeaderMap| {
        seen.send(headers.contains_key("authorization")).unwrap();
    }))
    .await;
    let to = format!("http://{thief}/faults");
    let target =
        serve(Router::new().route("/faults", get(async move || Redirect::temporary(&to)))).await;
    let error = client_of(target).list().await.unwrap_err();
    assert!(error.to_string().contains("redirects"), "{error}");
    assert!(arrivals.try_recv().is_err(), "nothing arrived");
}

#[test]
fn the_token_stays_off_the_open_network() {
    let check = |url: &str, insecure: bool| {
        let endpoint = Endpoint::new("shop", url, token::generate()).unwrap();
        Client::new(Endpoint {
            insecure_token: insecure,
            ..endpoint
        })
        .map(|_| ())
    };
    for good in [
        "http://127.0.0.1:9465",
        "http://localhost:9465/",
        "http://[::1]:9465",
        "https://shop.example/base/",
    ] {
        assert_eq!(check(good, false), Ok(()), "{good}");
    }
    for bad in [
        "http://shop.example",
        "http://10.0.0.7:9465",
        "http://127.0.0.1.evil.example",
        "http://0.0.0.0:1",
        "http://localhost.evil.example",
        "http://[::ffff:10.0.0.1]",
    ] {
        assert!(
            matches!(check(bad, false), Err(EndpointError::Plain { .. })),
            "{bad}"
        );
        assert_eq!(check(bad, true), Ok(()), "{bad}");
    }
    for bad in [
        "ftp://127.0.0.1",
        "http://user:secret@127.0.0.1:9465",
        "http://127.0.0.1/?x=y",
        "unix:/run/shop",
    ] {
        let error = check(bad, true).unwrap_err();
        assert!(matches!(error, EndpointError::BadUrl { .. }), "{bad}");
        assert!(!error.to_string().contains("secret"), "{error}");
    }
    assert!(Endpoint::new("shop", "not a url", token::generate()).is_err());
}

#[tokio::test]
async fn base_paths_are_kept() {
    let at = async |path: axum::http::Uri| path.to_string();
    let address = serve(Router::new().fallback(at)).await;
    let url = format!("http://{address}/base/");
    let client = Client::new(Endpoint::new("shop", &url, token::generate()).unwrap()).unwrap();
    let error = client.withdraw_all(None, "a b&c").await.unwrap_err();
    assert!(matches!(error, ClientError::NotControl { .. }), "{error}");
}

#[tokio::test]
async fn who_does_not_answer_is_named() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let error = client_of(address).list().await.unwrap_err();
    assert!(
        matches!(&error, ClientError::Unreachable { detail, .. } if detail.contains("refused")),
        "{error}"
    );
    assert!(error.is_transient());
}

/// A server that says nothing, says something else, or says it with escape sequences.
#[tokio::test]
async fn odd_answers_do_no_harm() {
    let problem = Problem {
        status: 409,
        code: "x".to_owned(),
        detail: "\u{1b}[2Jgone\u{7}".to_owned(),
        remedy: "a\r\nb".to_owned(),
        fields: Vec::new(),
    };
    let rude = serve(Router::new().route(
        "/faults",
        get(async move || (axum::http::StatusCode::CONFLICT, axum::Json(problem))),
    ))
    .await;
    assert_eq!(
        client_of(rude).list().await.unwrap_err().to_string(),
        "`shop`: [2Jgone; ab"
    );

    let other = serve(Router::new().fallback(async || "<html>hello</html>")).await;
    assert!(matches!(
        client_of(other).list().await,
        Err(ClientError::NotControl { .. })
    ));

    let huge = serve(Router::new().fallback(async || "x".repeat(9 * 1024 * 1024))).await;
    let error = client_of(huge).list().await.unwrap_err();
    assert!(error.to_string().contains("8 MiB"), "{error}");
}

#[tokio::test]
async fn a_silent_server_is_given_up() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let silent = tokio::spawn(async move {
        let held = listener.accept().await;
        tokio::time::sleep(Duration::from_mins(1)).await;
        drop(held);
    });
    let client = client_of(address);
    let started = std::time::Instant::now();
    let error = client.list().await.unwrap_err();
    assert_eq!(
        error,
        ClientError::TimedOut {
            name: "shop".to_owned()
        }
    );
    assert!(started.elapsed() < Duration::from_secs(8));
    silent.abort();
}

#[test]
fn debugging_shows_no_token() {
    let token = token::generate();
    let endpoint = Endpoint::new("shop", "http://127.0.0.1:1", token.clone()).unwrap();
    let client = Client::new(endpoint.clone()).unwrap();
    assert!(!format!("{endpoint:?} {client:?}").contains(token.expose()));
}
