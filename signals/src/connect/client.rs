//! One request, one bounded answer.

use std::path::{Path, PathBuf};
use std::sync::Once;
use std::time::Duration;

use base64::Engine as _;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Certificate, Identity, Method, RequestBuilder, StatusCode};

use super::address::Address;
use super::{ANSWER_LIMIT, BasicAuth, ClientCertificate, ConnectError, Connection};
use crate::clean;
use crate::source::SourceError;

/// An answer that was read to its end.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) content_type: String,
    pub(crate) body: Vec<u8>,
}

/// A connection that is known to be usable. Cloning shares the sockets.
#[derive(Debug, Clone)]
pub(crate) struct Client {
    http: reqwest::Client,
    address: Address,
    shown: String,
    token_file: Option<PathBuf>,
    timeout: Duration,
}

impl Client {
    /// Checks what was said, reads the certificates and prepares the headers.
    pub(crate) fn new(connection: &Connection) -> Result<Self, ConnectError> {
        let (address, user_in_address) = Address::parse(&connection.url)?;
        let shown = address.shown();
        let user = connection.basic_auth.clone().or(user_in_address);
        let own_header = |(name, _): &(String, _)| name.eq_ignore_ascii_case("authorization");
        let credentials = usize::from(user.is_some())
            + usize::from(connection.token_file.is_some())
            + connection
                .headers
                .iter()
                .filter(|pair| own_header(pair))
                .count();
        if credentials > 1 {
            return Err(ConnectError::TwoCredentials { url: shown });
        }
        let in_clear = !address.is_https() && !address.is_loopback();
        if credentials > 0 && in_clear && !connection.insecure_token {
            return Err(ConnectError::InClear { url: shown });
        }
        if let Some(path) = &connection.token_file {
            read_token(path).map_err(|cause| file_error("token file", path, cause))?;
        }
        let builder = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .referer(false)
            .user_agent(concat!("obs-tui/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(connection.timeout.min(Duration::from_secs(5)))
            .default_headers(headers(connection, user.as_ref())?);
        let builder = if address.is_loopback() {
            // What is on this machine, and its token, are nothing for a proxy.
            builder.no_proxy()
        } else {
            builder
        };
        let http =
            trust(builder, connection, &address)?
                .build()
                .map_err(|e| ConnectError::Tls {
                    url: shown.clone(),
                    cause: chain(&e),
                })?;
        Ok(Self {
            http,
            address,
            shown,
            token_file: connection.token_file.clone(),
            timeout: connection.timeout,
        })
    }

    /// Returns the address without credentials.
    pub(crate) fn shown(&self) -> &str {
        &self.shown
    }

    pub(crate) fn timeout(&self) -> Duration {
        self.timeout
    }

    pub(crate) async fn get(
        &self,
        path: &str,
        query: &[(&str, &str)],
    ) -> Result<Reply, SourceError> {
        self.send(self.request(Method::GET, path).query(query))
            .await
    }

    pub(crate) async fn post_form(
        &self,
        path: &str,
        form: &[(&str, &str)],
    ) -> Result<Reply, SourceError> {
        self.send(self.request(Method::POST, path).form(form)).await
    }

    pub(crate) async fn post_json<T: serde::Serialize + Sync>(
        &self,
        path: &str,
        body: &T,
    ) -> Result<Reply, SourceError> {
        self.send(self.request(Method::POST, path).json(body)).await
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, self.address.join(path))
    }

    async fn send(&self, mut request: RequestBuilder) -> Result<Reply, SourceError> {
        if let Some(path) = &self.token_file {
            let token = read_token(path).map_err(|cause| SourceError::Misconfigured {
                url: self.shown.clone(),
                message: format!("token file {}: {cause}", path.display()),
            })?;
            request = request.header(AUTHORIZATION, token);
        }
        match tokio::time::timeout(self.timeout, self.exchange(request)).await {
            Ok(result) => result,
            Err(_) => Err(self.timed_out()),
        }
    }

    async fn exchange(&self, request: RequestBuilder) -> Result<Reply, SourceError> {
        let response = request.send().await.map_err(|e| self.network(&e))?;
        let status = response.status();
        let content_type = header_text(response.headers(), &CONTENT_TYPE);
        if status.is_redirection() {
            let to = header_text(response.headers(), &reqwest::header::LOCATION);
            return Err(self.bad_answer(format!(
                "it redirects to {}; give that address instead",
                clean::message(&to)
            )));
        }
        if status == StatusCode::UNAUTHORIZED || status == StatusCode::FORBIDDEN {
            return Err(SourceError::Refused {
                url: self.shown.clone(),
                status: status.as_u16(),
            });
        }
        let body = read_capped(response, ANSWER_LIMIT)
            .await
            .map_err(|failure| match failure {
                ReadFailure::TooLarge => self.bad_answer(format!(
                    "the answer is larger than {} MiB; ask for fewer series or a shorter range",
                    ANSWER_LIMIT / 1024 / 1024
                )),
                ReadFailure::Network(e) => self.network(&e),
            })?;
        Ok(Reply {
            status,
            content_type,
            body,
        })
    }

    /// Returns the error for an answer that cannot be used.
    pub(crate) fn bad_answer(&self, message: String) -> SourceError {
        SourceError::BadAnswer {
            url: self.shown.clone(),
            message,
        }
    }

    fn timed_out(&self) -> SourceError {
        SourceError::Timeout {
            url: self.shown.clone(),
            timeout_ms: self.timeout.as_millis() as u64,
        }
    }

    fn network(&self, error: &reqwest::Error) -> SourceError {
        if error.is_timeout() {
            return self.timed_out();
        }
        SourceError::Unreachable {
            url: self.shown.clone(),
            cause: format!("{}; {}", clean::message(&chain(error)), remedy(error)),
        }
    }
}

/// Why a body was not read to its end.
#[derive(Debug)]
pub(crate) enum ReadFailure {
    TooLarge,
    Network(reqwest::Error),
}

/// Reads a body piece by piece and stops at the limit.
pub(crate) async fn read_capped(
    mut response: reqwest::Response,
    limit: usize,
) -> Result<Vec<u8>, ReadFailure> {
    if response
        .content_length()
        .is_some_and(|length| length > limit as u64)
    {
        return Err(ReadFailure::TooLarge);
    }
    let mut body = Vec::new();
    while let Some(piece) = response.chunk().await.map_err(ReadFailure::Network)? {
        if body.len() + piece.len() > limit {
            return Err(ReadFailure::TooLarge);
        }
        body.extend_from_slice(&piece);
    }
    Ok(body)
}

/// Installs the TLS implementation of the process, once; every constructor here calls it.
pub fn install_tls() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // An error means that the program has chosen one already, which serves as well.
        let _ = rustls::crypto::ring::default_provider().install_default();
    });
}

