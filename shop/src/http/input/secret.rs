//! Fields that are not repeated in a refusal.

use serde_json::Value;

use super::Fields;
use crate::secret::Secret;

/// Longest secret that is read, in bytes: hashing it is work.
const LONGEST: usize = 256;

impl Fields {
    /// Reads a secret as it is, blanks included; an empty one stands for one that is reported at the
    /// end.
    pub(crate) fn secret(&mut self, name: &str) -> Secret {
        let text = match self.object.get(name) {
            None => Err("is missing"),
            Some(Value::String(text)) if text.is_empty() => Err("must not be empty"),
            Some(Value::String(text)) if text.len() > LONGEST => Err("is too long"),
            Some(Value::String(text)) => Ok(text.clone()),
            Some(_) => Err("must be a text"),
        };
        let text = text.unwrap_or_else(|message| {
            self.blame(name, message);
            String::new()
        });
        Secret::from(text)
    }

    /// Reads a secret that may be left out.
    pub(crate) fn optional_secret(&mut self, name: &str) -> Option<Secret> {
        match self.object.get(name) {
            None | Some(Value::Null) => None,
            Some(_) => Some(self.secret(name)),
        }
    }

    /// Reads yes or no that may be left out.
    pub(crate) fn optional_flag(&mut self, name: &str) -> Option<bool> {
        match self.object.get(name) {
            None | Some(Value::Null) => None,
            Some(Value::Bool(flag)) => Some(*flag),
            Some(_) => {
                self.blame(name, "must be true or false");
                None
            }
        }
    }

    /// Reports what a rule beyond the field's form says.
    pub(crate) fn blame(&mut self, name: &str, message: impl Into<String>) {
        self.refuse(name, message.into());
    }

    /// Tells whether a field has been reported.
    pub(crate) fn is_blamed(&self, name: &str) -> bool {
        self.errors.iter().any(|error| error.field == name)
    }
}
