//! A Prometheus that is somebody's own: https, credentials, a path prefix, other metric names.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use axum::Router;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::{get, post};
use e2e::process::{Process, free_port, wait_until};
use e2e::servers::{self, PrometheusSetup};
use e2e::terminal::Terminal;
use e2e::{binaries, needs};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tempfile::TempDir;
use tokio::runtime::Runtime;

const USER: &str = "sre";
const PASSWORD: &str = "s3cret";
/// bcrypt of [`PASSWORD`] with the smallest cost that Prometheus takes.
const HASH: &str = "$2b$05$abcdefghijklmnopqrstuuLK7U1u6pVRmL7L1BBM2aS35PSZnDXlK";
const LIMIT: Duration = Duration::from_mins(1);

fn obs_tui(state: &Path, args: &[&str]) -> Output {
    Command::new(binaries::obs_tui())
        .env("XDG_STATE_HOME", state)
        .args(args)
        .output()
        .unwrap()
}

fn assert_says(output: &Output, code: i32, words: &[&str]) {
    let text = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{text}");
    assert!(output.stdout.is_empty(), "results only go to stdout");
    for word in words {
        assert!(text.contains(word), "`{word}` is missing in: {text}");
    }
}

fn assert_value(output: &Output, value: &str) {
    let text = String::from_utf8_lossy(&output.stdout);
    let diagnostics = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{diagnostics}");
    assert!(text.trim_end().ends_with(value), "{text}");
}

/// A Prometheus behind https, a user and a prefix.
struct Guarded {
    url: String,
    folder: TempDir,
    _process: Process,
}

impl Guarded {
    fn start(prometheus: &Path) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let address = format!("127.0.0.1:{}", free_port());
        let url = format!("https://{address}/prom");
        let file = |name: &str, text: &str| {
            let path = folder.path().join(name);
            fs::write(&path, text).unwrap();
            path
        };
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let ca = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let key = KeyPair::generate().unwrap();
        let server = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
        let server = server.signed_by(&key, &ca).unwrap();
        file("ca.pem", &ca.pem());
        file("server.pem", &server.pem());
        file("server.key", &key.serialize_pem());
        file("password", &format!("{PASSWORD}\n"));
        file("wrong", "guess\n");
        let web = format!(
            "tls_server_config: {{cert_file: server.pem, key_file: server.key}}\n\
             basic_auth_users: {{{USER}: '{HASH}'}}\n"
        );
        let mut command = Command::new(prometheus);
        command
            .arg(flag("config.file", &file("prometheus.yml", "global: {}\n")))
            .arg(flag("web.config.file", &file("web.yml", &web)))
            .arg(flag("storage.tsdb.path", &folder.path().join("data")))
            .arg(format!("--web.listen-address={address}"))
            .arg(format!("--web.external-url={url}"))
            .arg("--web.route-prefix=/prom");
        let guarded = Self {
            _process: Process::start(command, &folder.path().join("log")),
            url,
            folder,
        };
        wait_until("the guarded Prometheus answers", LIMIT, || {
            guarded.query("password", true).status.success()
        });
        guarded
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    fn query(&self, password: &str, with_ca: bool) -> Output {
        self.query_at(&self.url, password, with_ca)
    }

    fn query_at(&self, url: &str, password: &str, with_ca: bool) -> Output {
        let (ca, password) = (self.path("ca.pem"), self.path(password));
        let mut args = vec!["query", "6 * 7", "--prometheus", url];
        args.extend(["--prometheus-user", USER]);
        args.extend(["--prometheus-password-file", &password]);
        if with_ca {
            args.extend(["--ca-file", &ca]);
        }
        obs_tui(self.folder.path(), &args)
    }
}

fn flag(name: &str, path: &Path) -> String {
    format!("--{name}={}", path.display())
}

#[test]
fn https_with_a_private_ca_a_user_and_a_prefix() {
    let prometheus = needs!("attach", "prometheus");
    let guarded = Guarded::start(&prometheus);
    assert_value(&guarded.query("password", true), "42");

    let words = [guarded.url.as_str(), "401", "--prometheus-user"];
    assert_says(&guarded.query("wrong", true), 6, &words);
    let words = [guarded.url.as_str(), "certificate", "--ca-file"];
    assert_says(&guarded.query("password", false), 6, &words);
    let bare = guarded.url.trim_end_matches("/prom");
    assert_says(&guarded.query_at(bare, "password", true), 6, &["prefix"]);
    let words = ["no-such-file", "--prometheus-password-file"];
    assert_says(&guarded.query("no-such-file", true), 2, &words);

    let ca = guarded.path("nowhere.pem");
    let args = ["query", "1", "--prometheus", &guarded.url, "--ca-file", &ca];
    let output = obs_tui(guarded.folder.path(), &args);
    assert_says(&output, 2, &["CA file", "nowhere.pem"]);
}

/// Serves `router` on loopback for as long as `runtime` lives and returns its address.
fn serve(runtime: &Runtime, router: Router) -> String {
    let listener = runtime
        .block_on(tokio::net::TcpListener::bind("127.0.0.1:0"))
        .unwrap();
    let address = listener.local_addr().unwrap().to_string();
    runtime.spawn(async move { axum::serve(listener, router).await });
    address
}

