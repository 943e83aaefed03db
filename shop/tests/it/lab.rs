//! What the tests share: a shop on free ports, requests, scrapes, and waiting for a predicate.

use std::{
    process::{Child, ChildStdin, Command, Stdio},
    time::{Duration, Instant},
};

use fault::{control::ControlConfig, supervise::Ready, token};
use reqwest::{Client, Method, StatusCode};
use serde_json::{Value, json};
use shop::{
    config::{Role, ShopConfig},
    process::side::SideRuntime,
    shop::Shop,
};

use crate::databases::settled;

/// Longest wait for something that must come about.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// A running shop and a client.
pub(crate) struct Lab {
    shop: Option<Shop>,
    pub(crate) ready: Ready,
    _side: SideRuntime,
    pub(crate) client: Client,
    pub(crate) token: String,
}

impl Lab {
    pub(crate) async fn start(config: ShopConfig) -> Self {
        let config = settled(config).await;
        let side = SideRuntime::start().unwrap();
        let token = token::generate();
        let control = ControlConfig::loopback(token.clone());
        let shop = Shop::start(config, control, &side).await.unwrap();
        let ready = shop.ready().clone();
        let client = client();
        Self {
            shop: Some(shop),
            ready,
            _side: side,
            client,
            token: token.expose().to_owned(),
        }
    }

    pub(crate) async fn stop(mut self) {
        self.shop.take().unwrap().shutdown().await;
    }

    pub(crate) fn url(&self, role: Role) -> String {
        self.shop.as_ref().unwrap().url(role).unwrap().to_owned()
    }

    pub(crate) async fn get(&self, role: Role, path: &str) -> (StatusCode, Value) {
        self.send(role, Method::GET, path, None).await
    }

    pub(crate) async fn post(&self, role: Role, path: &str, body: &Value) -> (StatusCode, Value) {
        self.send(role, Method::POST, path, Some(body)).await
    }

    async fn send(
        &self,
        role: Role,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> (StatusCode, Value) {
        let mut request = self.client.request(method, self.url(role) + path);
        if let Some(body) = body {
            request = request.json(body);
        }
        answer(request.send().await.unwrap()).await
    }

    /// Orders some units of a product; returns the order's id.
    pub(crate) async fn order(&self, product_id: i64, quantity: i64) -> i64 {
        let body = json!({ "customer_id": 7, "product_id": product_id, "quantity": quantity });
        let (status, order) = self.post(Role::Storefront, "/order", &body).await;
        assert_eq!(status, 201, "{order}");
        order["order_id"].as_i64().unwrap()
    }

    pub(crate) async fn scrape(&self) -> Scrape {
        let url = format!("{}/metrics", self.ready.metrics_url.as_ref().unwrap());
        Scrape(
            self.client
                .get(url)
                .send()
                .await
                .unwrap()
                .text()
                .await
                .unwrap(),
        )
    }

    /// Arms a fault through the control API.
    pub(crate) async fn arm(&self, id: &str, fault: Value) -> Value {
        arm(&self.client, &self.ready, &self.token, id, fault).await
    }

    pub(crate) async fn withdraw(&self, id: &str) -> Value {
        let url = format!("{}/faults/{id}", self.ready.control_url.as_ref().unwrap());
        let request = self.client.delete(url).bearer_auth(&self.token);
        let request = request.query(&[("owner", "test"), ("reason", "done")]);
        let (status, body) = answer(request.send().await.unwrap()).await;
        assert!(status.is_success(), "{body}");
        body
    }
}

pub(crate) fn client() -> Client {
    // Another test may have been first.
    let _ = rustls::crypto::ring::default_provider().install_default();
    Client::builder().no_proxy().build().unwrap()
}

pub(crate) async fn arm(
    client: &Client,
    ready: &Ready,
    token: &str,
    id: &str,
    fault: Value,
) -> Value {
    let url = format!("{}/faults/{id}", ready.control_url.as_ref().unwrap());
    let body =
        json!({ "fault": fault, "for": "60s", "lease": "60s", "owner": "test", "reason": "test" });
    let request = client.put(url).bearer_auth(token).json(&body);
    let (status, body) = answer(request.send().await.unwrap()).await;
    assert!(status.is_success(), "{body}");
    body
}

pub(crate) async fn answer(response: reqwest::Response) -> (StatusCode, Value) {
    let status = response.status();
    let body = response.bytes().await.unwrap();
    (status, serde_json::from_slice(&body).unwrap_or_default())
}

/// A scraped text.
pub(crate) struct Scrape(pub(crate) String);

impl Scrape {
    /// Sums the samples of a name whose labels include all of `labels`, written `a="b"`.
    pub(crate) fn sum(&self, name: &str, labels: &[&str]) -> f64 {
        self.samples(name, labels).map(|(_, value)| value).sum()
    }

