//! Pushing the metrics by OTLP: the registry that a scrape reads, every so often.
//!
//! Numbers are cumulative, so a push that fails loses nothing: the next one tells it all. A collector
//! that is slow or gone is told of once, and costs nobody anything.

mod convert;

use std::{
    env,
    str::FromStr,
    sync::Arc,
    time::{Duration, SystemTime},
};

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use opentelemetry_proto::tonic::collector::metrics::v1::{
    ExportMetricsServiceRequest, metrics_service_client::MetricsServiceClient,
};
use opentelemetry_sdk::Resource;
use prometheus_client::{encoding::prometheus_protobuf, registry::Registry};
use prost::Message as _;
use tokio_util::sync::CancellationToken;
use tonic::{
    metadata::{KeyAndValueRef, MetadataMap},
    transport::{Channel, Endpoint},
};

use super::otlp::{self, Protocol, Signal, Target};
use crate::{error::ShopError, http::call};
use convert::Shares;

const EVERY: Duration = Duration::from_mins(1);
/// Longest time for the last push, while the process ends.
const LAST_PUSH: Duration = Duration::from_secs(1);

/// The push of a process's metrics.
#[derive(Debug)]
pub(crate) struct Push {
    target: Target,
    every: Duration,
    services: Vec<&'static str>,
    /// The `service.name` of what belongs to no service.
    process: &'static str,
    began: SystemTime,
}

/// How metrics get there.
enum Way {
    Grpc(MetricsServiceClient<Channel>, MetadataMap),
    Http(reqwest::Client, HeaderMap),
}

impl Push {
    /// Reads the environment; nothing when metrics are not to be pushed.
    pub(crate) fn from_env(services: &[&'static str]) -> Result<Option<Self>, ShopError> {
        let Some(target) = otlp::Target::from_env(Signal::Metrics)? else {
            return Ok(None);
        };
        let interval = env::var("OTEL_METRIC_EXPORT_INTERVAL").ok();
        let interval = interval.and_then(|ms| ms.trim().parse::<u64>().ok());
        Ok(Some(Self {
            target,
            every: interval.map_or(EVERY, |ms| Duration::from_millis(ms.max(100))),
            services: services.to_vec(),
            process: match services {
                [only] => only,
                _ => "shop",
            },
            began: SystemTime::now(),
        }))
    }

    /// Pushes until `stop`, and once more at the end.
    pub(crate) async fn run(self, registry: Arc<Registry>, stop: CancellationToken) {
        let mut way = match self.way() {
            Ok(way) => way,
            Err(reason) => {
                tracing::error!(reason, "metrics cannot be pushed");
                return;
            }
        };
        let mut ticks = tokio::time::interval(self.every);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        ticks.tick().await;
        let mut fails = false;
        loop {
            let last = tokio::select! {
                _ = ticks.tick() => false,
                () = stop.cancelled() => true,
            };
            let limit = if last {
                self.target.timeout.min(LAST_PUSH)
            } else {
                self.target.timeout
            };
            let pushing = tokio::time::timeout(limit, self.push(&mut way, &registry));
            let outcome = tokio::select! {
                outcome = pushing => outcome.unwrap_or_else(|_| Err("timeout".to_owned())),
                // What was under way is told again by the last push.
                () = stop.cancelled(), if !last => continue,
            };
            match &outcome {
                Ok(()) if fails => tracing::info!("metrics are pushed again"),
                Err(reason) if !fails => tracing::warn!(reason, "metrics were not pushed"),
                _ => {}
            }
            fails = outcome.is_err();
            if last {
                return;
            }
        }
    }

    fn way(&self) -> Result<Way, String> {
        let Target {
            protocol,
            endpoint,
            headers,
            timeout,
        } = &self.target;
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            let name = HeaderName::from_str(name).map_err(|error| error.to_string())?;
            let value = HeaderValue::from_str(value).map_err(|error| error.to_string())?;
            map.append(name, value);
        }
        match protocol {
            Protocol::Grpc => {
                let endpoint = Endpoint::from_shared(endpoint.clone())
                    .map_err(|error| error.to_string())?
                    .connect_timeout(*timeout)
                    .timeout(*timeout);
                let client = MetricsServiceClient::new(endpoint.connect_lazy());
                Ok(Way::Grpc(client, MetadataMap::from_headers(map)))
            }
            Protocol::HttpProtobuf => {
                let client = call::builder().timeout(*timeout).build();
                let client = client.map_err(|error| error.to_string())?;
                Ok(Way::Http(client, map))
            }
        }
    }

    fn request(&self, registry: &Registry) -> Result<ExportMetricsServiceRequest, String> {
        let families = prometheus_protobuf::encode(registry).map_err(|error| error.to_string())?;
        let shares = Shares {
            resource: &Resource::builder().build(),
            services: &self.services,
            process: self.process,
            began: self.began,
            now: SystemTime::now(),
        };
        Ok(shares.request(&families))
    }

    async fn push(&self, way: &mut Way, registry: &Registry) -> Result<(), String> {
        let body = self.request(registry)?;
        match way {
            Way::Grpc(client, metadata) => {
                let mut request = tonic::Request::new(body);
                for pair in metadata.iter() {
                    if let KeyAndValueRef::Ascii(name, value) = pair {
                        request.metadata_mut().insert(name, value.clone());
                    }
                }
                let sent = client.export(request).await;
                sent.map(drop).map_err(|status| status.message().to_owned())
            }
            Way::Http(client, headers) => {
                let request = client
                    .post(&self.target.endpoint)
                    .headers(headers.clone())
                    .header("content-type", "application/x-protobuf")
                    .body(body.encode_to_vec());
                let sent = request
                    .send()
                    .await
                    .and_then(reqwest::Response::error_for_status);
                sent.map(drop).map_err(|error| error.to_string())
            }
        }
    }
}
