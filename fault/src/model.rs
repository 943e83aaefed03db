//! What a fault is: the wire form, decoded once into types that everything after can trust.
//!
//! Nothing here acts. [`body`](FaultBody) is what stands inside `fault:` in a playbook and on the
//! wire, [`arm`](ArmRequest) is that body with its end, lease and owner, `status` is what the
//! control API answers.

mod arm;
mod body;
pub(crate) mod decode;
mod id;
mod ramp;
mod scope;
mod share;
mod status;

pub use arm::{ArmRequest, DEFAULT_LEASE, MAX_DURATION};
pub use body::FaultBody;
pub use decode::FieldError;
pub use id::{BadFaultId, FaultId};
pub use ramp::Ramp;
pub use scope::Scope;
pub(crate) use scope::same_route;
pub use share::{BadShare, Share};
pub use status::{Ended, FaultStatus, Listing};
