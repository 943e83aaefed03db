//! What stands inside `fault:`, in a playbook and on the wire.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};

use super::decode::{FieldError, Fields, suggest};
use super::{Ramp, Scope, Share};
use crate::kinds::{Fault, FaultKind};

/// What goes wrong, how often, where, and how fast it grows. Decoded, it can be trusted.
///
/// The wire form is flat: `{"kind": "error", "status": 503, "share": "50%", "where": {…}}`.
#[derive(Debug, Clone, PartialEq)]
pub struct FaultBody {
    /// What goes wrong.
    pub fault: Fault,
    /// How much of what falls under `scope` is hit.
    pub share: Share,
    /// Which requests it is about (`where` on the wire).
    pub scope: Scope,
    /// How it grows; absent, it starts at full strength.
    pub ramp: Option<Ramp>,
}

impl FaultBody {
    /// Returns a body that hits everything at once.
    pub fn new(fault: Fault) -> Self {
        Self {
            fault,
            share: Share::ALL,
            scope: Scope::default(),
            ramp: None,
        }
    }

    /// Returns the kind.
    pub fn kind(&self) -> FaultKind {
        self.fault.kind()
    }

    /// Reads the wire form, and returns every problem when there is one.
    pub fn decode(value: &Value) -> Result<Self, Vec<FieldError>> {
        let mut errors = Vec::new();
        let body = Fields::open(value, "", &mut errors).and_then(Self::decode_fields);
        body.filter(|_| errors.is_empty()).ok_or(errors)
    }

    pub(crate) fn decode_fields(mut fields: Fields<'_, '_>) -> Option<Self> {
        let kind = kind_of(&mut fields);
        let fault = kind.and_then(|kind| Fault::decode(kind, &mut fields));
        let has_share = fields.has("share");
        let share = fields.share("share").unwrap_or(Share::ALL);
        let scope = fields
            .object("where")
            .map(Scope::decode)
            .unwrap_or_default();
        let ramp = fields.object("ramp").and_then(Ramp::decode);
        if let Some(fault) = &fault {
            check_applies(&mut fields, fault, has_share, &scope);
        }
        // Without a kind nobody knows which fields there are.
        if kind.is_some() {
            fields.finish();
        }
        Some(Self {
            fault: fault?,
            share,
            scope,
            ramp,
        })
    }

    /// Returns the wire form. Decoding it gives the same body again.
    pub fn to_value(&self) -> Value {
        let mut map = Map::new();
        map.insert("kind".to_owned(), Value::from(self.kind().name()));
        self.fault.encode(&mut map);
        if self.fault.applies().share {
            map.insert("share".to_owned(), Value::from(self.share.part()));
        }
        if !self.scope.is_everything() {
            map.insert("where".to_owned(), Value::Object(self.scope.encode()));
        }
        if let Some(ramp) = &self.ramp {
            map.insert("ramp".to_owned(), Value::Object(ramp.encode()));
        }
        Value::Object(map)
    }

    /// Returns the share in force at `age`.
    pub fn level(&self, age: std::time::Duration) -> Share {
        self.ramp
            .map_or(self.share, |ramp| ramp.level(self.share, age))
    }
}

fn kind_of(fields: &mut Fields<'_, '_>) -> Option<FaultKind> {
    let names: Vec<&str> = FaultKind::ALL.iter().map(|kind| kind.name()).collect();
    let all = || format!("one of {}", names.join(", "));
    let text = fields.text("kind");
    let text = fields.required("kind", text, &all())?;
    let kind = FaultKind::from_name(&text);
    if kind.is_none() {
        let help =
            suggest(&text, &names).map_or_else(all, |near| format!("did you mean `{near}`?"));
        fields.wrong("kind", format!("unknown kind `{text}`"), help);
    }
    kind
}

/// Refuses what would be silently without effect.
fn check_applies(fields: &mut Fields<'_, '_>, fault: &Fault, has_share: bool, scope: &Scope) {
    let applies = fault.applies();
    let kind = fault.kind().name();
    if has_share && !applies.share {
        fields.wrong(
            "share",
            format!("has no meaning for this {kind} fault"),
            "remove it".to_owned(),
        );
    }
    if fields.has("ramp") && !applies.ramp {
        fields.wrong(
            "ramp",
            format!("has no meaning for this {kind} fault"),
            "remove it".to_owned(),
        );
    }
    for (name, given) in [
        ("where.route", scope.route.is_some()),
        ("where.method", scope.method.is_some()),
    ] {
        if given && !applies.route {
            let help = "it is about a whole service; remove it".to_owned();
            fields.wrong(name, format!("has no meaning for a {kind} fault"), help);
        }
    }
}

impl Serialize for FaultBody {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.to_value().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for FaultBody {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        Self::decode(&value).map_err(|errors| {
            let texts: Vec<String> = errors.iter().map(ToString::to_string).collect();
            serde::de::Error::custom(texts.join("; "))
        })
    }
}
