//! The simulated third parties: payment providers, CRM, warehouses.

use axum::Router;

use super::Started;
use crate::config::Role;

pub(super) fn start() -> Started {
    Started {
        role: Role::Partners,
        router: Router::new(),
        routes: Vec::new(),
        db: None,
        background: Vec::new(),
    }
}
