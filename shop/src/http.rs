//! What every role does with HTTP: problems, bodies, middleware, serving, and calls to other roles.
//!
//! Knows no route and no product.

pub mod url;
