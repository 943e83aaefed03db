//! Accounts, sessions and who may do what.

use axum::Router;

use super::Started;
use crate::config::Role;

pub(super) fn start() -> Started {
    Started {
        role: Role::Users,
        router: Router::new(),
        routes: Vec::new(),
        db: None,
        background: Vec::new(),
    }
}
