//! What a script expects, and whether a result is that.

use crate::engine::{Evaluated, Notes};
use crate::labels::Labels;
use crate::query::unanchored_regex;
use crate::value::{Point, Sample, Series, Value};

/// How far two values may be apart, relative to their size.
const TOLERANCE: f64 = 1e-6;

#[derive(Debug, Default)]
pub(super) struct Expectation {
    pub(super) fails: Option<Text>,
    pub(super) warnings: Vec<Annotation>,
    pub(super) infos: Vec<Annotation>,
    pub(super) ordered: bool,
    /// Something native histograms are needed for.
    pub(super) native: bool,
    pub(super) string: Option<String>,
    pub(super) scalar: Option<f64>,
    /// Start and step of the samples of a range vector.
    pub(super) range: Option<(i64, i64)>,
    pub(super) rows: Vec<Row>,
}

#[derive(Debug)]
pub(super) struct Row {
    pub(super) labels: Labels,
    pub(super) samples: Vec<Option<f64>>,
}

/// A text that is expected.
#[derive(Debug)]
pub(super) enum Text {
    Any,
    Exactly(String),
    Matching(String),
}

/// What is expected of the remarks of one kind.
#[derive(Debug)]
pub(super) enum Annotation {
    None,
    Some(Text),
}

impl Text {
    fn accepts(&self, text: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Exactly(expected) => text == expected,
            Self::Matching(pattern) => {
                unanchored_regex(pattern).is_ok_and(|regex| regex.is_match(text))
            }
        }
    }

    fn describe(&self) -> String {
        match self {
            Self::Any => "any text".to_owned(),
            Self::Exactly(text) => format!("{text:?}"),
            Self::Matching(pattern) => format!("a text matching {pattern:?}"),
        }
    }
}

/// A difference: what was expected and what came out.
pub(super) type Difference = (String, String);

impl Expectation {
    /// Checks a failure to parse or to evaluate.
    pub(super) fn check_failure(&self, message: &str) -> Result<(), Difference> {
        match &self.fails {
            Some(text) if text.accepts(message) => Ok(()),
            Some(text) => Err((
                format!("an error with {}", text.describe()),
                format!("error: {message}"),
            )),
            None => Err((self.describe(), format!("error: {message}"))),
        }
    }

    /// Checks the result at one time.
    pub(super) fn check_instant(&self, evaluated: &Evaluated) -> Result<(), Difference> {
        self.refuse_success(&evaluated.value)?;
        self.check_notes(&evaluated.notes)?;
        match &evaluated.value {
            Value::Scalar(sample) => self.check_scalar(*sample),
            Value::String(text) if self.string.as_ref() == Some(text) => Ok(()),
            Value::Vector(points) => self.check_vector(points),
            Value::Matrix(series) if self.range.is_some() => {
                let (start_ms, step_ms) = self.range.unwrap_or_default();
                self.check_matrix(series, start_ms, step_ms)
            }
            value @ (Value::String(_) | Value::Matrix(_)) => {
                Err((self.describe(), describe(value)))
            }
        }
    }

    /// Checks the result of a range query.
    pub(super) fn check_range(
        &self,
        evaluated: &Evaluated,
        start_ms: i64,
        step_ms: i64,
    ) -> Result<(), Difference> {
        self.refuse_success(&evaluated.value)?;
        self.check_notes(&evaluated.notes)?;
        match &evaluated.value {
            Value::Matrix(series) => self.check_matrix(series, start_ms, step_ms),
            value => Err((self.describe(), describe(value))),
        }
    }

    /// Checks the points of a range query that lie at one time.
    pub(super) fn check_middle(&self, value: &Value, t_ms: i64) -> Result<(), Difference> {
        let Value::Matrix(series) = value else {
            return Ok(());
        };
        let points: Vec<Point> = series
            .iter()
            .filter_map(|series| {
                let sample = *series.samples.iter().find(|sample| sample.t_ms == t_ms)?;
                Some(Point {
                    labels: series.labels.clone(),
                    sample,
                })
            })
            .collect();
        let checked = match (self.scalar, points.as_slice()) {
            (Some(_), [only]) => self.check_scalar(only.sample),
            _ => self.check_vector(&points),
        };
        checked.map_err(|(expected, got)| (expected, format!("as a range query: {got}")))
    }

    fn refuse_success(&self, value: &Value) -> Result<(), Difference> {
        match &self.fails {
            None => Ok(()),
            Some(text) => Err((
                format!("an error with {}", text.describe()),
                describe(value),
            )),
        }
    }

    fn check_notes(&self, notes: &Notes) -> Result<(), Difference> {
        check_annotations(&self.warnings, &notes.warnings, "PromQL warning: ")?;
        check_annotations(&self.infos, &notes.infos, "PromQL info: ")
    }

    fn check_scalar(&self, sample: Sample) -> Result<(), Difference> {
        match self.scalar {
            Some(expected) if close(expected, sample.value) => Ok(()),
            _ => Err((self.describe(), sample.value.to_string())),
        }
    }

