//! A fault with its end, its lease and its owner: the body of `PUT /faults/{id}`.

use std::time::Duration;

use serde_json::{Map, Value, json};

use super::FaultBody;
use super::decode::{FieldError, Fields};

/// The dead-man time of a fault whose request names none.
pub const DEFAULT_LEASE: Duration = Duration::from_secs(10);

/// The longest `for` and `lease` anyone may ask for, caps or not.
pub const MAX_DURATION: Duration = Duration::from_hours(24);

/// What it takes to arm a fault.
#[derive(Debug, Clone, PartialEq)]
pub struct ArmRequest {
    /// What goes wrong.
    pub fault: FaultBody,
    /// The hard end (`for` on the wire): the server ends the fault after this time.
    pub duration: Duration,
    /// The dead-man time: the server ends the fault when nobody renewed it for this long.
    pub lease: Duration,
    /// Who arms it: a run's name. One target serves one owner at a time.
    pub owner: String,
    /// Why, for the audit log.
    pub reason: String,
    /// Two faults with the same id and seed make the same decisions.
    pub seed: u64,
}

impl ArmRequest {
    /// Returns a request with the default lease and seed 0.
    pub fn new(
        fault: FaultBody,
        duration: Duration,
        owner: impl Into<String>,
        reason: impl Into<String>,
    ) -> Self {
        let (owner, reason) = (owner.into(), reason.into());
        Self {
            fault,
            duration,
            lease: DEFAULT_LEASE,
            owner,
            reason,
            seed: 0,
        }
    }

    /// Reads the wire form, and returns every problem when there is one.
    pub fn decode(value: &Value) -> Result<Self, Vec<FieldError>> {
        let mut errors = Vec::new();
        let request = Fields::open(value, "", &mut errors).and_then(Self::decode_fields);
        request.filter(|_| errors.is_empty()).ok_or(errors)
    }

    fn decode_fields(mut fields: Fields<'_, '_>) -> Option<Self> {
        let has_fault = fields.has("fault");
        let fault = fields.object("fault").and_then(FaultBody::decode_fields);
        if !has_fault {
            fields.wrong(
                "fault",
                "is missing",
                r#"such as {"kind": "error", "status": 503}"#.to_owned(),
            );
        }
        let duration = bounded(&mut fields, "for");
        let duration = fields.required(
            "for",
            duration,
            "the hard end of the fault, such as \"90s\"",
        );
        let lease = bounded(&mut fields, "lease").unwrap_or(DEFAULT_LEASE);
        let owner = short_text(
            &mut fields,
            "owner",
            128,
            "who arms the fault, such as the name of the run",
        );
        let reason = short_text(&mut fields, "reason", 512, "why, for the audit log");
        let seed = fields.unsigned("seed").unwrap_or(0);
        fields.finish();
        Some(Self {
            fault: fault?,
            duration: duration?,
            lease,
            owner: owner?,
            reason: reason?,
            seed,
        })
    }

    /// Returns the wire form.
    pub fn to_value(&self) -> Value {
        let mut map = Map::new();
        map.insert("fault".to_owned(), self.fault.to_value());
        map.insert("for".to_owned(), text_of(self.duration));
        map.insert("lease".to_owned(), text_of(self.lease));
        map.insert("owner".to_owned(), json!(self.owner));
        map.insert("reason".to_owned(), json!(self.reason));
        map.insert("seed".to_owned(), json!(self.seed));
        Value::Object(map)
    }
}

fn text_of(duration: Duration) -> Value {
    Value::from(humantime::format_duration(duration).to_string())
}

fn bounded(fields: &mut Fields<'_, '_>, name: &'static str) -> Option<Duration> {
    let duration = fields.duration(name)?;
    if duration.is_zero() || duration > MAX_DURATION {
        fields.wrong(name, "must be more than zero and at most 24h", None);
        return None;
    }
    Some(duration)
}

fn short_text(
    fields: &mut Fields<'_, '_>,
    name: &'static str,
    limit: usize,
    help: &str,
) -> Option<String> {
    let text = fields.text(name);
    let text = fields.required(name, text, help)?;
    if text.len() > limit {
        fields.wrong(name, format!("is longer than {limit} bytes"), None);
        return None;
    }
    Some(text)
}
