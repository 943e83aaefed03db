//! A part of the whole, between 0 and 1.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

/// A part of the whole: 0 never acts, 1 always does.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct Share(f64);

/// Why a share was refused.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum BadShare {
    /// A number above 1 without a percent sign: 50 may mean anything.
    #[error("`{0}` is not a share: a number stands between 0 and 1")]
    Bare(String),
    /// Outside of 0 % to 100 %.
    #[error("`{0}` is not between 0% and 100%")]
    Range(String),
    /// Not a number at all.
    #[error("`{0}` is not a share")]
    Syntax(String),
}

impl BadShare {
    /// Returns what to write instead.
    pub fn help(&self) -> String {
        match self {
            Self::Bare(text) => {
                format!("write `{text}%` for {text} percent, or a part such as 0.5")
            }
            Self::Range(_) | Self::Syntax(_) => "write it like `50%`, `0.1%` or `0.5`".to_owned(),
        }
    }
}

impl Share {
    /// Nothing.
    pub const NONE: Self = Self(0.0);
    /// Everything.
    pub const ALL: Self = Self(1.0);

    /// Returns the share for a part between 0 and 1.
    pub fn new(part: f64) -> Result<Self, BadShare> {
        if (0.0..=1.0).contains(&part) {
            // `-0.0` is inside of the range and prints badly.
            Ok(Self(part.abs()))
        } else if part > 1.0 {
            Err(BadShare::Bare(part.to_string()))
        } else {
            Err(BadShare::Range(part.to_string()))
        }
    }

    /// Returns the part, 0 to 1.
    pub fn part(self) -> f64 {
        self.0
    }

    /// Returns the share `progress` (0 to 1) of the way from `self` to `to`.
    pub(crate) fn towards(self, to: Self, progress: f64) -> Self {
        Self((self.0 + (to.0 - self.0) * progress).clamp(0.0, 1.0))
    }

    /// Reads a share out of a number or a text.
    pub(crate) fn from_value(value: &Value) -> Result<Self, BadShare> {
        match value {
            Value::String(text) => text.parse(),
            Value::Number(number) => Self::new(
                number
                    .as_f64()
                    .ok_or_else(|| BadShare::Syntax(number.to_string()))?,
            ),
            other => Err(BadShare::Syntax(other.to_string())),
        }
    }
}

impl FromStr for Share {
    type Err = BadShare;

    fn from_str(text: &str) -> Result<Self, BadShare> {
        let text = text.trim();
        let syntax = || BadShare::Syntax(text.to_owned());
        let number = |digits: &str| {
            // `inf`, `nan` and `1e3` parse as floats and are no shares.
            let plain = digits
                .chars()
                .all(|c| c.is_ascii_digit() || c == '.' || c == '-');
            plain
                .then(|| digits.parse::<f64>().ok())
                .flatten()
                .ok_or_else(syntax)
        };
        match text.strip_suffix('%') {
            Some(digits) => {
                let percent = number(digits.trim_end())?;
                if (0.0..=100.0).contains(&percent) {
                    Ok(Self(percent.abs() / 100.0))
                } else {
                    Err(BadShare::Range(text.to_owned()))
                }
            }
            None => Self::new(number(text)?),
        }
    }
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Seven places keep 0.07 from showing as 7.000000000000001 %.
        let percent = (self.0 * 1e9).round() / 1e7;
        write!(f, "{percent}%")
    }
}

impl Serialize for Share {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(self.0)
    }
}

impl<'de> Deserialize<'de> for Share {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        Self::from_value(&value).map_err(serde::de::Error::custom)
    }
}
