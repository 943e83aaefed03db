//! Someone who buys, as the roles behind the storefront see them.

use reqwest::{Method, StatusCode, header::HeaderMap};
use serde_json::{Value, json};
use shop::config::{OrdersConfig, Role, ShopConfig};
use std::time::Duration;

use crate::lab::{Lab, answer};

/// Who sends a request to the orders role.
#[derive(Debug, Clone, Default)]
pub(crate) struct Buyer {
    headers: Vec<(&'static str, String)>,
}

impl Buyer {
    pub(crate) fn account(id: i64) -> Self {
        Self {
            headers: vec![
                ("x-shop-user", id.to_string()),
                ("x-shop-role", "customer".to_owned()),
            ],
        }
    }

    pub(crate) fn admin() -> Self {
        Self {
            headers: vec![
                ("x-shop-user", "1".to_owned()),
                ("x-shop-role", "admin".to_owned()),
            ],
        }
    }

    pub(crate) fn visit(session: &str) -> Self {
        Self {
            headers: vec![("x-shop-session", session.to_owned())],
        }
    }

    /// The same person, with an idempotency key.
    pub(crate) fn with_key(&self, key: &str) -> Self {
        let mut keyed = self.clone();
        keyed.headers.push(("idempotency-key", key.to_owned()));
        keyed
    }

    pub(crate) async fn ask(
        &self,
        lab: &Lab,
        method: Method,
        path: &str,
        body: Option<Value>,
    ) -> (StatusCode, Value) {
        let (status, _, body) = self.ask_for_all(lab, method, path, body).await;
        (status, body)
    }

    /// Asks, and returns the headers of the answer as well.
    pub(crate) async fn ask_for_all(
        &self,
        lab: &Lab,
        method: Method,
        path: &str,
        body: Option<Value>,
    ) -> (StatusCode, HeaderMap, Value) {
        let mut request = lab.client.request(method, lab.url(Role::Orders) + path);
        for (name, value) in &self.headers {
            request = request.header(*name, value);
        }
        if let Some(body) = body {
            request = request.json(&body);
        }
        let response = request.send().await.unwrap();
        let headers = response.headers().clone();
        let (status, body) = answer(response).await;
        (status, headers, body)
    }

    pub(crate) async fn get(&self, lab: &Lab, path: &str) -> Value {
        let (status, body) = self.ask(lab, Method::GET, path, None).await;
        assert_eq!(status, 200, "{path}: {body}");
        body
    }

    pub(crate) async fn post(&self, lab: &Lab, path: &str, body: Value) -> (StatusCode, Value) {
        self.ask(lab, Method::POST, path, Some(body)).await
    }

    pub(crate) async fn add(&self, lab: &Lab, product_id: i64, quantity: i64) {
        let body = json!({ "product_id": product_id, "quantity": quantity });
        let (status, body) = self.post(lab, "/cart/items", body).await;
        assert_eq!(status, 200, "{body}");
    }

    /// Orders one product; returns the order's id.
    pub(crate) async fn order(&self, lab: &Lab, product_id: i64, quantity: i64) -> i64 {
        let body = json!({ "customer_id": 7, "product_id": product_id, "quantity": quantity });
        let (status, order) = self.post(lab, "/order", body).await;
        assert_eq!(status, 201, "{order}");
        order["order_id"].as_i64().unwrap()
    }

    pub(crate) async fn status(&self, lab: &Lab, order_id: i64) -> String {
        let order = self.get(lab, &format!("/orders/{order_id}")).await;
        order["status"].as_str().unwrap().to_owned()
    }
}

/// Returns a shop whose partners always do what they are asked, at once, and that settles fast.
pub(crate) fn calm() -> ShopConfig {
    let mut config = ShopConfig::on_free_ports();
    config.decline_share = Some(0.0);
    config.partner_latency = 0.0;
    config.restock_every = None;
    // Nothing is to fail for a machine that is busy.
    config.db_acquire_timeout = Duration::from_secs(30);
    config.call_timeout = Duration::from_secs(30);
    config.orders = OrdersConfig {
        lease: Duration::from_mins(5),
        ship_after: Duration::ZERO,
        deliver_after: Duration::ZERO,
        reconcile_every: Duration::from_millis(100),
        ..OrdersConfig::default()
    };
    config
}

pub(crate) async fn stock(lab: &Lab, product_id: i64) -> i64 {
    let path = format!("/products/{product_id}/inventory");
    let (_, inventory) = lab.get(Role::Catalog, &path).await;
    inventory["total"].as_i64().unwrap()
}
