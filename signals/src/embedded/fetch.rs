//! One GET of a target, bounded in time and size.

use std::time::{Duration, Instant};

use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderValue};

use super::scrape::Scraped;
use super::{ContentTypeCheck, EmbeddedConfig, EmbeddedError};
use crate::clean;
use crate::connect::{ANSWER_LIMIT, ReadFailure, chain, install_tls, read_capped};
use crate::exposition::{Format, Parser};

/// The formats we read, the richer one first, as Prometheus asks for them.
const WANTED: &str = "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,\
                      application/openmetrics-text;version=0.0.1;q=0.5,\
                      text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,\
                      text/plain;version=0.0.4;q=0.3,*/*;q=0.2";

/// Redirects that a scrape follows.
const REDIRECTS: usize = 10;

/// Fetches targets.
pub(super) struct Fetcher {
    http: reqwest::Client,
    timeout: Duration,
    parser: Parser,
    content_type: ContentTypeCheck,
}

impl Fetcher {
    pub(super) fn new(config: &EmbeddedConfig) -> Result<Self, EmbeddedError> {
        install_tls();
        let timeout = config.scrape_interval.min(Duration::from_secs(10));
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, HeaderValue::from_static(WANTED));
        if let Ok(seconds) = HeaderValue::from_str(&timeout.as_secs_f64().to_string()) {
            headers.insert("x-prometheus-scrape-timeout-seconds", seconds);
        }
        let mut builder = reqwest::Client::builder()
            // As Prometheus: a scrape carries no secret and follows where the target points; a proxy
            // of the environment has no part in it.
            .redirect(reqwest::redirect::Policy::limited(REDIRECTS))
            .no_proxy()
            .user_agent(concat!("obs-tui/", env!("CARGO_PKG_VERSION")))
            .default_headers(headers);
        if config
            .targets
            .iter()
            .all(|target| target.url.starts_with("http://"))
        {
            builder = builder.tls_certs_only([]);
        }
        let http = builder.build().map_err(|e| EmbeddedError::Target {
            url: "https".to_owned(),
            cause: chain(&e),
        })?;
        Ok(Self {
            http,
            timeout,
            parser: config.parser,
            content_type: config.content_type,
        })
    }

    pub(super) async fn fetch(&self, url: &str) -> Scraped {
        let start = Instant::now();
        let body = match tokio::time::timeout(self.timeout, self.get(url)).await {
            Ok(body) => body,
            Err(_) => Err(format!("no answer within {} ms", self.timeout.as_millis())),
        };
        Scraped {
            body,
            parser: self.parser,
            seconds: start.elapsed().as_secs_f64(),
        }
    }

    async fn get(&self, url: &str) -> Result<(Format, String), String> {
        let response = self.http.get(url).send().await.map_err(|e| chain(&e))?;
        let status = response.status();
        let content_type = response.headers().get(CONTENT_TYPE).cloned();
        // The body is awaited whatever the head says: a target that says 500 and hangs is a timeout.
        let body = read_capped(response, ANSWER_LIMIT).await;
        if status != reqwest::StatusCode::OK {
            return Err(format!("server returned HTTP status {status}"));
        }
        let body = body.map_err(|e| match e {
            ReadFailure::TooLarge => format!("the body is larger than {ANSWER_LIMIT} bytes"),
            ReadFailure::Network(e) => chain(&e),
        })?;
        if body.is_empty() {
            // Nothing to read, so nobody asks in which format.
            return Ok((Format::Text, String::new()));
        }
        let format = self.format(content_type.as_ref())?;
        let text = String::from_utf8(body).map_err(|_| "the body is not UTF-8".to_owned())?;
        Ok((format, text))
    }

    fn format(&self, header: Option<&HeaderValue>) -> Result<Format, String> {
        let said = header
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default();
        match (Format::from_content_type(said), self.content_type) {
            (Some(format), _) => Ok(format),
            (None, ContentTypeCheck::Lenient) => Ok(Format::Text),
            (None, ContentTypeCheck::Strict) => Err(format!(
                "Content-Type {:?} is neither text/plain nor application/openmetrics-text",
                clean::message(said)
            )),
        }
    }
}
