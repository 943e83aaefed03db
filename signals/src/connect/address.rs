//! An address without credentials, and the credentials it carried.

use std::net::IpAddr;

use url::{Host, Url};

use super::{BasicAuth, ConnectError, Secret};
use crate::clean;

/// An address that can be shown.
#[derive(Debug, Clone)]
pub(crate) struct Address {
    base: Url,
}

impl Address {
    /// Splits what was given into an address and the user in it.
    pub(crate) fn parse(raw: &Secret) -> Result<(Self, Option<BasicAuth>), ConnectError> {
        let text = raw.expose().trim();
        let mut base = Url::parse(text).map_err(|e| bad(text, &e.to_string()))?;
        if !matches!(base.scheme(), "http" | "https") {
            return Err(bad(text, "the scheme is neither http nor https"));
        }
        if base.host_str().is_none_or(str::is_empty) {
            return Err(bad(text, "there is no host"));
        }
        if base.query().is_some() || base.fragment().is_some() {
            return Err(bad(text, "it has a query or a fragment"));
        }
        let user = userinfo(&base);
        // Both cannot fail: the address has a host.
        let _ = base.set_username("");
        let _ = base.set_password(None);
        let path = base.path().trim_end_matches('/').to_owned();
        base.set_path(&path);
        Ok((Self { base }, user))
    }

    /// Returns the address as it is shown.
    pub(crate) fn shown(&self) -> String {
        clean::text(self.base.as_str().trim_end_matches('/')).into_owned()
    }

    /// Returns the address of a path under the prefix; `path` begins with a slash.
    pub(crate) fn join(&self, path: &str) -> Url {
        let mut url = self.base.clone();
        let full = format!("{}{path}", self.base.path().trim_end_matches('/'));
        url.set_path(&full);
        url
    }

    pub(crate) fn is_https(&self) -> bool {
        self.base.scheme() == "https"
    }

    /// Says whether the host is this machine by its address; names but `localhost` are not trusted.
    pub(crate) fn is_loopback(&self) -> bool {
        match self.base.host() {
            Some(Host::Domain(name)) => name == "localhost",
            Some(Host::Ipv4(ip)) => IpAddr::V4(ip).is_loopback(),
            Some(Host::Ipv6(ip)) => IpAddr::V6(ip).is_loopback(),
            None => false,
        }
    }
}

fn userinfo(url: &Url) -> Option<BasicAuth> {
    if url.username().is_empty() && url.password().is_none() {
        return None;
    }
    Some(BasicAuth {
        user: percent_decode(url.username()),
        password: Secret::new(percent_decode(url.password().unwrap_or_default())),
    })
}

fn bad(text: &str, cause: &str) -> ConnectError {
    // What cannot be parsed may still hold a password before the last `@`.
    let url = match text.rsplit_once('@') {
        Some((_, rest)) => format!("…@{rest}"),
        None => text.to_owned(),
    };
    ConnectError::Address {
        url: clean::message(&url),
        cause: cause.to_owned(),
    }
}

fn percent_decode(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let escaped = (bytes[at] == b'%')
            .then(|| text.get(at + 1..at + 3))
            .flatten()
            .and_then(|hex| u8::from_str_radix(hex, 16).ok());
        out.push(escaped.unwrap_or(bytes[at]));
        at += if escaped.is_some() { 3 } else { 1 };
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> (Address, Option<BasicAuth>) {
        Address::parse(&Secret::new(text)).unwrap()
    }

    #[test]
    fn userinfo_moves_out_of_the_address() {
        let (address, user) = parse("https://al%40ice:p%25w@host:9090/pre/fix/");
        assert_eq!(address.shown(), "https://host:9090/pre/fix");
        assert_eq!(
            address.join("/api/v1/query").as_str(),
            "https://host:9090/pre/fix/api/v1/query"
        );
        let user = user.unwrap();
        assert_eq!(
            (user.user.as_str(), user.password.expose()),
            ("al@ice", "p%w")
        );
    }

    #[test]
    fn bad_addresses_do_not_tell_their_password() {
        for text in [
            "ftp://u:geheim@h",
            "http//u:geheim@h",
            "http://u:geheim@",
            "http://h?q=1",
        ] {
            let error = Address::parse(&Secret::new(text)).unwrap_err().to_string();
            assert!(!error.contains("geheim"), "{error}");
        }
    }

    #[test]
    fn loopback_is_known_by_its_number() {
        for (text, expect) in [
            ("http://127.0.0.1:9090", true),
            ("http://[::1]:9090", true),
            ("http://localhost", true),
            ("http://prometheus:9090", false),
            ("http://10.0.0.1", false),
        ] {
            assert_eq!(parse(text).0.is_loopback(), expect, "{text}");
        }
    }
}
