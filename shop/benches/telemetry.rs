//! What telemetry costs a request of the hot route, as CPU time of the server.
//!
//! Each mode is a process of its own, this program started again, since a process has one subscriber.
//! Rounds of all modes are interleaved, so that a busy machine hurts them alike; what a mode costs is
//! the median of its differences to the bare one of the same round. Spans go to a local sink that swallows them, lines to nowhere.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::unwrap_used,
    reason = "a benchmark prints its table, and ends when something is wrong"
)]

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    process::{Child, Command, Stdio},
    time::Duration,
};

use futures_util::future::join_all;
use shop::hot::{Layers, serve};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

const ROUNDS: usize = 15;
const CONNECTIONS: usize = 32;
const SERVE: &str = "SHOP_BENCH_SERVE";
/// Longer than what is exported waits for its batch.
const SETTLE: Duration = Duration::from_millis(400);

/// A way to run the route, and the most it may cost over the bare one.
struct Mode {
    name: &'static str,
    layers: Layers,
    log_level: &'static str,
    /// Share of traces that is sampled; none without an exporter.
    sampled: Option<&'static str>,
    most_us: Option<f64>,
}

const fn mode(name: &'static str, trace: bool, metrics: bool) -> Mode {
    Mode {
        name,
        layers: Layers { trace, metrics },
        log_level: "off",
        sampled: None,
        most_us: None,
    }
}

const MODES: [Mode; 7] = [
    mode("bare", false, false),
    Mode {
        most_us: Some(1.0),
        ..mode("metrics", false, true)
    },
    Mode {
        log_level: "info",
        ..mode("logs", true, false)
    },
    Mode {
        sampled: Some("0.1"),
        ..mode("traces 10 %", true, false)
    },
    Mode {
        sampled: Some("1"),
        ..mode("traces 100 %", true, false)
    },
    Mode {
        log_level: "info",
        sampled: Some("0.1"),
        most_us: Some(7.0),
        ..mode("everything 10 %", true, true)
    },
    Mode {
        log_level: "info",
        sampled: Some("1"),
        most_us: Some(10.0),
        ..mode("everything 100 %", true, true)
    },
];

struct Server {
    child: Child,
    address: SocketAddr,
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}

fn main() {
    if let Ok(name) = std::env::var(SERVE) {
        let mode = MODES.iter().find(|mode| mode.name == name).unwrap();
        let tell = |address: SocketAddr| eprintln!("{address}");
        serve(mode.layers, mode.log_level, tell).unwrap();
        return;
    }
    let requests: usize =
        std::env::var("SHOP_BENCH_REQUESTS").map_or(20_000, |text| text.parse().unwrap());
    let sink = sink();
    let servers: Vec<Server> = MODES.iter().map(|mode| start(mode, sink)).collect();
    let mut rounds: Vec<Vec<f64>> = MODES.iter().map(|_| Vec::new()).collect();
    for server in &servers {
        load(server.address, requests / 4);
    }
    for round in 0..ROUNDS {
        for at in 0..MODES.len() {
            // Nobody always comes after the same neighbour.
            let at = (at + round) % MODES.len();
            let server = &servers[at];
            let before = cost(server.address, "cpu_ns");
            load(server.address, requests);
            if MODES[at].sampled.is_some() {
                std::thread::sleep(SETTLE);
            }
            let used = cost(server.address, "cpu_ns") - before;
            rounds[at].push(used / 1e3 / requests as f64);
        }
    }
    print(&servers, &rounds);
}

fn print(servers: &[Server], rounds: &[Vec<f64>]) {
    let medians: Vec<f64> = rounds.iter().map(|own| median(own)).collect();
    println!("CPU µs a request, median of {ROUNDS} interleaved rounds");
    println!(
        "{:18} {:>7} {:>7} {:>6} {:>6} {:>6}",
        "mode", "µs", "+bare", "ratio", "bar", "lost"
    );
    for (at, (mode, server)) in MODES.iter().zip(servers).enumerate() {
        let own = medians[at];
        let differences = rounds[at]
            .iter()
            .zip(&rounds[0])
            .map(|(own, bare)| own - bare);
        let over = median(&differences.collect::<Vec<_>>());
        let lost =
            cost(server.address, "spans_dropped") + cost(server.address, "log_lines_dropped");
        let bar = mode.most_us.map_or_else(String::new, |most| {
            let verdict = if over <= most { "" } else { " OVER" };
            format!("{most}{verdict}")
        });
        println!(
            "{:18} {own:7.2} {over:7.2} {:6.2} {bar:>6} {lost:6}",
            mode.name,
            own / medians[0]
        );
    }
}

fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[sorted.len() / 2]
}

fn start(mode: &Mode, sink: SocketAddr) -> Server {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .env(SERVE, mode.name)
        .env("OTEL_BSP_SCHEDULE_DELAY", "200")
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
    if let Some(share) = mode.sampled {
        command
            .env(
                "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
                format!("http://{sink}/v1/traces"),
            )
            .env("OTEL_TRACES_SAMPLER", "parentbased_traceidratio")
            .env("OTEL_TRACES_SAMPLER_ARG", share);
    }
    let mut child = command.spawn().unwrap();
    let mut said = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    said.read_line(&mut line).unwrap();
    std::thread::spawn(move || std::io::copy(&mut said, &mut std::io::stderr()));
    let address = line.trim().parse().unwrap_or_else(|_| panic!("{line}"));
    Server { child, address }
}

/// Sends `requests` over a few connections that stay open, from one thread, as wrk does: the server
/// then finds several at once and is not woken for each.
fn load(address: SocketAddr, requests: usize) {
    let connection = async || {
        let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        let request = b"GET /hello/world HTTP/1.1\r\nhost: shop:8080\r\nuser-agent: wrk\r\n\r\n";
        let mut answer = [0; 1024];
        for _ in 0..requests / CONNECTIONS {
            stream.write_all(request).await.unwrap();
            let mut read = 0;
            while !answer[..read].ends_with(b"hello world") {
                let more = stream.read(&mut answer[read..]).await.unwrap();
                assert!(more > 0, "the server closed");
                read += more;
            }
        }
    };
    let runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = { runtime }.enable_io().build().unwrap();
    runtime.block_on(join_all((0..CONNECTIONS).map(|_| connection())));
}

/// Reads one answer with a length; returns its body.
fn answer(stream: &mut TcpStream) -> String {
    let mut text = Vec::new();
    let mut part = [0; 1024];
    loop {
        let read = stream.read(&mut part).unwrap();
        assert!(read > 0, "the server closed");
        text.extend_from_slice(&part[..read]);
        let Some(end) = text.windows(4).position(|four| four == b"\r\n\r\n") else {
            continue;
        };
        let head = String::from_utf8_lossy(&text[..end]).to_ascii_lowercase();
        let length = head.split("content-length: ").nth(1).unwrap();
        let length: usize = length.split("\r\n").next().unwrap().parse().unwrap();
        if text.len() >= end + 4 + length {
            return String::from_utf8_lossy(&text[end + 4..]).into_owned();
        }
    }
}

fn cost(address: SocketAddr, key: &str) -> f64 {
    let mut stream = TcpStream::connect(address).unwrap();
    let request = b"GET /cost HTTP/1.1\r\nhost: shop:8080\r\n\r\n";
    stream.write_all(request).unwrap();
    let body: serde_json::Value = serde_json::from_str(&answer(&mut stream)).unwrap();
    body[key].as_f64().unwrap()
}

/// An OTLP receiver that reads requests and answers that all is well.
fn sink() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            std::thread::spawn(move || swallow(stream));
        }
    });
    address
}

fn swallow(mut stream: TcpStream) {
    let mut text = Vec::new();
    let mut part = vec![0; 64 * 1024];
    while let Ok(read @ 1..) = stream.read(&mut part) {
        text.extend_from_slice(&part[..read]);
        let Some(end) = text.windows(4).position(|four| four == b"\r\n\r\n") else {
            continue;
        };
        let head = String::from_utf8_lossy(&text[..end]).to_ascii_lowercase();
        let length = head.split("content-length: ").nth(1);
        let length = length.and_then(|rest| rest.split("\r\n").next()?.parse().ok());
        if text.len() < end + 4 + length.unwrap_or(0) {
            continue;
        }
        text.clear();
        let fine =
            b"HTTP/1.1 200 OK\r\ncontent-type: application/x-protobuf\r\ncontent-length: 0\r\n\r\n";
        if stream.write_all(fine).is_err() {
            return;
        }
    }
}