    fn check_vector(&self, points: &[Point]) -> Result<(), Difference> {
        let found = |row: &Row, point: &Point| {
            row.labels == point.labels
                && row
                    .samples
                    .first()
                    .copied()
                    .flatten()
                    .is_some_and(|v| close(v, point.sample.value))
        };
        let same = points.len() == self.rows.len()
            && if self.ordered {
                self.rows
                    .iter()
                    .zip(points)
                    .all(|(row, point)| found(row, point))
            } else {
                self.rows
                    .iter()
                    .all(|row| points.iter().any(|point| found(row, point)))
            };
        if same && self.scalar.is_none() {
            Ok(())
        } else {
            Err((self.describe(), describe(&Value::Vector(points.to_vec()))))
        }
    }

    fn check_matrix(
        &self,
        series: &[Series],
        start_ms: i64,
        step_ms: i64,
    ) -> Result<(), Difference> {
        let scalar = self.scalar.map(|value| Row {
            labels: Labels::default(),
            samples: vec![Some(value)],
        });
        let mut rows = self.rows.iter().chain(&scalar);
        let count = self.rows.len() + usize::from(scalar.is_some());
        let same = count == series.len()
            && rows.all(|row| {
                series.iter().any(|series| {
                    series.labels == row.labels && same_samples(series, row, start_ms, step_ms)
                })
            });
        if same {
            Ok(())
        } else {
            Err((self.describe(), describe(&Value::Matrix(series.to_vec()))))
        }
    }

    fn describe(&self) -> String {
        if let Some(text) = &self.fails {
            return format!("an error with {}", text.describe());
        }
        if let Some(text) = &self.string {
            return format!("{text:?}");
        }
        if let Some(value) = self.scalar {
            return value.to_string();
        }
        let rows: Vec<String> = self
            .rows
            .iter()
            .map(|row| {
                let samples: Vec<String> = row
                    .samples
                    .iter()
                    .map(|sample| sample.map_or("_".to_owned(), |value| value.to_string()))
                    .collect();
                format!("{} {}", row.labels, samples.join(" "))
            })
            .collect();
        if rows.is_empty() {
            "nothing".to_owned()
        } else {
            rows.join("\n")
        }
    }
}

fn same_samples(series: &Series, row: &Row, start_ms: i64, step_ms: i64) -> bool {
    let expected: Vec<(i64, f64)> = row
        .samples
        .iter()
        .enumerate()
        .filter_map(|(index, sample)| Some((start_ms + index as i64 * step_ms, (*sample)?)))
        .collect();
    expected.len() == series.samples.len()
        && expected
            .iter()
            .zip(&series.samples)
            .all(|((t_ms, value), sample)| *t_ms == sample.t_ms && close(*value, sample.value))
}

fn check_annotations(
    expected: &[Annotation],
    found: &[String],
    prefix: &str,
) -> Result<(), Difference> {
    // Who expects some remarks expects no others of their kind.
    let texts = || {
        expected.iter().filter_map(|annotation| match annotation {
            Annotation::Some(text) => Some(text),
            Annotation::None => None,
        })
    };
    if let Some(first) = texts().next() {
        let unexpected = found.iter().any(|remark| {
            let remark = format!("{prefix}{remark}");
            !texts().any(|text| text.accepts(&remark))
        });
        if unexpected {
            return Err((
                format!("{prefix}with {} and no other", first.describe()),
                format!("remarks: {found:?}"),
            ));
        }
    }
    for annotation in expected {
        let fits = match annotation {
            Annotation::None => found.is_empty(),
            Annotation::Some(text) => found
                .iter()
                .any(|remark| text.accepts(&format!("{prefix}{remark}"))),
        };
        if !fits {
            let wanted = match annotation {
                Annotation::None => format!("no remark {prefix}…"),
                Annotation::Some(text) => format!("{prefix}with {}", text.describe()),
            };
            return Err((wanted, format!("remarks: {found:?}")));
        }
    }
    Ok(())
}

fn describe(value: &Value) -> String {
    match value {
        Value::Scalar(sample) => sample.value.to_string(),
        Value::String(text) => format!("{text:?}"),
        Value::Vector(points) if points.is_empty() => "nothing".to_owned(),
        Value::Vector(points) => {
            let rows: Vec<String> = points
                .iter()
                .map(|point| format!("{} {}", point.labels, point.sample.value))
                .collect();
            rows.join("\n")
        }
        Value::Matrix(series) if series.is_empty() => "nothing".to_owned(),
        Value::Matrix(series) => {
            let rows: Vec<String> = series
                .iter()
                .map(|series| {
                    let samples: Vec<String> = series
                        .samples
                        .iter()
                        .map(|sample| format!("{}@{}", sample.value, sample.t_ms))
                        .collect();
                    format!("{} {}", series.labels, samples.join(" "))
                })
                .collect();
            rows.join("\n")
        }
    }
}

/// Says whether two values are the same but for rounding.
fn close(a: f64, b: f64) -> bool {
    if a == b || (a.is_nan() && b.is_nan()) {
        return true;
    }
    if !a.is_finite() || !b.is_finite() {
        return false;
    }
    let difference = (a - b).abs();
    let size = a.abs() + b.abs();
    if a == 0.0 || b == 0.0 || size < f64::MIN_POSITIVE {
        return difference < TOLERANCE * f64::MIN_POSITIVE;
    }
    difference / size.min(f64::MAX) < TOLERANCE
}
