//! Discounts and coupons.

use axum::Router;

use super::Started;
use crate::config::Role;

pub(super) fn start() -> Started {
    Started {
        role: Role::Promotions,
        router: Router::new(),
        routes: Vec::new(),
        db: None,
        background: Vec::new(),
    }
}
