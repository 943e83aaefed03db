//! The one grammar for "is this number as it should be": `> 5`, `<= 0.01`, `== 0`, `!= 1`,
//! `between 1 and 2`, `[1, 2]`.

use std::fmt;
use std::str::FromStr;

use promql::value::{Series, Value};
use serde::{Deserialize, Serialize};

/// A condition on a number.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Tolerance {
    /// `> x`
    Above(f64),
    /// `>= x`
    AtLeast(f64),
    /// `< x`
    Below(f64),
    /// `<= x`
    AtMost(f64),
    /// `== x`
    Equal(f64),
    /// `!= x`
    NotEqual(f64),
    /// `between low and high`, both ends included.
    Between(f64, f64),
}

/// What a query says about a tolerance.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Reading {
    /// Every value is within; the first value.
    Within(f64),
    /// At least one value is not; the first such value.
    Outside(f64),
    /// There is no value to judge: nothing came back, or not a number.
    NoData,
}

impl Tolerance {
    /// Says whether a value is within. A value that is not a number never is.
    pub fn holds(self, value: f64) -> bool {
        match self {
            Self::Above(limit) => value > limit,
            Self::AtLeast(limit) => value >= limit,
            Self::Below(limit) => value < limit,
            Self::AtMost(limit) => value <= limit,
            Self::Equal(limit) => value == limit,
            Self::NotEqual(limit) => !value.is_nan() && value != limit,
            Self::Between(low, high) => (low..=high).contains(&value),
        }
    }

    /// Judges the answer to a query: every element must be within.
    pub fn read(self, value: &Value) -> Reading {
        match value {
            Value::Scalar(sample) => self.read_all([sample.value]),
            Value::Vector(points) => self.read_all(points.iter().map(|point| point.sample.value)),
            Value::Matrix(series) => self.read_all(series.iter().filter_map(last_value)),
            Value::String(_) => Reading::NoData,
        }
    }

    /// Says whether any element is within; nothing is not.
    pub fn any(self, value: &Value) -> bool {
        match value {
            Value::Scalar(sample) => self.holds(sample.value),
            Value::Vector(points) => points.iter().any(|point| self.holds(point.sample.value)),
            Value::Matrix(series) => series
                .iter()
                .filter_map(last_value)
                .any(|value| self.holds(value)),
            Value::String(_) => false,
        }
    }

    fn read_all(self, values: impl IntoIterator<Item = f64>) -> Reading {
        let mut first = None;
        for value in values {
            if value.is_nan() {
                return Reading::NoData;
            }
            if !self.holds(value) {
                return Reading::Outside(value);
            }
            first.get_or_insert(value);
        }
        first.map_or(Reading::NoData, Reading::Within)
    }
}

fn last_value(series: &Series) -> Option<f64> {
    series.samples.last().map(|sample| sample.value)
}

impl fmt::Display for Tolerance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Above(x) => write!(f, "> {x}"),
            Self::AtLeast(x) => write!(f, ">= {x}"),
            Self::Below(x) => write!(f, "< {x}"),
            Self::AtMost(x) => write!(f, "<= {x}"),
            Self::Equal(x) => write!(f, "== {x}"),
            Self::NotEqual(x) => write!(f, "!= {x}"),
            Self::Between(low, high) => write!(f, "between {low} and {high}"),
        }
    }
}

/// Why a text is not a tolerance.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ToleranceError {
    /// The operator is missing or unknown.
    #[error(
        "`{0}` is not a condition: write an operator and a number, such as '> 5', '<= 0.01', \
         '== 0', or 'between 1 and 2'"
    )]
    Form(String),
    /// What follows the operator is not a number.
    #[error("`{0}` is not a number")]
    Number(String),
    /// The lower end is above the upper one.
    #[error("the range is empty: {0} is above {1}")]
    Empty(String, String),
}

/// Makes a tolerance of its limit.
type Form = fn(f64) -> Tolerance;

impl FromStr for Tolerance {
    type Err = ToleranceError;

    fn from_str(text: &str) -> Result<Self, ToleranceError> {
        let text = text.trim();
        if let Some(range) = text.strip_prefix("between ") {
            let (low, high) = range
                .split_once(" and ")
                .ok_or_else(|| ToleranceError::Form(text.to_owned()))?;
            return Self::between(number(low)?, number(high)?);
        }
        let forms: [(&str, Form); 6] = [
            (">=", Self::AtLeast),
            ("<=", Self::AtMost),
            ("==", Self::Equal),
            ("!=", Self::NotEqual),
            (">", Self::Above),
            ("<", Self::Below),
        ];
        forms
            .into_iter()
            .find_map(|(operator, make)| Some((text.strip_prefix(operator)?, make)))
            .ok_or_else(|| ToleranceError::Form(text.to_owned()))
            .and_then(|(rest, make)| Ok(make(number(rest)?)))
    }
}

impl Tolerance {
    /// Returns the range with both ends included.
    pub fn between(low: f64, high: f64) -> Result<Self, ToleranceError> {
        if low > high {
            return Err(ToleranceError::Empty(low.to_string(), high.to_string()));
        }
        Ok(Self::Between(low, high))
    }
}

impl TryFrom<String> for Tolerance {
    type Error = ToleranceError;

    fn try_from(text: String) -> Result<Self, ToleranceError> {
        text.parse()
    }
}

impl From<Tolerance> for String {
    fn from(tolerance: Tolerance) -> Self {
        tolerance.to_string()
    }
}

fn number(text: &str) -> Result<f64, ToleranceError> {
    let text = text.trim();
    match text.parse::<f64>() {
        Ok(value) if !value.is_nan() => Ok(value),
        _ => Err(ToleranceError::Number(text.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_grammar() {
        for (text, inside, outside) in [
            ("> 5", 5.1, 5.0),
            (">= 5", 5.0, 4.9),
            ("<0.01", 0.0, 0.01),
            ("<= 0.01", 0.01, 0.02),
            ("== 0", 0.0, 1.0),
            ("!= 0", 1.0, 0.0),
            ("between 1 and 2", 2.0, 2.1),
            ("> -1e3", 0.0, -1000.0),
        ] {
            let tolerance: Tolerance = text.parse().expect(text);
            assert!(tolerance.holds(inside), "{text} holds {inside}");
            assert!(!tolerance.holds(outside), "{text} holds {outside}");
            assert!(!tolerance.holds(f64::NAN), "{text} holds NaN");
            assert_eq!(tolerance.to_string().parse(), Ok(tolerance));
        }
        for text in [
            "5",
            "",
            "> ",
            "=> 5",
            "> five",
            "between 2 and 1",
            "between 1",
            "> NaN",
        ] {
            assert!(text.parse::<Tolerance>().is_err(), "{text}");
        }
    }

    #[test]
    fn no_data_is_not_within() {
        let tolerance = Tolerance::Below(1.0);
        assert_eq!(tolerance.read(&Value::Vector(vec![])), Reading::NoData);
        assert_eq!(tolerance.read_all([f64::NAN]), Reading::NoData);
        assert_eq!(tolerance.read_all([0.5, 2.0]), Reading::Outside(2.0));
        assert_eq!(tolerance.read_all([0.5]), Reading::Within(0.5));
    }
}
