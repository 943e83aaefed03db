//! The export of spans: each role's under its own `service.name`.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use opentelemetry_otlp::{ExporterBuildError, SpanExporter as OtlpExporter};
use opentelemetry_sdk::{
    Resource,
    error::OTelSdkResult,
    trace::{SpanData, SpanExporter},
};

use super::SERVICE;
use crate::telemetry::{
    losses,
    otlp::{self, Protocol},
};

/// An OTLP exporter for each role.
#[derive(Debug)]
pub(super) struct PerService {
    exporters: Vec<(&'static str, OtlpExporter)>,
    waiting: Arc<AtomicUsize>,
}

impl PerService {
    pub(super) fn new(
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

impl SpanExporter for PerService {
    async fn export(&self, mut batch: Vec<SpanData>) -> OTelSdkResult {
        self.waiting.fetch_sub(batch.len(), Ordering::Relaxed);
        let mut outcome = Ok(());
        for (at, (service, exporter)) in self.exporters.iter().enumerate() {
            let last = at + 1 == self.exporters.len();
            let belongs = |span: &mut SpanData| service_of(span) == Some(*service);
            // What names no role of this process goes with the last one rather than nowhere.
            let own: Vec<SpanData> = if last {
                std::mem::take(&mut batch)
            } else {
                batch.extract_if(.., belongs).collect()
            };
            if own.is_empty() {
                continue;
            }
            let spans = own.len() as u64;
            let sent = exporter.export(own).await;
            if sent.is_err() {
                losses::SPANS.add(spans);
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
