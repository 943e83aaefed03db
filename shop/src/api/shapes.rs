//! The bodies of the public API, as its document describes them and as clients may read them.
//!
//! Amounts are whole cents, times are milliseconds since the epoch. What a client sends is read field
//! by field (`http::input`), so that every field at fault is named at once; these types say the same
//! bounds in the words of JSON Schema.

mod accounts;
mod orders;
mod products;
mod promotions;
mod refusals;

pub use accounts::*;
pub use orders::*;
pub use products::*;
pub use promotions::*;
pub use refusals::*;
