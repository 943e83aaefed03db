//! What watching costs: our engine and a real Prometheus scrape 2,000 series and evaluate 50 alert
//! rules once a second.
//!
//! `cargo bench -p signals --bench live` prints CPU and memory of both and the ratio, then what our
//! engine holds after an hour. `-- --seconds 300` measures longer, `-- --ours` leaves Prometheus
//! out, as does a machine without it, and `-- --hour` prints the hour only. Target and engine are
//! processes of their own.
//!
//! The hour is over in three minutes: a scrape every 50 ms, everything else in proportion, until as
//! many samples are in as in an hour. A scrape may take no longer than until the next, so a busy
//! machine needs `--interval-ms 500` or so.

mod process;
mod rules;
mod target;

use std::path::{Path, PathBuf};
use std::time::Duration;

use process::{Child, Cost};
use promql::rules::RuleFile;
use signals::{Embedded, EmbeddedConfig, TargetSpec};

const SECOND: Duration = Duration::from_secs(1);
const HOUR_S: u32 = 3_600;
/// How long a busy machine may take in nothing.
const PATIENCE_S: u32 = 60;
/// Until the ranges of the rules are full.
const WARM_UP: Duration = Duration::from_secs(70);

type Failure = Box<dyn std::error::Error>;

fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let given = |name: &str| arguments.iter().position(|argument| argument == name);
    let value = |name: &str| given(name).and_then(|index| arguments.get(index + 1));
    let interval = match value("--interval-ms") {
        Some(text) => Duration::from_millis(text.parse()?),
        None => SECOND,
    };
    if given("target").is_some() {
        process::end_with_the_parent();
        return target::serve(interval);
    }
    let seconds = match value("--seconds") {
        Some(text) => text.parse()?,
        None => 60,
    };
    if let Some(address) = value("engine") {
        process::end_with_the_parent();
        return engine(address, seconds);
    }
    if let Some(address) = value("hold") {
        process::end_with_the_parent();
        return hold_an_hour(address, interval);
    }
    if given("--hour").is_none() {
        compare(seconds, given("--ours").is_none())?;
    }
    report_the_hour(value("--interval-ms").map_or("50", String::as_str))
}

#[expect(clippy::print_stdout, reason = "a benchmark reports to its user")]
fn compare(seconds: u64, with_peer: bool) -> Result<(), Failure> {
    let mut target = Child::of_ourselves(&["target"])?;
    let address = target.first_line()?;
    println!(
        "{} series and {} alert rules at 1 s, measured for {seconds} s",
        target::SERIES,
        rules::COUNT
    );
    let text = seconds.to_string();
    let mut child = Child::of_ourselves(&["engine", &address, "--seconds", &text])?;
    let ours = Cost::parse(&child.first_line()?)?;
    println!("embedded engine   {ours}");
    match peer().filter(|_| with_peer) {
        Some(program) => {
            let theirs = measure_peer(&program, &address, seconds)?;
            println!("Prometheus        {theirs}");
            println!("ratio             {}", ours.ratio(&theirs));
        }
        None => println!("Prometheus        left out"),
    }
    Ok(())
}

#[expect(clippy::print_stdout, reason = "a benchmark reports to its user")]
fn report_the_hour(interval_ms: &str) -> Result<(), Failure> {
    let mut target = Child::of_ourselves(&["target", "--interval-ms", interval_ms])?;
    let address = target.first_line()?;
    let arguments = ["hold", address.as_str(), "--interval-ms", interval_ms];
    let mut hour = Child::of_ourselves(&arguments)?;
    println!("after one hour    {}", hour.first_line()?);
    Ok(())
}

/// Runs the engine as the dashboard does and prints what it cost.
#[expect(clippy::print_stdout, reason = "the parent reads it")]
fn engine(address: &str, seconds: u64) -> Result<(), Failure> {
    runtime()?.block_on(async {
        let engine = Embedded::start(config(address, SECOND)?)?;
        tokio::time::sleep(WARM_UP).await;
        let cost = Cost::measure(std::process::id(), Duration::from_secs(seconds))?;
        let (series, samples) = engine.size();
        if series < target::SERIES || samples < target::SERIES * seconds as usize {
            return Err(format!("only {series} series and {samples} samples came in").into());
        }
        println!("{}", cost.line());
        Ok(())
    })
}

fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    Ok(builder.enable_all().build()?)
}

/// Returns how the dashboard sets up the engine, with seconds of some length.
fn config(address: &str, second: Duration) -> Result<EmbeddedConfig, Failure> {
    let rules = RuleFile::parse(&rules::text(second)).map_err(|_| "the rules are refused")?;
    Ok(EmbeddedConfig {
        targets: vec![TargetSpec {
            job: "shop".to_owned(),
            instance: String::new(),
            url: format!("http://{address}/metrics"),
        }],
        rules: vec![rules],
        scrape_interval: second,
        evaluation_interval: second,
        ..EmbeddedConfig::default()
    })
}

fn measure_peer(program: &Path, address: &str, seconds: u64) -> Result<Cost, Failure> {
    let folder = tempfile::tempdir()?;
    std::fs::write(folder.path().join("rules.yml"), rules::text(SECOND))?;
    std::fs::write(
        folder.path().join("prometheus.yml"),
        format!(
            "global: {{ scrape_interval: 1s, evaluation_interval: 1s }}\n\
             rule_files: [rules.yml]\n\
             scrape_configs: [{{ job_name: shop, static_configs: [{{ targets: ['{address}'] }}] }}]\n"
        ),
    )?;
    let arguments = [
        "--config.file=prometheus.yml",
        "--storage.tsdb.path=data",
        "--web.listen-address=127.0.0.1:0",
        "--log.level=error",
    ];
    let child = Child::start(program, &arguments, folder.path())?;
    std::thread::sleep(WARM_UP);
    Cost::measure(child.id(), Duration::from_secs(seconds))
}

fn peer() -> Option<PathBuf> {
    let folder = |name| std::env::var_os(name).map(PathBuf::from);
    let cache = folder("XDG_CACHE_HOME").or_else(|| Some(folder("HOME")?.join(".cache")));
    let peers = [
        folder("OBS_TUI_PEERS"),
        cache.map(|cache| cache.join("obs-tui/peers")),
    ];
    let path = std::env::var_os("PATH").unwrap_or_default();
    let bins = peers.into_iter().flatten().map(|peers| peers.join("bin"));
    bins.chain(std::env::split_paths(&path))
        .map(|folder| folder.join("prometheus"))
        .find(|file| file.is_file())
}

/// Runs the engine until it holds the samples of an hour and prints what it takes.
#[expect(clippy::print_stdout, reason = "the parent reads it")]
fn hold_an_hour(address: &str, second: Duration) -> Result<(), Failure> {
    let wanted = target::SERIES * HOUR_S as usize;
    runtime()?.block_on(async {
        let engine = Embedded::start(config(address, second)?)?;
        let (mut before, mut idle_s) = (0, 0);
        loop {
            tokio::time::sleep(SECOND).await;
            let (_, samples) = engine.size();
            if samples >= wanted {
                break;
            }
            idle_s = if samples == before { idle_s + 1 } else { 0 };
            if idle_s == PATIENCE_S {
                return Err(format!("no sample came in after {samples}").into());
            }
            before = samples;
        }
        let resident = process::resident_bytes(std::process::id())?;
        let (_, samples) = engine.size();
        println!("{:.1} MiB, {samples} samples", process::mebibytes(resident));
        Ok(())
    })
}
