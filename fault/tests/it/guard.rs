//! Every way to get around the rules of the control API.

use fault::control::{Caps, ControlConfig, ControlConfigError};
use fault::{Share, token};
use serde_json::json;

use crate::harness::{control, control_with, plain, put_body, raw};

const JSON: (&str, &str) = ("Content-Type", "application/json");
const ROUTES: [&str; 7] = [
    "GET /faults",
    "PUT /faults/f",
    "DELETE /faults/f?reason=x",
    "DELETE /faults?reason=x",
    "POST /faults/f/renew",
    "GET /nowhere",
    "OPTIONS /faults",
];

fn error() -> String {
    put_body(&json!({"kind": "error", "status": 503})).to_string()
}

#[tokio::test]
async fn nothing_answers_without_the_token() {
    let control = control().await;
    let host = control.address.to_string();
    let token = control.token.expose();
    let wrong = [
        String::new(),
        "Bearer".to_owned(),
        "Bearer ".to_owned(),
        token.to_owned(),
        format!("Basic {token}"),
        format!("Bearer {}", &token[..63]),
        format!("Bearer {token}0"),
        format!("Bearer {}", token.to_uppercase()),
        format!("Bearer {}", token::generate().expose()),
    ];
    for start in ROUTES {
        for authorization in &wrong {
            // Each time a new API: this is not about counting failures.
            let control = crate::harness::control().await;
            let authorization = ("Authorization", authorization.as_str());
            let answer = raw(
                control.address,
                start,
                &[("Host", &host), JSON, authorization],
                &error(),
            )
            .await;
            assert_eq!(answer.status, 401, "{start} {authorization:?}");
            assert_eq!(answer.json()["code"], "token");
            assert!(control.registry.is_idle());
        }
    }
    let twice = format!("Bearer {token}");
    let headers = [
        ("Host", host.as_str()),
        ("Authorization", "Bearer x"),
        ("Authorization", &twice),
    ];
    assert_eq!(
        raw(control.address, "GET /faults", &headers, "")
            .await
            .status,
        401
    );
    let query = format!("GET /faults?token={token}&access_token={token}");
    assert_eq!(
        raw(control.address, &query, &[("Host", &host)], "")
            .await
            .status,
        401
    );
}

#[tokio::test]
async fn guessing_is_slowed_and_shuts_nobody_out() {
    let control = control().await;
    let host = control.address.to_string();
    let mut statuses = Vec::new();
    for _ in 0..12 {
        let guess = format!("Bearer {}", token::generate().expose());
        let headers = [("Host", host.as_str()), ("Authorization", guess.as_str())];
        statuses.push(
            raw(control.address, "GET /faults", &headers, "")
                .await
                .status,
        );
    }
    assert_eq!(
        statuses,
        [401, 401, 401, 401, 401, 401, 401, 401, 401, 401, 429, 429]
    );
    // Whoever holds the token can still withdraw: a flood of guesses is no way to keep a fault alive.
    assert_eq!(
        control
            .send("DELETE /faults?reason=enough", &[], "")
            .await
            .status,
        200
    );
}

#[tokio::test]
async fn browsers_are_refused_even_with_the_token() {
    let control = control().await;
    for header in [
        ("Origin", "http://127.0.0.1:9465"),
        ("Origin", "null"),
        ("Sec-Fetch-Site", "same-origin"),
        ("sec-fetch-site", "none"),
        ("ORIGIN", ""),
    ] {
        for start in ROUTES {
            let answer = control.send(start, &[header, JSON], &error()).await;
            assert_eq!(
                (answer.status, answer.json()["code"].as_str()),
                (403, Some("browser")),
                "{start} {header:?}"
            );
        }
    }
    assert!(control.registry.is_idle());
    // Nothing invites a browser either.
    let answer = control.send("OPTIONS /faults", &[], "").await;
    assert!(!answer.head.contains("access-control"), "{}", answer.head);
}

#[tokio::test]
async fn only_known_names_address_it() {
    let control = control_with(|config| config.hosts = vec!["shop.internal".to_owned()]).await;
    let bearer = format!("Bearer {}", control.token.expose());
    let ask = async |start: &str, hosts: &[&str]| {
        let mut headers = vec![("Authorization", bearer.as_str())];
        headers.extend(hosts.iter().map(|host| ("Host", *host)));
        raw(control.address, start, &headers, "").await.status
    };
    for good in [
        "127.0.0.1",
        "127.0.0.1:1",
        "localhost:9465",
        "LOCALHOST",
        "[::1]:9465",
        "shop.internal:80",
    ] {
        assert_eq!(ask("GET /faults", &[good]).await, 200, "{good}");
    }
    for bad in [
        "evil.example",
        "127.0.0.1.evil.example",
        "localhost.evil.example:9465",
        "0.0.0.0:9465",
        "127.0.0.1@evil.example",
        "evil.example@127.0.0.1",
        "[::]",
        "[::ffff:10.0.0.1]",
        "",
        "internal",
    ] {
        assert!(
            [400, 421].contains(&ask("GET /faults", &[bad]).await),
            "{bad}"
        );
    }
    assert!(
        [400, 421].contains(&ask("GET /faults", &["127.0.0.1", "evil.example"]).await),
        "two hosts"
    );
    assert!(
        [400, 421].contains(&ask("GET /faults", &[]).await),
        "no host"
    );
    assert_eq!(
        ask("GET http://evil.example/faults", &["127.0.0.1"]).await,
        421,
        "absolute form"
    );
}

