//! The address of another role: an http URL without a trailing slash.

use crate::error::ShopError;

/// A checked `http://` or `https://` URL to which paths are appended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BaseUrl(String);

impl BaseUrl {
    /// Reads a URL; query and fragment are refused since paths are appended.
    pub fn parse(text: &str) -> Result<Self, ShopError> {
        let refused = || ShopError::Url {
            url: text.to_owned(),
        };
        let url = reqwest::Url::parse(text).map_err(|_| refused())?;
        let plain = url.query().is_none() && url.fragment().is_none() && url.has_host();
        if !plain || !matches!(url.scheme(), "http" | "https") {
            return Err(refused());
        }
        Ok(Self(url.as_str().trim_end_matches('/').to_owned()))
    }

    /// Returns the URL of `path`, which starts with a slash.
    pub fn join(&self, path: &str) -> String {
        format!("{}{path}", self.0)
    }

    /// Returns host and port.
    pub(crate) fn authority(&self) -> String {
        let url = reqwest::Url::parse(&self.0).ok();
        let found = url.as_ref().and_then(|url| {
            let port = url.port_or_known_default()?;
            Some(format!("{}:{port}", url.host_str()?))
        });
        found.unwrap_or_default()
    }

    /// Returns the URL itself.
    pub fn as_str(&self) -> &str {
        &self.0
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
    }
}
