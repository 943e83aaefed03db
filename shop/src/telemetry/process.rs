//! The `process_*` numbers, read from the system at each scrape.
//!
//! Where the system does not tell a number (outside Linux), it is left out rather than made up.

use std::{
    fmt, fs,
    time::{SystemTime, UNIX_EPOCH},
};

use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeMetric},
    metrics::{counter::ConstCounter, gauge::ConstGauge},
};
use rustix::{
    process::{Resource, getrlimit},
    time::{ClockId, clock_gettime},
};

use super::catalogue;

/// Reads the numbers of this process.
#[derive(Debug)]
pub(crate) struct ProcessCollector {
    start_seconds: f64,
}

impl ProcessCollector {
    /// Takes now as the start; called first thing in a process.
    pub(crate) fn new() -> Self {
        let since = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        Self {
            start_seconds: since.as_secs_f64(),
        }
    }
}

impl Collector for ProcessCollector {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        ConstCounter::new(cpu_seconds()).encode(catalogue::PROCESS_CPU.describe(&mut encoder)?)?;
        let gauges = [
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
