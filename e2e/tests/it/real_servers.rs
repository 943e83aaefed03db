//! The same playbook against a real Prometheus and Alertmanager, beside our own engine.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant, SystemTime};

use e2e::lab::{Lab, block_on};
use e2e::process::{Process, wait_until};
use e2e::servers::{self, PrometheusSetup};
use e2e::{binaries, needs, repository};
use promql::rules::RuleFile;
use promql::value::Value;
use signals::source::Range;
use signals::webhook::{Receiver, ReceiverConfig};
use signals::{
    Connection, Embedded, EmbeddedConfig, Prometheus, PrometheusConfig, Source, TargetSpec,
};

/// One scrape plus one evaluation at 1 s each, in milliseconds.
const ALLOWED_APART_MS: i64 = 2_000;
/// The grid on which moments are read.
const STEP_MS: i64 = 100;

fn now_ms() -> i64 {
    let since = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap();
    i64::try_from(since.as_millis()).unwrap()
}

fn obs_tui(folder: &Path) -> Command {
    let mut command = Command::new(binaries::obs_tui());
    command.env("XDG_STATE_HOME", folder);
    command
}

fn attached(url: &str) -> Prometheus {
    Prometheus::new(&PrometheusConfig::new(Connection::new(url))).unwrap()
}

async fn number(source: &dyn Source, query: &str) -> Option<f64> {
    match source.instant(query, None).await.ok()?.value {
        Value::Vector(points) => points.first().map(|point| point.sample.value),
        _ => None,
    }
}

/// First moment of firing and first moment after the last one, from a range query on ALERTS.
async fn fired(source: &dyn Source, alert: &str, from_ms: i64, to_ms: i64) -> (i64, i64) {
    let query = format!("ALERTS{{alertname={alert:?},alertstate=\"firing\"}}");
    let range = Range {
        start_ms: from_ms,
        end_ms: to_ms,
        step_ms: STEP_MS,
    };
    let series = source.range(&query, range).await.unwrap().value;
    let times = series
        .iter()
        .flat_map(|one| &one.samples)
        .map(|sample| sample.t_ms);
    let first = times.clone().min().expect("the alert fired");
    let last = times.max().expect("the alert fired");
    assert!(last < to_ms, "the alert has resolved");
    (first, last + STEP_MS)
}

#[test]
fn embedded_and_prometheus_give_the_same_verdict_at_the_same_time() {
    let prometheus = needs!("real_servers", "prometheus");
    let alertmanager = needs!("real_servers", "alertmanager");
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let _entered = runtime.enter();
    let hook = runtime
        .block_on(Receiver::start(ReceiverConfig::default()))
        .unwrap();
    let alertmanager = servers::alertmanager(&alertmanager, &hook.url());
    let lab = Lab::start();
    let rules = repository().join("rules").join("drill.yml");
    let server = servers::prometheus(&PrometheusSetup {
        binary: &prometheus,
        jobs: &lab.metrics,
        rules: &[&rules],
        alertmanager: Some(alertmanager.address.clone()),
    });
    let remote = attached(&server.url);
    let embedded = embedded(&lab, &rules);
    wait_until("traffic is seen", Duration::from_mins(1), || {
        runtime
            .block_on(number(&remote, "shop:request_rate:short"))
            .is_some_and(|rate| rate > 30.0)
    });

    let from_ms = now_ms();
    let output = obs_tui(lab.folder())
        .args(["run", "payments-503", "--prometheus", &server.url])
        .args(["--alertmanager", &alertmanager.url])
        .args(lab.fault_flags())
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    let diagnostics = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{text}\n{diagnostics}");
    let to_ms = now_ms() + 1_000;

    let alert = "PaymentFailureRateHigh";
    let ours = runtime.block_on(fired(&embedded, alert, from_ms, to_ms));
    let theirs = runtime.block_on(fired(&remote, alert, from_ms, to_ms));
    let (first, last) = (ours.0 - theirs.0, ours.1 - theirs.1);
    eprintln!("embedded fired {ours:?}, Prometheus {theirs:?}");
    eprintln!("{alert}: embedded minus Prometheus: first firing {first} ms, resolved {last} ms");
    assert!(
        first.abs() <= ALLOWED_APART_MS,
        "first firing {first} ms apart"
    );
    assert!(
        last.abs() <= ALLOWED_APART_MS,
        "last resolved {last} ms apart"
    );

    let notified = |firing: bool| {
        hook.received()
            .iter()
            .flat_map(|one| &one.alerts)
            .any(|one| one.firing == firing && one.labels.get("alertname") == Some(alert))
    };
    assert!(notified(true), "the webhook heard that {alert} fires");
    wait_until(
        "the webhook hears of the end",
        Duration::from_secs(30),
        || notified(false),
    );
    runtime.block_on(embedded.shutdown());
}

