//! The kinds of faults, one row each.
//!
//! To add one: write `kinds/NAME.rs` (its parameters, how they are read and written), add a row
//! here, and let the seam that carries it out act on it (`decide.rs` for requests, `hooks.rs` for
//! databases and traffic); then a row in the table test `tests/it/kinds.rs`.

mod db_stall;
mod drop;
mod error;
mod latency;
mod surge;

use std::fmt;

use serde_json::{Map, Value};

use crate::model::decode::Fields;

pub use db_stall::{DbStall, StallMode};
pub use drop::Drop;
pub use error::{Error, ErrorBody, ErrorStatus};
pub use latency::{Distribution, Latency};
pub use surge::Surge;

/// Where a fault is carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Seam {
    /// Requests that a service answers: [`layer`](crate::layer).
    Request,
    /// A service's database: [`hooks::DbStalls`](crate::hooks::DbStalls).
    Database,
    /// What a load generator sends: [`hooks::Traffic`](crate::hooks::Traffic).
    Traffic,
}

/// Which of the common fields mean something to a fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Applies {
    pub(crate) share: bool,
    pub(crate) ramp: bool,
    /// `where.route` and `where.method`; `where.service` always does.
    pub(crate) route: bool,
}

/// The parameters of one kind.
trait Params: Sized {
    /// Reads the kind's own fields; what is wrong is reported to `fields`.
    fn decode(fields: &mut Fields<'_, '_>) -> Option<Self>;
    /// Writes the kind's own fields.
    fn encode(&self, map: &mut Map<String, Value>);
    /// Tells which of the common fields mean something.
    fn applies(&self) -> Applies;
}

macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident = $name:literal, $seam:ident;)*) => {
        /// A kind of fault.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum FaultKind { $($(#[$doc])* $kind,)* }

        /// What goes wrong, with its parameters.
        #[derive(Debug, Clone, PartialEq)]
        pub enum Fault { $($(#[$doc])* $kind($kind),)* }

        impl FaultKind {
            /// Every kind.
            pub const ALL: &[Self] = &[$(Self::$kind,)*];

            /// Returns the name used in playbooks, on the wire and in metrics.
            pub fn name(self) -> &'static str {
                match self { $(Self::$kind => $name,)* }
            }

            /// Returns where this kind is carried out.
            pub fn seam(self) -> Seam {
                match self { $(Self::$kind => Seam::$seam,)* }
            }
        }

        impl Fault {
            /// Returns the kind.
            pub fn kind(&self) -> FaultKind {
                match self { $(Self::$kind(_) => FaultKind::$kind,)* }
            }

            pub(crate) fn decode(kind: FaultKind, fields: &mut Fields<'_, '_>) -> Option<Self> {
                match kind { $(FaultKind::$kind => $kind::decode(fields).map(Self::$kind),)* }
            }

            pub(crate) fn encode(&self, map: &mut Map<String, Value>) {
                match self { $(Self::$kind(params) => params.encode(map),)* }
            }

            pub(crate) fn applies(&self) -> Applies {
                match self { $(Self::$kind(params) => params.applies(),)* }
            }
        }
    };
}

kinds! {
    /// The request waits before it is handled.
    Latency = "latency", Request;
    /// The request is answered with an error and not handled.
    Error = "error", Request;
    /// The service's database connections or a lock are held, so that queries queue.
    DbStall = "db_stall", Database;
    /// More traffic arrives.
    Surge = "surge", Traffic;
    /// Traffic does not arrive.
    Drop = "drop", Traffic;
}

impl FaultKind {
    /// Returns the kind of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.name() == name)
    }

    /// Says whether the load generator carries it out, and not the service.
    pub fn is_traffic(self) -> bool {
        self.seam() == Seam::Traffic
    }
}

impl fmt::Display for FaultKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
