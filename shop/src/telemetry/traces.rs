//! Traces: one provider a process, one resource a role.
//!
//! A process that runs every role exports the same trace as one container each would: spans carry
//! the role in `service`, and the exporter sends each role's spans under its own `service.name`.
//! Without `OTEL_EXPORTER_OTLP_ENDPOINT` spans still get ids, for logs and exemplars.
//!
//! Reading order: `sampling` (the decision at the head of a trace), `keeping` (what is kept against
//! it, once a trace is over in this process), `queue` (the bound), `per_service` (the export).

mod keeping;
mod per_service;
mod queue;
mod sampling;

use std::{
    env,
    sync::{Arc, atomic::AtomicUsize},
    time::Duration,
};

use opentelemetry::trace::TracerProvider;
use opentelemetry_sdk::trace::{
    BatchConfigBuilder, BatchSpanProcessor, SdkTracer, SdkTracerProvider,
};
use tokio::runtime::Handle;

use super::otlp::{self, Signal};
use crate::error::ShopError;
use keeping::Keeping;
use per_service::PerService;
use queue::Bounded;
use sampling::Head;

/// Spans that wait for the exporter; the crate's default of 2,048 loses a third under load.
const QUEUE_SPANS: usize = 32_768;
/// Spans of one push.
const BATCH_SPANS: usize = 2_048;

/// The span attribute that names the role.
pub(crate) const SERVICE: &str = "service";

/// The traces of a process.
#[derive(Debug, Clone)]
pub struct Traces {
    provider: SdkTracerProvider,
}

impl Traces {
    /// Sets traces up for the services of this process, exporting when the environment says where.
    ///
    /// A gRPC exporter lives on `runtime`.
    pub fn from_env(services: &[&'static str], runtime: &Handle) -> Result<Self, ShopError> {
        let mut head = Head::from_env()?;
        let mut builder = SdkTracerProvider::builder();
        if let Some(target) = otlp::Target::from_env(Signal::Traces)? {
            head = head.recording();
            let _entered = runtime.enter();
            let waiting = Arc::<AtomicUsize>::default();
            let exporter = PerService::new(services, target.protocol, Arc::clone(&waiting))
                .map_err(|error| ShopError::Export(error.to_string()))?;
            let number = |name: &str| env::var(name).ok()?.trim().parse().ok();
            let most = number("OTEL_BSP_MAX_QUEUE_SIZE").unwrap_or(QUEUE_SPANS);
            let batch = number("OTEL_BSP_MAX_EXPORT_BATCH_SIZE").unwrap_or(BATCH_SPANS);
            let config = BatchConfigBuilder::default()
                .with_max_queue_size(most)
                .with_max_export_batch_size(batch.min(most));
            let batches = BatchSpanProcessor::builder(exporter).with_batch_config(config.build());
            let bounded = Bounded::new(batches.build(), most, waiting);
            builder = builder.with_span_processor(Keeping::new(bounded));
        }
        Ok(Self {
            provider: builder.with_sampler(head).build(),
        })
    }

    /// Returns the tracer of this crate.
    pub fn tracer(&self) -> SdkTracer {
        self.provider.tracer("shop")
    }

    /// Exports what is left; blocks, at most about `limit`, whatever the collector does.
    pub fn shutdown(self, limit: Duration) {
        otlp::end_within(limit, "traces-shutdown", move || {
            let _ = self.provider.shutdown_with_timeout(limit);
        });
    }
}
