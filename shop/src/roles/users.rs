//! Accounts, sessions and who may do what.
//!
//! A session is an opaque token of which only the digest is stored; it ends when it is too old, was
//! left unused for too long, or is ended. Reading order: `schema`, `store`, `account` (the rules),
//! `password`, `login`, `profile`, `admin`, `activity`, `demo`.

use std::{sync::Arc, time::Duration};

use axum::{
    Router,
    http::Method,
    routing::{delete, get, post},
};

use super::{Background, Parts, Started, counted};
use crate::{
    config::Role,
    db::DbError,
    error::ShopError,
    ids::now_ms,
    telemetry::{http_metrics::RouteSpec, user_metrics::UserMetrics},
};

mod account;
mod activity;
mod admin;
mod commands;
mod demo;
mod login;
mod password;
mod profile;
mod schema;
mod store;

pub(crate) use commands::{NewAdmin, create_admin};
use password::Passwords;
use store::Store;

/// How often active users are counted.
const COUNT_EVERY: Duration = Duration::from_secs(5);
/// How many counts pass between two purges of ended sessions.
const PURGE_EVERY: u32 = 12;

/// What the handlers share.
type Shared = Arc<Users>;

#[derive(Debug)]
struct Users {
    store: Store,
    passwords: Passwords,
    metrics: UserMetrics,
    lifetime_ms: i64,
    idle_ms: i64,
}

pub(super) async fn start(parts: Parts<'_>) -> Result<Started, ShopError> {
    let users = Arc::new(Users::open(parts).await?);
    let prepared = if parts.config.accounts.demo {
        users
            .make_demo()
            .await
            .map_err(|problem| refused(problem.to_string()))
    } else {
        let removed = users.remove_demo().await;
        removed.map_err(|error| refused(error.to_string()))
    };
    prepared?;
    let background: Background = Box::pin(upkeep(Arc::clone(&users)));
    Ok(Started {
        role: Role::Users,
        db: Some(Arc::clone(&users.store.db)),
        router: router(users),
        routes: routes(),
        background: vec![background],
    })
}

fn refused(reason: String) -> ShopError {
    ShopError::Accounts(reason)
}

fn router(users: Shared) -> Router {
    Router::new()
        .route("/users/register", post(login::register))
        .route("/users/login", post(login::login))
        .route("/users/logout", post(login::logout))
        .route("/sessions/verify", post(login::verify))
        .route("/users/me", get(profile::show).put(profile::update))
        .route("/users/me/sessions", get(profile::sessions))
        .route("/users/me/sessions/{id}", delete(profile::end_session))
        .route("/admin/users", get(admin::list))
        .route("/admin/users/{id}", get(admin::one).put(admin::update))
        .route("/admin/stats/activity", get(activity::activity))
        .with_state(users)
}

fn routes() -> Vec<RouteSpec> {
    vec![
        counted(Method::POST, "/users/register", &[201, 409, 422, 500, 503]),
        counted(Method::POST, "/users/login", &[200, 401, 422, 500, 503]),
        counted(Method::POST, "/users/logout", &[200, 401, 500, 503]),
        counted(Method::POST, "/sessions/verify", &[200, 401, 500, 503]),
        counted(Method::GET, "/users/me", &[200, 401, 500, 503]),
        counted(Method::PUT, "/users/me", &[200, 401, 403, 422, 500, 503]),
        counted(Method::GET, "/users/me/sessions", &[200, 401, 500, 503]),
        counted(
            Method::DELETE,
            "/users/me/sessions/{id}",
            &[204, 401, 404, 500, 503],
        ),
        counted(Method::GET, "/admin/users", &[200, 401, 403, 500, 503]),
        counted(
            Method::GET,
            "/admin/users/{id}",
            &[200, 401, 403, 404, 500, 503],
        ),
        counted(
            Method::PUT,
            "/admin/users/{id}",
            &[200, 401, 403, 404, 409, 422, 500, 503],
        ),
        counted(
            Method::GET,
            "/admin/stats/activity",
            &[200, 401, 403, 500, 503],
        ),
    ]
}

impl Users {
    async fn open(parts: Parts<'_>) -> Result<Self, ShopError> {
        let accounts = &parts.config.accounts;
        let passwords = Passwords::new(accounts.password_cost);
        let db = parts.database(Role::Users, schema::SCHEMA).await?;
        Ok(Self {
            store: Store::new(db),
            passwords: passwords.map_err(|error| refused(error.to_string()))?,
            metrics: parts.metrics.users.clone(),
            lifetime_ms: millis(accounts.session_lifetime),
            idle_ms: millis(accounts.session_idle),
        })
    }

    /// Counts the accounts with a session in use; the tokens of the demo are not.
    async fn active_now(&self) -> Result<i64, DbError> {
        let now = now_ms();
        let params = [now.into(), (now - self.idle_ms).into(), now.into()];
        self.store
            .number(&self.store.run.active_users, &params)
            .await
    }

    async fn purge(&self) -> Result<u64, DbError> {
        let now = now_ms();
        let params = [now.into(), (now - self.idle_ms).into()];
        self.store.db.execute(&self.store.run.purge, &params).await
    }
}

fn millis(duration: Duration) -> i64 {
    // A century, so that sums stay far from the end of the numbers.
    const MOST: i64 = 100 * 366 * store::DAY_MS;
    i64::try_from(duration.as_millis())
        .unwrap_or(MOST)
        .min(MOST)
}

/// Counts active users and purges sessions that ended.
async fn upkeep(users: Shared) {
    let service = Role::Users.name();
    let mut ticks = tokio::time::interval(COUNT_EVERY);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    for tick in 0_u32.. {
        ticks.tick().await;
        match users.active_now().await {
            Ok(active) => users.metrics.active(active),
            Err(error) => tracing::warn!(service, reason = %error, "users were not counted"),
        }
        if tick % PURGE_EVERY != 0 {
            continue;
        }
        match users.purge().await {
            Ok(0) => {}
            Ok(ended) => tracing::info!(service, ended, "sessions purged"),
            Err(error) => tracing::warn!(service, reason = %error, "sessions were not purged"),
        }
    }
}
