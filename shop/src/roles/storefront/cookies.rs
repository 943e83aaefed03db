//! The two cookies of the shop: the token of a login, and the id of a visit without one.

use axum::http::{HeaderMap, HeaderName, HeaderValue, header};

use crate::{
    http::identity::{LOGIN_COOKIE, VISIT_COOKIE, is_session},
    secret::{Secret, digest_of},
};

/// Where a client that keeps no cookies names its visit.
const VISIT: HeaderName = HeaderName::from_static("x-session-id");
/// Longest token that is looked at.
const LONGEST_TOKEN: usize = 256;
/// How long a browser keeps the id of a visit.
const VISIT_SECONDS: u32 = 30 * 24 * 3_600;
/// Half of a token is enough: a visit owns a cart.
const VISIT_DIGITS: usize = 32;

/// A token that a client sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Credential {
    pub(super) token: Secret,
    /// It came by itself, as cookies do, so that one which ran out is no mistake of the client.
    pub(super) is_cookie: bool,
}

/// Finds the token of a request.
pub(super) fn credential(headers: &HeaderMap) -> Option<Credential> {
    if let Some(value) = headers.get(header::AUTHORIZATION) {
        // What is no bearer token is a token that nobody has.
        let text = value.to_str().unwrap_or_default();
        let (scheme, token) = text.split_once(' ').unwrap_or_default();
        let is_bearer = scheme.eq_ignore_ascii_case("bearer") && token.len() <= LONGEST_TOKEN;
        let token = if is_bearer { token.trim() } else { "" };
        return Some(Credential {
            token: token.to_owned().into(),
            is_cookie: false,
        });
    }
    let token = cookie(headers, LOGIN_COOKIE)?;
    let fits = !token.is_empty() && token.len() <= LONGEST_TOKEN;
    fits.then(|| Credential {
        token: token.to_owned().into(),
        is_cookie: true,
    })
}

/// Finds the id of a visit that a client names.
pub(super) fn visit(headers: &HeaderMap) -> Option<&str> {
    let named = headers.get(VISIT).and_then(|value| value.to_str().ok());
    named
        .filter(|session| is_session(session))
        .or_else(|| cookie(headers, VISIT_COOKIE).filter(|session| is_session(session)))
}

/// Makes the id of a visit; `None` when the system has no randomness to give.
pub(super) fn new_visit() -> Option<String> {
    let token = Secret::token().ok()?;
    Some(token.expose()[..VISIT_DIGITS].to_owned())
}

/// Returns the id of the visit that an idempotency key stands for: the same for the same key, and
/// telling nothing of it.
pub(super) fn visit_of_key(key: &[u8]) -> String {
    let mut digits = digest_of(&[b"visit\n", key].concat());
    digits.truncate(VISIT_DIGITS);
    digits
}

/// Tells a client the id of its visit.
pub(super) fn tell_visit(headers: &mut HeaderMap, visit: &str) {
    let cookie =
        format!("{VISIT_COOKIE}={visit}; Path=/; Max-Age={VISIT_SECONDS}; HttpOnly; SameSite=Lax");
    if let (Ok(cookie), Ok(visit)) = (HeaderValue::from_str(&cookie), HeaderValue::from_str(visit))
    {
        headers.append(header::SET_COOKIE, cookie);
        headers.insert(VISIT, visit);
    }
}

fn cookie<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    let sent = headers.get_all(header::COOKIE).into_iter();
    let pairs = sent
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='));
    let mut named = pairs.filter(|(own, _)| *own == name);
    named.next().map(|(_, value)| value)
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderMap, HeaderValue};

    use super::{credential, new_visit, tell_visit, visit};

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(*name, HeaderValue::from_str(value).unwrap());
        }
        headers
    }

    #[test]
    fn a_token_comes_by_header_before_it_comes_by_cookie() {
        let cookie = ("cookie", "a=b; shop_session=from-cookie; shop_cart=visit-1");
        let found = credential(&headers(&[cookie])).unwrap();
        assert!(found.is_cookie && found.token.expose() == "from-cookie");
        let both = headers(&[cookie, ("authorization", "bearer from-header")]);
        let found = credential(&both).unwrap();
        assert!(!found.is_cookie && found.token.expose() == "from-header");
        assert_eq!(credential(&headers(&[("cookie", "a=b")])), None);
        for bad in [
            "Basic YTpi",
            "Bearer",
            &format!("Bearer {}", "x".repeat(300)),
        ] {
            let found = credential(&headers(&[("authorization", bad)])).unwrap();
            assert_eq!(found.token.expose(), "", "{bad}");
        }
    }

    #[test]
    fn a_visit_is_named_by_header_or_cookie_and_told_by_both() {
        let made = new_visit().unwrap();
        let mut told = HeaderMap::new();
        tell_visit(&mut told, &made);
        assert_eq!(told["x-session-id"], made.as_str());
        let cookie = told["set-cookie"].to_str().unwrap();
        assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax"));
        let pair = cookie.split(';').next().unwrap();
        assert_eq!(visit(&headers(&[("cookie", pair)])), Some(made.as_str()));
        let named = headers(&[("cookie", pair), ("x-session-id", "mine")]);
        assert_eq!(visit(&named), Some("mine"));
        assert_eq!(visit(&headers(&[("x-session-id", "not mine")])), None);
    }
}
