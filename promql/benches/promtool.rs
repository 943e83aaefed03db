//! Unit tests of 200 rules over 500 series and a day of minutes, beside the real promtool:
//! `cargo bench -p promql --bench promtool -- [--hours N] [--promtool PATH] [--only VARIANT]`.
//!
//! Each variant is one test file. Ours runs in a process of its own, as promtool does, so that time
//! and memory include reading the files and loading the series. promtool takes minutes for a day;
//! it runs when `--promtool` names it.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::disallowed_methods,
    reason = "a program of the command line that measures"
)]

use std::error::Error;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use promql::rules::RuleFile;
use promql::unit_test::{self, Settings, TestFile};

const RULES: usize = 200;
const SERIES: usize = 500;
const VARIANTS: [&str; 3] = ["thresholds", "mixed", "burn"];
/// How often the memory of a process is read.
const POLL: Duration = Duration::from_millis(10);

struct Arguments {
    hours: usize,
    promtool: Option<PathBuf>,
    only: Option<String>,
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let outcome = match arguments.as_slice() {
        [run, file] if run == "--run" => run_file(Path::new(file)),
        _ => parse(&arguments).and_then(|arguments| compare(&arguments)),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn parse(words: &[String]) -> Result<Arguments, Box<dyn Error>> {
    let mut arguments = Arguments {
        hours: 24,
        promtool: None,
        only: None,
    };
    let mut words = words.iter();
    while let Some(word) = words.next() {
        let mut value = || words.next().ok_or(format!("{word} needs a value"));
        match word.as_str() {
            "--hours" => arguments.hours = value()?.parse()?,
            "--promtool" => arguments.promtool = Some(value()?.into()),
            "--only" => arguments.only = Some(value()?.clone()),
            // What `cargo bench` itself adds.
            "--bench" => {}
            other => return Err(format!("unknown argument {other}").into()),
        }
    }
    Ok(arguments)
}

/// What `obs-tui rules test` does with a file.
fn run_file(path: &Path) -> Result<(), Box<dyn Error>> {
    let said = |problems: Vec<promql::yaml::decode::Problem>| format!("{problems:?}");
    let file = TestFile::parse(&std::fs::read_to_string(path)?).map_err(said)?;
    let rules = std::fs::read_to_string(path.with_file_name("rules.yml"))?;
    let rules = [RuleFile::parse(&rules).map_err(said)?];
    for test in &file.tests {
        let report = unit_test::run(&file, test, &rules, Settings::default());
        if !report.failures.is_empty() {
            return Err(format!("{} failures", report.failures.len()).into());
        }
    }
    Ok(())
}

fn compare(arguments: &Arguments) -> Result<(), Box<dyn Error>> {
    println!(
        "{RULES} rules × {SERIES} series × {} h of 1 m: {} rule evaluations",
        arguments.hours,
        RULES * (arguments.hours * 60 + 1)
    );
    let folder = std::env::temp_dir().join(format!("promql-bench-{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    let outcome = VARIANTS
        .iter()
        .filter(|name| arguments.only.as_deref().is_none_or(|only| only == **name))
        .try_for_each(|variant| one_variant(arguments, variant, &folder));
    std::fs::remove_dir_all(&folder)?;
    outcome
}

fn one_variant(arguments: &Arguments, variant: &str, folder: &Path) -> Result<(), Box<dyn Error>> {
    let file = folder.join("test.yml");
    std::fs::write(&file, test_file(arguments.hours))?;
    std::fs::write(folder.join("rules.yml"), rules(variant))?;
    let mut ours = Command::new(std::env::current_exe()?);
    ours.arg("--run").arg(&file);
    let (our_time, our_mib) = measure(ours)?;
    print!(
        "{variant:10}  ours {:7.2} s {our_mib:6.1} MiB",
        our_time.as_secs_f64()
    );
    if let Some(promtool) = &arguments.promtool {
        let mut theirs = Command::new(promtool);
        theirs.args(["test", "rules"]).arg(&file);
        let (time, mib) = measure(theirs)?;
        print!(
            "   promtool {:7.2} s {mib:6.1} MiB   ratio {:6.1} of time, {:4.1} of memory",
            time.as_secs_f64(),
            time.as_secs_f64() / our_time.as_secs_f64(),
            mib / our_mib
        );
    }
    println!();
    Ok(())
}

/// Runs a program to its end; returns how long it took and the most memory it held, in MiB.
fn measure(mut command: Command) -> Result<(Duration, f64), Box<dyn Error>> {
    let began = Instant::now();
    let mut child = command.stdout(Stdio::null()).spawn()?;
    let mut peak_kib = 0.0;
    let status = loop {
        peak_kib = peak(child.id()).unwrap_or(peak_kib);
        if let Some(status) = child.try_wait()? {
            break status;
        }
        std::thread::sleep(POLL);
    };
    if !status.success() {
        return Err(format!("{command:?} failed").into());
    }
    Ok((began.elapsed(), peak_kib / 1024.0))
}

/// Returns the most resident memory of a process so far in KiB, where the system tells.
fn peak(pid: u32) -> Option<f64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

/// Ten counters and ten gauges of 25 instances each. Gauges climb, so that in a day some thresholds
/// are crossed; the alert that is asked for stays silent.
fn test_file(hours: usize) -> String {
    let minutes = hours * 60;
    let mut text = "rule_files: [rules.yml]\nevaluation_interval: 1m\ntests:\n- interval: 1m\n  \
                    input_series:\n"
        .to_owned();
    for number in 0..SERIES {
        let (family, instance) = (number % 20, number / 20);
        let labels = format!("job=\"j{}\",instance=\"i{instance}\"", instance % 5);
        let _ = if family < 10 {
            writeln!(
                text,
                "  - {{series: 'requests_{family}_total{{{labels}}}', values: '0+{}x{minutes}'}}",
                60 + number % 7
            )
        } else {
            writeln!(
                text,
                "  - {{series: 'gauge_{}{{{labels}}}', values: '{}+0.01x{minutes}'}}",
                family - 10,
                number % 11
            )
        };
    }
    let _ = writeln!(
        text,
        "  alert_rule_test: [{{eval_time: {minutes}m, alertname: Rule1, exp_alerts: []}}]"
    );
    text
}

fn rules(variant: &str) -> String {
    let mut text = "groups:\n- name: g\n  rules:\n".to_owned();
    for number in 0..RULES {
        let _ = match (variant, number % 4) {
            ("mixed", 0) => writeln!(
                text,
                "  - record: job:requests:rate5m_{number}\n    expr: sum by (job) (rate(requests_{}_total[5m]))",
                number % 10
            ),
            ("mixed", 1) => alert(
                &mut text,
                number,
                &format!(
                    "job:requests:rate5m_{} / on (job) sum by (job) (rate(requests_{}_total[10m])) > 1.5",
                    number - 1,
                    (number - 1) % 10
                ),
            ),
            ("mixed", 2) => alert(
                &mut text,
                number,
                &format!(
                    "max by (instance) (max_over_time(gauge_{}[15m])) > 1000 and on (instance) gauge_0 > 5",
                    number % 10
                ),
            ),
            ("burn", _) => {
                let (errors, all) = (number % 10, (number + 1) % 10);
                let ratio = |window: &str| {
                    format!(
                        "sum by (job) (rate(requests_{errors}_total[{window}])) / \
                         sum by (job) (rate(requests_{all}_total[{window}]))"
                    )
                };
                let expr = format!("({}) > 14.4 and ({}) > 14.4", ratio("6h"), ratio("30m"));
                alert(&mut text, number, &expr)
            }
            _ => alert(
                &mut text,
                number,
                &format!("gauge_{} > {}", number % 10, 20 + number % 3 * 500),
            ),
        };
    }
    text
}

fn alert(text: &mut String, number: usize, expr: &str) -> std::fmt::Result {
    writeln!(
        text,
        "  - alert: Rule{number}\n    expr: {expr}\n    for: 5m\n    labels: {{severity: page}}\n    \
         annotations: {{summary: '{{{{ $labels.instance }}}} is at {{{{ $value | humanize }}}}'}}"
    )
}
