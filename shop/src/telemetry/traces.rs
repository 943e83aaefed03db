//! Traces: one provider a process, one resource a role.
//!
//! A process that runs every role exports the same trace as one container each would: spans carry
//! the role in `service`, and the exporter sends each role's spans under its own `service.name`.
//! Without `OTEL_EXPORTER_OTLP_ENDPOINT` spans still get ids, for logs and exemplars.

use std::{env, time::Duration};

use opentelemetry::{KeyValue, trace::TracerProvider};
use opentelemetry_otlp::{ExporterBuildError, SpanExporter as OtlpExporter};
use opentelemetry_sdk::{
    Resource,
    error::OTelSdkResult,
    trace::{
        BatchConfigBuilder, BatchSpanProcessor, SdkTracer, SdkTracerProvider, SpanData,
        SpanExporter,
    },
};
use tokio::runtime::Handle;

use super::logs::APP;
use crate::error::ShopError;

/// Spans that wait for the exporter; the crate's default of 2,048 loses a third under load.
const QUEUE_SPANS: usize = 16_384;

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
        let mut builder = SdkTracerProvider::builder();
        if export_is_wanted() {
            let _entered = runtime.enter();
            let exporter = PerService::from_env(services)
                .map_err(|error| ShopError::Traces(error.to_string()))?;
            let mut config = BatchConfigBuilder::default();
            if env::var_os("OTEL_BSP_MAX_QUEUE_SIZE").is_none() {
                config = config.with_max_queue_size(QUEUE_SPANS);
            }
            let processor = BatchSpanProcessor::builder(exporter).with_batch_config(config.build());
            builder = builder.with_span_processor(processor.build());
        }
        Ok(Self {
            provider: builder.build(),
        })
    }

    /// Returns the tracer of this crate.
    pub fn tracer(&self) -> SdkTracer {
        self.provider.tracer("shop")
    }

    /// Exports what is left; blocks, at most about `limit`, whatever the collector does.
    pub fn shutdown(self, limit: Duration) {
        let (done, wait) = std::sync::mpsc::channel();
        let worker = std::thread::Builder::new().name("traces-shutdown".to_owned());
        let started = worker.spawn(move || {
            let outcome = self.provider.shutdown_with_timeout(limit);
            let _ = done.send(outcome);
        });
        if started.is_ok() {
            let _ = wait.recv_timeout(limit);
        }
    }
}

fn export_is_wanted() -> bool {
    let set = |name| env::var(name).is_ok_and(|value| !value.trim().is_empty());
    let off = env::var("OTEL_SDK_DISABLED").is_ok_and(|value| value.eq_ignore_ascii_case("true"))
        || env::var("OTEL_TRACES_EXPORTER").is_ok_and(|value| value == "none");
    !off && (set("OTEL_EXPORTER_OTLP_ENDPOINT") || set("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"))
}

/// An OTLP exporter for each role.
#[derive(Debug)]
struct PerService(Vec<(&'static str, OtlpExporter)>);

impl PerService {
    fn from_env(services: &[&'static str]) -> Result<Self, ExporterBuildError> {
        let protocol = env::var("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL")
            .or_else(|_| env::var("OTEL_EXPORTER_OTLP_PROTOCOL"));
        let grpc = protocol.is_ok_and(|protocol| protocol.trim() == "grpc");
        let build = |service: &&'static str| {
            let builder = OtlpExporter::builder();
            let exporter = if grpc {
                builder.with_tonic().build()?
            } else {
                builder.with_http().build()?
            };
            Ok((*service, exporter))
        };
        services
            .iter()
            .map(build)
            .collect::<Result<_, _>>()
            .map(Self)
    }
}

impl SpanExporter for PerService {
    async fn export(&self, mut batch: Vec<SpanData>) -> OTelSdkResult {
        let mut outcome = Ok(());
        for (at, (service, exporter)) in self.0.iter().enumerate() {
            let last = at + 1 == self.0.len();
            // What names no role of this process goes with the last one rather than nowhere.
            let belongs = |span: &mut SpanData| last || service_of(span) == Some(*service);
            let own: Vec<SpanData> = batch.extract_if(.., belongs).collect();
            if !own.is_empty() {
                let sent = exporter.export(own).await;
                outcome = outcome.and(sent);
            }
        }
        outcome
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        let ends = self
            .0
            .iter()
            .map(|(_, exporter)| exporter.shutdown_with_timeout(timeout));
        ends.fold(Ok(()), Result::and)
    }

    fn set_resource(&mut self, resource: &Resource) {
        for (service, exporter) in &mut self.0 {
            let kept = resource
                .iter()
                .filter(|(key, _)| key.as_str() != "service.name");
            let kept: Vec<KeyValue> = kept
                .map(|(key, value)| KeyValue::new(key.clone(), value.clone()))
                .collect();
            let own = Resource::builder_empty()
                .with_attributes(kept)
                .with_attribute(KeyValue::new("service.namespace", APP))
                .with_service_name(*service)
                .build();
            exporter.set_resource(&own);
        }
    }
}

fn service_of(span: &SpanData) -> Option<&str> {
    let attribute = span
        .attributes
        .iter()
        .find(|attribute| attribute.key.as_str() == SERVICE)?;
    match &attribute.value {
        opentelemetry::Value::String(name) => Some(name.as_str()),
        _ => None,
    }
}
