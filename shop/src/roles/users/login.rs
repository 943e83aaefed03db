//! Registering, logging in and out, and telling whose a token is.
//!
//! A refusal says the same whatever the reason is; the log tells the reason, and never what was
//! typed: people type passwords into the wrong field.

use axum::{
    Json,
    extract::State,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};

use super::{
    Shared, Users,
    account::{self, Account},
    activity::Act,
    store::{NewAccount, NewSession},
};
use crate::{
    http::{
        identity::{Account as Asker, LOGIN_COOKIE},
        input::Fields,
        problem::Problem,
    },
    ids::now_ms,
    secret::{NoRandomness, Secret},
};

/// Wrong passwords in a row after which an account is locked.
const MOST_FAILURES: i64 = 10;
/// How long it is: enough to make guessing hopeless, little enough to keep nobody out for long.
const LOCK_MS: i64 = 60_000;
/// How old the time of last use may be; writing it down for each request would be much.
const SEEN_EVERY_MS: i64 = 60_000;
/// Longest text that is looked up as a name.
const LONGEST_NAME: usize = 100;

/// Why someone was not let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Refusal {
    UnknownUser,
    WrongPassword,
    Locked,
    Deactivated,
}

impl Refusal {
    const fn name(self) -> &'static str {
        match self {
            Self::UnknownUser => "unknown_user",
            Self::WrongPassword => "wrong_password",
            Self::Locked => "account_locked",
            Self::Deactivated => "account_deactivated",
        }
    }
}

/// `POST /users/register`
pub(super) async fn register(
    State(users): State<Shared>,
    mut fields: Fields,
) -> Result<Response, Problem> {
    let username = account::new_username(&mut fields);
    let password = fields.secret("password");
    account::check_password(&mut fields, &password, &username, false);
    let name = account::name(&mut fields).unwrap_or_default();
    let country = account::country(&mut fields);
    fields.finish()?;
    if users.store.by_name(&username).await?.is_some() {
        return Err(taken());
    }
    let hash = users.passwords.hash(password).await?;
    let new = NewAccount {
        username: &username,
        password_hash: &hash,
        is_admin: false,
        name: &name,
        country: country.map_or("", |country| country.code()),
        is_demo: false,
    };
    let id = users.store.insert(&new).await?.ok_or_else(taken)?;
    users.metrics.registered();
    users.store.note(Act::Registration).await;
    tracing::info!(user_id = id, "user registered");
    let made = json!({ "user_id": id, "username": username, "role": account::CUSTOMER });
    Ok((StatusCode::CREATED, Json(made)).into_response())
}

fn taken() -> Problem {
    Problem::field(StatusCode::CONFLICT, "username", "is taken")
}

/// `POST /users/login`
pub(super) async fn login(
    State(users): State<Shared>,
    mut fields: Fields,
) -> Result<Response, Problem> {
    let username = fields.text("username", LONGEST_NAME);
    let password = fields.secret("password");
    fields.finish()?;
    let found = users.store.by_name(&username).await?;
    match users.admit(found.as_ref(), password).await? {
        Ok(account) => users.welcome(account).await,
        Err(refusal) => {
            users.refuse(refusal, found.as_ref()).await?;
            let detail = "the username or the password is wrong";
            Err(Problem::new(StatusCode::UNAUTHORIZED, detail).because("bad_credentials"))
        }
    }
}

