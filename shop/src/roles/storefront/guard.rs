//! The watch at the door: how fast someone may come, and who is no customer.
//!
//! It stands around every route and around what no route takes.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use axum::{
    extract::{ConnectInfo, MatchedPath, Request, State},
    http::{HeaderMap, HeaderName, StatusCode},
    middleware::Next,
    response::{IntoResponse, Response},
};

use super::{cookies, table::LOGIN};
use crate::{
    config::{Role, guard::LimitsConfig},
    http::problem::Problem,
    limits::{
        Client, Limit, LimitType, Quota,
        suspicion::{Suspects, Suspicion},
    },
    roles::Parts,
    telemetry::security_metrics::SecurityMetrics,
};

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The address a request came from.
#[derive(Debug, Clone, Copy)]
pub(super) struct From(pub(super) IpAddr);

/// Left on an answer: the account that asked.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asked(pub(super) i64);

/// The limits of the edge, and whom it suspects.
#[derive(Debug)]
pub(super) struct Guard {
    ip: Option<Limit>,
    user: Option<Limit>,
    login: Option<Limit>,
    suspect: Option<Limit>,
    suspects: Suspects,
    trust_forwarded_for: bool,
    metrics: SecurityMetrics,
}

impl Guard {
    pub(super) fn new(parts: Parts<'_>) -> Self {
        let config: &LimitsConfig = &parts.config.limits;
        let limit = |name, quota: Option<Quota>| {
            quota.map(|quota| Limit::new(name, quota, parts.caches.redis()))
        };
        Self {
            ip: limit("ip", config.ip),
            user: limit("user", config.user),
            login: limit("login", config.login),
            suspect: limit("suspect", config.suspect),
            suspects: Suspects::default(),
            trust_forwarded_for: config.trust_forwarded_for,
            metrics: parts.metrics.security.clone(),
        }
    }

    /// Takes a request of an account.
    pub(super) async fn take_user(&self, user: i64) -> Result<(), Problem> {
        let client = Client::User(user);
        self.take(self.user.as_ref(), LimitType::User, client)
            .await?;
        self.take_suspect(LimitType::User, client).await
    }

    /// Takes an attempt to log in.
    pub(super) async fn take_login(&self, ip: IpAddr, username: &str) -> Result<(), Problem> {
        let client = Client::of_login(ip, username);
        self.take(self.login.as_ref(), LimitType::Login, client)
            .await
    }

    /// Takes a request of a suspect, whose limit is tight.
    async fn take_suspect(&self, kind: LimitType, client: Client) -> Result<(), Problem> {
        if self.suspects.contains(client).await {
            self.take(self.suspect.as_ref(), kind, client).await?;
        }
        Ok(())
    }

    async fn take(
        &self,
        limit: Option<&Limit>,
        kind: LimitType,
        client: Client,
    ) -> Result<(), Problem> {
        let Some(limit) = limit else {
            return Ok(());
        };
        limit.take(client).await.map_err(|wait| {
            self.metrics.limited(kind);
            tracing::debug!(limit_type = kind.name(), "rate limit exceeded");
            too_fast(wait)
        })
    }

    /// Returns who sent the request, as far as the connection tells.
    fn ip(&self, request: &Request) -> IpAddr {
        let connected = request.extensions().get::<ConnectInfo<SocketAddr>>();
        let forwarded = self
            .trust_forwarded_for
            .then(|| forwarded(request.headers()));
        forwarded
            .flatten()
            .or_else(|| connected.map(|ConnectInfo(address)| address.ip()))
            .unwrap_or(Ipv4Addr::UNSPECIFIED.into())
    }

    /// Adds a refusal up; tells when there were too many.
    async fn note(&self, client: Client, address: Client, why: Suspicion) {
        let mut suspected = self.suspects.refused(client, why).await;
        if client != address {
            suspected |= self.suspects.refused_address(address, why).await;
        }
        if suspected {
            self.metrics.suspected(why);
            let kind = why.name();
            tracing::warn!(
                service = Role::Storefront.name(),
                kind,
                "suspicious activity"
            );
        }
    }
}

/// Returns the address that the proxy before us saw: the last one, since clients write the others.
fn forwarded(headers: &HeaderMap) -> Option<IpAddr> {
    let last = headers.get_all(FORWARDED_FOR).into_iter().next_back()?;
    last.to_str().ok()?.rsplit(',').next()?.trim().parse().ok()
}

fn too_fast(wait: Duration) -> Problem {
    let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
    let detail = "too many requests, slow down";
    Problem::new(StatusCode::TOO_MANY_REQUESTS, detail)
        .because("rate_limited")
        .retry_after(seconds.max(1))
}

/// Lets a request in, or not, and looks at what became of it.
pub(super) async fn watch(
    State(guard): State<Arc<Guard>>,
    mut request: Request,
    next: Next,
) -> Response {
    let ip = guard.ip(&request);
    let address = Client::of_ip(ip);
    let visit = cookies::visit(request.headers());
    let visitor = visit.map_or(address, |visit| Client::of_visit(ip, visit));
    let is_login = request
        .extensions()
        .get::<MatchedPath>()
        .is_some_and(|path| path.as_str() == LOGIN);
    let taken = async {
        guard
            .take(guard.ip.as_ref(), LimitType::Ip, address)
            .await?;
        guard.take_suspect(LimitType::Ip, visitor).await
    };
    if let Err(problem) = taken.await {
        return problem.into_response();
    }
    request.extensions_mut().insert(From(ip));
    let response = next.run(request).await;
    if let Some(why) = Suspicion::of(response.status(), is_login) {
        let asked = response.extensions().get::<Asked>();
        let client = asked.map_or(visitor, |Asked(user)| Client::User(*user));
        guard.note(client, address, why).await;
    }
    response
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderMap, HeaderValue};

    use super::forwarded;

    #[test]
    fn only_what_the_proxy_wrote_is_believed() {
        let mut headers = HeaderMap::new();
        assert_eq!(forwarded(&headers), None);
        let list = HeaderValue::from_static("1.1.1.1, 10.0.0.7");
        headers.append("x-forwarded-for", list);
        assert_eq!(forwarded(&headers), Some([10, 0, 0, 7].into()));
        headers.append("x-forwarded-for", HeaderValue::from_static("nobody"));
        assert_eq!(forwarded(&headers), None);
    }
}