    /// Tells whether there is such a sample.
    pub(crate) fn has(&self, name: &str, labels: &[&str]) -> bool {
        self.samples(name, labels).next().is_some()
    }

    fn samples<'a>(
        &'a self,
        name: &'a str,
        labels: &'a [&'a str],
    ) -> impl Iterator<Item = (&'a str, f64)> {
        self.0.lines().filter_map(move |line| {
            let (series, value) = line
                .split_once(" # ")
                .map_or(line, |(sample, _)| sample)
                .rsplit_once(' ')?;
            let (own, set) = series.split_once('{').unwrap_or((series, ""));
            let set = set.trim_end_matches('}');
            let all = labels
                .iter()
                .all(|label| set.split(',').any(|own| own == *label));
            (own == name && all).then(|| (series, value.parse().unwrap_or(f64::NAN)))
        })
    }
}

/// Asks again until the answer is yes; panics with `what` when it does not come.
pub(crate) async fn eventually(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let began = Instant::now();
    while !holds().await {
        assert!(
            began.elapsed() < PATIENCE,
            "not within {PATIENCE:?}: {what}"
        );
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// The real binary as a child of the test.
pub(crate) struct Program {
    child: Child,
    stdin: Option<ChildStdin>,
    lines: std::io::Lines<std::io::BufReader<std::process::ChildStdout>>,
    pub(crate) ready: Ready,
}

/// Returns `shop --child` on free ports.
pub(crate) fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_shop"));
    command.arg("--child");
    for listener in [
        "storefront",
        "orders",
        "payments",
        "catalog",
        "users",
        "promotions",
        "partners",
        "metrics",
        "control",
    ] {
        command.args([format!("--{listener}-listen"), "127.0.0.1:0".to_owned()]);
    }
    command
}

pub(crate) const TOKEN: &str = "0123456789abcdef0123456789abcdef";

impl Program {
    /// Starts `shop --child` on free ports and reads its ready line.
    pub(crate) fn shop(env: &[(&str, &str)]) -> Self {
        Self::shop_with(&[], env)
    }

    /// The same with more arguments.
    pub(crate) fn shop_with(arguments: &[&str], env: &[(&str, &str)]) -> Self {
        let mut command = program();
        command.args(arguments).envs(env.iter().copied());
        Self::start(command)
    }

    /// Kills the program as if it had crashed.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    pub(crate) fn start(mut command: Command) -> Self {
        use std::io::{BufRead as _, Write as _};
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .env_remove("RUST_LOG");
        let mut child = command.spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        writeln!(stdin, "{{\"token\":\"{TOKEN}\"}}").unwrap();
        let mut lines = std::io::BufReader::new(child.stdout.take().unwrap()).lines();
        let first = lines.next().unwrap().unwrap();
        let ready = Ready::from_line(&first).expect("the first line is the ready line");
        Self {
            child,
            stdin: Some(stdin),
            lines,
            ready,
        }
    }

    pub(crate) fn url(&self, service: &str) -> &str {
        &self
            .ready
            .services
            .iter()
            .find(|at| at.service == service)
            .unwrap()
            .url
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Closes stdin, and returns the log lines and how long the program took to end.
    pub(crate) fn end(mut self) -> (Vec<Value>, Duration) {
        let closed = Instant::now();
        drop(self.stdin.take());
        let parse = |line: std::io::Result<String>| {
            let line = line.unwrap();
            serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error} in {line}"))
        };
        let lines = self.lines.by_ref().map(parse).collect();
        assert!(self.child.wait().unwrap().success());
        (lines, closed.elapsed())
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // A test that failed must not leave it behind; one that ended it finds nothing to do.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