/// Returns an error with its causes, outermost first, and without any address.
pub(crate) fn chain(error: &reqwest::Error) -> String {
    let mut cause = std::error::Error::source(error);
    let mut parts: Vec<String> = Vec::new();
    while let Some(inner) = cause {
        let text = inner.to_string();
        if parts.last() != Some(&text) {
            parts.push(text);
        }
        cause = inner.source();
    }
    if parts.is_empty() {
        "the request failed".to_owned()
    } else {
        parts.join(": ")
    }
}

fn remedy(error: &reqwest::Error) -> &'static str {
    let text = chain(error).to_ascii_lowercase();
    if text.contains("certificate") {
        "give the CA of this server as CA file, and the host name it was issued for"
    } else if text.contains("corrupt message") || text.contains("invalidcontenttype") {
        "the server does not speak https there"
    } else {
        "check host and port, and that the server runs"
    }
}

fn trust(
    mut builder: reqwest::ClientBuilder,
    connection: &Connection,
    address: &Address,
) -> Result<reqwest::ClientBuilder, ConnectError> {
    install_tls();
    if let Some(path) = &connection.ca_file {
        let pem = read("CA file", path)?;
        let certs = Certificate::from_pem_bundle(&pem)
            .map_err(|e| file_error("CA file", path, chain(&e)))?;
        if certs.is_empty() {
            let cause = "it holds no PEM certificate".to_owned();
            return Err(file_error("CA file", path, cause));
        }
        builder = builder.tls_certs_only(certs);
    } else if !address.is_https() {
        // A machine without certificates can still speak plain http.
        builder = builder.tls_certs_only([]);
    }
    if let Some(certificate) = &connection.client_certificate {
        builder = builder.identity(identity(certificate)?);
    }
    Ok(builder)
}

fn identity(certificate: &ClientCertificate) -> Result<Identity, ConnectError> {
    let mut pem = read("client certificate", &certificate.cert_file)?;
    pem.push(b'\n');
    pem.extend(read("client key", &certificate.key_file)?);
    Identity::from_pem(&pem)
        .map_err(|e| file_error("client certificate", &certificate.cert_file, chain(&e)))
}

fn headers(connection: &Connection, user: Option<&BasicAuth>) -> Result<HeaderMap, ConnectError> {
    let mut map = HeaderMap::new();
    for (name, value) in &connection.headers {
        let key = HeaderName::from_bytes(name.as_bytes())
            .map_err(|e| header_error(name, &e.to_string()))?;
        map.append(key, secret_value(name, value.expose())?);
    }
    if let Some(tenant) = &connection.tenant {
        map.insert("x-scope-orgid", secret_value("X-Scope-OrgID", tenant)?);
    }
    if let Some(user) = user {
        let plain = format!("{}:{}", user.user, user.password.expose());
        let encoded = base64::engine::general_purpose::STANDARD.encode(plain);
        let value = secret_value("Authorization", &format!("Basic {encoded}"))?;
        map.insert(AUTHORIZATION, value);
    }
    Ok(map)
}

fn secret_value(name: &str, text: &str) -> Result<HeaderValue, ConnectError> {
    let mut value = HeaderValue::from_str(text).map_err(|e| header_error(name, &e.to_string()))?;
    value.set_sensitive(true);
    Ok(value)
}

fn read_token(path: &Path) -> Result<HeaderValue, String> {
    let text = std::fs::read_to_string(path).map_err(|e| e.to_string())?;
    if text.trim().is_empty() {
        return Err("it is empty".to_owned());
    }
    let mut value = HeaderValue::from_str(&format!("Bearer {}", text.trim()))
        .map_err(|_| "it holds more than one line or a control character".to_owned())?;
    value.set_sensitive(true);
    Ok(value)
}

fn read(what: &'static str, path: &Path) -> Result<Vec<u8>, ConnectError> {
    std::fs::read(path).map_err(|e| file_error(what, path, e.to_string()))
}

fn file_error(what: &'static str, path: &Path, cause: String) -> ConnectError {
    ConnectError::File {
        what,
        path: path.display().to_string(),
        cause,
    }
}

fn header_error(name: &str, cause: &str) -> ConnectError {
    ConnectError::Header {
        name: clean::message(name),
        cause: cause.to_owned(),
    }
}

fn header_text(headers: &HeaderMap, name: &HeaderName) -> String {
    headers
        .get(name)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default()
        .to_owned()
}