#[tokio::test]
async fn only_json_is_read() {
    let control = control().await;
    for bad in [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data",
        "application/jsonp",
        "text/json",
        "application/json-patch+json",
    ] {
        let answer = control
            .send("PUT /faults/f", &[("Content-Type", bad)], &error())
            .await;
        assert_eq!(
            (answer.status, answer.json()["code"].as_str()),
            (415, Some("content_type")),
            "{bad}"
        );
    }
    assert_eq!(
        control.send("PUT /faults/f", &[], &error()).await.status,
        415
    );
    assert_eq!(
        control
            .send(
                "POST /faults/f/renew",
                &[("Content-Type", "text/plain")],
                "x"
            )
            .await
            .status,
        415
    );
    let charset = ("Content-Type", "Application/JSON; charset=utf-8");
    assert_eq!(
        control
            .send("PUT /faults/f", &[charset], &error())
            .await
            .status,
        200
    );
    for bad in ["", "{", "nul", "\u{feff}{}"] {
        let answer = control.send("PUT /faults/g", &[JSON], bad).await;
        assert_eq!(
            (answer.status, answer.json()["code"].as_str()),
            (400, Some("json")),
            "{bad:?}"
        );
    }
    let deep = "[".repeat(60_000);
    assert_eq!(
        control.send("PUT /faults/g", &[JSON], &deep).await.status,
        400
    );
}

#[tokio::test]
async fn bodies_are_small() {
    let control = control().await;
    let large = format!("{}{}", error(), " ".repeat(64 * 1024));
    for start in [
        "PUT /faults/f",
        "POST /faults/f/renew",
        "DELETE /faults?reason=x",
    ] {
        let answer = control.send(start, &[JSON], &large).await;
        assert_eq!(
            (answer.status, answer.json()["code"].as_str()),
            (413, Some("body_too_large")),
            "{start}"
        );
    }
    // Without a length, it is counted while it is read.
    let chunk = format!("{:x}\r\n{large}\r\n0\r\n\r\n", large.len());
    let host = control.address.to_string();
    let bearer = format!("Bearer {}", control.token.expose());
    let request = format!(
        "PUT /faults/f HTTP/1.1\r\nHost: {host}\r\nAuthorization: {bearer}\r\nConnection: close\r\n\
         Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n{chunk}"
    );
    let answer = plain(control.address, &request).await;
    assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
    assert!(control.registry.is_idle());
}

#[test]
fn beyond_loopback_the_operator_must_have_said_so() {
    let open = "0.0.0.0:9465".parse().unwrap();
    let mut config = ControlConfig::loopback(token::generate());
    for loopback in [
        "127.0.0.1:0",
        "127.9.9.9:1",
        "[::1]:1",
        "[::ffff:127.0.0.1]:1",
    ] {
        assert_eq!(
            config.check(loopback.parse().unwrap()),
            Ok(()),
            "{loopback}"
        );
    }
    assert_eq!(
        config.check(open),
        Err(ControlConfigError::GeneratedToken(open))
    );
    config.operator_token = true;
    let missing = vec!["max latency", "max share", "max duration", "allowed kinds"];
    assert_eq!(
        config.check(open),
        Err(ControlConfigError::NoCaps {
            bind: open,
            missing
        })
    );
    config.caps = Caps {
        max_latency_ms: Some(1_000),
        max_share: Some(Share::ALL),
        max_duration_ms: Some(1_000),
        kinds: Some(Vec::new()),
        protected_routes: Vec::new(),
    };
    let missing = vec!["allowed kinds"];
    assert_eq!(
        config.check(open),
        Err(ControlConfigError::NoCaps {
            bind: open,
            missing
        })
    );
    config.caps.kinds = Some(vec!["eror".to_owned()]);
    assert_eq!(
        config.check(open),
        Err(ControlConfigError::UnknownKind("eror".to_owned()))
    );
    config.caps.kinds = Some(vec!["error".to_owned()]);
    assert_eq!(config.check(open), Err(ControlConfigError::NoHosts(open)));
    config.hosts = vec!["shop".to_owned()];
    for bind in ["0.0.0.0:1", "[::]:1", "10.0.0.1:1", "[::ffff:10.0.0.1]:1"] {
        assert_eq!(config.check(bind.parse().unwrap()), Ok(()), "{bind}");
    }
}
