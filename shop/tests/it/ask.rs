//! One request with all that can be said with it: who asks, with which key.

use std::time::Duration;

use reqwest::{Method, header::HeaderMap};
use serde_json::Value;
use shop::config::{DataPlace, Role, ShopConfig};

use crate::{databases::quiet, lab::Lab};

/// An admin, as the storefront tells inner roles.
pub(crate) const ADMIN: &[(&str, &str)] = &[("x-shop-user", "1"), ("x-shop-role", "admin")];
/// A customer, as the storefront tells inner roles.
pub(crate) const CUSTOMER: &[(&str, &str)] = &[("x-shop-user", "2"), ("x-shop-role", "customer")];
/// Someone without an account.
pub(crate) const ANYBODY: &[(&str, &str)] = &[];

/// Returns a quiet shop whose requests wait for the database as long as it takes: what is asked at
/// once on a busy machine is not to fail for that.
pub(crate) fn patient(place: DataPlace) -> ShopConfig {
    let mut config = quiet(place);
    config.db_acquire_timeout = Duration::from_secs(30);
    config.call_timeout = Duration::from_secs(30);
    config
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
}

impl Said {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }
}

/// Asks a role; `what` is method and path, as in `GET /products`.
pub(crate) async fn ask(
    lab: &Lab,
    role: Role,
    what: &str,
    headers: &[(&str, &str)],
    body: Option<Value>,
) -> Said {
    let (method, path) = what.split_once(' ').unwrap();
    let method: Method = method.parse().unwrap();
    let mut request = lab.client.request(method, lab.url(role) + path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    if let Some(body) = body {
        request = request.json(&body);
    }
    let response = request.send().await.unwrap();
    let status = response.status().as_u16();
    let headers = response.headers().clone();
    let bytes = response.bytes().await.unwrap();
    Said {
        status,
        headers,
        body: serde_json::from_slice(&bytes).unwrap_or_default(),
    }
}