/// Answers a query as Prometheus would, for those who bring the token and the header.
async fn gate(headers: HeaderMap) -> (StatusCode, &'static str) {
    let has = |name: &str, value: &str| headers.get(name).is_some_and(|given| given == value);
    if !has("authorization", "Bearer open-sesame") {
        (StatusCode::UNAUTHORIZED, "who are you?")
    } else if !has("x-team", "shop") {
        (StatusCode::FORBIDDEN, "which team?")
    } else {
        let answer = r#"{"status":"success","data":{"resultType":"scalar","result":[1,"42"]}}"#;
        (StatusCode::OK, answer)
    }
}

#[test]
fn a_token_file_and_a_header_reach_the_server() {
    let runtime = Runtime::new().unwrap();
    let router = Router::new().route("/api/v1/query", post(gate).get(gate));
    let url = format!("http://{}", serve(&runtime, router));
    let folder = tempfile::tempdir().unwrap();
    let token = folder.path().join("token");
    fs::write(&token, "open-sesame\n").unwrap();
    let token = token.display().to_string();
    let ask = |flags: &[&str]| {
        let args = [&["query", "6 * 7", "--prometheus", &url], flags].concat();
        obs_tui(folder.path(), &args)
    };
    let with_token = ["--prometheus-token-file", &token];
    let with_both = [&with_token[..], &["--prometheus-header", "X-Team: shop"]].concat();
    assert_value(&ask(&with_both), "42");
    assert_says(&ask(&with_token), 6, &["403", "--prometheus-header"]);
    let words = ["401", "--prometheus-token-file"];
    assert_says(&ask(&[]), 6, &words);
}

/// A service with metric names of its own; every scrape sees more requests.
fn foreign(runtime: &Runtime) -> String {
    let scrapes = Arc::new(AtomicU64::new(0));
    let metrics = move || {
        let n = scrapes.fetch_add(1, Ordering::Relaxed);
        let text = format!(
            "edge_hits_total{{code=\"200\"}} {good}\nedge_hits_total{{code=\"500\"}} {bad}\n\
             edge_seconds_bucket{{le=\"0.1\"}} {good}\nedge_seconds_bucket{{le=\"+Inf\"}} {all}\n",
            good = n * 30,
            bad = n * 10,
            all = n * 40,
        );
        std::future::ready(text)
    };
    serve(runtime, Router::new().route("/metrics", get(metrics)))
}

fn dashboard(state: &Path, args: &[&str]) -> Terminal {
    Terminal::start(&binaries::obs_tui(), args, state, 130, 40)
}

fn quits_at_once(terminal: &mut Terminal) {
    let asked = Instant::now();
    terminal.send("q");
    assert_eq!(terminal.wait(Duration::from_secs(10)), 0);
    let took = asked.elapsed();
    // Generous for a debug build on a busy machine; far below any network timeout.
    assert!(took < Duration::from_secs(2), "quitting took {took:?}");
}

#[test]
fn panels_of_other_metric_names() {
    let prometheus = needs!("attach", "prometheus");
    let runtime = Runtime::new().unwrap();
    let server = servers::prometheus(&PrometheusSetup {
        binary: &prometheus,
        jobs: &[("edge", foreign(&runtime))],
        rules: &[],
        alertmanager: None,
    });
    let state = tempfile::tempdir().unwrap();

    let mut terminal = dashboard(state.path(), &["--prometheus", &server.url]);
    terminal.wait_for("which queries return nothing", LIMIT, |text| {
        text.matches("query returned nothing").count() == 3
            && text.contains("http_requests_total")
            && ["qps", "p95", "errors"].iter().all(|panel| {
                text.contains(&format!("set it with --panel {panel}=EXPR or --select"))
            })
    });
    quits_at_once(&mut terminal);

    let mut terminal = dashboard(
        state.path(),
        &[
            "--prometheus",
            &server.url,
            "--panel",
            "qps=sum(rate(edge_hits_total[10s]))",
            "--panel",
            "p95=histogram_quantile(0.95, sum by (le) (rate(edge_seconds_bucket[10s])))",
            "--panel",
            r#"errors=sum(rate(edge_hits_total{code="500"}[10s])) / sum(rate(edge_hits_total[10s]))"#,
        ],
    );
    terminal.wait_for("numbers under other names", LIMIT, |text| {
        ["QPS  4", "P95  100ms", "Error rate  25%"]
            .iter()
            .all(|title| text.contains(title))
    });
    quits_at_once(&mut terminal);
}

#[test]
fn a_dead_prometheus_is_a_text_and_not_an_end() {
    let state = tempfile::tempdir().unwrap();
    let url = format!("http://127.0.0.1:{}", free_port());
    let mut terminal = dashboard(state.path(), &["--prometheus", &url]);
    let shown = |text: &str| {
        text.contains(&format!("{url} cannot be reached"))
            && text.contains("onnection refused")
            && text.contains("retry in")
    };
    terminal.wait_for("the reason and the retry", LIMIT, shown);
    std::thread::sleep(Duration::from_secs(2));
    terminal.wait_for("the reason, still", LIMIT, shown);
    quits_at_once(&mut terminal);
}
