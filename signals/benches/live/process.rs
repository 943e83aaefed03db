//! Child processes, and what a process costs by the books of the system.

use std::fmt;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::Failure;

/// Clock ticks in a second, fixed in the interface of Linux.
const TICKS: f64 = 100.0;

/// A process that ends with this value.
pub(crate) struct Child(std::process::Child);

impl Child {
    /// Starts this program with other arguments.
    pub(crate) fn of_ourselves(arguments: &[&str]) -> Result<Self, Failure> {
        Self::start(&std::env::current_exe()?, arguments, Path::new("."))
    }

    pub(crate) fn start(
        program: &Path,
        arguments: &[&str],
        folder: &Path,
    ) -> Result<Self, Failure> {
        let child = Command::new(program)
            .args(arguments)
            .current_dir(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        Ok(Self(child))
    }

    pub(crate) fn id(&self) -> u32 {
        self.0.id()
    }

    /// Waits for the first line that it prints.
    pub(crate) fn first_line(&mut self) -> Result<String, Failure> {
        let output = self.0.stdout.take().ok_or("its output was read before")?;
        let mut line = String::new();
        BufReader::new(output).read_line(&mut line)?;
        match line.trim_end() {
            "" => Err("a part of the benchmark failed; its reason stands above".into()),
            line => Ok(line.to_owned()),
        }
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Ends this process when the one that started it is gone.
pub(crate) fn end_with_the_parent() {
    std::thread::spawn(|| {
        let _ = std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
        std::process::exit(0);
    });
}

/// What a process takes.
pub(crate) struct Cost {
    /// Share of one core.
    cpu: f64,
    resident_bytes: usize,
}

impl Cost {
    /// Watches a process for a while.
    pub(crate) fn measure(process: u32, length: Duration) -> Result<Self, Failure> {
        let (start, before) = (Instant::now(), cpu_seconds(process)?);
        std::thread::sleep(length);
        let used = cpu_seconds(process)? - before;
        Ok(Self {
            cpu: used / start.elapsed().as_secs_f64(),
            resident_bytes: resident_bytes(process)?,
        })
    }

    pub(crate) fn line(&self) -> String {
        format!("{} {}", self.cpu, self.resident_bytes)
    }

    pub(crate) fn parse(line: &str) -> Result<Self, Failure> {
        let (cpu, resident_bytes) = line.split_once(' ').ok_or("two numbers expected")?;
        Ok(Self {
            cpu: cpu.parse()?,
            resident_bytes: resident_bytes.parse()?,
        })
    }

    pub(crate) fn ratio(&self, other: &Self) -> String {
        format!(
            "{:.2} of the CPU, {:.2} of the memory",
            self.cpu / other.cpu,
            self.resident_bytes as f64 / other.resident_bytes as f64
        )
    }
}

impl fmt::Display for Cost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (cpu, memory) = (self.cpu * 100.0, mebibytes(self.resident_bytes));
        write!(f, "{cpu:5.2} % of a core, {memory:6.1} MiB")
    }
}

pub(crate) fn mebibytes(bytes: usize) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}

/// Returns the memory of a process that is in use.
pub(crate) fn resident_bytes(process: u32) -> Result<usize, Failure> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let text = line.and_then(|line| line.split_whitespace().next());
    Ok(text.ok_or("no VmRSS")?.parse::<usize>()? * 1024)
}

fn cpu_seconds(process: u32) -> Result<f64, Failure> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat"))?;
    // The name of the program is in parentheses and may hold blanks.
    let (_, rest) = stat.rsplit_once(')').ok_or("no stat")?;
    let ticks: Vec<f64> = rest
        .split_whitespace()
        .skip(11)
        .take(2)
        .map(str::parse)
        .collect::<Result<_, _>>()?;
    Ok(ticks.iter().sum::<f64>() / TICKS)
}
