//! `drop`: traffic does not arrive. The share is the part of the arrivals that is dropped.

use serde_json::{Map, Value};

use super::{Applies, Params};
use crate::model::decode::Fields;

/// Arrivals that are never sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Drop;

impl Params for Drop {
    fn decode(_: &mut Fields<'_, '_>) -> Option<Self> {
        Some(Self)
    }

    fn encode(&self, _: &mut Map<String, Value>) {}

    fn applies(&self) -> Applies {
        Applies {
            share: true,
            ramp: true,
            route: true,
        }
    }
}