impl Users {
    /// Checks a password; it is hashed also when that cannot change the outcome, so that the time
    /// it takes tells nothing.
    async fn admit<'a>(
        &self,
        found: Option<&'a Account>,
        password: Secret,
    ) -> Result<Result<&'a Account, Refusal>, Problem> {
        let hash = found.map(|account| account.password_hash.clone());
        let fits = self.passwords.check(password, hash).await?;
        Ok(match found {
            None => Err(Refusal::UnknownUser),
            Some(account) if account.locked_until_ms > now_ms() => Err(Refusal::Locked),
            Some(_) if !fits => Err(Refusal::WrongPassword),
            Some(account) if !account.is_active => Err(Refusal::Deactivated),
            Some(account) => Ok(account),
        })
    }

    /// Checks the password of someone who is logged in already.
    pub(super) async fn reassure(
        &self,
        account: &Account,
        password: Secret,
    ) -> Result<bool, Problem> {
        match self.admit(Some(account), password).await? {
            Ok(_) => Ok(true),
            Err(refusal) => {
                self.refuse(refusal, Some(account)).await?;
                Ok(false)
            }
        }
    }

    async fn welcome(&self, account: &Account) -> Result<Response, Problem> {
        let token = Secret::token().map_err(no_randomness)?;
        let now = now_ms();
        let expires_ms = now + self.lifetime_ms;
        let new = NewSession {
            user: account.id,
            token: &token,
            seen_ms: now,
            expires_ms,
        };
        let session_id = self.store.open(&new).await?;
        self.metrics.login(true);
        self.store.note(Act::Login).await;
        self.store.note_active(account.id).await;
        tracing::info!(user_id = account.id, session_id, "login succeeded");
        let answer = json!({
            "token": token.expose(),
            "user_id": account.id,
            "username": account.username,
            "role": account::role(account.is_admin),
            "expires_ms": expires_ms,
        });
        Ok(with_cookie(
            Json(answer),
            token.expose(),
            self.lifetime_ms / 1_000,
        ))
    }

    /// Writes down that someone was not let in; an account is locked when it was tried too often.
    async fn refuse(&self, refusal: Refusal, found: Option<&Account>) -> Result<(), Problem> {
        let reason = refusal.name();
        let user_id = found.map(|account| account.id);
        self.metrics.login(false);
        tracing::warn!(reason, user_id, "login failed");
        // Nobody has the id 0: an unknown name costs the same statements.
        let counted = match refusal {
            Refusal::WrongPassword => user_id.unwrap_or(0),
            _ => 0,
        };
        let store = &self.store;
        store.db.execute(&store.run.fail, &[counted.into()]).await?;
        if found.is_some_and(|account| account.failures + 1 >= MOST_FAILURES) && counted != 0 {
            let until = now_ms() + LOCK_MS;
            let params = [until.into(), counted.into(), MOST_FAILURES.into()];
            if store.db.execute(&store.run.lock, &params).await? == 1 {
                tracing::warn!(user_id, lock_ms = LOCK_MS, "account locked");
            }
        }
        store.note(Act::Failure).await;
        Ok(())
    }
}

fn no_randomness(error: NoRandomness) -> Problem {
    tracing::error!(reason = %error, "no token could be made");
    Problem::internal()
}

fn with_cookie(body: impl IntoResponse, token: &str, seconds: i64) -> Response {
    let cookie =
        format!("{LOGIN_COOKIE}={token}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax");
    let mut response = body.into_response();
    if let Ok(cookie) = HeaderValue::from_str(&cookie) {
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    response
}

/// `POST /users/logout`
pub(super) async fn logout(State(users): State<Shared>, asker: Asker) -> Result<Response, Problem> {
    let session = asker.login.unwrap_or(0);
    let params = [session.into(), asker.user.into()];
    users
        .store
        .db
        .execute(&users.store.run.close, &params)
        .await?;
    tracing::info!(user_id = asker.user, session_id = session, "logged out");
    Ok(with_cookie(Json(json!({ "status": "logged_out" })), "", 0))
}

/// `POST /sessions/verify`, for the other roles: whose a token is.
pub(super) async fn verify(
    State(users): State<Shared>,
    mut fields: Fields,
) -> Result<Json<Value>, Problem> {
    let token = fields.secret("token");
    fields.finish()?;
    let whose = users.whose(&token).await?;
    users.metrics.checked(whose.is_some());
    whose.map(Json).ok_or_else(|| {
        let detail = "nobody is logged in with this token";
        Problem::new(StatusCode::UNAUTHORIZED, detail).because("unknown_token")
    })
}

impl Users {
    async fn whose(&self, token: &Secret) -> Result<Option<Value>, Problem> {
        let digest = token.digest();
        let store = &self.store;
        let row = store
            .db
            .fetch_optional(&store.run.session, &[digest.as_str().into()])
            .await?;
        let Some(row) = row else {
            return Ok(None);
        };
        let (session_id, user) = (row.int(0)?, row.int(1)?);
        let (seen_ms, expires_ms, now) = (row.int(2)?, row.int(3)?, now_ms());
        let is_active = row.int(7)? != 0;
        if expires_ms <= now || seen_ms <= now - self.idle_ms || !is_active {
            return Ok(None);
        }
        if now - seen_ms > SEEN_EVERY_MS {
            let params = [now.into(), session_id.into()];
            store.db.execute(&store.run.seen, &params).await?;
            store.note_active(user).await;
        }
        let country = row.text(6)?;
        Ok(Some(json!({
            "user_id": user,
            "username": row.text(4)?,
            "role": row.text(5)?,
            "country": (!country.is_empty()).then_some(country),
            "session_id": session_id,
        })))
    }
}
