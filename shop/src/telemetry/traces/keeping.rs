//! Keeps whole traces that the head did not sample, when something in them failed or was broken.
//!
//! Spans of an unsampled trace wait here until no span of that trace is open in this process; then
//! they are exported if one of them ended in an error or a fault touched it, and forgotten otherwise.
//!
//! Limits: each process decides about its own spans. Roles in one process keep or forget a trace
//! together; a role in another process keeps its part only if it saw the failure itself. Spans that
//! end after the decision (work that outlived its request) are judged by themselves. Beyond the
//! bounds below a span is judged by itself too.

use std::{
    collections::{HashMap, hash_map::Entry},
    hash::{BuildHasherDefault, Hasher},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use opentelemetry::{
    Context, TraceFlags, TraceId, Value,
    trace::{Span as _, SpanContext, Status},
};
use opentelemetry_sdk::{
    Resource,
    error::OTelSdkResult,
    trace::{Span, SpanData, SpanProcessor},
};

const SHARDS: usize = 16;
/// Traces that wait in one shard.
const SHARD_TRACES: usize = 256;
/// Spans that wait of one trace.
const TRACE_SPANS: usize = 256;

/// A processor in front of `next`, which gets sampled spans at once and kept ones late.
#[derive(Debug)]
pub(super) struct Keeping<P> {
    next: P,
    shards: [Mutex<Shard>; SHARDS],
}

type Shard = HashMap<TraceId, Waiting, BuildHasherDefault<Spread>>;

/// An unsampled trace that has open spans here.
#[derive(Debug, Default)]
struct Waiting {
    open: usize,
    of_interest: bool,
    spans: Vec<SpanData>,
}

impl<P: SpanProcessor> Keeping<P> {
    pub(super) fn new(next: P) -> Self {
        Self {
            next,
            shards: Default::default(),
        }
    }

    fn shard(&self, trace_id: TraceId) -> MutexGuard<'_, Shard> {
        let [.., low] = trace_id.to_bytes();
        let shard = &self.shards[usize::from(low) % SHARDS];
        shard.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes an ended span; returns what is to be kept because of it.
    fn end(&self, span: SpanData) -> Vec<SpanData> {
        let of_interest = is_of_interest(&span);
        let trace_id = span.span_context.trace_id();
        let mut shard = self.shard(trace_id);
        let Entry::Occupied(mut entry) = shard.entry(trace_id) else {
            drop(shard);
            return if of_interest { vec![span] } else { Vec::new() };
        };
        let waiting = entry.get_mut();
        waiting.open = waiting.open.saturating_sub(1);
        waiting.of_interest |= of_interest;
        if waiting.open > 0 {
            if waiting.spans.len() < TRACE_SPANS {
                waiting.spans.push(span);
            } else if of_interest {
                return vec![span];
            }
            return Vec::new();
        }
        let mut over = entry.remove();
        // What is forgotten is taken apart without holding others up.
        drop(shard);
        if !over.of_interest {
            return Vec::new();
        }
        over.spans.push(span);
        over.spans
    }
}

impl<P: SpanProcessor> SpanProcessor for Keeping<P> {
    fn on_start(&self, span: &mut Span, _: &Context) {
        let own = span.span_context();
        if own.is_sampled() {
            return;
        }
        let trace_id = own.trace_id();
        let mut shard = self.shard(trace_id);
        let full = shard.len() >= SHARD_TRACES;
        match shard.entry(trace_id) {
            Entry::Occupied(mut entry) => entry.get_mut().open += 1,
            Entry::Vacant(entry) if !full => entry.insert(Waiting::default()).open = 1,
            Entry::Vacant(_) => {}
        }
    }

    fn on_end(&self, span: SpanData) {
        if span.span_context.is_sampled() {
            self.next.on_end(span);
            return;
        }
        for mut kept in self.end(span) {
            kept.span_context = sampled(&kept.span_context);
            self.next.on_end(kept);
        }
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.next.force_flush()
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.next.shutdown_with_timeout(timeout)
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.next.set_resource(resource);
    }
}

fn is_of_interest(span: &SpanData) -> bool {
    let injected = || {
        let mut attributes = span.attributes.iter();
        attributes.any(|attribute| {
            attribute.key.as_str() == "chaos.injected" && attribute.value == Value::Bool(true)
        })
    };
    matches!(span.status, Status::Error { .. }) || injected()
}

/// The exporter takes what is marked as sampled only.
fn sampled(own: &SpanContext) -> SpanContext {
    SpanContext::new(
        own.trace_id(),
        own.span_id(),
        own.trace_flags() | TraceFlags::SAMPLED,
        own.is_remote(),
        own.trace_state().clone(),
    )
}

/// Trace ids are random already; what spreads them over shards is not used again here.
#[derive(Debug, Default)]
struct Spread(u64);

impl Hasher for Spread {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            self.0 = (self.0.rotate_left(5) ^ u64::from_le_bytes(word))
                .wrapping_mul(0x517c_c1b7_2722_0a95);
        }
    }

    fn write_u128(&mut self, id: u128) {
        // A caller chooses the id, so its halves are mixed rather than trusted.
        self.write(&id.to_le_bytes());
    }
}
