//! The log lines once more, by OTLP, each under the service it belongs to.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, SystemTime},
};

use opentelemetry::{
    InstrumentationScope, Key,
    logs::{AnyValue, LogRecord as _, Logger as _, LoggerProvider as _, Severity},
    trace::SpanContext,
};
use opentelemetry_otlp::{ExporterBuildError, LogExporter as OtlpExporter};
use opentelemetry_sdk::{
    Resource,
    error::OTelSdkResult,
    logs::{
        BatchConfigBuilder, BatchLogProcessor, LogBatch, LogExporter, SdkLogRecord, SdkLogger,
        SdkLoggerProvider,
    },
};
use tokio::runtime::Handle;
use tracing::{Event, Level};

use super::fields::Fields;
use crate::{
    error::ShopError,
    telemetry::{
        losses,
        otlp::{self, Protocol, Signal},
    },
};

/// Records that wait for the exporter.
const QUEUE_RECORDS: usize = 16_384;
const SERVICE: &str = "service";
/// Targets that tell of exporting; their lines would make more of themselves.
const OF_EXPORT: [&str; 7] = [
    "opentelemetry",
    "shop::telemetry",
    "h2",
    "hyper",
    "tonic",
    "tower",
    "reqwest",
];

/// Tells whether an event may be exported.
pub(super) fn is_wanted(event: &Event<'_>) -> bool {
    let target = event.metadata().target();
    !OF_EXPORT.iter().any(|own| target.starts_with(own))
}

/// Exports lines; clones share the queue.
#[derive(Debug, Clone)]
pub(crate) struct LogExport {
    provider: SdkLoggerProvider,
    logger: SdkLogger,
    waiting: Arc<AtomicUsize>,
}

impl LogExport {
    /// Sets the export up when the environment says where to.
    pub(crate) fn from_env(
        services: &[&'static str],
        runtime: &Handle,
    ) -> Result<Option<Self>, ShopError> {
        let Some(target) = otlp::Target::from_env(Signal::Logs)? else {
            return Ok(None);
        };
        let _entered = runtime.enter();
        let waiting = Arc::<AtomicUsize>::default();
        let exporter = PerService::new(services, target.protocol, Arc::clone(&waiting))
            .map_err(|error| ShopError::Export(error.to_string()))?;
        let config = BatchConfigBuilder::default()
            .with_max_queue_size(QUEUE_RECORDS)
            .with_max_export_batch_size(1_024);
        let processor = BatchLogProcessor::builder(exporter).with_batch_config(config.build());
        let provider = SdkLoggerProvider::builder()
            .with_log_processor(processor.build())
            .build();
        let logger = provider.logger("shop");
        Ok(Some(Self {
            provider,
            logger,
            waiting,
        }))
    }

    pub(super) fn emit(
        &self,
        event: &Event<'_>,
        service: &'static str,
        now: SystemTime,
        span: Option<&SpanContext>,
        fields: &mut Fields,
    ) {
        if self.waiting.fetch_add(1, Ordering::Relaxed) >= QUEUE_RECORDS {
            self.waiting.fetch_sub(1, Ordering::Relaxed);
            losses::LOG_LINES.add(1);
            return;
        }
        let metadata = event.metadata();
        let mut record = self.logger.create_log_record();
        record.set_timestamp(now);
        record.set_observed_timestamp(now);
        record.set_target(metadata.target());
        record.set_severity_number(severity(*metadata.level()));
        record.set_severity_text(metadata.level().as_str());
        record.set_body(fields.message.clone().into());
        record.add_attribute(SERVICE, service);
        record.add_attributes(fields.attributes.take().unwrap_or_default());
        if let Some(span) = span {
            record.set_trace_context(span.trace_id(), span.span_id(), Some(span.trace_flags()));
        }
        self.logger.emit(record);
    }

    /// Exports what is left; blocks, at most about `limit`.
    pub(crate) fn shutdown(self, limit: Duration) {
        otlp::end_within(limit, "logs-shutdown", move || {
            let _ = self.provider.shutdown_with_timeout(limit);
        });
    }
}

fn severity(level: Level) -> Severity {
    match level {
        Level::TRACE => Severity::Trace,
        Level::DEBUG => Severity::Debug,
        Level::INFO => Severity::Info,
        Level::WARN => Severity::Warn,
        Level::ERROR => Severity::Error,
    }
}

/// An OTLP exporter for each service.
#[derive(Debug)]
struct PerService {
    exporters: Vec<(&'static str, OtlpExporter)>,
    waiting: Arc<AtomicUsize>,
}

impl PerService {
    fn new(
        services: &[&'static str],
        protocol: Protocol,
        waiting: Arc<AtomicUsize>,
    ) -> Result<Self, ExporterBuildError> {
        let build = |service: &&'static str| {
            let builder = OtlpExporter::builder();
            let exporter = match protocol {
                Protocol::Grpc => builder.with_tonic().build()?,
                Protocol::HttpProtobuf => builder.with_http().build()?,
            };
            Ok((*service, exporter))
        };
        let exporters = services.iter().map(build).collect::<Result<_, _>>()?;
        Ok(Self { exporters, waiting })
    }
}

impl LogExporter for PerService {
    async fn export(&self, batch: LogBatch<'_>) -> OTelSdkResult {
        let records: Vec<(&SdkLogRecord, &InstrumentationScope)> = batch.iter().collect();
        self.waiting.fetch_sub(records.len(), Ordering::Relaxed);
        let mut outcome = Ok(());
        for (at, (service, exporter)) in self.exporters.iter().enumerate() {
            // What belongs to no role of this process goes with the first one rather than nowhere.
            let belongs = |record: &SdkLogRecord| match service_of(record) {
                Some(name) if self.exporters.iter().any(|(known, _)| *known == name) => {
                    name == *service
                }
                _ => at == 0,
            };
            let own: Vec<_> = records
                .iter()
                .copied()
                .filter(|(record, _)| belongs(record))
                .collect();
            if own.is_empty() {
                continue;
            }
            let sent = exporter.export(LogBatch::new(&own)).await;
            if sent.is_err() {
                losses::LOG_LINES.add(own.len() as u64);
            }
            outcome = outcome.and(sent);
        }
        outcome
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        let ends = self
            .exporters
            .iter()
            .map(|(_, exporter)| exporter.shutdown_with_timeout(timeout));
        ends.fold(Ok(()), Result::and)
    }

    fn set_resource(&mut self, resource: &Resource) {
        for (service, exporter) in &mut self.exporters {
            exporter.set_resource(&otlp::resource_of(resource, service));
        }
    }
}

fn service_of(record: &SdkLogRecord) -> Option<&str> {
    let wanted = |(key, _): &&(Key, AnyValue)| key.as_str() == SERVICE;
    match record.attributes_iter().find(wanted)? {
        (_, AnyValue::String(name)) => Some(name.as_str()),
        _ => None,
    }
}
