//! Families of the registry as OTLP metrics, shared out among the services they belong to.

use std::time::{SystemTime, UNIX_EPOCH};

use opentelemetry_proto::tonic::{
    collector::metrics::v1::ExportMetricsServiceRequest,
    common::v1::{AnyValue, InstrumentationScope, KeyValue, any_value},
    metrics::v1::{
        AggregationTemporality, Exemplar, Gauge, Histogram, HistogramDataPoint, Metric,
        NumberDataPoint, ResourceMetrics, ScopeMetrics, Sum, exemplar, metric, number_data_point,
    },
    resource::v1::Resource as WireResource,
};
use opentelemetry_sdk::Resource;
use prometheus_client::encoding::prometheus_protobuf::prometheus_data_model as model;

use crate::telemetry::otlp;

const CUMULATIVE: i32 = AggregationTemporality::Cumulative as i32;

/// What the conversion needs to know.
pub(super) struct Shares<'a> {
    pub(super) resource: &'a Resource,
    pub(super) services: &'a [&'static str],
    /// Takes what belongs to no service.
    pub(super) process: &'static str,
    pub(super) began: SystemTime,
    pub(super) now: SystemTime,
}

impl Shares<'_> {
    /// Returns everything, one resource a service.
    pub(super) fn request(&self, families: &[model::MetricFamily]) -> ExportMetricsServiceRequest {
        let mut owners = self.services.to_vec();
        if !owners.contains(&self.process) {
            owners.push(self.process);
        }
        let resource_metrics = owners
            .into_iter()
            .filter_map(|owner| {
                let own = families
                    .iter()
                    .filter_map(|family| self.metric(family, owner));
                let metrics: Vec<Metric> = own.collect();
                (!metrics.is_empty()).then(|| self.of_resource(owner, metrics))
            })
            .collect();
        ExportMetricsServiceRequest { resource_metrics }
    }

    fn of_resource(&self, owner: &'static str, metrics: Vec<Metric>) -> ResourceMetrics {
        let resource = otlp::resource_of(self.resource, owner);
        let attributes = resource
            .iter()
            .map(|(key, value)| attribute(key.as_str(), value.to_string()));
        ResourceMetrics {
            resource: Some(WireResource {
                attributes: attributes.collect(),
                ..Default::default()
            }),
            scope_metrics: vec![ScopeMetrics {
                scope: Some(InstrumentationScope {
                    name: "shop".to_owned(),
                    ..Default::default()
                }),
                metrics,
                ..Default::default()
            }],
            ..Default::default()
        }
    }

    /// Returns the part of a family that belongs to `owner`.
    fn metric(&self, family: &model::MetricFamily, owner: &str) -> Option<Metric> {
        let own: Vec<&model::Metric> = family
            .metric
            .iter()
            .filter(|metric| self.owner_of(metric) == owner)
            .collect();
        let first = *own.first()?;
        let data = if first.histogram.is_some() {
            metric::Data::Histogram(Histogram {
                data_points: own
                    .iter()
                    .filter_map(|own| self.distribution(own))
                    .collect(),
                aggregation_temporality: CUMULATIVE,
            })
        } else if first.counter.is_some() {
            metric::Data::Sum(Sum {
                data_points: own.iter().filter_map(|own| self.number(own)).collect(),
                aggregation_temporality: CUMULATIVE,
                is_monotonic: true,
            })
        } else {
            metric::Data::Gauge(Gauge {
                data_points: own.iter().filter_map(|own| self.number(own)).collect(),
            })
        };
        Some(Metric {
            name: family.name.clone(),
            description: family.help.clone(),
            unit: unit_of(&family.name).to_owned(),
            data: Some(data),
            ..Default::default()
        })
    }

    fn owner_of(&self, metric: &model::Metric) -> &'static str {
        let label = metric.label.iter().find(|pair| pair.name == "service");
        let named = label.and_then(|pair| self.services.iter().find(|known| **known == pair.value));
        named.copied().unwrap_or(self.process)
    }

    fn number(&self, metric: &model::Metric) -> Option<NumberDataPoint> {
        let counter = metric.counter.as_ref().map(|counter| counter.value);
        let value = counter.or_else(|| metric.gauge.as_ref().map(|gauge| gauge.value))?;
        Some(NumberDataPoint {
            attributes: attributes(metric),
            start_time_unix_nano: nanos(self.began),
            time_unix_nano: nanos(self.now),
            value: Some(number_data_point::Value::AsDouble(value)),
            ..Default::default()
        })
    }

    fn distribution(&self, metric: &model::Metric) -> Option<HistogramDataPoint> {
        let histogram = metric.histogram.as_ref()?;
        let finite = || {
            histogram
                .bucket
                .iter()
                .filter(|bucket| bucket.upper_bound.is_finite())
        };
        // Theirs are counts of a bucket alone, the last one without a bound.
        let mut below = 0;
        let mut bucket_counts: Vec<u64> = finite()
            .map(|bucket| {
                let own = bucket.cumulative_count.saturating_sub(below);
                below = bucket.cumulative_count;
                own
            })
            .collect();
        bucket_counts.push(histogram.sample_count.saturating_sub(below));
        let exemplars = histogram
            .bucket
            .iter()
            .filter_map(|bucket| bucket.exemplar.as_ref());
        Some(HistogramDataPoint {
            attributes: attributes(metric),
            start_time_unix_nano: nanos(self.began),
            time_unix_nano: nanos(self.now),
            count: histogram.sample_count,
            sum: Some(histogram.sample_sum),
            bucket_counts,
            explicit_bounds: finite().map(|bucket| bucket.upper_bound).collect(),
            exemplars: exemplars.filter_map(exemplar_of).collect(),
            ..Default::default()
        })
    }
}

