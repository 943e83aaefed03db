//! A client of the public API that says who it is.

use reqwest::{Method, header::HeaderMap};
use serde_json::{Value, json};
use shop::config::{Role, ShopConfig, guard::PasswordCost};

use crate::lab::Lab;

/// The tokens of the demo.
pub(crate) const USER: &str = "user-token-123";
pub(crate) const ADMIN: &str = "admin-token-456";

/// A shop whose passwords cost little.
pub(crate) fn config() -> ShopConfig {
    let mut config = ShopConfig::on_free_ports();
    config.accounts.password_cost = PasswordCost::Low;
    config.decline_share = Some(0.0);
    config
}

/// The same, with the accounts of the demo.
pub(crate) fn demo() -> ShopConfig {
    let mut config = config();
    config.accounts.demo = true;
    config
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
}

impl Reply {
    pub(crate) fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name);
        value.map_or("", |value| value.to_str().unwrap())
    }

    /// Returns the fields that were refused.
    pub(crate) fn fields(&self) -> Vec<&str> {
        let errors = self.body["errors"].as_array().into_iter().flatten();
        errors
            .map(|error| error["field"].as_str().unwrap())
            .collect()
    }
}

/// Someone who asks.
#[derive(Clone)]
pub(crate) struct Caller<'l> {
    lab: &'l Lab,
    role: Role,
    headers: Vec<(&'static str, String)>,
}

impl<'l> Caller<'l> {
    /// Someone without an account.
    pub(crate) fn nobody(lab: &'l Lab) -> Self {
        Self::of(lab, Role::Storefront)
    }

    /// Someone who asks a role itself.
    pub(crate) fn of(lab: &'l Lab, role: Role) -> Self {
        let headers = Vec::new();
        Self { lab, role, headers }
    }

    pub(crate) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    pub(crate) fn bearer(lab: &'l Lab, token: &str) -> Self {
        Self::nobody(lab).with("authorization", format!("Bearer {token}"))
    }

    /// Registers an account and logs in to it.
    pub(crate) async fn member(lab: &'l Lab, username: &str) -> Self {
        let account =
            json!({ "username": username, "password": "lovely weather", "country": "DE" });
        let made = Self::nobody(lab).post("/users/register", account).await;
        assert_eq!(made.status, 201, "{}", made.body);
        Self::bearer(lab, &Self::log_in(lab, username, "lovely weather").await)
    }

    /// Logs in; returns the token.
    pub(crate) async fn log_in(lab: &Lab, username: &str, password: &str) -> String {
        let login = json!({ "username": username, "password": password });
        let login = Caller::nobody(lab).post("/users/login", login).await;
        assert_eq!(login.status, 200, "{}", login.body);
        login.body["token"].as_str().unwrap().to_owned()
    }

    pub(crate) async fn get(&self, path: &str) -> Reply {
        self.send(Method::GET, path, None).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Reply {
        self.send(Method::POST, path, Some(body)).await
    }

    pub(crate) async fn put(&self, path: &str, body: Value) -> Reply {
        self.send(Method::PUT, path, Some(body)).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Reply {
        self.send(Method::DELETE, path, None).await
    }

    pub(crate) async fn send(&self, method: Method, path: &str, body: Option<Value>) -> Reply {
        let url = self.lab.url(self.role) + path;
        let mut request = self.lab.client.request(method, url);
        for (name, value) in &self.headers {
            request = request.header(*name, value);
        }
        if let Some(body) = body {
            request = request.json(&body);
        }
        let response = request.send().await.unwrap();
        Reply {
            status: response.status().as_u16(),
            headers: response.headers().clone(),
            body: serde_json::from_slice(&response.bytes().await.unwrap()).unwrap_or_default(),
        }
    }
}
