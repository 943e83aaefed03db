//! A real OTLP receiver, and what it prints of what it gets.

use std::{
    io::{BufRead, BufReader},
    net::TcpListener,
    process::{Child, Command, Stdio},
    sync::mpsc::{Receiver, channel},
    time::{Duration, Instant},
};

use crate::{lab::PATIENCE, peers::program};

/// The receiver, and what it prints.
pub(crate) struct Rotel {
    child: Child,
    lines: Receiver<String>,
    pub(crate) grpc: u16,
    pub(crate) http: u16,
}

impl Drop for Rotel {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub(crate) fn receiver() -> Option<Rotel> {
    let program = program("rotel-agent", "otlp")?;
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
        .args(["--debug-log", "traces", "--debug-log", "metrics"])
        .args(["--debug-log", "logs", "--debug-log-verbosity", "detailed"])
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

impl Rotel {
    /// Waits until every one of `missing` was printed; returns what was.
    pub(crate) fn expect(&self, what: &str, mut missing: Vec<&str>) -> String {
        let began = Instant::now();
        let mut seen = String::new();
        while !missing.is_empty() {
            let left = PATIENCE.saturating_sub(began.elapsed());
            let Ok(line) = self.lines.recv_timeout(left) else {
                panic!("{what}: {missing:?} did not come, but\n{seen}");
            };
            missing.retain(|wanted| !line.contains(wanted));
            seen.push_str(&line);
            seen.push('\n');
        }
        seen
    }

    /// Returns what was printed up to now.
    pub(crate) fn so_far(&self) -> String {
        self.lines
            .try_iter()
            .fold(String::new(), |text, line| text + &line + "\n")
    }
}
