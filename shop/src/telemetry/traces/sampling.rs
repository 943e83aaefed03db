//! The decision at the head of a trace: `OTEL_TRACES_SAMPLER` and its argument.
//!
//! A trace that is not sampled is still recorded where spans are exported, so that it can be kept
//! once it proves to be of interest (see `keeping`); its `sampled` flag stays off, for callees too.

use std::env;

use opentelemetry::{
    Context, KeyValue, TraceId,
    trace::{Link, SpanKind, TraceContextExt, TraceState},
};
use opentelemetry_sdk::trace::{SamplingDecision, SamplingResult, ShouldSample};

use crate::error::ShopError;

/// What becomes of a trace that begins here.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Root {
    All,
    None,
    /// This share, by trace id, so that every process decides alike.
    Ratio(f64),
}

/// The sampler of a process.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Head {
    root: Root,
    /// Whether the caller's decision goes before ours.
    parent_based: bool,
    /// Whether what is not sampled is recorded all the same.
    records: bool,
}

impl Head {
    pub(super) fn from_env() -> Result<Self, ShopError> {
        let set = |name| env::var(name).ok().filter(|value| !value.trim().is_empty());
        Self::read(
            set("OTEL_TRACES_SAMPLER").as_deref(),
            set("OTEL_TRACES_SAMPLER_ARG").as_deref(),
        )
        .map_err(ShopError::Export)
    }

    fn read(name: Option<&str>, argument: Option<&str>) -> Result<Self, String> {
        let name = name.unwrap_or("parentbased_always_on").trim();
        let (parent_based, root) = match name.strip_prefix("parentbased_") {
            Some(root) => (true, root),
            None => (false, name),
        };
        let root = match root {
            "always_on" => Root::All,
            "always_off" => Root::None,
            "traceidratio" => Root::Ratio(ratio(argument)?),
            _ => {
                return Err(format!(
                    "OTEL_TRACES_SAMPLER {name:?} is not known; there are always_on, always_off, \
                     traceidratio, and these after parentbased_"
                ));
            }
        };
        Ok(Self {
            root,
            parent_based,
            records: false,
        })
    }

    /// Records what is not sampled, except where nothing at all is wanted.
    pub(super) fn recording(mut self) -> Self {
        self.records = self.root != Root::None;
        self
    }

    fn samples(&self, parent: Option<&Context>, trace_id: TraceId) -> bool {
        let parent = parent.filter(|context| context.span().span_context().is_valid());
        match parent {
            Some(parent) if self.parent_based => parent.span().span_context().is_sampled(),
            _ => match self.root {
                Root::All => true,
                Root::None => false,
                Root::Ratio(share) => is_within(trace_id, share),
            },
        }
    }
}

fn ratio(argument: Option<&str>) -> Result<f64, String> {
    let Some(text) = argument else {
        return Ok(1.0);
    };
    let share = text.trim().parse::<f64>().ok();
    share
        .filter(|share| (0.0..=1.0).contains(share))
        .ok_or_else(|| format!("OTEL_TRACES_SAMPLER_ARG {text:?} is not a number from 0 to 1"))
}

/// The lower 63 bits of a trace id against the share of their range, as the SDKs do it.
fn is_within(trace_id: TraceId, share: f64) -> bool {
    let drawn = (u128::from_be_bytes(trace_id.to_bytes()) as u64) >> 1;
    drawn < (share * (1_u64 << 63) as f64) as u64
}

impl ShouldSample for Head {
    fn should_sample(
        &self,
        parent: Option<&Context>,
        trace_id: TraceId,
        _: &str,
        _: &SpanKind,
        _: &[KeyValue],
        _: &[Link],
    ) -> SamplingResult {
        let decision = if self.samples(parent, trace_id) {
            SamplingDecision::RecordAndSample
        } else if self.records {
            SamplingDecision::RecordOnly
        } else {
            SamplingDecision::Drop
        };
        let state = |context: &Context| context.span().span_context().trace_state().clone();
        SamplingResult {
            decision,
            attributes: Vec::new(),
            trace_state: parent.map_or(TraceState::NONE, state),
        }
    }
}

#[cfg(test)]
mod tests {
    use opentelemetry::TraceId;

    use super::{Head, Root, is_within};

    #[test]
    fn the_variables_are_read_or_refused_by_name() {
        let head = |name, argument| Head::read(name, argument);
        let default = head(None, None).unwrap();
        assert!(default.parent_based && default.root == Root::All);
        let tenth = head(Some("parentbased_traceidratio"), Some("0.1")).unwrap();
        assert!(tenth.parent_based && tenth.root == Root::Ratio(0.1));
        assert_eq!(head(Some("always_off"), None).unwrap().root, Root::None);
        assert!(
            head(Some("sometimes"), None)
                .unwrap_err()
                .contains("sometimes")
        );
        assert!(head(Some("traceidratio"), Some("7")).is_err());
    }

    #[test]
    fn a_tenth_of_the_trace_ids_is_sampled() {
        let spread = |n: u64| TraceId::from(u128::from(n.wrapping_mul(0x9e37_79b9_7f4a_7c15)));
        let sampled = (0..100_000).filter(|n| is_within(spread(*n), 0.1)).count();
        assert!((9_500..10_500).contains(&sampled), "{sampled}");
        assert!(is_within(TraceId::from(u128::MAX), 1.0));
        assert!(!is_within(TraceId::from(1), 0.0));
    }
}
