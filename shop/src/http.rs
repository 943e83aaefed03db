//! What every role does with HTTP: problems, input, the layers around routes, serving, and calls to
//! other roles.
//!
//! Knows no route and no product.

mod accept;
mod breaker;
pub(crate) mod call;
pub(crate) mod identity;
pub(crate) mod input;
pub(crate) mod observe;
pub(crate) mod problem;
pub(crate) mod query;
mod retry;
pub(crate) mod serve;
pub mod url;
mod window;
