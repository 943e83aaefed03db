//! The address of another role: an http URL without a trailing slash.

use crate::error::ShopError;

/// A checked `http://` or `https://` URL to which paths are appended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BaseUrl {
    text: String,
    host: String,
    port: u16,
}

impl BaseUrl {
    /// Reads a URL; query and fragment are refused since paths are appended, and a user since URLs are
    /// written into spans.
    pub fn parse(text: &str) -> Result<Self, ShopError> {
        let refused = || ShopError::Url {
            // What stands before an @ may be a password.
            url: text
                .rsplit_once('@')
                .map_or(text, |(_, rest)| rest)
                .to_owned(),
        };
        let url = reqwest::Url::parse(text).map_err(|_| refused())?;
        let nobody = url.username().is_empty() && url.password().is_none();
        let plain = nobody && url.query().is_none() && url.fragment().is_none() && url.has_host();
        if !plain || !matches!(url.scheme(), "http" | "https") {
            return Err(refused());
        }
        let host = url.host_str().ok_or_else(refused)?.to_owned();
        Ok(Self {
            text: url.as_str().trim_end_matches('/').to_owned(),
            host,
            port: url.port_or_known_default().unwrap_or(80),
        })
    }

    /// Returns the URL of `path`, which starts with a slash.
    pub fn join(&self, path: &str) -> String {
        format!("{}{path}", self.text)
    }

    /// Returns host and port.
    pub(crate) fn authority(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }

    /// Returns the host; an IPv6 address stands in brackets.
    pub(crate) fn host(&self) -> &str {
        &self.host
    }

    /// Returns the port, also when it is the usual one.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Returns the URL itself.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

#[cfg(test)]
mod tests {
    use super::BaseUrl;

    #[test]
    fn a_base_url_is_plain_http() {
        let url = BaseUrl::parse("http://orders:8081/api/").unwrap();
        assert_eq!(url.join("/order"), "http://orders:8081/api/order");
        assert_eq!(url.authority(), "orders:8081");
        let plain = BaseUrl::parse("http://orders").unwrap();
        assert_eq!(plain.authority(), "orders:80");
        for bad in ["orders:8081", "ftp://x", "http://x/?a=b", ""] {
            assert!(BaseUrl::parse(bad).is_err(), "{bad} must be refused");
        }
        let refused = BaseUrl::parse("http://shop:hush@orders").unwrap_err();
        assert!(!refused.to_string().contains("hush"), "{refused}");
    }
}
