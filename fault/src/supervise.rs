//! Child processes that die with their parent.
//!
//! The parent writes one line with the token to the child's stdin and keeps it open; the child says
//! on its first line of stdout where it listens, logs on the others, and exits when stdin closes:
//! also when the parent was killed. [`Handshake`] is the child's side.

mod child;
mod handshake;
mod lines;
mod ready;

pub use child::{Child, Exit, Spec, SuperviseError};
pub use handshake::{Handshake, HandshakeError};
pub use ready::{Ready, ServiceAddress};
