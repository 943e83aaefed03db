//! Who a request comes from, as the storefront tells the roles behind it.
//!
//! The storefront drops whatever a client sent under these names and writes them itself; the
//! listeners behind it are for the shop's own network. An account, a role and a login are never
//! taken from anything else. Nothing is checked here against a database.

use std::{convert::Infallible, fmt::Display};

use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, request::Parts},
};

use super::problem::Problem;
use crate::market::Country;

/// What every header of ours that tells of a customer begins with.
pub(crate) const PREFIX: &str = "x-shop-";
const USER: HeaderName = HeaderName::from_static("x-shop-user");
const ROLE: HeaderName = HeaderName::from_static("x-shop-role");
const LOGIN: HeaderName = HeaderName::from_static("x-shop-login");
const SESSION: HeaderName = HeaderName::from_static("x-shop-session");
const COUNTRY: HeaderName = HeaderName::from_static("x-shop-country");
/// Where a client says that it is, when its account does not.
const PUBLIC_COUNTRY: HeaderName = HeaderName::from_static("x-country");
/// The cookie that holds the token of a login.
pub(crate) const LOGIN_COOKIE: &str = "shop_session";
/// The cookie that holds the id of an anonymous visit.
pub(crate) const VISIT_COOKIE: &str = "shop_cart";
const ADMIN: &str = "admin";
const CUSTOMER: &str = "customer";
/// Longest id of an anonymous session.
const LONGEST_SESSION: usize = 80;

/// Who asks. Every part may be missing; extracting it never fails.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Identity {
    /// The account.
    pub(crate) user: Option<i64>,
    /// The account may administer the shop; never true without [`Self::user`].
    pub(crate) admin: bool,
    /// The login the account is used through.
    pub(crate) login: Option<i64>,
    /// The visit of someone who may have no account: 1 to 80 of `A-Z a-z 0-9 - _`.
    pub(crate) session: Option<String>,
    /// Where the account lives, else where the client says it is.
    pub(crate) country: Option<Country>,
}

impl Identity {
    /// Reads the headers of a request that came through the storefront.
    pub(crate) fn read(headers: &HeaderMap) -> Self {
        let user = id(headers, &USER);
        Self {
            user,
            admin: user.is_some() && text(headers, &ROLE) == Some(ADMIN),
            login: user.and_then(|_| id(headers, &LOGIN)),
            session: text(headers, &SESSION)
                .filter(|session| is_session(session))
                .map(str::to_owned),
            country: country(headers, &COUNTRY).or_else(|| Self::public_country(headers)),
        }
    }

    /// Reads where a client says that it is.
    pub(crate) fn public_country(headers: &HeaderMap) -> Option<Country> {
        country(headers, &PUBLIC_COUNTRY)
    }

    /// Writes this identity in place of whatever the headers told.
    pub(crate) fn inject(&self, headers: &mut HeaderMap) {
        strip(headers);
        if let Some(user) = self.user {
            put(headers, USER, user);
            put(headers, ROLE, if self.admin { ADMIN } else { CUSTOMER });
        }
        if let Some(login) = self.login {
            put(headers, LOGIN, login);
        }
        if let Some(session) = &self.session {
            put(headers, SESSION, session);
        }
        if let Some(country) = self.country {
            put(headers, COUNTRY, country.code());
        }
    }
}

/// Removes every header that only the storefront may write.
pub(crate) fn strip(headers: &mut HeaderMap) {
    let ours = |name: &&HeaderName| name.as_str().starts_with(PREFIX);
    let forged: Vec<HeaderName> = headers.keys().filter(ours).cloned().collect();
    for name in forged {
        headers.remove(name);
    }
}

/// Says whether a text may be the id of an anonymous session.
pub(crate) fn is_session(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    (1..=LONGEST_SESSION).contains(&text.len()) && text.bytes().all(allowed)
}

fn text<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Option<&'h str> {
    headers.get(name)?.to_str().ok()
}

