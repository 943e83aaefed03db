//! One request on its way: the envelope is checked, whoever asks is found out, and the owner of the
//! route is asked in their name.

use std::sync::Arc;

use axum::{
    body::{Body, Bytes},
    extract::{FromRequest as _, FromRequestParts as _, RawPathParams, Request},
    http::{HeaderMap, HeaderValue, StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
};

use super::{
    Storefront,
    authenticate::Login,
    cookies::{self, Credential},
    guard::{Asked, From},
    table::{Access, LOGIN, Route},
};
use crate::{
    http::{
        call::{Ask, IDEMPOTENCY_KEY},
        identity::Identity,
        input::Raw,
        problem::Problem,
    },
    market::Country,
};

const KEY: &str = "idempotency-key";
/// Longest key a client may make a request repeatable by.
const LONGEST_KEY: usize = 80;
/// Hexadecimal digits of a key that stands for a visit: as many as a UUID has, so that nobody guesses
/// it.
const DIGITS_ALONE: usize = 32;
/// Longest query that is passed on.
const LONGEST_QUERY: usize = 2_048;
/// Longest code in a path.
const LONGEST_CODE: usize = 40;
/// Largest number that every JSON reader keeps exactly.
const LARGEST_ID: i64 = (1 << 53) - 1;

/// A route as it is served.
#[derive(Debug, Clone, Copy)]
pub(super) struct Served {
    pub(super) route: &'static Route,
    /// The template as metrics and spans write it: `/products/:id`.
    pub(super) label: &'static str,
}

/// Who asks, and how they said so.
struct Asker {
    identity: Identity,
    credential: Option<Credential>,
    /// The visit has just been given its id.
    is_new_visit: bool,
}

/// Passes a request on and its answer back.
pub(super) async fn pass(shop: Arc<Storefront>, served: Served, request: Request) -> Response {
    let (mut parts, body) = request.into_parts();
    let credential = cookies::credential(&parts.headers);
    let login = shop
        .authenticator
        .admit(served.route.access, credential.as_ref())
        .await;
    let login = match login {
        Ok(login) => login,
        Err(problem) => return problem.into_response(),
    };
    let user = login.as_ref().map(|login| login.user_id);
    let asker = asker(
        served.route.access,
        login.as_ref(),
        credential,
        &parts.headers,
    );
    let mut response = match ask(&shop, served, &asker, &mut parts, body).await {
        Ok(response) => response,
        Err(problem) => problem.into_response(),
    };
    if response.status().is_success() {
        let after = served.route.after;
        shop.authenticator
            .after(after, asker.credential.as_ref())
            .await;
        if let Some(stage) = served.route.stage {
            let customer = asker.identity.user.unwrap_or(0);
            let country = asker.identity.country;
            let country = country.unwrap_or_else(|| Country::of_customer(customer));
            shop.business.funnel(stage, country);
        }
    }
    if let Some(user) = user {
        response.extensions_mut().insert(Asked(user));
    }
    finish(&mut response, served.route.access, &asker);
    response
}

async fn ask(
    shop: &Storefront,
    served: Served,
    asker: &Asker,
    parts: &mut Parts,
    body: Body,
) -> Result<Response, Problem> {
    if let Some(user) = asker.identity.user {
        shop.guard.take_user(user).await?;
    }
    let route = served.route;
    let mut ask = Ask::new(
        route.method.method(),
        served.label,
        path(route, parts).await?,
    );
    if let Some(query) = parts.uri.query() {
        if query.len() > LONGEST_QUERY {
            let detail = format!("the query is longer than {LONGEST_QUERY} bytes");
            return Err(Problem::new(StatusCode::URI_TOO_LONG, detail));
        }
        ask = ask.with_query(Some(query));
    }
    if let Some(key) = key(&parts.headers)? {
        if asker.is_new_visit && !stands_alone(&key) {
            let message = "must be a UUID, or 32 hexadecimal digits or more, without a login or a visit: \
                           a repeat is known by the key alone";
            return Err(Problem::field(StatusCode::BAD_REQUEST, KEY, message));
        }
        ask = ask.with_header(IDEMPOTENCY_KEY, key);
    }
    if route.method.has_body() {
        let raw = raw(parts, body).await?;
        if route.template == LOGIN
            && let Some(From(ip)) = parts.extensions.get()
        {
            shop.guard.take_login(*ip, &username(&raw.body)).await?;
        }
        if let Some(kind) = parts.headers.get(header::CONTENT_TYPE) {
            ask = ask.with_header(header::CONTENT_TYPE, kind.clone());
        }
        ask = ask.with_body(raw.body);
    }
    let ask = ask.with_identity(&asker.identity);
    Ok(shop.owner(route.owner).pass_on(ask).await?.into_response())
}

/// Finds out in whose name the owner is asked.
fn asker(
    access: Access,
    login: Option<&Login>,
    credential: Option<Credential>,
    headers: &HeaderMap,
) -> Asker {
    let named = cookies::visit(headers).map(str::to_owned);
    let is_new_visit = named.is_none() && login.is_none() && access == Access::Visitor;
    let session = match headers.get(IDEMPOTENCY_KEY) {
        // Whoever did not hear the answer does not know the visit either, and comes again with the key.
        Some(key) if is_new_visit && stands_alone(key) => {
            Some(cookies::visit_of_key(key.as_bytes()))
        }
        _ if is_new_visit => cookies::new_visit(),
        _ => named,
    };
    let country = login.and_then(|login| login.country.as_deref());
    let identity = Identity {
        user: login.map(|login| login.user_id),
        admin: login.is_some_and(Login::is_admin),
        login: login.map(|login| login.session_id),
        session,
        country: country
            .and_then(Country::parse)
            .or_else(|| Identity::public_country(headers)),
    };
    Asker {
        identity,
        credential,
        is_new_visit,
    }
}

fn finish(response: &mut Response, access: Access, asker: &Asker) {
    let headers = response.headers_mut();
    if asker.is_new_visit
        && let Some(visit) = &asker.identity.session
    {
        cookies::tell_visit(headers, visit);
    }
    if access != Access::Open {
        let private = HeaderValue::from_static("no-store");
        headers.insert(header::CACHE_CONTROL, private);
    }
}

/// Writes the path anew from what its parts mean, so that no owner sees another route than this.
async fn path(route: &Route, parts: &mut Parts) -> Result<String, Problem> {
    let mut path = route.template.to_owned();
    if !path.contains('{') {
        return Ok(path);
    }
    let bad = |name: &str, message| Problem::field(StatusCode::BAD_REQUEST, name, message);
    let named = RawPathParams::from_request_parts(parts, &()).await;
    let named = named.map_err(|_| bad("path", "is not UTF-8"))?;
    for (name, value) in &named {
        if name == "code" {
            let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
            if value.len() > LONGEST_CODE || !value.bytes().all(allowed) {
                return Err(bad(name, "must have 1 to 40 of A-Z a-z 0-9 - _"));
            }
        } else {
            let id = value.parse::<i64>().ok();
            if !id.is_some_and(|id| (1..=LARGEST_ID).contains(&id)) {
                return Err(bad(name, "must be a whole number above 0"));
            }
        }
        path = path.replace(&format!("{{{name}}}"), value);
    }
    Ok(path)
}

/// Tells whether a key may stand for a visit.
fn stands_alone(key: &HeaderValue) -> bool {
    let digits = key.as_bytes().iter().filter(|byte| **byte != b'-');
    let is_hexadecimal = digits.clone().all(u8::is_ascii_hexdigit);
    is_hexadecimal && key.len() <= LONGEST_KEY && digits.count() >= DIGITS_ALONE
}

fn key(headers: &HeaderMap) -> Result<Option<HeaderValue>, Problem> {
    let Some(key) = headers.get(IDEMPOTENCY_KEY) else {
        return Ok(None);
    };
    let visible = key.as_bytes().iter().all(u8::is_ascii_graphic);
    if key.is_empty() || key.len() > LONGEST_KEY || !visible {
        let message = "must have 1 to 80 visible ASCII characters";
        return Err(Problem::field(StatusCode::BAD_REQUEST, KEY, message));
    }
    Ok(Some(key.clone()))
}

async fn raw(parts: &Parts, body: Body) -> Result<Raw, Problem> {
    let mut request = Request::new(body);
    if let Some(kind) = parts.headers.get(header::CONTENT_TYPE) {
        request
            .headers_mut()
            .insert(header::CONTENT_TYPE, kind.clone());
    }
    Raw::from_request(request, &()).await
}

/// Reads whom someone tries to log in as; what cannot be read is one name.
fn username(body: &Bytes) -> String {
    let body: serde_json::Value = serde_json::from_slice(body).unwrap_or_default();
    body["username"].as_str().unwrap_or_default().to_owned()
}
