//! Traces as a real receiver sees them.

use std::{
    io::{BufRead, BufReader, Write as _},
    net::TcpListener,
    path::PathBuf,
    process::{Child, Command, Stdio},
    sync::mpsc::{Receiver, channel},
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::lab::{PATIENCE, Program, client};

/// The receiver, and what it prints.
struct Rotel {
    child: Child,
    lines: Receiver<String>,
    grpc: u16,
    http: u16,
}

impl Drop for Rotel {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Looks in the given folder of peers, in that of the user's cache, then on the path.
fn find(program: &str) -> Option<PathBuf> {
    let folder = |name| {
        std::env::var_os(name)
            .filter(|value| !value.is_empty())
            .map(PathBuf::from)
    };
    let cache = folder("XDG_CACHE_HOME").or_else(|| Some(folder("HOME")?.join(".cache")));
    let peers = [
        folder("OBS_TUI_PEERS"),
        cache.map(|cache| cache.join("obs-tui/peers")),
    ];
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = peers.into_iter().flatten().map(|peers| peers.join("bin"));
    let mut files = folders
        .chain(std::env::split_paths(&path))
        .map(|folder| folder.join(program));
    files.find(|file| file.is_file())
}

fn receiver() -> Option<Rotel> {
    let Some(program) = find("rotel-agent") else {
        let required = std::env::var("OBS_TUI_REQUIRE_PEERS").is_ok_and(|value| value == "1");
        assert!(!required, "otlp needs rotel-agent");
        let _ = writeln!(std::io::stderr(), "SKIPPED otlp: needs rotel-agent");
        return None;
    };
    let free = || {
        TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port()
    };
    let (grpc, http) = (free(), free());
    let mut child = Command::new(program)
        .args(["start", "--exporter", "blackhole"])
        .args(["--otlp-grpc-endpoint", &format!("127.0.0.1:{grpc}")])
        .args(["--otlp-http-endpoint", &format!("127.0.0.1:{http}")])
        .args(["--debug-log", "traces", "--debug-log-verbosity", "detailed"])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let (send, lines) = channel();
    let streams: [Box<dyn std::io::Read + Send>; 2] = [
        Box::new(child.stdout.take().unwrap()),
        Box::new(child.stderr.take().unwrap()),
    ];
    for stream in streams {
        let send = send.clone();
        std::thread::spawn(move || {
            for line in BufReader::new(stream).lines().map_while(Result::ok) {
                let _ = send.send(line);
            }
        });
    }
    let began = Instant::now();
    while [grpc, http]
        .iter()
        .any(|port| std::net::TcpStream::connect(("127.0.0.1", *port)).is_err())
    {
        assert!(began.elapsed() < PATIENCE, "the receiver does not listen");
        std::thread::sleep(Duration::from_millis(20));
    }
    Some(Rotel {
        child,
        lines,
        grpc,
        http,
    })
}

async fn order_and_pay(shop: &Program) {
    let client = client();
    let url = shop.url("storefront");
    let order = json!({ "customer_id": 7, "product_id": 1, "quantity": 1 });
    let order = client
        .post(format!("{url}/order"))
        .json(&order)
        .send()
        .await
        .unwrap();
    let order: Value = order.json().await.unwrap();
    let pay = json!({ "order_id": order["order_id"] });
    let paid = client
        .post(format!("{url}/payment/pay"))
        .json(&pay)
        .send()
        .await
        .unwrap();
    assert_eq!(paid.status(), 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_real_receiver_gets_the_spans_of_every_role_by_grpc_and_http() {
    let Some(receiver) = receiver() else { return };
    for (protocol, port) in [("grpc", receiver.grpc), ("http/protobuf", receiver.http)] {
        let endpoint = format!("http://127.0.0.1:{port}");
        let shop = Program::shop(&[
            ("OTEL_EXPORTER_OTLP_ENDPOINT", &endpoint),
            ("OTEL_EXPORTER_OTLP_PROTOCOL", protocol),
            ("SHOP_DECLINE_SHARE", "0%"),
        ]);
        order_and_pay(&shop).await;
        shop.end();
        let mut missing = vec![
            "CreateOrder",
            "DeductInventory",
            "PayOrder",
            "POST /payment/pay",
            "insert orders",
            "service.name: Str(storefront)",
            "service.name: Str(orders)",
            "service.name: Str(payments)",
            "service.name: Str(catalog)",
            "http.response.status_code: Int(201)",
        ];
        let began = Instant::now();
        let mut seen = String::new();
        while !missing.is_empty() {
            let left = PATIENCE.saturating_sub(began.elapsed());
            let Ok(line) = receiver.lines.recv_timeout(left) else {
                panic!("{protocol}: {missing:?} did not come, but\n{seen}");
            };
            missing.retain(|wanted| !line.contains(wanted));
            seen.push_str(&line);
            seen.push('\n');
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_receiver_that_is_down_hurts_neither_requests_nor_the_end() {
    let shop = Program::shop(&[
        // Port 1 refuses connections.
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1"),
        ("SHOP_DECLINE_SHARE", "0%"),
    ]);
    order_and_pay(&shop).await;
    let (_, took) = shop.end();
    assert!(took < Duration::from_secs(6), "{took:?}");
}
