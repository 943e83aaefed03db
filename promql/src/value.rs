//! Samples, series and query results.

use crate::labels::Labels;

/// The bits of the NaN that marks the end of a series. Compare bits, never values: an ordinary
/// NaN is a sample.
pub const STALE_NAN_BITS: u64 = 0x7ff0_0000_0000_0002;

/// Returns the stale marker.
pub fn stale_nan() -> f64 {
    f64::from_bits(STALE_NAN_BITS)
}

/// Says whether a value is the stale marker.
pub fn is_stale(value: f64) -> bool {
    value.to_bits() == STALE_NAN_BITS
}

/// One observation.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sample {
    /// Milliseconds since the epoch.
    pub t_ms: i64,
    /// The value.
    pub value: f64,
}

/// A series over time, oldest sample first.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    /// Its identity.
    pub labels: Labels,
    /// Its samples in the order of time.
    pub samples: Vec<Sample>,
}

/// One element of an instant vector.
#[derive(Debug, Clone, PartialEq)]
pub struct Point {
    /// The identity of the element.
    pub labels: Labels,
    /// Value and time; the time is the evaluation time except for a bare selector in `timestamp`.
    pub sample: Sample,
}

/// What a query evaluates to.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// One number.
    Scalar(Sample),
    /// One text.
    String(String),
    /// One sample per series.
    Vector(Vec<Point>),
    /// Samples over time per series.
    Matrix(Vec<Series>),
}
