//! The typed client of a control API.
//!
//! A token belongs to one endpoint. It is sent there and nowhere else: redirects are not followed,
//! no proxy is used, and plain http beyond loopback is refused unless that is asked for.

mod endpoint;
mod error;

use std::time::Duration;

use reqwest::header::{AUTHORIZATION, HeaderValue};
use reqwest::redirect::Policy;
use reqwest::{Method, Response};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use url::Url;

use crate::model::{ArmRequest, FaultId, FaultStatus, Listing};

pub use endpoint::{Endpoint, EndpointError};
pub use error::ClientError;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
const TIMEOUT: Duration = Duration::from_secs(5);
/// More is not an answer of a control API.
const MAX_ANSWER: usize = 8 * 1024 * 1024;

/// A client of one control API.
#[derive(Debug, Clone)]
pub struct Client {
    http: reqwest::Client,
    endpoint: Endpoint,
    authorization: HeaderValue,
}

/// What [`Client::withdraw_all`] did.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Withdrawn {
    /// The process that answered.
    pub boot_id: String,
    /// The faults it ended.
    pub withdrawn: Vec<FaultId>,
}

impl Client {
    /// Returns a client of an endpoint.
    pub fn new(endpoint: Endpoint) -> Result<Self, EndpointError> {
        endpoint.check()?;
        // Reqwest is built without a provider of its own; another part may have installed one.
        if rustls::crypto::CryptoProvider::get_default().is_none() {
            let _ = rustls::crypto::ring::default_provider().install_default();
        }
        let http = reqwest::Client::builder()
            .redirect(Policy::none())
            .no_proxy()
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(TIMEOUT)
            .build()
            .map_err(|error| EndpointError::Setup(error.to_string()))?;
        let mut authorization =
            HeaderValue::try_from(format!("Bearer {}", endpoint.token.expose()))
                .map_err(|error| EndpointError::Setup(error.to_string()))?;
        authorization.set_sensitive(true);
        Ok(Self {
            http,
            endpoint,
            authorization,
        })
    }

    /// Returns the name of the endpoint.
    pub fn name(&self) -> &str {
        &self.endpoint.name
    }

    /// Returns the address of the endpoint.
    pub fn url(&self) -> &Url {
        &self.endpoint.url
    }

    /// Lists what is armed and what was.
    pub async fn list(&self) -> Result<Listing, ClientError> {
        self.send(Method::GET, &["faults"], &[], None).await
    }

    /// Arms a fault. While another owner's faults live it is refused, unless `take_over`.
    pub async fn arm(
        &self,
        id: &FaultId,
        request: &ArmRequest,
        take_over: bool,
    ) -> Result<FaultStatus, ClientError> {
        let query: &[(&str, &str)] = if take_over {
            &[("take_over", "true")]
        } else {
            &[]
        };
        let body = request.to_value();
        self.send(Method::PUT, &["faults", id.as_str()], query, Some(&body))
            .await
    }

    /// Renews the lease of a fault of `owner`.
    pub async fn renew(&self, id: &FaultId, owner: &str) -> Result<FaultStatus, ClientError> {
        self.send(
            Method::POST,
            &["faults", id.as_str(), "renew"],
            &[("owner", owner)],
            None,
        )
        .await
    }

    /// Withdraws a fault; with an owner only if it is theirs. Withdrawing twice is no error.
    pub async fn withdraw(
        &self,
        id: &FaultId,
        owner: Option<&str>,
        reason: &str,
    ) -> Result<FaultStatus, ClientError> {
        let query = by(owner, reason);
        self.send(Method::DELETE, &["faults", id.as_str()], &query, None)
            .await
    }

    /// Withdraws every fault, or those of one owner.
    pub async fn withdraw_all(
        &self,
        owner: Option<&str>,
        reason: &str,
    ) -> Result<Withdrawn, ClientError> {
        self.send(Method::DELETE, &["faults"], &by(owner, reason), None)
            .await
    }

    async fn send<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &[&str],
        query: &[(&str, &str)],
        body: Option<&Value>,
    ) -> Result<T, ClientError> {
        let url = self.endpoint.join(path);
        let mut request = self
            .http
            .request(method, url)
            .query(query)
            .header(AUTHORIZATION, &self.authorization);
        if let Some(body) = body {
            request = request.json(body);
        }
        let name = || self.endpoint.name.clone();
        let response = request
            .send()
            .await
            .map_err(|error| ClientError::transport(name(), &error))?;
        let status = response.status();
        let bytes = self.read(response).await?;
        if !status.is_success() {
            return Err(ClientError::answer(name(), status, &bytes));
        }
        serde_json::from_slice(&bytes).map_err(|error| ClientError::NotControl {
            name: name(),
            detail: error.to_string(),
        })
    }

    async fn read(&self, mut response: Response) -> Result<Vec<u8>, ClientError> {
        let name = || self.endpoint.name.clone();
        let mut bytes = Vec::new();
        while let Some(chunk) = response
            .chunk()
            .await
            .map_err(|error| ClientError::transport(name(), &error))?
        {
            if bytes.len() + chunk.len() > MAX_ANSWER {
                let detail = "the answer is larger than 8 MiB".to_owned();
                return Err(ClientError::NotControl {
                    name: name(),
                    detail,
                });
            }
            bytes.extend_from_slice(&chunk);
        }
        Ok(bytes)
    }
}

fn by<'q>(owner: Option<&'q str>, reason: &'q str) -> Vec<(&'static str, &'q str)> {
    owner
        .map(|owner| ("owner", owner))
        .into_iter()
        .chain([("reason", reason)])
        .collect()
}
