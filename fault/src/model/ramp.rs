//! A fault that grows instead of starting at full strength.

use std::time::Duration;

use serde_json::{Map, Value};

use super::decode::Fields;
use super::{MAX_DURATION, Share};

/// A straight line from one share to the fault's own share.
///
/// What grows is the share: of the requests that fail or wait, of the arrivals that are dropped, of
/// the connections that are held. A surge has no share; there its surplus grows, from `from` of it
/// to all of it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ramp {
    /// How long it takes to reach the fault's share.
    pub over: Duration,
    /// The share at the start.
    pub from: Share,
}

impl Ramp {
    /// Returns the share at `age` on the way to `to`.
    pub fn level(&self, to: Share, age: Duration) -> Share {
        if age >= self.over {
            return to;
        }
        self.from
            .towards(to, age.as_secs_f64() / self.over.as_secs_f64())
    }

    pub(crate) fn decode(mut fields: Fields<'_, '_>) -> Option<Self> {
        let over = fields.duration("over");
        let over = fields.required("over", over, "how long the ramp takes, such as \"10s\"");
        if over.is_some_and(|over| over > MAX_DURATION) {
            fields.wrong("over", "must be at most 24h", None);
        }
        let from = fields.share("from").unwrap_or(Share::NONE);
        fields.one_of("shape", &[("linear", ())]);
        fields.finish();
        over.map(|over| Self { over, from })
    }

    pub(crate) fn encode(&self) -> Map<String, Value> {
        let mut map = Map::new();
        map.insert(
            "over".to_owned(),
            Value::from(humantime::format_duration(self.over).to_string()),
        );
        map.insert("from".to_owned(), Value::from(self.from.part()));
        map
    }
}
