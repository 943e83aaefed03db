//! Query results on the wire: numbers are texts, times are seconds.

use std::collections::BTreeMap;

use promql::labels::Labels;
use promql::value::{Point, Sample, Series, Value};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::clean;
use crate::times::seconds_to_ms;

const NATIVE: &str = "the answer holds native histograms, which are not shown; take a number out \
                      of them, such as histogram_quantile(0.95, …) or histogram_count(…)";

#[derive(Deserialize)]
pub(super) struct Data {
    #[serde(rename = "resultType")]
    kind: String,
    result: Box<RawValue>,
}

#[derive(Deserialize)]
struct Element {
    #[serde(default)]
    metric: BTreeMap<String, String>,
    value: Option<Wire>,
    #[serde(default)]
    values: Vec<Wire>,
    histogram: Option<serde::de::IgnoredAny>,
    histograms: Option<serde::de::IgnoredAny>,
}

#[derive(Deserialize)]
struct Wire(f64, String);

/// Decodes the data of an instant query.
pub(super) fn value(data: &Data) -> Result<Value, String> {
    match data.kind.as_str() {
        "vector" => elements(data)?
            .into_iter()
            .map(point)
            .collect::<Result<_, _>>()
            .map(Value::Vector),
        "matrix" => matrix(data).map(Value::Matrix),
        "scalar" => read::<Wire>(data)
            .and_then(|wire| sample(&wire))
            .map(Value::Scalar),
        "string" => read::<Wire>(data).map(|wire| Value::String(clean::text(&wire.1).into_owned())),
        other => Err(format!(
            "result type `{}` is unknown",
            clean::message(other)
        )),
    }
}

/// Decodes the data of a range query.
pub(super) fn matrix(data: &Data) -> Result<Vec<Series>, String> {
    if data.kind != "matrix" {
        let kind = clean::message(&data.kind);
        return Err(format!("a range query was answered with a {kind}"));
    }
    elements(data)?.into_iter().map(series).collect()
}

fn elements(data: &Data) -> Result<Vec<Element>, String> {
    let list: Vec<Element> = read(data)?;
    let native = |e: &Element| e.histogram.is_some() || e.histograms.is_some();
    if list.iter().any(native) {
        return Err(NATIVE.to_owned());
    }
    Ok(list)
}

fn read<T: serde::de::DeserializeOwned>(data: &Data) -> Result<T, String> {
    serde_json::from_str(data.result.get())
        .map_err(|e| format!("a {} that cannot be read: {e}", clean::message(&data.kind)))
}

fn point(element: Element) -> Result<Point, String> {
    let wire = element.value.ok_or("an element without a value")?;
    Ok(Point {
        labels: labels(element.metric),
        sample: sample(&wire)?,
    })
}

fn series(element: Element) -> Result<Series, String> {
    Ok(Series {
        labels: labels(element.metric),
        samples: element
            .values
            .iter()
            .map(sample)
            .collect::<Result<_, _>>()?,
    })
}

fn sample(wire: &Wire) -> Result<Sample, String> {
    Ok(Sample {
        t_ms: seconds_to_ms(wire.0),
        value: number(&wire.1)?,
    })
}

/// Reads a number as Go writes it: "1e-05", "NaN", "+Inf".
pub(super) fn number(text: &str) -> Result<f64, String> {
    text.parse()
        .map_err(|_| format!("`{}` is not a number", clean::message(text)))
}

/// Builds a clean label set.
pub(super) fn labels(map: BTreeMap<String, String>) -> Labels {
    Labels::from_pairs(map.into_iter().map(|(name, value)| {
        (
            clean::text(&name).into_owned(),
            clean::text(&value).into_owned(),
        )
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decode(json: &str) -> Result<Value, String> {
        value(&serde_json::from_str(json).unwrap())
    }

    #[test]
    fn numbers_are_texts_on_the_wire() {
        let json = r#"{"resultType":"vector","result":[
            {"metric":{"__name__":"a","x":"\u001b[1m"},"value":[1.5,"NaN"]},
            {"metric":{},"value":[1435781451.781,"+Inf"]},
            {"metric":{},"value":[2,"-Inf"]}]}"#;
        let Value::Vector(points) = decode(json).unwrap() else {
            panic!("not a vector")
        };
        assert!(points[0].sample.value.is_nan());
        assert_eq!(points[0].labels.to_string(), r#"a{x="[1m"}"#);
        assert_eq!(points[1].sample.t_ms, 1_435_781_451_781);
        assert_eq!(points[1].sample.value, f64::INFINITY);
        assert_eq!(points[2].sample.value, f64::NEG_INFINITY);
    }

    #[test]
    fn every_result_type_is_read() {
        let scalar = decode(r#"{"resultType":"scalar","result":[1,"1e-05"]}"#).unwrap();
        assert_eq!(
            scalar,
            Value::Scalar(Sample {
                t_ms: 1_000,
                value: 1e-5
            })
        );
        let string = decode(r#"{"resultType":"string","result":[1,"hi"]}"#).unwrap();
        assert_eq!(string, Value::String("hi".to_owned()));
        let matrix =
            decode(r#"{"resultType":"matrix","result":[{"metric":{},"values":[[1,"2"]]}]}"#);
        assert!(matches!(matrix.unwrap(), Value::Matrix(list) if list[0].samples.len() == 1));
    }

    #[test]
    fn native_histograms_are_named() {
        let json = r#"{"resultType":"vector","result":[
            {"metric":{},"histogram":[1,{"count":"1","sum":"1","buckets":[]}]}]}"#;
        assert!(decode(json).unwrap_err().contains("native histograms"));
    }
}