fn embedded(lab: &Lab, rules: &Path) -> Embedded {
    let text = std::fs::read_to_string(rules).unwrap();
    Embedded::start(EmbeddedConfig {
        targets: lab
            .metrics
            .iter()
            .map(|(job, address)| TargetSpec {
                job: (*job).to_owned(),
                instance: String::new(),
                url: format!("http://{address}/metrics"),
            })
            .collect(),
        rules: vec![RuleFile::parse(&text).unwrap()],
        ..EmbeddedConfig::default()
    })
    .unwrap()
}

#[test]
fn kill_nine_ends_the_fault_on_a_separate_shop_after_one_lease() {
    let prometheus = needs!("kill_nine", "prometheus");
    let lab = Lab::start();
    let rules = repository().join("rules").join("drill.yml");
    let server = servers::prometheus(&PrometheusSetup {
        binary: &prometheus,
        jobs: &lab.metrics,
        rules: &[&rules],
        alertmanager: None,
    });
    let mut command = obs_tui(lab.folder());
    command
        .args([
            "run",
            "payments-503",
            "--prometheus",
            &server.url,
            "--var",
            "duration=120s",
        ])
        .args(lab.fault_flags());
    let mut run = Process::start(command, &lab.folder().join("run.log"));
    wait_until("the fault is armed", Duration::from_mins(1), || {
        !lab.faults().faults.is_empty()
    });
    // Let the runner renew at least once, so that the lease counts from the last renewal.
    std::thread::sleep(Duration::from_secs(5));
    run.kill();
    let killed = Instant::now();
    assert_eq!(
        lab.faults().faults.len(),
        1,
        "it outlives its runner for a while"
    );
    let lease = Duration::from_secs(10);
    wait_until(
        "the lease ends the fault",
        lease + Duration::from_secs(2),
        || lab.faults().faults.is_empty(),
    );
    eprintln!("the fault ended {:?} after kill -9", killed.elapsed());
    let ended = lab.faults().ended;
    assert_eq!(
        ended[0].ended.map(fault::Ended::name),
        Some("lease_lost"),
        "{ended:?}"
    );
}

#[test]
fn a_fault_turns_200_into_503_and_back() {
    let lab = Lab::start();
    let status = || {
        let answer = servers::get(&lab.storefront, "/products").unwrap_or_default();
        answer.split(' ').nth(1).unwrap_or_default().to_owned()
    };
    assert_eq!(status(), "200");
    let flags = lab.fault_flags();
    let fault = |args: &[&str]| {
        let output = obs_tui(lab.folder())
            .arg("fault")
            .args(args)
            .args(&flags)
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let diagnostics = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{args:?}: {text}{diagnostics}");
        text
    };
    fault(&[
        "add",
        "broken",
        "kind=error",
        "status=503",
        "where.service=storefront",
    ]);
    assert_eq!(status(), "503");
    assert!(fault(&["list"]).contains("broken"));
    fault(&["clear", "--reason", "enough"]);
    assert_eq!(status(), "200");
    let hit = block_on(async { lab.client().list().await }).unwrap().ended[0].injected;
    assert!(hit >= 1, "the fault has counted what it hit");
}
