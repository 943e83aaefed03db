//! What watching costs: our engine and a real Prometheus scrape 2,000 series and evaluate 50 alert
//! rules once a second.
//!
//! `cargo bench -p signals --bench live` prints CPU and memory of both and the ratio, then what our
//! engine holds after an hour. `-- --seconds 300` measures longer, `-- --ours` leaves Prometheus
//! out, as does a machine without it. Target and engine are processes of their own.

mod process;
mod rules;
mod target;

use std::path::{Path, PathBuf};
use std::time::Duration;

use process::{Child, Cost};
use promql::rules::RuleFile;
use promql::store::Store;
use signals::exposition::{Format, Limits, Parser, Row, parse};
use signals::{Embedded, EmbeddedConfig, TargetSpec};

/// Until the ranges of the rules are full.
const WARM_UP: Duration = Duration::from_secs(70);

type Failure = Box<dyn std::error::Error>;

fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let given = |name: &str| arguments.iter().position(|argument| argument == name);
    if given("target").is_some() {
        process::end_with_the_parent();
        return target::serve();
    }
    if given("hour").is_some() {
        return hold_an_hour();
    }
    let seconds = match given("--seconds").and_then(|index| arguments.get(index + 1)) {
        Some(text) => text.parse()?,
        None => 60,
    };
    if let Some(index) = given("engine") {
        let address = arguments.get(index + 1).ok_or("engine needs an address")?;
        process::end_with_the_parent();
        return engine(address, seconds);
    }
    compare(seconds, given("--ours").is_none())
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
    let mut hour = Child::of_ourselves(&["hour"])?;
    println!("after one hour    {}", hour.first_line()?);
    Ok(())
}

/// Runs the engine as the dashboard does and prints what it cost.
#[expect(clippy::print_stdout, reason = "the parent reads it")]
fn engine(address: &str, seconds: u64) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let engine = Embedded::start(EmbeddedConfig {
            targets: vec![TargetSpec {
                job: "shop".to_owned(),
                instance: String::new(),
                url: format!("http://{address}/metrics"),
            }],
            rules: vec![RuleFile::parse(&rules::text()).map_err(|_| "the rules are refused")?],
            ..EmbeddedConfig::default()
        })?;
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

fn measure_peer(program: &Path, address: &str, seconds: u64) -> Result<Cost, Failure> {
    let folder = tempfile::tempdir()?;
    std::fs::write(folder.path().join("rules.yml"), rules::text())?;
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

/// Takes in the scrapes of an hour at once and prints what they take.
#[expect(clippy::print_stdout, reason = "the parent reads it")]
fn hold_an_hour() -> Result<(), Failure> {
    const HOUR_S: i64 = 3_600;
    let mut store = Store::new(HOUR_S * 1_000);
    let mut known = vec![None; target::SERIES];
    let text = target::exposition(0);
    let rows = parse(Parser::Strict, Format::Text, &text, Limits::default())?;
    let labels: Vec<_> = rows.iter().map(Row::label_set).collect();
    for second in 0..HOUR_S {
        let text = target::exposition(second);
        let rows = parse(Parser::Strict, Format::Text, &text, Limits::default())?;
        for ((row, labels), known) in rows.iter().zip(&labels).zip(&mut known) {
            *known = store
                .append_at(*known, labels, second * 1_000, row.value)
                .ok();
        }
    }
    println!(
        "{} samples in {:.1} MiB, {:.2} bytes each; the process has {:.1} MiB",
        store.sample_count(),
        process::mebibytes(store.bytes()),
        store.bytes() as f64 / store.sample_count() as f64,
        process::mebibytes(process::resident_bytes(std::process::id())?),
    );
    Ok(())
}
