//! Telling whose a token is: by asking the users role, and by remembering the answer for a moment.

use std::time::Duration;

use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{
    cookies::Credential,
    table::{Access, After},
};
use crate::{
    cache::{Cache, Keep},
    config::Role,
    error::ShopError,
    http::{
        call::{Ask, Peer},
        identity,
        problem::Problem,
    },
    roles::Parts,
    secret::Secret,
};

/// How long an answer is good, and how long it must do while the users role is away. A session that
/// another storefront ended lives this long here.
const KEEP: Keep = Keep {
    fresh: Duration::from_secs(3),
    stale: Duration::from_mins(1),
    entries: 10_000,
};

/// Whose a token is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Login {
    pub(super) user_id: i64,
    role: String,
    pub(super) country: Option<String>,
    pub(super) session_id: i64,
}

impl Login {
    pub(super) fn is_admin(&self) -> bool {
        self.role == "admin"
    }
}

/// What is remembered of a token; also that nobody has it, or each guess would be asked for.
#[derive(Debug, Clone, Serialize, Deserialize)]
enum Known {
    Login(Login),
    Nobody,
}

/// Knows tokens by their digests.
#[derive(Debug)]
pub(super) struct Authenticator {
    users: Peer,
    known: Cache<Known>,
}

impl Authenticator {
    pub(super) fn new(parts: Parts<'_>) -> Result<Self, ShopError> {
        Ok(Self {
            users: parts.peer(Role::Storefront, Role::Users)?,
            known: parts.caches.cache(Role::Storefront, "sessions", KEEP),
        })
    }

    /// Tells who asks, or refuses whoever may not.
    pub(super) async fn admit(
        &self,
        access: Access,
        credential: Option<&Credential>,
    ) -> Result<Option<Login>, Problem> {
        let login = match credential {
            Some(credential) => self.login(&credential.token).await,
            None => Ok(None),
        };
        match access {
            Access::Open => Ok(login.unwrap_or(None)),
            Access::Visitor => {
                let login = login?;
                let is_wrong = credential.is_some_and(|sent| !sent.is_cookie) && login.is_none();
                if is_wrong {
                    return Err(identity::unknown());
                }
                Ok(login)
            }
            Access::Account => Ok(Some(login?.ok_or_else(identity::unknown)?)),
            Access::Admin => {
                let login = login?.ok_or_else(identity::unknown)?;
                if !login.is_admin() {
                    return Err(identity::not_admin());
                }
                Ok(Some(login))
            }
        }
    }

    /// Forgets what a request that succeeded made untrue.
    pub(super) async fn after(&self, after: After, credential: Option<&Credential>) {
        match (after, credential) {
            (After::ForgetAll, _) => self.known.flush().await,
            (After::Forget, Some(sent)) => self.known.remove(&sent.token.digest()).await,
            (After::Forget, None) | (After::Keep, _) => {}
        }
    }

    async fn login(&self, token: &Secret) -> Result<Option<Login>, Problem> {
        if token.expose().is_empty() {
            return Ok(None);
        }
        let digest = token.digest();
        let known = match self.known.fresh(&digest).await {
            Some(known) => known,
            None => self.ask(token, &digest).await?,
        };
        Ok(match known {
            Known::Login(login) => Some(login),
            Known::Nobody => None,
        })
    }

    async fn ask(&self, token: &Secret, digest: &str) -> Result<Known, Problem> {
        let ask = Ask::post("/sessions/verify", &json!({ "token": token.expose() }));
        let answer = match self.users.ask(ask).await {
            Ok(answer) => answer,
            Err(error) => {
                // An admin can do too much to be believed on an old answer.
                let stale = self.known.stale(digest).await;
                let login = stale.filter(|known| match known {
                    Known::Login(login) => !login.is_admin(),
                    Known::Nobody => false,
                });
                return login.ok_or_else(|| error.problem(Role::Users));
            }
        };
        let known = if answer.status == StatusCode::OK {
            let login = serde_json::from_slice(&answer.body);
            Known::Login(login.map_err(|error| {
                tracing::error!(reason = %error, "the answer about a token is not readable");
                Problem::internal()
            })?)
        } else {
            Known::Nobody
        };
        self.known.put(digest, &known).await;
        Ok(known)
    }
}
