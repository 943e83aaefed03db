//! Real servers on free ports with everything they write in a temporary folder.

use std::fs;
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use tempfile::TempDir;

use crate::process::{Process, free_port, wait_until};

/// What a Prometheus server needs to know.
#[derive(Debug)]
pub struct PrometheusSetup<'s> {
    /// The binary.
    pub binary: &'s Path,
    /// Jobs and their target addresses `host:port`.
    pub jobs: &'s [(&'s str, String)],
    /// Rule files.
    pub rules: &'s [&'s Path],
    /// Address `host:port` of an Alertmanager.
    pub alertmanager: Option<String>,
}

/// A running server and its folder.
#[derive(Debug)]
pub struct Server {
    /// The process.
    pub process: Process,
    /// Its address, `http://127.0.0.1:PORT`.
    pub url: String,
    /// `127.0.0.1:PORT`.
    pub address: String,
    folder: TempDir,
}

impl Server {
    /// Returns the folder with configuration, data and log.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }
}

/// Starts Prometheus with 1 s scrapes and evaluations and waits until it is ready.
pub fn prometheus(setup: &PrometheusSetup<'_>) -> Server {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let config = folder.path().join("prometheus.yml");
    fs::write(&config, prometheus_config(setup)).expect("the configuration can be written");
    let address = format!("127.0.0.1:{}", free_port());
    let mut command = Command::new(setup.binary);
    command
        .arg(format!("--config.file={}", config.display()))
        .arg(format!(
            "--storage.tsdb.path={}",
            folder.path().join("data").display()
        ))
        .arg(format!("--web.listen-address={address}"))
        .arg("--enable-feature=exemplar-storage");
    let server = started(command, folder, address);
    wait_until("Prometheus ready", Duration::from_mins(1), || {
        ok(&server.address, "/-/ready")
    });
    server
}

fn prometheus_config(setup: &PrometheusSetup<'_>) -> String {
    use std::fmt::Write as _;
    let mut text = String::from("global:\n  scrape_interval: 1s\n  evaluation_interval: 1s\n");
    text.push_str("rule_files:\n");
    for file in setup.rules {
        let _ = writeln!(text, "  - {}", file.display());
    }
    if let Some(address) = &setup.alertmanager {
        let _ = writeln!(
            text,
            "alerting:\n  alertmanagers:\n    - static_configs: [{{targets: ['{address}']}}]"
        );
    }
    text.push_str("scrape_configs:\n");
    for (job, address) in setup.jobs {
        let _ = writeln!(
            text,
            "  - job_name: {job}\n    static_configs: [{{targets: ['{address}']}}]"
        );
    }
    text
}

/// Starts Alertmanager, which sends everything to `webhook_url`, and waits until it is ready.
pub fn alertmanager(binary: &Path, webhook_url: &str) -> Server {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let config = folder.path().join("alertmanager.yml");
    let text = format!(
        "route:\n  receiver: hook\n  group_by: [alertname]\n  group_wait: 1s\n  \
         group_interval: 1s\n  repeat_interval: 1h\nreceivers:\n  - name: hook\n    \
         webhook_configs:\n      - url: {webhook_url}\n        send_resolved: true\n"
    );
    fs::write(&config, text).expect("the configuration can be written");
    let address = format!("127.0.0.1:{}", free_port());
    let mut command = Command::new(binary);
    command
        .arg(format!("--config.file={}", config.display()))
        .arg(format!(
            "--storage.path={}",
            folder.path().join("data").display()
        ))
        .arg(format!("--web.listen-address={address}"))
        .arg("--cluster.listen-address=");
    let server = started(command, folder, address);
    wait_until("Alertmanager ready", Duration::from_mins(1), || {
        ok(&server.address, "/-/ready")
    });
    server
}

fn started(command: Command, folder: TempDir, address: String) -> Server {
    let process = Process::start(command, &folder.path().join("log"));
    Server {
        process,
        url: format!("http://{address}"),
        address,
        folder,
    }
}

/// Says whether a plain GET on `address` is answered with 200.
pub fn ok(address: &str, path: &str) -> bool {
    get(address, path).is_some_and(|answer| answer.starts_with("HTTP/1.1 200"))
}

/// Returns the whole answer to a plain GET, head included; `None` if nobody answers.
pub fn get(address: &str, path: &str) -> Option<String> {
    use std::io::{Read, Write};
    let mut stream = TcpStream::connect(address).ok()?;
    stream
        .set_read_timeout(Some(Duration::from_secs(10)))
        .ok()?;
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n"
    )
    .ok()?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).ok()?;
    Some(String::from_utf8_lossy(&answer).into_owned())
}