fn exemplar_of(own: &model::Exemplar) -> Option<Exemplar> {
    let hex = |name: &str| {
        let label = own.label.iter().find(|pair| pair.name == name)?;
        from_hex(&label.value)
    };
    let time = own.timestamp.as_ref()?;
    let seconds = u64::try_from(time.seconds).unwrap_or_default();
    Some(Exemplar {
        time_unix_nano: seconds * 1_000_000_000 + u64::try_from(time.nanos).unwrap_or_default(),
        trace_id: hex("trace_id")?,
        span_id: hex("span_id").unwrap_or_default(),
        value: Some(exemplar::Value::AsDouble(own.value)),
        ..Default::default()
    })
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digits = text.as_bytes().chunks_exact(2);
    digits
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok())
        .collect()
}

fn unit_of(name: &str) -> &'static str {
    let base = name.trim_end_matches("_total");
    if base.ends_with("_seconds") {
        "s"
    } else if base.ends_with("_bytes") {
        "By"
    } else {
        ""
    }
}

fn attributes(metric: &model::Metric) -> Vec<KeyValue> {
    let pairs = metric.label.iter();
    pairs
        .map(|pair| attribute(&pair.name, pair.value.clone()))
        .collect()
}

fn attribute(name: &str, value: String) -> KeyValue {
    KeyValue {
        key: name.to_owned(),
        value: Some(AnyValue {
            value: Some(any_value::Value::StringValue(value)),
        }),
        ..Default::default()
    }
}

fn nanos(time: SystemTime) -> u64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use opentelemetry_sdk::Resource;

    use super::{Shares, metric, model};

    #[test]
    fn buckets_stand_alone_and_services_have_their_own_resource() {
        let bucket = |upper_bound, cumulative_count| model::Bucket {
            upper_bound,
            cumulative_count,
            ..Default::default()
        };
        let metric_of = |service: &str| model::Metric {
            label: vec![model::LabelPair {
                name: "service".to_owned(),
                value: service.to_owned(),
            }],
            histogram: Some(model::Histogram {
                sample_count: 6,
                sample_sum: 1.5,
                bucket: vec![bucket(0.1, 1), bucket(0.5, 4), bucket(f64::INFINITY, 6)],
                ..Default::default()
            }),
            ..Default::default()
        };
        let family = model::MetricFamily {
            name: "a_seconds".to_owned(),
            metric: vec![
                metric_of("orders"),
                metric_of("payments"),
                metric_of("elsewhere"),
            ],
            ..Default::default()
        };
        let shares = Shares {
            resource: &Resource::builder_empty().build(),
            services: &["orders", "payments"],
            process: "shop",
            began: SystemTime::UNIX_EPOCH,
            now: SystemTime::now(),
        };
        let request = shares.request(&[family]);
        assert_eq!(request.resource_metrics.len(), 3);
        let metric = &request.resource_metrics[0].scope_metrics[0].metrics[0];
        assert_eq!(metric.unit, "s");
        let Some(metric::Data::Histogram(histogram)) = &metric.data else {
            panic!("{metric:?}");
        };
        assert_eq!(histogram.data_points[0].bucket_counts, [1, 3, 2]);
        assert_eq!(histogram.data_points[0].explicit_bounds, [0.1, 0.5]);
    }
}
