//! How a server is reached: prefix, headers, credentials, certificates; what cannot work.

use std::path::PathBuf;
use std::time::Duration;

use axum::http::Method;
use promql::value::Value;
use signals::connect::{BasicAuth, ClientCertificate, Secret};
use signals::source::Source;
use signals::{Connection, Prometheus, PrometheusConfig, SourceError};

use crate::server::{UP, quick, recorder, source};
use crate::stub::{Pki, Stub};

fn file(folder: &tempfile::TempDir, name: &str, text: &str) -> PathBuf {
    let path = folder.path().join(name);
    std::fs::write(&path, text).unwrap();
    path
}

#[tokio::test]
async fn a_query_is_a_form_under_the_prefix_with_all_headers() {
    let (router, seen) = recorder(UP);
    let stub = Stub::http(router).await;
    let connection = Connection {
        headers: vec![("X-Api-Key".to_owned(), Secret::new("k3y"))],
        tenant: Some("team-a".to_owned()),
        ..quick(&format!("http://al:pw@{}/pre/fix/", stub.address))
    };
    let source = source(connection);
    assert_eq!(
        source.describe(),
        format!("http://{}/pre/fix", stub.address)
    );
    assert!(!format!("{source:?}").contains("k3y"));
    let answer = source.instant("up{a=\"b&c\"}", Some(1_500)).await.unwrap();
    assert!(matches!(answer.value, Value::Vector(points) if points.len() == 1));
    let seen = seen.lock().unwrap().clone();
    assert_eq!(
        (seen.method, seen.path.as_str()),
        (Method::POST, "/pre/fix/api/v1/query")
    );
    assert_eq!(
        seen.body,
        "query=up%7Ba%3D%22b%26c%22%7D&time=1.500&timeout=500ms"
    );
    for (name, value) in [
        ("authorization", "Basic YWw6cHc="),
        ("x-api-key", "k3y"),
        ("x-scope-orgid", "team-a"),
    ] {
        assert_eq!(seen.headers[name], value);
    }
}

#[tokio::test]
async fn a_token_is_read_again_when_it_changes() {
    let (router, seen) = recorder(UP);
    let stub = Stub::http(router).await;
    let folder = tempfile::tempdir().unwrap();
    let path = file(&folder, "token", "first\n");
    let source = source(Connection {
        token_file: Some(path.clone()),
        ..quick(&stub.url())
    });
    for token in ["first", "second"] {
        std::fs::write(&path, token).unwrap();
        source.instant("up", None).await.unwrap();
        assert_eq!(
            seen.lock().unwrap().headers["authorization"],
            format!("Bearer {token}")
        );
    }
    std::fs::remove_file(&path).unwrap();
    let error = source.instant("up", None).await.unwrap_err();
    assert!(
        matches!(error, SourceError::Misconfigured { .. }),
        "{error}"
    );
}

#[tokio::test]
async fn https_with_ca_and_client_certificate() {
    let (pki, folder) = (Pki::new(), tempfile::tempdir().unwrap());
    let ca_file = file(&folder, "ca.pem", &pki.ca_pem);
    let certificate = ClientCertificate {
        cert_file: file(&folder, "client.pem", &pki.client_pem),
        key_file: file(&folder, "client.key", &pki.client_key_pem),
    };
    for asks_client in [false, true] {
        let (router, seen) = recorder(UP);
        let stub = Stub::https(router, pki.server(asks_client)).await;
        let url = format!("https://localhost:{}/prom", stub.address.port());
        let connection = Connection {
            ca_file: Some(ca_file.clone()),
            basic_auth: Some(BasicAuth {
                user: "u".to_owned(),
                password: Secret::new("p"),
            }),
            client_certificate: asks_client.then(|| certificate.clone()),
            timeout: Duration::from_secs(5),
            ..Connection::new(&url)
        };
        source(connection.clone())
            .instant("up", None)
            .await
            .unwrap();
        assert_eq!(seen.lock().unwrap().path, "/prom/api/v1/query");
        assert_eq!(seen.lock().unwrap().headers["authorization"], "Basic dTpw");
        if asks_client {
            let without = Connection {
                client_certificate: None,
                ..connection
            };
            let error = source(without).instant("up", None).await.unwrap_err();
            assert!(matches!(error, SourceError::Unreachable { .. }), "{error}");
        }
    }
}

#[tokio::test]
async fn an_unknown_ca_is_refused_with_the_remedy() {
    let (own, other) = (Pki::new(), Pki::new());
    let folder = tempfile::tempdir().unwrap();
    let stub = Stub::https(recorder(UP).0, own.server(false)).await;
    let connection = Connection {
        ca_file: Some(file(&folder, "ca.pem", &other.ca_pem)),
        timeout: Duration::from_secs(5),
        ..Connection::new(&format!("https://localhost:{}", stub.address.port()))
    };
    let error = source(connection)
        .instant("up", None)
        .await
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("certificate") && error.contains("CA file"),
        "{error}"
    );
}

#[test]
fn what_cannot_work_is_said_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let token_file = Some(file(&folder, "token", "abc"));
    let base = Connection::new("http://prometheus.example:9090");
    let user = Some(BasicAuth {
        user: "u".to_owned(),
        password: Secret::new("geheim"),
    });
    let missing = PathBuf::from("/does/not/exist");
    for (connection, expect) in [
        (Connection::new("localhost:9090"), "is not an address"),
        (
            Connection {
                token_file: token_file.clone(),
                ..base.clone()
            },
            "in clear",
        ),
        (
            Connection {
                basic_auth: user.clone(),
                ..base.clone()
            },
            "in clear",
        ),
        (
            Connection::new("http://u:geheim@prometheus.example"),
            "in clear",
        ),
        (
            Connection {
                token_file,
                basic_auth: user,
                ..base.clone()
            },
            "give only one",
        ),
        (
            Connection {
                ca_file: Some(missing.clone()),
                ..base.clone()
            },
            "CA file",
        ),
        (
            Connection {
                ca_file: Some(file(&folder, "no.pem", "x")),
                ..base.clone()
            },
            "no PEM",
        ),
        (
            Connection {
                token_file: Some(missing),
                insecure_token: true,
                ..base.clone()
            },
            "token file",
        ),
        (
            Connection {
                headers: vec![("bad name".to_owned(), Secret::new("v"))],
                ..base.clone()
            },
            "header `bad name`",
        ),
        (
            Connection {
                headers: vec![("x".to_owned(), Secret::new("a\nb"))],
                ..base
            },
            "header `x`",
        ),
    ] {
        let error = Prometheus::new(&PrometheusConfig::new(connection))
            .unwrap_err()
            .to_string();
        assert!(error.contains(expect), "{expect}: {error}");
        assert!(!error.contains("geheim"), "{error}");
    }
}
