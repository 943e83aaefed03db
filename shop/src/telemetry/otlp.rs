//! Where telemetry is pushed to by OTLP, as the standard `OTEL_*` variables say; for each signal.
//!
//! Without an endpoint nothing is pushed. The exporters of traces and logs read headers and time
//! limits from the same variables themselves.

use std::{env, time::Duration};

use opentelemetry::KeyValue;
use opentelemetry_sdk::Resource;
use percent_encoding::percent_decode_str;

use super::logs::APP;
use crate::error::ShopError;

/// What is pushed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Signal {
    Traces,
    Metrics,
    Logs,
}

impl Signal {
    const fn name(self) -> &'static str {
        match self {
            Self::Traces => "TRACES",
            Self::Metrics => "METRICS",
            Self::Logs => "LOGS",
        }
    }
}

/// How it is pushed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Protocol {
    Grpc,
    HttpProtobuf,
}

/// Where a signal is pushed to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) protocol: Protocol,
    /// With the signal's path, by HTTP.
    pub(crate) endpoint: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) timeout: Duration,
}

impl Target {
    /// Reads the environment; nothing when the signal is not to be pushed.
    pub(crate) fn from_env(signal: Signal) -> Result<Option<Self>, ShopError> {
        Self::read(signal, |name| env::var(name).ok()).map_err(ShopError::Export)
    }

    fn read(
        signal: Signal,
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<Option<Self>, String> {
        let set = |name: &str| {
            let value = variable(name)?.trim().to_owned();
            (!value.is_empty()).then_some(value)
        };
        let own = |rest: &str| format!("OTEL_EXPORTER_OTLP_{}_{rest}", signal.name());
        let either =
            |rest: &str| set(&own(rest)).or_else(|| set(&format!("OTEL_EXPORTER_OTLP_{rest}")));
        let disabled =
            set("OTEL_SDK_DISABLED").is_some_and(|value| value.eq_ignore_ascii_case("true"));
        let none =
            set(&format!("OTEL_{}_EXPORTER", signal.name())).is_some_and(|value| value == "none");
        let given = either("ENDPOINT");
        let Some(mut endpoint) = given.filter(|_| !disabled && !none) else {
            return Ok(None);
        };
        let protocol = match either("PROTOCOL").as_deref() {
            Some("grpc") => Protocol::Grpc,
            None | Some("http/protobuf") => Protocol::HttpProtobuf,
            Some(other) => {
                return Err(format!(
                    "the protocol {other:?} is not known; there are grpc and http/protobuf"
                ));
            }
        };
        if protocol == Protocol::Grpc && endpoint.starts_with("https:") {
            let signal = signal.name();
            return Err(format!(
                "gRPC is spoken without TLS here, and the endpoint of {signal} begins with https; set \
                 OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf"
            ));
        }
        if protocol == Protocol::HttpProtobuf && set(&own("ENDPOINT")).is_none() {
            endpoint = format!(
                "{}/v1/{}",
                endpoint.trim_end_matches('/'),
                signal.name().to_ascii_lowercase()
            );
        }
        let timeout = either("TIMEOUT").and_then(|ms| ms.parse().ok());
        Ok(Some(Self {
            protocol,
            endpoint,
            headers: either("HEADERS")
                .as_deref()
                .map(headers)
                .unwrap_or_default(),
            timeout: Duration::from_millis(timeout.unwrap_or(10_000)),
        }))
    }
}

/// Reads `key1=value1,key2=value2`, the values percent-encoded as in W3C baggage.
fn headers(text: &str) -> Vec<(String, String)> {
    let pair = |part: &str| {
        let (name, value) = part.split_once('=')?;
        let value = percent_decode_str(value.trim()).decode_utf8().ok()?;
        Some((name.trim().to_ascii_lowercase(), value.into_owned()))
    };
    text.split(',').filter_map(pair).collect()
}

/// Returns the resource of a service: what the environment says, under the service's name.
pub(crate) fn resource_of(resource: &Resource, service: &'static str) -> Resource {
    let kept = resource
        .iter()
        .filter(|(key, _)| key.as_str() != "service.name");
    let kept: Vec<KeyValue> = kept
        .map(|(key, value)| KeyValue::new(key.clone(), value.clone()))
        .collect();
    Resource::builder_empty()
        .with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")))
        .with_attributes(kept)
        .with_attribute(KeyValue::new("service.namespace", APP))
        .with_service_name(service)
        .build()
}

/// Runs the end of an exporter on a thread and waits for it, at most `limit`: whatever the collector
/// does, the process ends in time.
pub(crate) fn end_within(limit: Duration, name: &str, end: impl FnOnce() + Send + 'static) {
    let (done, wait) = std::sync::mpsc::channel();
    let worker = std::thread::Builder::new().name(name.to_owned());
    let started = worker.spawn(move || {
        end();
        let _ = done.send(());
    });
    if started.is_ok() {
        let _ = wait.recv_timeout(limit);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Protocol, Signal, Target};

    fn read(signal: Signal, set: &[(&str, &str)]) -> Result<Option<Target>, String> {
        let find = |name: &str| {
            let found = set.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        Target::read(signal, find)
    }

    #[test]
    fn a_signal_of_its_own_goes_before_what_is_common() {
        let set = [
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://all:4318/"),
            ("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", "http://m:4317"),
            ("OTEL_EXPORTER_OTLP_METRICS_PROTOCOL", "grpc"),
            ("OTEL_EXPORTER_OTLP_HEADERS", "Api-Key=a=b, x=Basic%20dTpw"),
            ("OTEL_EXPORTER_OTLP_TIMEOUT", "250"),
            ("OTEL_LOGS_EXPORTER", "none"),
        ];
        let metrics = read(Signal::Metrics, &set).unwrap().unwrap();
        assert_eq!(metrics.protocol, Protocol::Grpc);
        assert_eq!(metrics.endpoint, "http://m:4317");
        let traces = read(Signal::Traces, &set).unwrap().unwrap();
        assert_eq!(traces.endpoint, "http://all:4318/v1/traces");
        assert_eq!(traces.protocol, Protocol::HttpProtobuf);
        assert_eq!(traces.timeout, Duration::from_millis(250));
        let headers = [
            ("api-key".to_owned(), "a=b".to_owned()),
            ("x".to_owned(), "Basic dTpw".to_owned()),
        ];
        assert_eq!(traces.headers, headers);
        assert_eq!(read(Signal::Logs, &set).unwrap(), None);
    }

    #[test]
    fn nothing_is_pushed_without_an_endpoint_or_when_it_is_off() {
        assert_eq!(read(Signal::Traces, &[]).unwrap(), None);
        let set = [
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://all:4318"),
            ("OTEL_SDK_DISABLED", "TRUE"),
        ];
        assert_eq!(read(Signal::Traces, &set).unwrap(), None);
        let set = [
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://all:4318"),
            ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/json"),
        ];
        assert!(
            read(Signal::Traces, &set)
                .unwrap_err()
                .contains("http/json")
        );
        let set = [
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "https://all:4317"),
            ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"),
        ];
        assert!(read(Signal::Logs, &set).unwrap_err().contains("TLS"));
    }
}
