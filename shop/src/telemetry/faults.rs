//! The `chaos_fault_*` numbers: what the registry of faults says at the scrape.
//!
//! Ended faults stay for a while with `active` 0, so that the end is a sample and not a gap. The
//! proof that a fault had an effect reads the control API, never these.

use std::{collections::BTreeMap, fmt};

use fault::{FaultStatus, Registry};
use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeLabelSet, EncodeMetric},
    metrics::{counter::ConstCounter, gauge::ConstGauge},
};

use super::catalogue::{self, Metric};

/// How long an ended fault is still told.
const REMEMBERED_MS: u64 = 5 * 60 * 1_000;

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, EncodeLabelSet)]
struct FaultLabels {
    fault: String,
    kind: String,
}

/// Takes one number of a fault.
type Count = fn(&FaultStatus) -> u64;

/// Reads the registry of faults.
#[derive(Debug)]
pub(crate) struct FaultCollector(pub(crate) Registry);

impl FaultCollector {
    /// Returns one status a label set: the live one, or the one that ended last.
    fn known(&self) -> BTreeMap<FaultLabels, FaultStatus> {
        let mut known = BTreeMap::new();
        let recent =
            |status: &FaultStatus| status.ended_ago_ms.is_none_or(|ago| ago < REMEMBERED_MS);
        let statuses = self.0.snapshot().into_iter().chain(self.0.ended());
        for status in statuses.filter(recent) {
            let labels = FaultLabels {
                fault: status.id.to_string(),
                kind: status.fault.kind().to_string(),
            };
            known.entry(labels).or_insert(status);
        }
        known
    }
}

impl Collector for FaultCollector {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let known = self.known();
        if known.is_empty() {
            return Ok(());
        }
        let mut family = catalogue::FAULT_ACTIVE.describe(&mut encoder)?;
        for (labels, status) in &known {
            let active = i64::from(status.ended.is_none());
            ConstGauge::new(active).encode(family.encode_family(labels)?)?;
        }
        let counts: [(Metric, Count); 2] = [
            (catalogue::FAULT_EVALUATED, |status| status.evaluated),
            (catalogue::FAULT_INJECTED, |status| status.injected),
        ];
        for (metric, count) in counts {
            let mut family = metric.describe(&mut encoder)?;
            for (labels, status) in &known {
                ConstCounter::new(count(status)).encode(family.encode_family(labels)?)?;
            }
        }
        Ok(())
    }
}
