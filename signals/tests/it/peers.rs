//! Real servers: where they are, how they start, that they end with the test.

use std::io::{BufRead, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

/// Returns the program, or `None` after saying that the test is skipped. Where peers are required,
/// a missing one is a failure.
pub(crate) fn find(test: &str, names: &[&str]) -> Option<PathBuf> {
    let folder = |name| std::env::var_os(name).filter(|value| !value.is_empty());
    let cache = folder("XDG_CACHE_HOME")
        .map(PathBuf::from)
        .or_else(|| folder("HOME").map(|home| Path::new(&home).join(".cache")));
    let peers = [
        folder("OBS_TUI_PEERS").map(PathBuf::from),
        cache.map(|cache| cache.join("obs-tui/peers")),
    ];
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = peers
        .into_iter()
        .flatten()
        .map(|peers| peers.join("bin"))
        .chain(std::env::split_paths(&path))
        .flat_map(|folder| names.iter().map(move |name| folder.join(name)))
        .find(|file| file.is_file());
    if found.is_none() {
        let required = std::env::var("OBS_TUI_REQUIRE_PEERS").is_ok_and(|value| value == "1");
        assert!(
            !required,
            "{test} needs {}, which is required here",
            names[0]
        );
        // Past the capture of the test runner.
        let _ = writeln!(std::io::stderr(), "SKIPPED {test}: needs {}", names[0]);
    }
    found
}

/// A running server.
pub(crate) struct Peer {
    pub(crate) url: String,
    child: Child,
}

impl Peer {
    /// Starts a program with `--web.listen-address` on a free port and waits until it is ready.
    pub(crate) async fn start(program: &Path, folder: &Path, arguments: &[String]) -> Self {
        let mut child = Command::new(program)
            .args(arguments)
            .arg("--web.listen-address=127.0.0.1:0")
            .current_dir(folder)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let (found, address) = mpsc::channel();
        std::thread::spawn(move || {
            let mut log = Vec::new();
            for line in lines.map_while(Result::ok) {
                log.push(line.clone());
                if let Some(address) = listening(&line) {
                    let _ = found.send(Ok(address.to_owned()));
                }
            }
            let _ = found.send(Err(log.join("\n")));
        });
        let address = address
            .recv_timeout(Duration::from_secs(30))
            .expect("the server tells its address within 30 s")
            .unwrap_or_else(|log| panic!("{} ended:\n{log}", program.display()));
        let peer = Self {
            url: format!("http://{address}"),
            child,
        };
        peer.ready().await;
        peer
    }

    async fn ready(&self) {
        signals::connect::install_tls();
        let url = format!("{}/-/ready", self.url);
        let start = Instant::now();
        while start.elapsed() < Duration::from_secs(30) {
            if let Ok(answer) = reqwest::get(&url).await
                && answer.status().is_success()
            {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("{url} was not ready within 30 s");
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Finds the address in a line such as `msg="Listening on" address=127.0.0.1:34567`.
fn listening(line: &str) -> Option<&str> {
    let (_, rest) = line.split_once("msg=\"Listening on\"")?;
    let (_, address) = rest.split_once("address=")?;
    let end = address.find(' ').unwrap_or(address.len());
    let address = &address[..end];
    (!address.ends_with(":0")).then_some(address)
}

/// Starts a Prometheus that scrapes one target as job `shop` and instance `one`, every second.
pub(crate) async fn prometheus(
    program: &Path,
    folder: &Path,
    target: &str,
    rules: &str,
    alertmanager: Option<&str>,
) -> Peer {
    let alerting = alertmanager.map_or(String::new(), |url| {
        let host = url.trim_start_matches("http://");
        format!("alerting: {{ alertmanagers: [ {{ static_configs: [ {{ targets: ['{host}'] }} ] }} ] }}\n")
    });
    let config = format!(
        "global: {{ scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s }}\n\
         rule_files: [ rules.yml ]\n\
         {alerting}\
         scrape_configs:\n\
         - job_name: shop\n  static_configs: [ {{ targets: ['{target}'], labels: {{ instance: one }} }} ]\n"
    );
    std::fs::write(folder.join("rules.yml"), rules).unwrap();
    std::fs::write(folder.join("prometheus.yml"), config).unwrap();
    let arguments = [
        "--config.file=prometheus.yml".to_owned(),
        "--storage.tsdb.path=data".to_owned(),
        "--enable-feature=exemplar-storage".to_owned(),
        "--log.level=info".to_owned(),
    ];
    Peer::start(program, folder, &arguments).await
}
