//! `obs-tui query` against a real Prometheus: table, JSON, plot, and how it ends.

use std::path::Path;
use std::process::{Command, Output};
use std::time::Duration;

use axum::Router;
use axum::routing::get;
use e2e::process::wait_until;
use e2e::servers::{self, PrometheusSetup};
use e2e::terminal::Terminal;
use e2e::{binaries, needs};
use serde_json::Value as Json;
use tokio::runtime::Runtime;

const LIMIT: Duration = Duration::from_mins(1);

/// Two series that stand still, one that is no number.
const METRICS: &str = "\
queue_bytes{queue=\"orders\",zone=\"a\"} 1048576\n\
queue_bytes{queue=\"mail\",zone=\"a\"} 524288\n\
strange NaN\n\
jobs_total 5\n";

fn target(runtime: &Runtime) -> String {
    let listener = runtime
        .block_on(tokio::net::TcpListener::bind("127.0.0.1:0"))
        .unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let router = Router::new().route("/metrics", get(|| std::future::ready(METRICS)));
    runtime.spawn(async move { axum::serve(listener, router).await });
    address
}

fn query(state: &Path, url: &str, args: &[&str]) -> Output {
    Command::new(binaries::obs_tui())
        .env("XDG_STATE_HOME", state)
        .env("LC_ALL", "C.UTF-8")
        .arg("query")
        .args(args)
        .args(["--prometheus", url])
        .output()
        .unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn good(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    text(&output.stdout)
}

fn document(output: &Output) -> Json {
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn tables_documents_and_plots_of_a_real_server() {
    let prometheus = needs!("query", "prometheus");
    let runtime = Runtime::new().unwrap();
    let server = servers::prometheus(&PrometheusSetup {
        binary: &prometheus,
        jobs: &[("edge", target(&runtime))],
        rules: &[],
        alertmanager: None,
    });
    let state = tempfile::tempdir().unwrap();
    let ask = |args: &[&str]| query(state.path(), &server.url, args);
    wait_until("ten scrapes", LIMIT, || {
        text(&ask(&["count_over_time(up[1m]) >= 10"]).stdout).contains("edge")
    });

    let table = good(&ask(&["queue_bytes{queue='mail'}"]));
    assert!(table.contains("queue=\"mail\"") && table.trim_end().ends_with(" 524288"));
    let table = good(&ask(&["strange", "--range=3s", "--step=1s"]));
    assert!(table.trim_end().ends_with("  NaN"), "{table}");

    let instant = document(&ask(&["strange", "--json"]));
    assert_eq!(instant["resultType"], "vector");
    assert_eq!(instant["result"][0]["value"][1], "NaN");
    let range = document(&ask(&["queue_bytes", "--range=3s", "--step=1s", "--json"]));
    assert_eq!(range["resultType"], "matrix");
    assert_eq!(range["result"][0]["metric"]["zone"], "a");
    let values = range["result"][0]["values"].as_array().unwrap();
    assert!(values.len() >= 3 && values[0][1] == "524288", "{range}");
    let noted = ask(&["rate(queue_bytes[5s])", "--json"]);
    assert!(
        document(&noted)["infos"][0]
            .as_str()
            .unwrap()
            .contains("counter")
    );
    assert!(text(&noted.stderr).contains("PromQL info"));

    let plot = good(&ask(&["queue_bytes", "--range=20s", "--step=1s", "--plot"]));
    let lines: Vec<&str> = plot.lines().collect();
    assert_eq!(lines[0], "queue_bytes");
    let has = |word: &str| assert!(plot.contains(word), "`{word}` is missing in:\n{plot}");
    for word in [
        "step 1s",
        "1MiB",
        "512KiB",
        "{queue=\"mail\"}",
        "{queue=\"orders\"}",
        "{instance=\"127.0.0.1",
    ] {
        has(word);
    }
    assert!(
        lines.iter().all(|line| line.chars().count() <= 80),
        "{plot}"
    );
    assert!(!plot.contains('\x1b'), "a file has no colours");

    let empty = ask(&["no_such_metric", "--json"]);
    assert_eq!(empty.status.code(), Some(6));
    assert_eq!(document(&empty)["result"], Json::Array(Vec::new()));
    assert!(text(&empty.stderr).contains("no series"));
    for (args, code, word) in [
        (&["sum("][..], 2, "sum("),
        (&["queue_bytes", "--plot"], 2, "--range"),
        (&["up", "--start=9", "--end=8"], 2, "before"),
        (
            &["queue_bytes + on() strange + on(x) queue_bytes", "--table"],
            2,
            "query `",
        ),
    ] {
        let output = ask(args);
        let told = text(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{args:?}: {told}");
        assert!(told.contains(word), "{args:?}: {told}");
        assert!(output.stdout.is_empty(), "results only go to stdout");
    }
    on_a_terminal(state.path(), &server.url);
}

/// A person who asks for a range sees a plot as wide as the terminal.
fn on_a_terminal(state: &Path, url: &str) {
    let args = ["query", "queue_bytes", "--range=20s", "--prometheus", url];
    let mut terminal = Terminal::start(&binaries::obs_tui(), &args, state, 60, 24);
    assert_eq!(terminal.wait(LIMIT), 0);
    let told = terminal.text();
    for word in ["queue_bytes", "1MiB", "a {", "b {", "last"] {
        assert!(told.contains(word), "`{word}` is missing in:\n{told}");
    }
    assert!(!terminal.is_alternate(), "it stays in the scrollback");
}

#[test]
fn a_lab_of_its_own_is_asked_and_taken_down() {
    let state = tempfile::tempdir().unwrap();
    let output = Command::new(binaries::obs_tui())
        .env("XDG_STATE_HOME", state.path())
        .args(["query", "sum(rate(http_requests_total[4s]))", "--embedded"])
        .args(["--range=8s", "--step=1s", "--plot", "--ascii"])
        .output()
        .unwrap();
    let plot = good(&output);
    assert!(plot.is_ascii() && plot.contains("per second"), "{plot}");
    assert!(text(&output.stderr).contains("embedded lab after 8s"));
}
