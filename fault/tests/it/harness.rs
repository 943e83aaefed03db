//! What the tests share: a small service with faults, real servers on port 0, plain requests.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::routing::get;
use fault::client::{Client, Endpoint};
use fault::control::{self, ControlConfig};
use fault::layer::FaultLayer;
use fault::{ArmRequest, FaultBody, FaultId, Registry, Seam, Token, token};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

pub(crate) fn id(text: &str) -> FaultId {
    text.parse().unwrap()
}

pub(crate) fn body(value: &Value) -> FaultBody {
    FaultBody::decode(value).unwrap()
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "a `json!` reads better without `&`"
)]
/// A request for a fault that lasts a minute, with a lease of ten seconds.
pub(crate) fn arm(value: Value) -> ArmRequest {
    ArmRequest::new(body(&value), Duration::from_mins(1), "run-1", "a test")
}

/// A registry that offers every seam for `payments`.
pub(crate) fn registry() -> Registry {
    let registry = Registry::new();
    for seam in [Seam::Request, Seam::Database, Seam::Traffic] {
        registry.offer(seam, "payments");
    }
    registry
}

/// A service with two routes behind the fault layer.
pub(crate) fn service(registry: &Registry) -> Router {
    Router::new()
        .route("/pay", get(async || "paid").post(async || "paid"))
        .route("/payments/{id}", get(async || "one payment"))
        .layer(FaultLayer::new(registry.clone(), "payments"))
}

pub(crate) async fn serve(router: Router) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    address
}

/// A control API on a real listener, with its token.
pub(crate) struct Control {
    pub(crate) address: SocketAddr,
    pub(crate) token: Token,
    pub(crate) registry: Registry,
}

pub(crate) async fn control() -> Control {
    control_with(|_| {}).await
}

pub(crate) async fn control_with(change: impl FnOnce(&mut ControlConfig)) -> Control {
    let (registry, token) = (registry(), token::generate());
    let mut config = ControlConfig::loopback(token.clone());
    change(&mut config);
    let address = serve(control::router(registry.clone(), config)).await;
    Control {
        address,
        token,
        registry,
    }
}

impl Control {
    pub(crate) fn client(&self) -> Client {
        let url = format!("http://{}", self.address);
        Client::new(Endpoint::new("shop", &url, self.token.clone()).unwrap()).unwrap()
    }

    /// Sends a request with the right token and host; `headers` come on top.
    pub(crate) async fn send(&self, start: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let host = self.address.to_string();
        let bearer = format!("Bearer {}", self.token.expose());
        let mut all = vec![("Host", host.as_str()), ("Authorization", bearer.as_str())];
        all.extend(headers);
        raw(self.address, start, &all, body).await
    }
}

/// An answer, as plain as it came.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("not JSON: {self:?}"))
    }
}

/// Sends exactly these headers: clients of libraries tidy up what a test wants to be odd.
pub(crate) async fn raw(
    address: SocketAddr,
    start: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> Answer {
    let mut request = format!("{start} HTTP/1.1\r\nConnection: close\r\n");
    for (name, value) in headers {
        write!(request, "{name}: {value}\r\n").unwrap();
    }
    if !body.is_empty() {
        write!(request, "Content-Length: {}\r\n", body.len()).unwrap();
    }
    request.push_str("\r\n");
    request.push_str(body);
    let answer = plain(address, &request).await;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    let status = head
        .split(' ')
        .nth(1)
        .and_then(|status| status.parse().ok())
        .unwrap_or(0);
    Answer {
        status,
        head: head.to_ascii_lowercase(),
        body: body.to_owned(),
    }
}

pub(crate) async fn get_status(address: SocketAddr, path: &str) -> u16 {
    raw(
        address,
        &format!("GET {path}"),
        &[("Host", "localhost")],
        "",
    )
    .await
    .status
}

/// Sends a text as it is, and returns what comes back.
pub(crate) async fn plain(address: SocketAddr, request: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    // A server that refuses by the headers may close before it has read the body.
    let _ = stream.write_all(request.as_bytes()).await;
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    String::from_utf8_lossy(&answer).into_owned()
}

/// The body of `PUT /faults/{id}`.
pub(crate) fn put_body(fault: &Value) -> Value {
    json!({"fault": fault, "for": "1m", "owner": "run-1", "reason": "a test"})
}
