//! The `process_*` numbers, read from the system at each scrape.
//!
//! Where the system does not tell a number (outside Linux), it is left out rather than made up.

use std::{
    env, fmt, fs,
    path::Path,
    time::{SystemTime, UNIX_EPOCH},
};

use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeLabelSet, EncodeMetric},
    metrics::{counter::ConstCounter, gauge::ConstGauge},
};
use rustix::{
    process::{Resource, getrlimit},
    time::{ClockId, clock_gettime},
};

use super::{catalogue, losses};

/// Reads the numbers of this process.
#[derive(Debug)]
pub(crate) struct ProcessCollector {
    start_seconds: f64,
    cpu_limit_cores: Option<f64>,
}

#[derive(Debug, Clone, Hash, PartialEq, Eq, EncodeLabelSet)]
struct VersionLabel {
    version: &'static str,
}

const BUILD: VersionLabel = VersionLabel {
    version: env!("CARGO_PKG_VERSION"),
};

impl ProcessCollector {
    /// Takes now as the start; called first thing in a process.
    pub(crate) fn new() -> Self {
        let since = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        Self {
            start_seconds: since.as_secs_f64(),
            cpu_limit_cores: cpu_limit_cores(),
        }
    }
}

impl Collector for ProcessCollector {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        ConstCounter::new(cpu_seconds()).encode(catalogue::PROCESS_CPU.describe(&mut encoder)?)?;
        for (metric, lost) in [
            (catalogue::LOG_LINES_DROPPED, losses::LOG_LINES.count()),
            (catalogue::SPANS_DROPPED, losses::SPANS.count()),
        ] {
            ConstCounter::new(lost).encode(metric.describe(&mut encoder)?)?;
        }
        let mut family = catalogue::BUILD_INFO.describe(&mut encoder)?;
        ConstGauge::new(1_i64).encode(family.encode_family(&BUILD)?)?;
        let gauges = [
            (catalogue::PROCESS_CPU_LIMIT, self.cpu_limit_cores),
            (catalogue::PROCESS_START, Some(self.start_seconds)),
            (catalogue::PROCESS_RESIDENT, memory_pages(1)),
            (catalogue::PROCESS_VIRTUAL, memory_pages(0)),
            (catalogue::PROCESS_OPEN_FDS, open_descriptors()),
            (catalogue::PROCESS_MAX_FDS, most_descriptors()),
        ];
        for (metric, value) in gauges {
            if let Some(value) = value {
                ConstGauge::new(value).encode(metric.describe(&mut encoder)?)?;
            }
        }
        Ok(())
    }
}

/// Returns the cores this process may use: the least of its affinity, its control group's quota, and
/// what `SHOP_CPU_LIMIT_CORES` states for a limit that cannot be seen from inside.
fn cpu_limit_cores() -> Option<f64> {
    let stated = env::var("SHOP_CPU_LIMIT_CORES").ok();
    let stated = stated.and_then(|text| text.trim().parse::<f64>().ok());
    // The standard library reads the affinity, and quotas in whole cores.
    let whole = std::thread::available_parallelism().ok();
    let whole = whole.map(|cores| cores.get() as f64);
    let limits = [stated.filter(|cores| *cores > 0.0), whole, quota_cores()];
    limits.into_iter().flatten().reduce(f64::min)
}

/// Reads the quota of the process's own control group (version 2): `MICROSECONDS PERIOD`, or `max`.
fn quota_cores() -> Option<f64> {
    let groups = fs::read_to_string("/proc/self/cgroup").ok()?;
    let group = groups.lines().find_map(|line| line.strip_prefix("0::"))?;
    let group = group.trim_start_matches('/');
    let file = Path::new("/sys/fs/cgroup").join(group).join("cpu.max");
    quota_of(&fs::read_to_string(file).ok()?)
}

fn quota_of(text: &str) -> Option<f64> {
    let (quota, period) = text.trim().split_once(' ')?;
    let (quota, period) = (quota.parse::<f64>().ok()?, period.parse::<f64>().ok()?);
    (period > 0.0).then(|| quota / period)
}

fn cpu_seconds() -> f64 {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}

/// Reads one column of `/proc/self/statm`: 0 is all of the address space, 1 what is resident.
fn memory_pages(column: usize) -> Option<f64> {
    let statm = fs::read_to_string("/proc/self/statm").ok()?;
    let pages: f64 = statm.split_ascii_whitespace().nth(column)?.parse().ok()?;
    Some(pages * rustix::param::page_size() as f64)
}

fn open_descriptors() -> Option<f64> {
    // The listing itself holds one descriptor while it is read.
    let listed = fs::read_dir("/proc/self/fd").ok()?.count();
    Some(listed.saturating_sub(1) as f64)
}

fn most_descriptors() -> Option<f64> {
    getrlimit(Resource::Nofile)
        .current
        .map(|limit| limit as f64)
}

#[cfg(test)]
mod tests {
    use super::{cpu_limit_cores, quota_of};

    #[test]
    fn a_quota_is_read_in_cores() {
        assert_eq!(quota_of("150000 100000\n"), Some(1.5));
        assert_eq!(quota_of("max 100000\n"), None);
        assert!(cpu_limit_cores().is_none_or(|cores| cores > 0.0));
    }
}
