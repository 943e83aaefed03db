//! `surge`: more traffic arrives.

use serde_json::{Map, Value};

use super::{Applies, Params};
use crate::model::decode::Fields;

/// How much traffic arrives.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Surge {
    /// That many times the usual rate; below 1 it is less.
    Factor(f64),
    /// That many arrivals a second.
    Rate(f64),
}

impl Surge {
    /// Returns the arrivals a second at `level` (0 to 1) of the surge.
    pub(crate) fn rate(self, base: f64, level: f64) -> f64 {
        let full = match self {
            Self::Factor(factor) => base * factor,
            Self::Rate(rate) => rate,
        };
        base + (full - base) * level
    }
}

/// More would only measure the generator.
const MAX_FACTOR: f64 = 1_000.0;
const MAX_RATE: f64 = 100_000.0;

impl Params for Surge {
    fn decode(fields: &mut Fields<'_, '_>) -> Option<Self> {
        let factor = fields.number("factor");
        let rate = fields.number("rate");
        match (fields.has("factor"), fields.has("rate")) {
            (true, true) => {
                fields.wrong(
                    "rate",
                    "cannot stand beside `factor`",
                    "give one of them".to_owned(),
                );
                None
            }
            (false, false) => {
                fields.wrong(
                    "factor",
                    "is missing",
                    "`factor: 5`, or `rate:` in arrivals a second".to_owned(),
                );
                None
            }
            (true, false) => bounded(fields, "factor", factor?, MAX_FACTOR).map(Self::Factor),
            (false, true) => bounded(fields, "rate", rate?, MAX_RATE).map(Self::Rate),
        }
    }

    fn encode(&self, map: &mut Map<String, Value>) {
        match *self {
            Self::Factor(factor) => map.insert("factor".to_owned(), Value::from(factor)),
            Self::Rate(rate) => map.insert("rate".to_owned(), Value::from(rate)),
        };
    }

    fn applies(&self) -> Applies {
        Applies {
            share: false,
            ramp: true,
            route: false,
        }
    }
}

fn bounded(fields: &mut Fields<'_, '_>, name: &str, value: f64, limit: f64) -> Option<f64> {
    if value > 0.0 && value <= limit {
        return Some(value);
    }
    let help = "to stop traffic use `kind: drop`".to_owned();
    fields.wrong(
        name,
        format!("{value} is not more than 0 and at most {limit}"),
        help,
    );
    None
}
