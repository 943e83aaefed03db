//! `db_stall`: the service's database connections or a lock are held, so that queries queue.

use serde_json::{Map, Value};

use super::{Applies, Params};
use crate::model::decode::Fields;

/// What is held. The share is the part of the pool's connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DbStall {
    /// What is held.
    pub mode: StallMode,
}

/// What a stall holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StallMode {
    /// Connections of the pool: queries wait for one.
    Connections,
    /// A lock that every write needs: writes wait for it.
    Lock,
}

const MODES: [(&str, StallMode); 2] = [
    ("connections", StallMode::Connections),
    ("lock", StallMode::Lock),
];

impl Params for DbStall {
    fn decode(fields: &mut Fields<'_, '_>) -> Option<Self> {
        let given = fields.has("mode");
        let mode = fields.one_of("mode", &MODES);
        if given {
            mode
        } else {
            Some(StallMode::Connections)
        }
        .map(|mode| Self { mode })
    }

    fn encode(&self, map: &mut Map<String, Value>) {
        let name = MODES.iter().find(|(_, own)| *own == self.mode);
        map.insert("mode".to_owned(), Value::from(name.map(|(name, _)| *name)));
    }

    fn applies(&self) -> Applies {
        // There is no half of a lock.
        let parts = self.mode == StallMode::Connections;
        Applies {
            share: parts,
            ramp: parts,
            route: false,
        }
    }
}