fn id(headers: &HeaderMap, name: &HeaderName) -> Option<i64> {
    text(headers, name)?.parse().ok().filter(|id| *id > 0)
}

fn country(headers: &HeaderMap, name: &HeaderName) -> Option<Country> {
    Country::parse(&text(headers, name)?.to_ascii_uppercase())
}

fn put(headers: &mut HeaderMap, name: HeaderName, text: impl Display) {
    if let Ok(value) = HeaderValue::from_str(&text.to_string()) {
        headers.insert(name, value);
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Identity {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Infallible> {
        Ok(Self::read(&parts.headers))
    }
}

/// Someone with an account; anyone else is a 401.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Account {
    pub(crate) user: i64,
    /// The login the account is used through.
    pub(crate) login: Option<i64>,
}

impl<S: Send + Sync> FromRequestParts<S> for Account {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        let identity = Identity::read(&parts.headers);
        let user = identity.user.ok_or_else(unknown)?;
        let login = identity.login;
        Ok(Self { user, login })
    }
}

/// Someone who may administer the shop; anyone else is a 401 or a 403.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Admin {
    pub(crate) user: i64,
}

impl<S: Send + Sync> FromRequestParts<S> for Admin {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        let identity = Identity::read(&parts.headers);
        match identity.user {
            None => Err(unknown()),
            Some(_) if !identity.admin => Err(not_admin()),
            Some(user) => Ok(Self { user }),
        }
    }
}

/// Refuses someone who did not say who they are, or could not prove it.
pub(crate) fn unknown() -> Problem {
    let detail = "log in first, and send the token as Authorization: Bearer TOKEN";
    Problem::new(StatusCode::UNAUTHORIZED, detail).because("not_authenticated")
}

/// Refuses an account that lacks the role.
pub(crate) fn not_admin() -> Problem {
    Problem::new(StatusCode::FORBIDDEN, "this takes the role admin").because("not_admin")
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderMap, HeaderValue};

    use super::{Identity, is_session};
    use crate::market::Country;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.insert(*name, HeaderValue::from_str(value).unwrap());
        }
        headers
    }

    #[test]
    fn what_is_written_is_read_again_and_nothing_forged_stays() {
        let identity = Identity {
            user: Some(7),
            admin: true,
            login: Some(9),
            session: Some("visit-1_a".to_owned()),
            country: Some(Country::De),
        };
        let mut headers = headers(&[
            ("x-shop-user", "1"),
            ("x-shop-other", "1"),
            ("accept", "*/*"),
        ]);
        identity.inject(&mut headers);
        assert_eq!(Identity::read(&headers), identity);
        assert!(!headers.contains_key("x-shop-other") && headers.contains_key("accept"));
        Identity::default().inject(&mut headers);
        assert_eq!(Identity::read(&headers), Identity::default());
    }

    #[test]
    fn a_role_without_an_account_is_nobody() {
        let nobody = Identity::read(&headers(&[
            ("x-shop-role", "admin"),
            ("x-shop-login", "3"),
            ("x-shop-user", "-1"),
            ("x-shop-session", "a b"),
            ("x-shop-country", "XX"),
        ]));
        assert_eq!(nobody, Identity::default());
        let customer = Identity::read(&headers(&[
            ("x-shop-user", "1"),
            ("x-shop-role", "customer"),
        ]));
        assert!(!customer.admin && customer.user == Some(1));
    }

    #[test]
    fn a_public_country_counts_only_when_the_account_has_none() {
        let told = Identity::read(&headers(&[("x-country", "fr")]));
        assert_eq!(told.country, Some(Country::Fr));
        let both = Identity::read(&headers(&[("x-country", "fr"), ("x-shop-country", "JP")]));
        assert_eq!(both.country, Some(Country::Jp));
    }

    #[test]
    fn sessions_are_plain_and_short() {
        assert!(is_session("0123abc-_"));
        for bad in ["", "a;b", "ä", &"x".repeat(81)] {
            assert!(!is_session(bad), "{bad}");
        }
    }
}
